"""How fast is it? `make bench`: every figure beside its baseline, both measured in this run.

Each benchmark gets a fresh, migrated database on an embedded server of its own.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import psycopg

from benchmarks import backtest, decide, ingest, line, score, tick
from bot import logs
from db import embedded
from db.migrate import migrate

BENCHMARKS: tuple[ModuleType, ...] = (ingest, line, tick, decide, score, backtest)


def main() -> int:
    wanted = set(sys.argv[1:])
    names = {module.__name__.rpartition(".")[2]: module for module in BENCHMARKS}
    if unknown := wanted - names.keys():
        print(f"unknown: {', '.join(sorted(unknown))} (known: {', '.join(names)})", file=sys.stderr)
        return 2
    logs.configure("WARNING")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory(prefix="yb", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder) / "data")
        try:
            for name, module in names.items():
                if wanted and name not in wanted:
                    continue
                print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
                for row in asyncio.run(module.run(_fresh(server.url))):
                    print(f"  {row}", flush=True)
        finally:
            server.stop()
    return 0


def _fresh(server_url: str) -> str:
    name = f"bench_{uuid4().hex[:8]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = server_url.replace("/yorisoi?", f"/{name}?")
    assert url != server_url, server_url
    migrate(url)
    return url


if __name__ == "__main__":
    raise SystemExit(main())

"""How fast do events come in over HTTP, against a bare insert of the same rows?

Compared, in one run on one server, in batches of the same size:

- `POST /v1/batch` from another process over eight keep-alive connections, each request answered after its
  commit (requests that wait together share one). It parses JSON, validates, makes customers, stores, dedupes,
  folds into signals and marks customers dirty. No rule watches these events, so no further signals follow.
- bare: `INSERT INTO … SELECT FROM unnest(…) ON CONFLICT DO NOTHING` with psycopg, given Python lists of ids,
  texts, datetimes and dictionaries as one writes it; the driver turns them into parameters. The table has our
  columns, key and partitions. One connection, one commit per batch, no HTTP, no JSON to read. This is what
  the ratio is of.
- rendered: the same insert with its parameters rendered to text outside the measured time: what the server
  alone takes from one connection.

Each figure is the middle of three, taken in turn; in brackets the lowest and highest of the three ratios.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from fastapi import FastAPI
from psycopg.types.json import Jsonb

from benchmarks.silence import Nobody
from bot.clock import Ids, SystemClock
from bot.deps import Deps
from bot.server import serving
from bot.settings import Settings
from db import arrays
from db.engine import Database
from db.people.customers import customer_id_of
from handlers import ingest

Json = dict[str, Any]

EVENTS = 30_000
CUSTOMERS = 5_000
CLIENTS = 8
NAMES = ("login", "report_viewed", "export_done", "member_invited", "data_connected")
NOW = datetime.now(UTC).replace(microsecond=0)
BARE = """
CREATE TABLE bare_event (customer_id uuid, message_id varchar, at timestamptz, name varchar,
  properties jsonb, received_at timestamptz, is_folded boolean, PRIMARY KEY (customer_id, message_id, at)
) PARTITION BY RANGE (at);
CREATE TABLE bare_past PARTITION OF bare_event FOR VALUES FROM ('2000-01-01') TO ({this_month});
CREATE TABLE bare_now PARTITION OF bare_event FOR VALUES FROM ({this_month}) TO ('2100-01-01');
"""
INSERT = """
INSERT INTO bare_event SELECT *, %s, true FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[],
  %s::jsonb[]) ON CONFLICT DO NOTHING
"""
INSERT_RENDERED = """
INSERT INTO bare_event SELECT *, %s, true FROM unnest(%s::text::uuid[], %s::text::text[],
  %s::text::timestamptz[], %s::text::text[], %s::text::jsonb[]) ON CONFLICT DO NOTHING
"""
AUTHORIZATION = "Authorization: Bearer benchmark\r\n"


def calls(size: int, *, seed: str, visits: bool) -> list[list[Json]]:
    """Batches of track calls: each event anybody's, or in visits of 1 to 12 events of one customer."""
    rng = random.Random(seed)
    everything: list[Json] = []
    while len(everything) < EVENTS:
        user = f"user-{rng.randrange(CUSTOMERS):06d}"
        at = NOW - timedelta(seconds=rng.random() * 20 * 86400)
        for _ in range(rng.randint(1, 12) if visits else 1):
            at += timedelta(seconds=rng.random() * 60)
            everything.append(
                {
                    "type": "track",
                    "userId": user,
                    "event": rng.choice(NAMES),
                    "timestamp": min(at, NOW).isoformat(),
                    "messageId": f"{seed}-{len(everything):08d}",
                    "properties": {"plan": "standard", "source": "web", "rows": rng.randrange(1000)},
                }
            )
    return [everything[i : i + size] for i in range(0, EVENTS, size)]


Columns = tuple[list[UUID], list[str], list[datetime], list[str], list[Json]]


def columns_of(batch: list[Json]) -> Columns:
    """A batch's event rows as Python values, column by column."""
    return (
        [customer_id_of(call["userId"]) for call in batch],
        [call["messageId"] for call in batch],
        [datetime.fromisoformat(call["timestamp"]) for call in batch],
        [call["event"] for call in batch],
        [call["properties"] for call in batch],
    )


def bare(url: str, batches: list[list[Json]]) -> float:
    """Events per second of the bare insert, from Python values."""
    given = [columns_of(batch) for batch in batches]
    with _emptied(url) as connection:
        began = time.perf_counter()
        for ids, messages, times, names, documents in given:
            values = (NOW, ids, messages, times, names, [Jsonb(document) for document in documents])
            connection.execute(INSERT, values)
            connection.commit()
        return EVENTS / (time.perf_counter() - began)


def rendered(url: str, batches: list[list[Json]]) -> float:
    """Events per second of the bare insert, from parameters made beforehand."""
    given = [
        (
            NOW,
            arrays.uuids(ids),
            arrays.texts(messages),
            arrays.moments(times),
            arrays.texts(names),
            arrays.documents(documents),
        )
        for ids, messages, times, names, documents in map(columns_of, batches)
    ]
    with _emptied(url) as connection:
        began = time.perf_counter()
        for values in given:
            connection.execute(INSERT_RENDERED, values)
            connection.commit()
        return EVENTS / (time.perf_counter() - began)


@contextmanager
def _emptied(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url) as connection:
        connection.execute("TRUNCATE bare_event")
        connection.commit()
        yield connection


async def post_all(address: str, bodies: list[bytes]) -> None:
    """The other process: post every prepared body, print the seconds it took."""
    host, port = address.removeprefix("http://").split(":")

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while bodies:
            writer.write(bodies.pop())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    print(time.perf_counter() - began)


async def over_http(address: str, batches: list[list[Json]]) -> float:
    """Events per second through the door."""
    with tempfile.TemporaryDirectory() as folder:
        _write_requests(batches, Path(folder))
        client = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.ingest", address, folder, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await client.communicate()
        assert client.returncode == 0
        return EVENTS / float(told)


def _write_requests(batches: list[list[Json]], folder: Path) -> None:
    for index, batch in enumerate(batches):
        body = json.dumps({"batch": batch}).encode()
        head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\n{AUTHORIZATION}Content-Length: {len(body)}\r\n\r\n"
        (folder / f"{index:06d}").write_bytes(head.encode() + body)


async def _compared(url: str, address: str, size: int, *, visits: bool) -> str:
    http, floor, server = [], [], []
    for turn in range(3):
        batches = calls(size, seed=f"{size}-{visits}-{turn}", visits=visits)
        floor.append(await asyncio.to_thread(bare, url, batches))
        http.append(await over_http(address, batches))
        server.append(await asyncio.to_thread(rendered, url, batches))
    ratios = sorted(rate / base for rate, base in zip(http, floor, strict=True))
    rate, base, most = (sorted(figures)[1] for figures in (http, floor, server))
    shape = "visits of 1-12 events" if visits else "every event anybody's"
    return (
        f"batches of {size}, {shape}: {rate:,.0f} events/s over HTTP, {base:,.0f} by a bare INSERT … SELECT"
        f" unnest: {rate / base:.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}, aim 0.60);"
        f" {most:,.0f} rendered beforehand: {rate / most:.2f}"
    )


async def run(url: str) -> list[str]:
    """A line per batch size and shape."""
    with psycopg.connect(url) as connection:
        connection.execute(BARE.format(this_month=f"'{NOW:%Y-%m}-01'"))
    clock = SystemClock()
    database = Database(url)
    deps = Deps(
        settings=Settings(_env_file=None, yorisoi_ingest_key="benchmark"),
        clock=clock,
        ids=Ids(clock),
        rng=random.Random(1),
        db=database,
        waker=Nobody(),
    )
    app = FastAPI()
    app.include_router(ingest.router(deps))
    async with serving(app, host="127.0.0.1", port=0) as address:
        rows = [
            await _compared(url, address, size, visits=visits)
            for visits in (False, True)
            for size in (100, 500)
        ]
    await database.dispose()
    return rows


if __name__ == "__main__":
    asyncio.run(post_all(sys.argv[1], [path.read_bytes() for path in sorted(Path(sys.argv[2]).iterdir())]))

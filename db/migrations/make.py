"""How is a revision written from the models? `python -m db.migrations.make [WHAT_CHANGED]`, for developers.

Without words, and until the first release, the first revision is written anew. With words, a revision is
added for what differs between the newest one and the models; read it before you commit it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import api
from sqlalchemy import create_engine
from sqlmodel.sql.sqltypes import AutoString

from db.embedded import start
from db.engine import url_of
from db.migrate import configuration
from db.migrations.scope import every_table

FIRST = "0001"
VERSIONS = Path(__file__).parent / "versions"


def render_type(kind: str, thing: Any, _context: api.AutogenContext) -> str | bool:
    """Write the models' string type as SQLAlchemy's own."""
    return "sa.String()" if kind == "type" and isinstance(thing, AutoString) else False


def make(words: str) -> None:
    """Write a revision file, against a database of its own."""
    if not words:
        for old in VERSIONS.glob(f"{FIRST}_*.py"):
            old.unlink()
    with tempfile.TemporaryDirectory(prefix="ym", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        server = start(Path(folder) / "data")
        engine = create_engine(url_of(server.url))
        try:
            with engine.begin() as connection:
                config = configuration(connection)
                config.attributes |= {"metadata": every_table(), "render_item": render_type}
                command.upgrade(config, "head")
                number = f"{len(list(VERSIONS.glob('[0-9]*.py'))) + 1:04d}"
                command.revision(config, words or "first", autogenerate=True, rev_id=number)
        finally:
            engine.dispose()
            server.stop()


if __name__ == "__main__":
    make(" ".join(sys.argv[1:]))

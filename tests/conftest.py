"""Which real PostgreSQL do the tests run on? One embedded server a run, one copied database a test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from bot import logs
from db import embedded
from db.engine import Database
from db.migrate import migrate

if TYPE_CHECKING:
    from sandbox.world import World


@pytest.fixture(autouse=True)
def _same_logs_for_every_test() -> None:
    """A test may set logging up as a command does; the next one begins as the program does."""
    logs.configure("INFO")


CANARIES = ("090-1234-5678", "090-7771-3344", "九条", "蘭堂")
"""Phone numbers and names that only customers of stories have: no log line of any test may hold one."""


@pytest.fixture(autouse=True)
def _nothing_personal_is_logged(_same_logs_for_every_test: None) -> Iterator[None]:
    heard: list[str] = []
    write = logs.StandardError.write

    def tapped(self: logs.StandardError, words: str) -> int:
        heard.append(words)
        return write(self, words)

    logs.StandardError.write = tapped
    yield
    logs.StandardError.write = write
    told = "".join(heard)
    assert [canary for canary in CANARIES if canary in told] == []


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of a PostgreSQL server, with `{}` in the database's place."""
    with tempfile.TemporaryDirectory(prefix="yt", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder) / "data")
        try:
            yield server.url_of("{}").replace("%7B%7D", "{}")
        finally:
            server.stop()


@pytest.fixture(scope="session")
def template(server_url: str) -> str:
    """A migrated, empty database to copy from."""
    with psycopg.connect(server_url.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE yorisoi_template")
    migrate(server_url.format("yorisoi_template"))
    return "yorisoi_template"


@pytest.fixture
def database_url(server_url: str, template: str) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    name = f"t{uuid4().hex[:12]}"
    with psycopg.connect(server_url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield server_url.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The program's own way to that database."""
    database = Database(database_url)
    yield database
    await database.dispose()


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """The whole program among stand-ins, Monday 2 November 2026, 10:00 in Japan; nothing moves but by us."""
    from sandbox.world import world as open_world

    async with open_world(datetime(2026, 11, 2, 1, tzinfo=UTC), database_url=database_url) as running:
        yield running

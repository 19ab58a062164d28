"""Do the revisions make what the models declare, there and back, whoever runs them at once?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from procrastinate import PsycopgConnector
from sqlalchemy import create_engine

from bot.errors import Misconfigured
from db.engine import Database, url_of
from db.intake.events import NewEvent, take_in
from db.migrate import configuration, migrate
from db.migrations.scope import every_table
from tests.db.test_events import ADA, NOW


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    name = f"m{uuid4().hex[:12]}"
    with psycopg.connect(server_url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server_url.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def things(url: str) -> set[str]:
    """Every table, type and function of ours in the database."""
    asked = (
        "SELECT relname FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')"
        " UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        " UNION SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'"
    )
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute(asked)} - {"alembic_version"}


async def test_autogenerate_finds_nothing_to_change_also_with_monthly_pieces(empty_url: str) -> None:
    migrate(empty_url)
    database = Database(empty_url)
    async with database.begin() as session:
        await take_in(session, [NewEvent(ADA, "login", NOW - timedelta(days=90), "m1")], now=NOW)
    await database.dispose()
    engine = create_engine(url_of(empty_url))
    with engine.begin() as connection:
        config = configuration(connection)
        config.attributes["metadata"] = every_table()
        command.check(config)
    engine.dispose()


def test_there_and_back_leaves_nothing_behind_and_there_again_makes_the_same(empty_url: str) -> None:
    migrate(empty_url)
    made = things(empty_url)
    assert {"customer", "event", "signal", "procrastinate_jobs"} <= made
    migrate(empty_url, to="base")
    assert things(empty_url) == set()
    migrate(empty_url)
    assert things(empty_url) == made


def test_many_processes_at_once_make_one_schema(empty_url: str) -> None:
    code = f"from db.migrate import migrate; migrate({empty_url!r})"
    running = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    said = [process.communicate()[1].decode() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert "customer" in things(empty_url)


def test_a_newer_database_is_left_alone_and_said_so(empty_url: str) -> None:
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured, match="newer"):
        migrate(empty_url)


async def test_the_jobs_schema_is_what_procrastinate_expects(empty_url: str) -> None:
    migrate(empty_url)
    from procrastinate import App

    app = App(connector=PsycopgConnector(conninfo=empty_url))
    async with app.open_async():
        await app.configure_task("greet", queueing_lock="once").defer_async()
        assert await app.check_connection_async()
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)

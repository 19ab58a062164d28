"""Does an installation come back from its backup whole, and without writing to anybody by itself?"""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from bot.errors import Misconfigured, Refused
from bot.flows.operate.backup import backup
from bot.flows.operate.restore import restore
from bot.flows.rules.pause import pause_all, pause_in_force, resume_all
from db.deciding.pauses import RESTORED
from sandbox.world import World
from sandbox.world import world as opened
from tests.stories.shop import BOUGHT, THANKS, hanako

START = datetime(2026, 11, 2, 1, tzinfo=UTC)


@asynccontextmanager
async def shop(url: str, at: datetime = START) -> AsyncIterator[World]:
    async with opened(at, database_url=url) as world:
        yield world


@pytest.fixture
def empty_url(server_url: str) -> Iterator[str]:
    """A database without any table."""
    name = f"e{uuid4().hex[:12]}"
    with psycopg.connect(server_url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server_url.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def write(url: str, file: Path) -> int:
    return await backup(url, file, on_bytes=lambda written: None)


async def test_what_was_due_or_under_way_in_a_backup_never_goes_out_by_itself(
    database_url: str, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "yorisoi.dump"
    async with shop(database_url) as world:
        await world.publish({"thanks.yaml": BOUGHT})
        await hanako(world)
        await pause_all(world.deps, by="test")  # stands for a worker that was down: the message stays due
        await world.track("c-1", "bought")
        await world.settle()
        await resume_all(world.deps, by="test")
        now = world.clock.now()
        assert await write(database_url, file) == file.stat().st_size > 10_000
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    later = now + timedelta(days=1)
    await restore(empty_url, file, is_replacing=False, now=later)
    async with shop(empty_url, later) as world:
        pause = await pause_in_force(world.deps)
        assert pause is not None
        assert (pause.by, pause.because) == ("restore", RESTORED)
        await world.pass_time(timedelta(days=2))
        assert await resume_all(world.deps, by="test") == pause
        await world.pass_time(timedelta(days=2))
        assert [each for each in world.line.journal if each.path == "/v2/bot/message/push"] == []
    with psycopg.connect(empty_url) as connection:
        states = connection.execute("SELECT state FROM message WHERE kind = 'rule'").fetchall()
    assert states == [("unknown",)]


async def test_a_database_with_customers_is_replaced_only_when_that_is_said(
    database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "yorisoi.dump"
    async with shop(database_url) as world:
        await world.identify("c-1", name="山田 花子")
        await write(database_url, file)
        await world.identify("c-2", name="田中 太郎")
        with pytest.raises(Refused, match="other processes use this database"):
            await restore(database_url, file, is_replacing=True, now=START)
    with pytest.raises(Refused, match="holds customers"):
        await restore(database_url, file, is_replacing=False, now=START)
    await restore(database_url, file, is_replacing=True, now=START)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT external_id FROM customer").fetchall() == [("c-1",)]


async def test_a_damaged_file_changes_nothing(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "yorisoi.dump"
    async with shop(database_url) as world:
        await world.identify("c-1", name="山田 花子")
        await write(database_url, file)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) * 2 // 3], b"PGDMP" + b"\0" * 500):
        file.write_bytes(damaged)
        with pytest.raises(Misconfigured, match="Nothing was changed"):
            await restore(database_url, file, is_replacing=True, now=START)
    file.write_text("customer,name")
    with pytest.raises(Misconfigured, match="not a backup"):
        await restore(database_url, file, is_replacing=True, now=START)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT external_id FROM customer").fetchall() == [("c-1",)]


async def test_a_backup_that_cannot_be_written_leaves_the_last_one(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "yorisoi.dump"
    file.write_bytes(b"yesterday's")
    with pytest.raises(Misconfigured, match="pg_dump failed"):
        await write(database_url.replace("/t", "/no_such_"), file)
    assert file.read_bytes() == b"yesterday's"
    with pytest.raises(Misconfigured, match="cannot be written"):
        await write(database_url, tmp_path / "no" / "folder.dump")


async def test_while_everything_is_paused_rules_write_to_nobody_and_people_do(world: World) -> None:
    await world.publish({"thanks.yaml": BOUGHT})
    phone = await hanako(world)
    assert await pause_all(world.deps, by="test", because="new prices")
    assert not await pause_all(world.deps, by="other")
    await world.track("c-1", "bought")
    await world.pass_time(timedelta(hours=1))
    assert THANKS not in world.heard(phone)
    pause = await resume_all(world.deps, by="test")
    assert pause is not None
    assert (pause.by, pause.because) == ("test", "new prices")
    await world.settle()
    assert world.heard(phone).count(THANKS) == 1
    assert await resume_all(world.deps, by="test") is None

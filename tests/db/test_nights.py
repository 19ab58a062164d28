"""Is a night's work taken by one transaction, once, and made up for after downtime?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from db.deciding.nights import last_night, take_night
from db.engine import Database

THREE = datetime(2026, 11, 1, 18, tzinfo=UTC)
"""Three o'clock in the morning of 2 November in Japan."""


async def take(db: Database, now: datetime, work: str = "audit") -> bool:
    async with db.begin() as session:
        return await take_night(session, work, now=now)


async def test_a_night_is_taken_once_and_begins_at_three(db: Database) -> None:
    before, minute = THREE - timedelta(minutes=1), timedelta(minutes=1)
    assert [await take(db, at) for at in (before, before, THREE, THREE + minute)] == [
        True,
        False,
        True,
        False,
    ]
    assert await take(db, THREE + timedelta(hours=23)) is False
    assert await take(db, THREE + timedelta(days=1)) is True
    assert await take(db, THREE) is False
    async with db.begin() as session:
        assert await last_night(session, "audit") == THREE + timedelta(days=1)
        assert await last_night(session, "tidy") is None


async def test_works_do_not_take_each_others_night(db: Database) -> None:
    assert await take(db, THREE, "audit")
    assert await take(db, THREE, "tidy")


async def test_of_many_who_ask_at_once_one_gets_it(db: Database) -> None:
    assert sum(await asyncio.gather(*(take(db, THREE) for _ in range(12)))) == 1


async def test_what_fails_leaves_the_night_to_the_next(db: Database) -> None:
    class Broken(Exception):
        pass

    try:
        async with db.begin() as session:
            assert await take_night(session, "audit", now=THREE)
            raise Broken
    except Broken:
        pass
    assert await take(db, THREE)

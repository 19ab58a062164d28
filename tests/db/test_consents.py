"""Which answer counts?"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from db.engine import Database
from db.people.consents import ConsentEntry, current, is_granted, last_optout, record, standing_before

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
TANAKA, SATO = UUID(int=1), UUID(int=2)


async def say(db: Database, *, is_granted: bool, minute: int, event: str, source: str = "test") -> None:
    async with db.begin() as session:
        await record(
            session,
            customer_id=TANAKA,
            purposes=["support"],
            is_granted=is_granted,
            event_id=event,
            at=NOW + timedelta(minutes=minute),
            source=source,
            now=NOW,
        )


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
async def test_the_newest_counts_whatever_order_they_come_in(db: Database, order: tuple[int, ...]) -> None:
    answers = [(True, 1, "a"), (False, 2, "b"), (True, 3, "c")]
    for index in order:
        granted, minute, event = answers[index]
        await say(db, is_granted=granted, minute=minute, event=event)
    async with db.begin() as session:
        assert await is_granted(session, TANAKA, "support")
        assert (await current(session, [TANAKA, SATO]))[TANAKA]["support"].at == NOW + timedelta(minutes=3)


async def test_a_refusal_wins_a_tie(db: Database) -> None:
    await say(db, is_granted=False, minute=1, event="a")
    await say(db, is_granted=True, minute=1, event="b")
    async with db.begin() as session:
        assert not await is_granted(session, TANAKA, "support")


async def test_whoever_never_answered_is_missing(db: Database) -> None:
    async with db.begin() as session:
        assert await current(session, [TANAKA]) == {}
        assert not await is_granted(session, TANAKA, "support")


async def test_the_same_event_is_one_line_of_the_ledger(db: Database) -> None:
    for _ in range(2):
        await say(db, is_granted=True, minute=1, event="a")
    async with db.begin() as session:
        assert await session.get(ConsentEntry, (TANAKA, "support", UUID(int=0))) is None
        assert await session.scalar(select(func.count()).select_from(ConsentEntry)) == 1


async def test_what_an_undo_goes_back_to(db: Database) -> None:
    await say(db, is_granted=True, minute=1, event="a")
    await say(db, is_granted=False, minute=2, event="b", source="line:optout-word")
    async with db.begin() as session:
        at = await last_optout(
            session, TANAKA, sources=["line:optout-word"], before=NOW + timedelta(minutes=3)
        )
        assert at == NOW + timedelta(minutes=2)
        assert await standing_before(session, TANAKA, at=at) == {"support": True}
        assert await last_optout(session, TANAKA, sources=["other"], before=NOW + timedelta(days=1)) is None

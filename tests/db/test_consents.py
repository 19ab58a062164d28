"""Which answer counts?"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from db.engine import Database
from db.people.consents import (
    EVERYTHING,
    STOP_BUTTON,
    STOP_UNDONE,
    STOP_WORD,
    ConsentEntry,
    current,
    is_granted,
    record,
)

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


STORIES = {
    "a stop taken back": ([("yes", 1), ("stop", 2), ("undo", 3)], True),
    "two stops, the last one taken back": ([("yes", 1), ("stop", 2), ("stop", 3), ("undo", 4)], False),
    "two stops, both taken back": ([("yes", 1), ("stop", 2), ("undo", 3), ("stop", 4), ("undo", 5)], True),
    "a no after the stop stays": ([("yes", 1), ("stop", 2), ("no", 3), ("undo", 4)], False),
    "a stop after the undo": ([("yes", 1), ("stop", 2), ("undo", 3), ("stop", 4)], False),
    "nothing was agreed before": ([("stop", 1), ("undo", 2)], None),
    "an undo of nothing": ([("undo", 1)], None),
    "a yes after the stop": ([("stop", 1), ("yes", 2), ("undo", 3)], True),
    "at one moment": ([("yes", 1), ("stop", 2), ("undo", 2)], True),
}


@pytest.mark.parametrize(("said", "stands"), STORIES.values(), ids=STORIES)
async def test_an_undo_goes_back_to_what_counted_before_the_stop_in_any_order(
    db: Database, said: list[tuple[str, int]], stands: bool | None
) -> None:
    sources = {"yes": "test", "no": "test", "stop": STOP_WORD, "undo": STOP_UNDONE}
    for number, order in enumerate(itertools.permutations(said)):
        customer_id = UUID(int=100 + number)
        async with db.begin() as session:
            for what, minute in order:
                await record(
                    session,
                    customer_id=customer_id,
                    purposes=[EVERYTHING] if what == "undo" else ["support"],
                    is_granted=what in {"yes", "undo"},
                    event_id=f"{what}{minute}",
                    at=NOW + timedelta(minutes=minute),
                    source=sources[what],
                    now=NOW,
                )
            entry = (await current(session, [customer_id])).get(customer_id, {}).get("support")
        assert (entry.is_granted if entry else None) is stands


async def test_a_stop_is_one_of_purposes_too_that_come_up_later(db: Database) -> None:
    async with db.begin() as session:
        for purposes, granted, minute in ((["support", EVERYTHING], False, 2), (["offers"], True, 1)):
            await record(
                session,
                customer_id=TANAKA,
                purposes=purposes,
                is_granted=granted,
                event_id=str(minute),
                at=NOW + timedelta(minutes=minute),
                source=STOP_BUTTON,
                now=NOW,
            )
        standing = (await current(session, [TANAKA]))[TANAKA]
    assert {purpose: each.is_granted for purpose, each in standing.items()} == {
        "support": False,
        "offers": False,
    }
    assert standing["offers"].at == NOW + timedelta(minutes=2)

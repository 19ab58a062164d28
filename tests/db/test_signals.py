"""When rules begin to watch something else of an event, do the kept rows become what they ask for?"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from db.engine import Database
from db.intake.events import take_in
from db.intake.signals import WatchRow, backfill, hold_watch_changes, set_moments
from db.people.customers import customer_id_of
from followups.signals import Watch
from tests.db.test_events import ADA, NOW, expected, history, signals, watch


@pytest.mark.parametrize(
    "after",
    [
        Watch(event="login", depth=6, ranks=frozenset({2, 6}), is_first_watched=True),
        Watch(event="login", depth=1, ranks=frozenset({1})),
        Watch(event="login"),
    ],
    ids=["deeper", "shallower", "not at all"],
)
async def test_backfill_makes_the_rows_as_if_it_had_been_watched_from_the_start(
    db: Database, after: Watch
) -> None:
    before = Watch(event="login", depth=3, ranks=frozenset({1, 3}), is_first_watched=True)
    other = Watch(event="buy", depth=2, ranks=frozenset({2}))
    await watch(db, before, other)
    events = history(random.Random(3), 200)
    async with db.begin() as session:
        await take_in(session, events, now=NOW)
    async with db.begin() as session:
        await hold_watch_changes(session)
        await session.execute(
            update(WatchRow)
            .where(col(WatchRow.event) == "login")
            .values(depth=after.depth, ranks=sorted(after.ranks), is_first_watched=after.is_first_watched)
        )
        await backfill(session, after)
    assert await signals(db) == expected(events, [after, other])


async def test_moments_are_kept_moved_and_removed(db: Database) -> None:
    bob = customer_id_of("bob")
    async with db.begin() as session:
        await set_moments(session, {(ADA, "@renewal"): NOW, (bob, "@renewal"): NOW})
    async with db.begin() as session:
        await set_moments(session, {(ADA, "@renewal"): NOW + timedelta(days=1), (bob, "@renewal"): None})
    kept = await signals(db)
    assert {key: (signal.first_at, signal.last_at) for key, signal in kept.items()} == {
        (ADA, "@renewal"): (NOW + timedelta(days=1), NOW + timedelta(days=1))
    }

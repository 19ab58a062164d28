"""Are dirty customers taken once, alarms rung once, and is nobody lost when a transaction fails?"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from db.deciding.ticks import (
    Alarm,
    Moved,
    NotMoved,
    Undecided,
    begin_ticking,
    dirty,
    forget_undecided,
    keep_undecided,
    mark_dirty,
    move_watermark,
    ring_alarms,
    set_alarms,
    take_dirty,
    take_dirty_of,
    watermark,
)
from db.engine import Database

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
LATEST = NOW + timedelta(minutes=5)
IDS = [UUID(int=number << 100) for number in range(1, 11)]


async def left(db: Database) -> list[UUID]:
    async with db.begin() as session:
        return sorted(await session.scalars(select(dirty.c.customer_id)))


@pytest.mark.parametrize("start", [UUID(int=0), IDS[4], UUID(int=(1 << 128) - 1)])
async def test_all_rows_of_a_customer_are_taken_together_wherever_it_begins(
    db: Database, start: UUID
) -> None:
    async with db.begin() as session:
        for minutes in range(3):
            await mark_dirty(session, IDS, now=NOW + timedelta(minutes=minutes))
    async with db.begin() as session:
        taken = await take_dirty(session, latest=LATEST, limit=4, start=start)
    assert len(taken) == 4
    assert set(taken.values()) == {NOW + timedelta(minutes=2)}
    assert await left(db) == sorted([each for each in IDS if each not in taken] * 3)
    async with db.begin() as session:
        rest = await take_dirty(session, latest=LATEST, limit=100, start=start)
    assert set(rest) | set(taken) == set(IDS)
    assert await left(db) == []


async def test_what_one_worker_holds_another_does_not_take(db: Database) -> None:
    many = [UUID(int=number) for number in range(100)]
    async with db.begin() as session:
        await mark_dirty(session, many, now=NOW)
    async with db.begin() as first, db.begin() as second:
        one = await take_dirty(first, latest=LATEST, limit=6, start=UUID(int=0))
        two = await take_dirty(second, latest=LATEST, limit=6, start=UUID(int=0))
    assert (len(one), len(two)) == (6, 6)
    assert not set(one) & set(two)
    assert len(await left(db)) == 88


async def test_a_transaction_that_fails_gives_everything_back(db: Database) -> None:
    async with db.begin() as session:
        await mark_dirty(session, IDS, now=NOW)

    async def fail() -> None:
        async with db.begin() as session:
            await take_dirty(session, latest=LATEST, limit=6, start=UUID(int=0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await left(db) == IDS


async def test_marks_from_a_clock_far_ahead_wait_until_then(db: Database) -> None:
    async with db.begin() as session:
        await mark_dirty(session, IDS[:1], now=NOW + timedelta(hours=1))
        assert await take_dirty(session, latest=LATEST, limit=6, start=UUID(int=0)) == {}
        assert await take_dirty_of(session, IDS[0], latest=NOW + timedelta(hours=1))


async def test_many_customers_are_marked_at_once(db: Database) -> None:
    many = [UUID(int=number) for number in random.Random(1).sample(range(1 << 40), 25_000)]
    async with db.begin() as session:
        await mark_dirty(session, [*many, *many[:100]], now=NOW)
        await mark_dirty(session, [], now=NOW)
    assert await left(db) == sorted(many)


async def test_the_watermark_moves_forward_only_and_once(db: Database) -> None:
    async with db.begin() as session:
        assert await move_watermark(session, now=NOW) == NotMoved()
        assert await move_watermark(session, now=NOW) == NotMoved()
        assert await move_watermark(session, now=LATEST) == Moved(previous=NOW)
        assert await move_watermark(session, now=NOW) == NotMoved(behind=timedelta(minutes=5))
        await begin_ticking(session, now=NOW)
        assert await watermark(session) == LATEST


async def test_due_alarms_are_rung_once_and_others_stay(db: Database) -> None:
    async with db.begin() as session:
        alarms = {
            (IDS[0], "a"): NOW,
            (IDS[0], "b"): NOW - timedelta(days=1),
            (IDS[1], "a"): NOW + timedelta(seconds=1),
        }
        await set_alarms(session, IDS[:2], alarms)
        assert await ring_alarms(session, now=NOW) == 1
        assert await ring_alarms(session, now=NOW) == 0
        assert list(await session.scalars(select(Alarm.customer_id))) == [IDS[1]]  # type: ignore[call-overload]
    assert await left(db) == [IDS[0]]


async def test_setting_alarms_replaces_those_of_the_same_customers(db: Database) -> None:
    async with db.begin() as session:
        await set_alarms(session, IDS[:2], {(IDS[0], "a"): NOW, (IDS[1], "a"): NOW})
        await set_alarms(session, IDS[:1], {(IDS[0], "b"): LATEST})
        rows = await session.scalars(select(Alarm))
    assert {(row.customer_id, row.key) for row in rows} == {(IDS[0], "b"), (IDS[1], "a")}


async def test_an_alarm_that_is_being_written_anew_is_not_waited_for(db: Database) -> None:
    async with db.begin() as session:
        await set_alarms(session, IDS[:1], {(IDS[0], "a"): NOW})
    async with db.begin() as deciding, db.begin() as ticking:
        await set_alarms(deciding, IDS[:1], {(IDS[0], "a"): LATEST})
        assert await ring_alarms(ticking, now=NOW) == 0
    async with db.begin() as session:
        assert await ring_alarms(session, now=LATEST) == 1


async def test_failures_are_tried_again_at_growing_distances_until_they_are_forgotten(db: Database) -> None:
    gaps = []
    for _ in range(12):
        async with db.begin() as session:
            await keep_undecided(session, IDS[0], ref="r", now=NOW)
            row = await session.get(Undecided, IDS[0], populate_existing=True)
            assert row is not None
            gaps.append(row.again_at and (row.again_at - NOW) // timedelta(minutes=1))
    assert gaps == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, None, None]
    async with db.begin() as session:
        await forget_undecided(session, IDS[:1])
        assert await session.get(Undecided, IDS[0], populate_existing=True) is None

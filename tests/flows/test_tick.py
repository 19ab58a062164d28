"""Does every moment get looked at once, whatever the clocks and processes do?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from bot.clock import TurnableClock
from bot.flows.rules.decide import decide_due
from bot.flows.rules.tick import Ticked, tick
from db.deciding.followups import DecisionRow
from db.deciding.ticks import Tick, dirty
from db.engine import Database
from db.intake.signals import SignalRow
from db.rulebook.rules import RuleRow
from db.talk.messages import Message
from tests.flows.shop import Shop, inactive


async def test_the_first_tick_ever_begins_the_count(db: Database) -> None:
    shop = Shop(db)
    assert await tick(shop.deps) == Ticked(is_moved=False)
    [row] = await shop.rows(Tick)
    assert row.watermark == shop.clock.now()


async def test_a_tick_marks_whoever_crossed_a_threshold_since_the_last_one(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    soon, later = await shop.customer("soon"), await shop.customer("later")
    await shop.track(soon, "login", shop.ago(days=14) + timedelta(minutes=1))
    await shop.track(later, "login", shop.ago(days=14) + timedelta(minutes=2))
    await shop.settle()

    shop.clock.turn(timedelta(minutes=1))
    assert (await tick(shop.deps)).crossed == 1
    async with db.begin() as session:
        assert list(await session.scalars(select(dirty.c.customer_id))) == [soon]
    await decide_due(shop.deps)
    assert (await tick(shop.deps)).crossed == 0
    assert (await shop.turn(minutes=1)).crossed == 1
    assert {row.customer_id for row in await shop.rows(Message)} == {soon, later}


async def test_after_a_long_stop_one_tick_covers_all_of_it(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    for number in range(10):
        customer_id = await shop.customer(f"c{number}")
        await shop.track(customer_id, "login", shop.ago(days=number))
    await shop.settle()
    assert (await shop.turn(days=30)).crossed == 10
    assert len(await shop.rows(Message)) == 10


async def test_a_clock_that_went_backwards_changes_nothing(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=14) + timedelta(minutes=30))
    await shop.settle()
    before = await shop.rows(Tick)
    behind = replace(shop.deps, clock=TurnableClock(shop.clock.now() - timedelta(hours=1)))
    assert await tick(behind) == Ticked(is_moved=False)
    assert await shop.rows(Tick) == before
    assert (await shop.turn(hours=1)).crossed == 1


async def test_of_many_processes_one_moves_the_watermark(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=14) + timedelta(minutes=1))
    await shop.settle()
    shop.clock.turn(timedelta(minutes=1))
    found = await asyncio.gather(*(tick(shop.deps) for _ in range(5)))
    assert sorted(each.crossed for each in found) == [0, 0, 0, 0, 1]
    assert sum(each.is_moved for each in found) == 1


async def test_a_tick_that_fails_leaves_the_time_to_the_next_one(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=14) + timedelta(minutes=1))
    await shop.settle()
    async with db.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("ALTER TABLE dirty RENAME TO hidden")
    shop.clock.turn(timedelta(minutes=5))
    with pytest.raises(ProgrammingError, match="dirty"):
        await tick(shop.deps)
    async with db.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql("ALTER TABLE hidden RENAME TO dirty")
    assert (await tick(shop.deps)).crossed == 1


async def test_events_dated_ahead_count_when_their_time_comes(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.clock.now() + timedelta(hours=1))
    assert await shop.rows(SignalRow) == []
    assert (await shop.turn(hours=1)).folded == 1
    assert [row.key for row in await shop.rows(SignalRow)] == ["login"]


async def test_a_scan_that_was_cut_off_is_finished_by_a_tick(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=20))
    await shop.settle()
    await shop.publish(inactive())
    async with db.begin() as session:
        [row] = list(await session.scalars(select(RuleRow)))
        row.scan_from = UUID(int=0)
        await session.execute(dirty.delete())
    assert (await tick(shop.deps)).scanned == 1
    assert [row.scan_from for row in await shop.rows(RuleRow)] == [None]
    await decide_due(shop.deps)
    assert [row.verdict for row in await shop.rows(DecisionRow)] == ["send"]

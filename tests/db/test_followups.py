"""Do passages end when and as they should, and are answers and occasions remembered?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col

from bot.flows.rules.publish import rulebook
from db.deciding.endings import end_finished
from db.deciding.followups import (
    DecisionRow,
    FollowUpRow,
    LastAnswer,
    NewDecision,
    add_decisions,
    add_follow_ups,
    counts_by_rule,
    last_answers,
    last_occasions,
)
from db.engine import Database
from db.intake.events import Event
from followups.scenario import GOAL, WINDOW_OVER
from tests.flows.shop import NOON, Shop, inactive


def passage(customer_id: UUID, occasion: int = 1, **fields: object) -> FollowUpRow:
    given = {"rule_id": "inactive", "rule_version": 1, "state": "active", "entered_at": NOON, **fields}
    return FollowUpRow(customer_id=customer_id, occasion=occasion, **given)


def decision(customer_id: UUID, number: int, **fields: Any) -> NewDecision:
    given = {"rule_id": "inactive", "rule_version": 1, "at": NOON, "verdict": "wait", "trace": {}, **fields}
    return NewDecision(customer_id=customer_id, decision_id=UUID(int=number), **given)


async def end(shop: Shop, customer_id: UUID) -> int:
    book = await rulebook(shop.deps)
    async with shop.deps.db.begin() as session:
        return await end_finished(session, [customer_id], book.by_id, now=shop.clock.now())


@pytest.mark.parametrize(
    ("logins", "after", "because", "reached"),
    [
        ([], timedelta(days=6, hours=23), None, None),
        ([], timedelta(days=7), WINDOW_OVER, None),
        ([timedelta(0)], timedelta(hours=1), GOAL, timedelta(0)),
        ([timedelta(seconds=-1)], timedelta(hours=1), None, None),
        ([timedelta(days=5), timedelta(days=2)], timedelta(days=6), GOAL, timedelta(days=2)),
        ([timedelta(days=7)], timedelta(days=8), WINDOW_OVER, None),
        ([timedelta(days=3), timedelta(days=8)], timedelta(days=9), GOAL, timedelta(days=3)),
    ],
)
async def test_a_passage_ends_with_its_goal_or_its_window(
    db: Database,
    logins: list[timedelta],
    after: timedelta,
    because: str | None,
    reached: timedelta | None,
) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    customer_id = await shop.customer()
    async with db.begin() as session:
        await add_follow_ups(session, [passage(customer_id)])
    shop.clock.turn(after)
    for at in logins:
        await shop.track(customer_id, "login", NOON + at)
    assert await end(shop, customer_id) == (because is not None)
    [row] = await shop.rows(FollowUpRow)
    assert row.ended_because == because
    assert row.goal_reached_at == (NOON + reached if reached is not None else None)
    assert row.state == ("ended" if because else "active")
    assert await end(shop, customer_id) == 0


async def test_a_goal_is_seen_by_its_signal_where_the_events_were_dropped(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    customer_id = await shop.customer()
    async with db.begin() as session:
        await add_follow_ups(session, [passage(customer_id)])
    shop.clock.turn(timedelta(days=2))
    await shop.track(customer_id, "login")
    async with db.begin() as session:
        for event in await shop.rows(Event):
            await session.delete(await session.merge(event))
    assert await end(shop, customer_id) == 1
    [row] = await shop.rows(FollowUpRow)
    assert (row.ended_because, row.goal_reached_at) == (GOAL, shop.clock.now())


async def test_passages_of_rules_that_cannot_be_read_stay_as_they_are(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    async with db.begin() as session:
        await add_follow_ups(session, [passage(customer_id)])
    shop.clock.turn(timedelta(days=30))
    assert await end(shop, customer_id) == 0


async def test_the_last_answer_and_the_last_occasion_are_remembered_by_rule(db: Database) -> None:
    shop = Shop(db)
    one, two = await shop.customer("one"), await shop.customer("two")
    async with db.begin() as session:
        await add_follow_ups(session, [passage(one), passage(one, 2), passage(two, rule_id="other")])
        await add_decisions(
            session,
            [
                decision(one, 1, verdict="drop", gate="consent", at=NOON - timedelta(days=1)),
                decision(one, 2, gate="quiet_hours", until=NOON),
                decision(two, 3, verdict="send"),
            ],
        )
        await add_decisions(session, [])
        assert await last_occasions(session, [one, two]) == {(one, "inactive"): 2, (two, "other"): 1}
        assert await last_answers(session, [one, two]) == {
            (one, "inactive"): LastAnswer(verdict="wait", gate="quiet_hours", until=NOON),
            (two, "inactive"): LastAnswer(verdict="send", gate=None, until=None),
        }


async def test_a_list_tells_how_many_matched_and_how_many_messages_line_accepted(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    for number, days in enumerate((10, 15, 16)):
        customer_id = await shop.customer(f"c{number}", agreed=days != 16)
        await shop.track(customer_id, "login", shop.ago(days=days))
    await shop.settle()
    async with db.begin() as session:
        assert await counts_by_rule(session) == {"inactive": (2, 0)}
    await shop.accept_all()
    async with db.begin() as session:
        assert await counts_by_rule(session) == {"inactive": (2, 1)}
    assert len(await shop.rows(DecisionRow, col(DecisionRow.verdict) == "send")) == 1

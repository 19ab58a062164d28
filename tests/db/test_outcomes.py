"""Is it known of every passage, in either arm, what became of it, once and at a cost of what is under way?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from db.deciding.followups import FollowUpRow
from db.deciding.outcomes import SETTLED_AFTER, OutcomeRow, work_out
from db.desk.leads import Lead, LeadState
from db.engine import Database
from db.people.consents import record
from db.rulebook.rules import current_rulebook
from db.talk.conversations import InboundLine
from db.talk.messages import Click, MessageKind
from tests.flows.passages import enter, message
from tests.flows.shop import Shop, inactive

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@pytest.fixture
async def shop(db: Database) -> Shop:
    shop = Shop(db)
    await shop.publish(inactive(), inactive("other"))
    return shop


async def store(shop: Shop, *rows: Any) -> None:
    async with shop.deps.db.begin() as session:
        session.add_all(rows)


async def reckoned(shop: Shop) -> int:
    async with shop.deps.db.begin() as session:
        return await work_out(session, await current_rulebook(session), now=shop.clock.now())


async def outcome_of(
    shop: Shop, customer_id: UUID, rule_id: str = "inactive", occasion: int = 1
) -> OutcomeRow:
    async with shop.deps.db.begin() as session:
        row = await session.get(OutcomeRow, (customer_id, rule_id, occasion))
    assert row is not None
    return row


@pytest.mark.parametrize("arm", ["treated", "held_out"])
async def test_the_goal_is_found_in_either_arm_inside_its_window_only(shop: Shop, arm: str):
    early, inside, late = [await shop.customer(name) for name in ("early", "inside", "late")]
    await shop.track(early, "login", shop.ago(days=1))
    for customer_id in (early, inside, late):
        await enter(shop, customer_id, arm=arm)
    shop.clock.turn(WEEK - timedelta(seconds=1))
    await shop.track(inside, "login")
    shop.clock.turn(timedelta(seconds=1))
    await shop.track(late, "login")
    await reckoned(shop)
    rows = [await outcome_of(shop, each) for each in (early, inside, late)]
    assert [row.goal_at is not None for row in rows] == [False, True, False]
    assert [(row.goal_n, row.before_n) for row in rows] == [(0, 1), (1, 0), (0, 0)]
    assert [row.arm for row in rows] == [arm] * 3


async def test_everything_a_customer_does_in_the_window_is_noted(shop: Shop):
    customer_id = await shop.customer()
    sent = shop.clock.now()
    message_id = await enter(shop, customer_id)
    click_at, reply_at, tap_at, person_at = [sent + n * DAY for n in (1, 2, 3, 4)]
    await store(
        shop,
        Click(customer_id=customer_id, click_id=shop.deps.ids.uuid(), message_id=message_id, at=click_at),
        InboundLine(customer_id=customer_id, line_message_id="a", kind="text", text="はい", at=reply_at),
        InboundLine(customer_id=customer_id, line_message_id="b", kind="tap", text="困っている", at=tap_at),
        message(customer_id, shop.deps.ids.uuid(), MessageKind.PERSON, person_at),
    )
    shop.clock.turn(5 * DAY)
    await shop.track(customer_id, "login")
    await reckoned(shop)
    row = await outcome_of(shop, customer_id)
    assert (row.sent_at, row.accepted_at) == (sent, sent)
    assert (row.clicked_at, row.replied_at, row.tapped_at, row.person_at) == (
        click_at,
        reply_at,
        tap_at,
        person_at,
    )
    assert row.is_clicked_through
    assert row.is_counted
    assert not row.is_settled


async def test_an_opt_out_and_a_block_are_told_apart(shop: Shop):
    gone, stopped = await shop.customer("gone"), await shop.customer("stopped")
    for customer_id in (gone, stopped):
        await enter(shop, customer_id)
    shop.clock.turn(DAY)
    for customer_id, source in ((gone, "line:unfollow"), (stopped, "line:optout-word")):
        async with shop.deps.db.begin() as session:
            await record(
                session,
                customer_id=customer_id,
                purposes=["support"],
                is_granted=False,
                event_id=source,
                at=shop.clock.now(),
                source=source,
                now=shop.clock.now(),
            )
    await reckoned(shop)
    rows = [await outcome_of(shop, each) for each in (gone, stopped)]
    assert [(row.blocked_at is not None, row.opted_out_at is not None) for row in rows] == [
        (True, False),
        (False, True),
    ]


async def test_one_conversion_counts_once_for_the_passage_that_began_last(shop: Shop):
    customer_id = await shop.customer()
    await enter(shop, customer_id, "inactive")
    shop.clock.turn(DAY)
    await enter(shop, customer_id, "other", arm="held_out")
    shop.clock.turn(DAY)
    await shop.track(customer_id, "login")
    await reckoned(shop)
    first, second = await outcome_of(shop, customer_id), await outcome_of(shop, customer_id, "other")
    assert first.goal_at == second.goal_at == shop.clock.now()
    assert (first.is_counted, second.is_counted) == (False, True)


async def test_a_settled_passage_is_never_looked_at_again(shop: Shop):
    customer_id = await shop.customer()
    await enter(shop, customer_id)
    assert await reckoned(shop) == 1
    assert await reckoned(shop) == 1
    shop.clock.turn(WEEK + SETTLED_AFTER)
    assert await reckoned(shop) == 1
    assert (await outcome_of(shop, customer_id)).is_settled
    assert await reckoned(shop) == 0
    await enter(shop, await shop.customer("next"))
    assert await reckoned(shop) == 1


async def test_an_event_that_arrives_a_day_after_the_window_still_counts(shop: Shop):
    customer_id = await shop.customer()
    await enter(shop, customer_id)
    reached_at = shop.clock.now() + 6 * DAY
    shop.clock.turn(WEEK + DAY)
    await reckoned(shop)
    await shop.track(customer_id, "login", reached_at)
    await reckoned(shop)
    assert (await outcome_of(shop, customer_id)).goal_at == reached_at


async def test_a_lead_that_is_won_long_after_the_window_is_noted(shop: Shop):
    customer_id = await shop.customer()
    await enter(shop, customer_id)
    lead = Lead(
        customer_id=customer_id,
        lead_id=shop.deps.ids.uuid(),
        state=LeadState.CLAIMED.value,
        source="message",
        opened_at=shop.clock.now() + DAY,
    )
    await store(shop, lead)
    shop.clock.turn(10 * DAY)
    await reckoned(shop)
    shop.clock.turn(50 * DAY)
    won_at = shop.clock.now()
    async with shop.deps.db.begin() as session:
        await session.execute(
            update(Lead)
            .where(col(Lead.customer_id) == customer_id)
            .values(state=LeadState.WON.value, closed_at=won_at)
        )
    await reckoned(shop)
    row = await outcome_of(shop, customer_id)
    assert (row.won_at, row.lost_at) == (won_at, None)


async def test_a_goal_keeps_the_window_it_began_with(shop: Shop):
    """Editing the rule changes what later passages are judged by, not what earlier ones are."""
    before = await shop.customer("before")
    await enter(shop, before)
    await reckoned(shop)
    await shop.publish(inactive(goal="{event: login, within: 3d}"))
    after = await shop.customer("after")
    await enter(shop, after)
    async with shop.deps.db.begin() as session:
        await session.execute(
            update(FollowUpRow).where(col(FollowUpRow.customer_id) == after).values(rule_version=2)
        )
    await reckoned(shop)
    rows = [await outcome_of(shop, each) for each in (before, after)]
    assert [row.closes_at - row.entered_at for row in rows] == [WEEK, 3 * DAY]


async def test_a_filtered_goal_counts_only_events_that_match(shop: Shop):
    from db.intake.events import NewEvent, take_in

    await shop.publish(inactive("paid", goal="{event: order, where: {plan: pro}, within: 7d}"))
    lite, pro = await shop.customer("lite"), await shop.customer("pro")
    for customer_id, plan in ((lite, "lite"), (pro, "pro")):
        await enter(shop, customer_id, "paid")
        async with shop.deps.db.begin() as session:
            now = shop.clock.now()
            await take_in(session, [NewEvent(customer_id, "order", now, f"m{plan}", {"plan": plan})], now=now)
    await reckoned(shop)
    rows = [await outcome_of(shop, each, "paid") for each in (lite, pro)]
    assert [row.goal_at is not None for row in rows] == [False, True]


async def test_every_passage_gets_its_row_once(shop: Shop):
    for number in range(3):
        await enter(shop, await shop.customer(str(number)), variant="a" if number else None)
    await reckoned(shop)
    await reckoned(shop)
    async with shop.deps.db.begin() as session:
        rows = list(await session.scalars(select(OutcomeRow)))
    assert sorted(row.variant or "" for row in rows) == ["", "a", "a"]

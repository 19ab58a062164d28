"""Is a rule tried on exactly the first few, then widened by itself, or stopped for people to decide?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.errors import Refused
from bot.flows.rules.canary import canary
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import rulebook, switch
from bot.flows.rules.tick import tick
from db.deciding.followups import DecisionRow
from db.deciding.rooms import Canary
from db.desk.posts import Post
from db.engine import Database
from db.people.customers import LineUser
from db.talk.messages import Message, MessageState
from followups.rules.model import RuleState
from followups.versions.life import may_switch
from tests.flows.shop import Shop, inactive

POLICY = "canary: {size: 5, for: 30m}\napproval_above: 1000"


async def crowd(shop: Shop, number: int) -> None:
    for each in range(number):
        await shop.track(await shop.customer(f"c{each}"), "login", shop.ago(days=20))


async def state(shop: Shop) -> RuleState:
    return (await rulebook(shop.deps)).by_id["inactive"].state


async def test_the_first_few_are_written_to_then_nobody_then_everybody(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 12)
    await shop.publish(inactive(state="shadow"), policy=POLICY)
    await switch(shop.deps, "inactive", RuleState.CANARY, by="U1")
    await shop.settle()
    assert len(await shop.rows(Message)) == 5
    waiting = await shop.rows(DecisionRow, col(DecisionRow.gate) == "canary")
    assert len({row.customer_id for row in waiting}) == 7
    await shop.accept_all()

    await shop.turn(minutes=29)
    assert await canary(shop.deps) == 0
    assert len(await shop.rows(Message)) == 5

    shop.clock.turn(timedelta(minutes=1))
    assert await canary(shop.deps) == 1
    assert await state(shop) is RuleState.LIVE
    await shop.settle()
    assert len(await shop.rows(Message)) == 12
    assert await shop.rows(Canary) == []
    [post] = await shop.rows(Post)
    assert "writes to everybody now" in post.content["en"]


@pytest.mark.parametrize("harm", ["dead", "unknown", "blocked", "stopped"])
async def test_one_failed_send_or_one_person_who_leaves_stops_it(db: Database, harm: str) -> None:
    shop = Shop(db)
    await crowd(shop, 8)
    await shop.publish(inactive(state="canary"), policy=POLICY)
    await shop.settle()
    await shop.accept_all()
    shop.clock.turn(timedelta(minutes=10))
    one = (await shop.rows(Message))[0]
    if harm == "stopped":
        await shop.consent(one.customer_id, is_granted=False)
    async with db.begin() as session:
        if harm in {"dead", "unknown"}:
            await session.execute(
                update(Message)
                .where(col(Message.message_id) == one.message_id)
                .values(state=MessageState(harm).value)
            )
        if harm == "blocked":
            await session.execute(
                update(LineUser)
                .where(col(LineUser.customer_id) == one.customer_id)
                .values(is_blocked=True, state_at=shop.clock.now())
            )
    assert await canary(shop.deps) == 1
    assert await canary(shop.deps) == 0
    await shop.turn(hours=1)
    assert await canary(shop.deps) == 0
    assert (await state(shop), len(await shop.rows(Message))) == (RuleState.CANARY, 5)
    [post] = await shop.rows(Post)
    assert "was stopped" in post.content["en"]

    await switch(shop.deps, "inactive", RuleState.LIVE, by="U1")
    await shop.settle()
    assert len(await shop.rows(Message)) == 8


async def test_many_processes_together_write_to_exactly_so_many(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 30)
    await shop.publish(inactive(state="shadow"), policy=POLICY)
    await switch(shop.deps, "inactive", RuleState.CANARY, by="U1")
    await tick(shop.deps)
    await asyncio.gather(*(decide_due(replace(shop.deps)) for _ in range(6)))
    assert len(await shop.rows(Message)) == 5


async def test_a_day_above_the_limit_and_a_canary_hold_together(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 9)
    await shop.publish(inactive(state="canary"), policy="canary: {size: 7, for: 30m}\napproval_above: 3")
    await shop.settle()
    assert len(await shop.rows(Message)) == 3
    assert {row.gate for row in await shop.rows(DecisionRow, col(DecisionRow.verdict) == "wait")} == {
        "approval"
    }


async def test_a_rule_that_writes_to_everybody_is_not_tried_on_a_few(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    with pytest.raises(Refused, match="run rules pause first"):
        await switch(shop.deps, "inactive", RuleState.CANARY, by="U1")
    await switch(shop.deps, "inactive", RuleState.PAUSED, by="U1")
    await switch(shop.deps, "inactive", RuleState.CANARY, by="U1")
    assert await state(shop) is RuleState.CANARY


def test_every_state_leads_somewhere_and_none_back_to_draft() -> None:
    for before in RuleState:
        assert any(may_switch(before, after) is None for after in RuleState if after is not before)
        assert before is RuleState.DRAFT or may_switch(before, RuleState.DRAFT) is not None

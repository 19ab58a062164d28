"""Do customers get the steps of a rule one after the other, each once, and none too many?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from sqlmodel import col

from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import switch
from bot.flows.rules.tick import tick
from bot.flows.rules.why import why
from db.deciding.followups import DecisionRow, FollowUpRow
from db.desk.leads import Lead
from db.engine import Database
from db.talk.messages import Message
from followups.experiments import variant_of
from followups.rules.model import RuleState
from tests.flows.shop import Shop, inactive

STEPS = """
  - send: {text: 一通目です}
  - wait: {for: 3d, until: {event: opened, never: false}}
  - if: {event: opened, never: false}
    then: [{send: {text: 二通目です}}]
    else: [{escalate: {reason: 反応がありません}}]
"""
SAME_DAY = "caps: {per_day: 5, per_7_days: 9, per_30_days: 9}"


async def quiet(shop: Shop, external_id: str = "c1") -> UUID:
    customer_id = await shop.customer(external_id)
    await shop.track(customer_id, "login", shop.ago(days=15))
    return customer_id


async def one(shop: Shop) -> FollowUpRow:
    [row] = await shop.rows(FollowUpRow)
    assert isinstance(row, FollowUpRow)
    return row


async def test_silence_leads_to_a_person_when_the_wait_is_over(db: Database) -> None:
    shop = Shop(db)
    await quiet(shop)
    await shop.publish(inactive(then=STEPS))
    await shop.settle()
    await shop.accept_all()
    row, entered = await one(shop), shop.clock.now()
    assert (row.step, row.step_at, row.arm, row.variant) == ("1", entered, "treated", None)
    [waits] = await shop.rows(DecisionRow, col(DecisionRow.gate) == "step")
    assert waits.until == entered + timedelta(days=3)

    await shop.turn(days=2, hours=23)
    assert await shop.rows(Lead) == []
    await shop.turn(hours=1)
    [lead] = await shop.rows(Lead)
    assert lead.reasons[0]["ja"] == "反応がありません"
    row = await one(shop)
    assert (row.step, row.state) == (None, "active")
    assert len(await shop.rows(Message)) == 1
    await shop.turn(days=5)
    row = await one(shop)
    assert (row.state, row.ended_because) == ("ended", "window over")


async def test_an_event_ends_the_wait_at_once(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet(shop)
    await shop.publish(inactive(then=STEPS), policy=SAME_DAY)
    await shop.settle()
    await shop.accept_all()
    shop.clock.turn(timedelta(hours=2))
    await shop.track(customer_id, "opened")
    await shop.settle()
    messages = sorted(await shop.rows(Message), key=lambda each: each.promised_at)
    assert [(each.plain_text, each.step, each.occasion) for each in messages] == [
        ("一通目です", "0", 1),
        ("二通目です", "2.then.0", 1),
    ]
    assert messages[1].dedupe_key == "rule:inactive:1:2.then.0"
    await shop.turn(days=4)
    assert await shop.rows(Lead) == []


async def test_coming_back_ends_it_and_cancels_what_was_promised(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet(shop)
    await shop.publish(inactive(then=STEPS), policy=SAME_DAY)
    await shop.settle()
    await shop.accept_all()
    shop.clock.turn(timedelta(hours=2))
    await shop.track(customer_id, "opened")
    await shop.settle()
    shop.clock.turn(timedelta(minutes=1))
    await shop.track(customer_id, "login")
    await shop.settle()
    states = {each.step: each.state for each in await shop.rows(Message)}
    assert states == {"0": "accepted", "2.then.0": "cancelled"}
    row = await one(shop)
    assert (row.state, row.ended_because) == ("ended", "goal")


async def test_a_reason_that_is_gone_ends_it_and_is_recorded(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet(shop)
    await shop.publish(inactive(then=STEPS, goal="{event: paid, within: 30d}"))
    await shop.settle()
    await shop.accept_all()
    shop.clock.turn(timedelta(days=1))
    await shop.track(customer_id, "login")
    await shop.settle()
    row = await one(shop)
    assert (row.state, row.ended_because) == ("ended", "condition")
    [drop] = await shop.rows(DecisionRow, col(DecisionRow.verdict) == "drop")
    assert (drop.gate, drop.trace["position"]["ended"]) == ("condition", "condition")
    await shop.turn(days=10)
    assert await shop.rows(Lead) == []


async def test_one_held_out_is_recorded_and_never_written_to(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet(shop)
    await shop.publish(inactive(then=STEPS, holdout="100%"))
    for _ in range(5):
        await shop.turn(days=1)
    row = await one(shop)
    assert (row.arm, row.step, row.state, row.unit) == ("held_out", None, "active", str(customer_id))
    assert await shop.rows(Message) == []
    assert await shop.rows(Lead) == []
    await shop.turn(days=3)
    assert (await one(shop)).ended_because == "window over"


async def test_the_variant_is_stored_with_the_entry_and_outlives_an_edit(db: Database) -> None:
    shop = Shop(db)
    steps = "\n  - variants: {{a: {{text: 文の{0}}}, b: {{text: 文の{1}}}}}\n  - wait: 1d\n"
    steps += "  - send: {{variants: {{a: {{text: 次の{0}}}, b: {{text: 次の{1}}}}}}}\n"
    for number in range(6):
        await quiet(shop, f"c{number}")
    await shop.publish(inactive(then=steps.format("一", "二")))
    await shop.settle()
    await shop.accept_all()
    rows = {row.customer_id: row for row in await shop.rows(FollowUpRow)}
    assert {row.variant for row in rows.values()} == {"a", "b"}
    for customer_id, row in rows.items():
        assert row.variant == variant_of("inactive", str(customer_id), ["a", "b"])
    await shop.publish(inactive(then=steps.format("三", "四")))
    await shop.turn(days=1)
    later = [each for each in await shop.rows(Message) if each.step == "2"]
    assert {each.rule_version for each in later} == {1}
    texts = {"a": "次の一", "b": "次の二"}
    assert {each.plain_text == texts[rows[each.customer_id].variant or ""] for each in later} == {True}
    assert len(later) == 6


async def test_a_shadow_rule_rehearses_every_step_and_writes_nothing(db: Database) -> None:
    shop = Shop(db)
    await quiet(shop)
    await shop.publish(inactive(then=STEPS, state="shadow"))
    for _ in range(5):
        await shop.turn(days=1)
    decisions = await shop.rows(DecisionRow)
    decisions.sort(key=lambda each: (each.at, len((each.trace["position"] or {"past": []})["past"])))
    verdicts = [(each.verdict, each.gate) for each in decisions if each.verdict != "not_due"]
    assert verdicts == [("send", None), ("wait", "step"), ("escalate", None)]
    assert await shop.rows(FollowUpRow) == []
    assert await shop.rows(Message) == []
    assert await shop.rows(Lead) == []


async def test_a_canary_takes_no_more_than_its_number_and_later_steps_are_no_new_recipients(
    db: Database,
) -> None:
    shop = Shop(db)
    for number in range(6):
        await quiet(shop, f"c{number}")
    await shop.publish(
        inactive(then="[{send: {text: 一}}, {wait: 1h}, {send: {text: 二}}]", state="shadow"),
        policy=SAME_DAY + "\ncanary: {size: 2, for: 30m}",
    )
    await switch(shop.deps, "inactive", RuleState.CANARY, by="test")
    await shop.settle()
    assert len(await shop.rows(Message)) == 2
    held = await shop.rows(DecisionRow, col(DecisionRow.gate) == "canary")
    assert len(held) == 4
    await shop.accept_all()
    await shop.turn(hours=1)
    assert len([each for each in await shop.rows(Message) if each.step == "2"]) == 2


async def test_workers_side_by_side_take_every_step_once(db: Database) -> None:
    shop = Shop(db)
    for number in range(30):
        await quiet(shop, f"c{number}")
    await shop.publish(inactive(then="[{send: {text: 一}}, {wait: 1h}, {send: {text: 二}}]"), policy=SAME_DAY)
    for _ in range(3):
        await tick(shop.deps)
        await asyncio.gather(*(decide_due(shop.deps) for _ in range(3)))
        await shop.accept_all()
        shop.clock.turn(timedelta(hours=1))
    keys = [(each.customer_id, each.dedupe_key) for each in await shop.rows(Message)]
    assert len(keys) == len(set(keys)) == 60
    assert {row.step for row in await shop.rows(FollowUpRow)} == {None}


async def test_why_tells_where_a_customer_stands(db: Database) -> None:
    shop = Shop(db)
    await quiet(shop)
    await shop.publish(inactive(then=STEPS))
    await shop.settle()
    said = "\n".join(await why(shop.deps, "c1", "inactive", language="ja"))
    assert "済み: 1" in said
    assert "いま: 2" in said
    assert "11月27日(金) 12:00 まで待つ" in said

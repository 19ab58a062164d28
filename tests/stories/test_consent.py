"""Is a second purpose asked for, is consent provable, and does erasing reach every copy?"""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import select, text
from sqlmodel import col

from bot.flows.privacy.keep_record import consent_record, erase_customer, export_customer
from db.people.customers import customer_id_of
from db.people.privacy import tables
from db.talk.messages import Message, MessageKind
from sandbox.world import World

OFFER = """
id: offer
name: ご案内
state: live
goal: {event: login, within: 7d}
when: {event: viewed, count: {at_least: 1}}
holdout: 0%
then: [{send: offer}]
"""
OFFER_TEXT = """
purpose: offers
text: {ja: "{customer.name}様、年末のキャンペーンのご案内です。", en: "{customer.name}, our campaign."}
"""
POLICY = "holdout: 0%\ncaps: {per_day: 2, per_7_days: 4, per_30_days: 9}\n"
CANARY = "かなりあ"


async def a_shop(world: World) -> str:
    await world.publish({"offer.yaml": OFFER, "messages/offer.yaml": OFFER_TEXT, "policy.yaml": POLICY})
    return await world.friend("c1", f"{CANARY}田中", email="canary@example.com")


def questions(world: World, tanaka: str) -> int:
    return sum("ときどきお知らせしてよろしい" in said for said in world.heard(tanaka))


async def test_a_purpose_of_its_own_is_asked_for_once_and_a_yes_lets_the_rule_write(world: World) -> None:
    tanaka = await a_shop(world)
    await world.turn(timedelta(days=2))
    await world.track("c1", "viewed")
    await world.settle()
    assert questions(world, tanaka) == 1
    assert "セールやキャンペーン" in world.heard(tanaka)[-1]
    await world.turn(timedelta(days=3))
    assert questions(world, tanaka) == 1
    await world.line.tap_button(tanaka, "受け取る")
    await world.settle()
    await world.turn(timedelta(hours=1))
    assert any("年末のキャンペーン" in said for said in world.heard(tanaka))
    record = await consent_record(world.deps, "c1")
    assert record.standing == {"offers": True, "support": True}
    assert any("よろしいでしょうか" in (entry["words"] or "") for entry in record.entries)
    json.dumps(record.as_json())


async def test_the_question_waits_for_the_day_and_counts_as_a_message(world: World) -> None:
    tanaka = await a_shop(world)
    await world.turn(timedelta(days=2, hours=12))  # ten in the evening
    await world.track("c1", "viewed")
    await world.settle()
    assert questions(world, tanaka) == 0
    await world.turn(timedelta(hours=11, minutes=30))
    assert questions(world, tanaka) == 1
    async with world.deps.db.begin() as session:
        kinds = list(await session.scalars(select(col(Message.kind))))
    assert MessageKind.QUESTION in kinds


async def test_nobody_is_asked_who_does_not_want_to_hear_from_us(world: World) -> None:
    tanaka = await a_shop(world)
    await world.turn(timedelta(days=2))
    await world.line.say(tanaka, "停止")
    await world.settle()
    await world.track("c1", "viewed")
    await world.turn(timedelta(days=1))
    assert questions(world, tanaka) == 0


async def test_erasing_reaches_every_copy_and_keeps_the_refusal(world: World) -> None:
    tanaka = await a_shop(world)
    await world.turn(timedelta(days=2))
    await world.line.say(tanaka, f"{CANARY}の料金を教えてください")
    await world.line.send_image(tanaka, CANARY.encode() * 9)
    await world.settle()
    before = json.dumps(await export_customer(world.deps, "c1"), ensure_ascii=False)
    assert CANARY in before
    assert "canary@example.com" in before
    customer_id = await erase_customer(world.deps, "c1", by="test")
    await world.settle()
    await world.turn(timedelta(hours=1))

    async with world.deps.db.begin() as session:
        for table in tables():
            rows = await session.execute(select(table))
            kept = repr(list(rows))
            assert CANARY not in kept, table.name
            assert "canary@example.com" not in kept, table.name
            assert repr(CANARY.encode())[2:-1] not in kept, table.name
        left = (
            await session.execute(text("SELECT coalesce(string_agg(l::text, ''), '') FROM line_user l"))
        ).scalar_one()
    assert CANARY not in left
    shown = json.dumps(
        [world.slack.messages(channel) for channel in (world.leads_channel,)], ensure_ascii=False, default=str
    )
    assert CANARY not in shown
    record = await consent_record(world.deps, tanaka)
    assert record.standing == {"offers": False, "support": False} or record.standing == {"support": False}
    assert customer_id == customer_id_of("c1")
    await world.track("c1", "viewed")
    await world.turn(timedelta(days=2))
    assert not any("年末" in said for said in world.heard(tanaka))

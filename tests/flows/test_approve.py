"""Does nothing go out above a day's limit, or unread, before a support lead says yes to exactly that?"""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.errors import Refused
from bot.flows.rules.approve import approve, refuse, waiting
from bot.flows.rules.decide import decide_due
from bot.flows.rules.tick import tick
from db.deciding.approvals import Approval
from db.deciding.followups import DecisionRow
from db.deciding.ticks import mark_dirty
from db.desk.audit import AuditEntry
from db.desk.posts import Post
from db.engine import Database
from db.people.customers import Customer
from db.talk.messages import Message
from tests.flows.shop import Shop, inactive

POLICY = "approval_above: 3"


async def crowd(shop: Shop, number: int) -> None:
    for each in range(number):
        await shop.track(await shop.customer(f"c{each}"), "login", shop.ago(days=20))


async def test_above_the_limit_a_rule_waits_and_asks_once(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 8)
    await shop.publish(inactive(), policy=POLICY)
    await tick(shop.deps)
    await asyncio.gather(*(decide_due(shop.deps) for _ in range(4)))
    assert len(await shop.rows(Message)) == 3
    [asked] = await waiting(shop.deps)
    assert (asked.rule_id, asked.rule_version, asked.recipients) == ("inactive", 1, 3)
    [post] = await shop.rows(Post)
    assert post.content == {"approval_id": str(asked.approval_id)}

    await approve(shop.deps, asked.approval_id, by="U1")
    await shop.settle()
    assert len(await shop.rows(Message)) == 8
    with pytest.raises(Refused, match="settled before"):
        await refuse(shop.deps, asked.approval_id, by="U2")
    trail = await shop.rows(AuditEntry, col(AuditEntry.action).like("approval.%"))
    assert sorted((row.action, row.actor) for row in trail) == [
        ("approval.approved", "U1"),
        ("approval.asked", "yorisoi"),
    ]


async def test_refused_means_nobody_more_today_and_tomorrow_counts_anew(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 5)
    await shop.publish(inactive(), policy=POLICY)
    await shop.settle()
    [asked] = await waiting(shop.deps)
    await refuse(shop.deps, asked.approval_id, by="U1")
    await shop.settle()
    assert (len(await shop.rows(Message)), await waiting(shop.deps)) == (3, [])
    await shop.turn(hours=24)
    assert len(await shop.rows(Message)) == 5


async def test_a_new_version_has_to_ask_again(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 5)
    await shop.publish(inactive(), policy=POLICY)
    await shop.settle()
    [asked] = await waiting(shop.deps)
    await shop.publish(inactive(priority=60))
    await shop.settle()
    assert {each.rule_version for each in await waiting(shop.deps)} == {1, 2}
    await approve(shop.deps, asked.approval_id, by="U1")
    await shop.settle()
    assert len(await shop.rows(Message)) == 3


async def test_each_text_waits_for_approval_and_what_was_approved_is_what_is_sent(db: Database) -> None:
    shop = Shop(db)
    await crowd(shop, 2)
    await shop.publish(inactive(approval="review"))
    await shop.settle()
    first, second = await waiting(shop.deps)
    assert await shop.rows(Message) == []
    assert {row.gate for row in await shop.rows(DecisionRow)} == {"approval"}

    await approve(shop.deps, first.approval_id, by="U1")
    await refuse(shop.deps, second.approval_id, by="U1")
    await shop.settle()
    [sent] = await shop.rows(Message)
    assert (sent.customer_id, sent.plain_text) == (first.customer_id, first.text)
    await shop.turn(days=1)
    assert len(await shop.rows(Message)) == 1


async def test_an_approved_text_that_changed_meanwhile_is_asked_about_again(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=20))
    await shop.publish(inactive(approval="review"))
    await shop.settle()
    [asked] = await waiting(shop.deps)
    async with db.begin() as session:
        await session.execute(
            update(Customer)
            .where(col(Customer.customer_id) == customer_id)
            .values(attributes={"name": "高橋"})
        )
        await mark_dirty(session, [customer_id], now=shop.clock.now())
    await approve(shop.deps, asked.approval_id, by="U1")
    await shop.settle()
    assert await shop.rows(Message) == []
    [again] = await waiting(shop.deps)
    assert ("田中" in asked.text, "高橋" in again.text) == (True, True)
    await approve(shop.deps, again.approval_id, by="U1")
    await shop.settle()
    assert [row.plain_text for row in await shop.rows(Message)] == [again.text]


async def test_a_question_asked_anew_makes_the_old_one_stale(db: Database) -> None:
    shop = Shop(db)
    await shop.track(await shop.customer(), "login", shop.ago(days=20))
    await shop.publish(inactive(approval="review"))
    await shop.settle()
    [old] = await waiting(shop.deps)
    await shop.publish(inactive(approval="review", then="[{send: {text: '別の文面です。'}}]"))
    await shop.settle()
    [new] = await waiting(shop.deps)
    assert new.text == "別の文面です。"
    assert [row.state for row in await shop.rows(Approval, col(Approval.approval_id) == old.approval_id)] == [
        "stale"
    ]
    with pytest.raises(Refused, match="stale"):
        await approve(shop.deps, old.approval_id, by="U1")

"""Does the nightly audit find whom ticks missed, and nobody else?"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col

from bot.flows.rules.audit import audit_rules
from db.deciding.followups import DecisionRow
from db.deciding.ticks import dirty
from db.desk.posts import Post
from db.engine import Database
from db.talk.messages import Message
from tests.flows.shop import NOON, Shop, inactive

NIGHT = NOON + timedelta(hours=16)
"""04:00 of the next day in Tokyo."""


async def shop_with_customers(db: Database) -> Shop:
    shop = Shop(db)
    await shop.publish(inactive(), inactive("rehearsed", state="shadow"))
    for number in range(6):
        await shop.track(await shop.customer(f"c{number}"), "login", shop.ago(days=10 + number))
    await shop.settle()
    return shop


async def test_where_ticks_did_their_work_there_is_nothing_to_tell(db: Database) -> None:
    shop = await shop_with_customers(db)
    assert await audit_rules(shop.deps) == 0
    for _ in range(3):
        await shop.turn(days=1)
        shop.clock.turn_to(NIGHT + (shop.clock.now() - NOON))
        await shop.settle()
        assert await audit_rules(shop.deps) == 0
    assert await shop.rows(Post) == []


async def test_whom_a_tick_lost_the_audit_finds_and_has_decided_about(db: Database) -> None:
    shop = await shop_with_customers(db)
    late = await shop.customer("late")
    await shop.track(late, "login", shop.ago(days=20))
    async with db.begin() as session:
        await session.execute(delete(dirty))
    shop.clock.turn_to(NIGHT)
    await shop.settle()
    assert await shop.rows(DecisionRow, col(DecisionRow.customer_id) == late) == []

    assert await audit_rules(shop.deps) == 2
    posts = await shop.rows(Post)
    assert sorted(post.content["en"].split(" the rule ")[1].split()[0] for post in posts) == [
        "inactive",
        "rehearsed",
    ]
    assert all("found 1 customers" in post.content["en"] for post in posts)
    await shop.settle()
    await shop.turn(hours=8)
    assert late in {row.customer_id for row in await shop.rows(Message)}
    assert await audit_rules(shop.deps) == 0


async def test_once_a_night_and_not_before_it(db: Database) -> None:
    shop = await shop_with_customers(db)
    assert await audit_rules(shop.deps) == 0  # the night before is made up for
    lost = await shop.customer("lost")
    await shop.track(lost, "login", shop.ago(days=20))
    async with db.begin() as session:
        await session.execute(delete(dirty))
    shop.clock.turn_to(NOON + timedelta(hours=15))
    assert await audit_rules(shop.deps) == 0
    shop.clock.turn_to(NIGHT)
    assert await audit_rules(shop.deps) == 2
    async with db.begin() as session:
        await session.execute(delete(dirty))
    assert await audit_rules(shop.deps) == 0

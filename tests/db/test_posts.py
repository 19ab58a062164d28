"""Is each intent kept once, taken by one, and never lost?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from bot.clock import Ids, TurnableClock
from db.desk.leads import open_lead, stand_in
from db.desk.post_outcomes import give_up, put_off, stands
from db.desk.posts import (
    LEASE,
    DuePost,
    Post,
    PostKind,
    add_alert,
    add_thread_line,
    next_due,
    take_due,
    touch_card,
)
from db.engine import Database

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
IDS = Ids(TurnableClock(NOW))
WHO = UUID(int=1)
ALL = list(PostKind)


async def _open(db: Database, who: UUID = WHO) -> UUID:
    async with db.begin() as session:
        return await open_lead(
            session, customer_id=who, source="rule", reason_ja="x", reason_en="x", ids=IDS, now=NOW
        )


async def _take(
    db: Database, at: datetime = NOW, kinds: list[PostKind] = ALL, limit: int = 20
) -> list[DuePost]:
    async with db.begin() as session:
        return await take_due(session, kinds=kinds, now=at, limit=limit)


async def test_a_thread_line_without_an_open_lead_is_nothing(db: Database) -> None:
    async with db.begin() as session:
        await add_thread_line(session, customer_id=WHO, key="k", content={"ja": "x"}, ids=IDS, now=NOW)
        await touch_card(session, WHO, now=NOW)
        assert list(await session.scalars(select(Post))) == []


async def test_the_same_key_is_kept_once_and_alerts_too(db: Database) -> None:
    await _open(db)
    async with db.begin() as session:
        for _ in range(2):
            await add_thread_line(session, customer_id=WHO, key="k", content={"ja": "x"}, ids=IDS, now=NOW)
            await add_alert(session, key="k", ja="x", en="x", ids=IDS, now=NOW)
        kinds = sorted(each.kind for each in await session.scalars(select(Post)))
    assert kinds == ["alert", "card", "line"]


async def test_what_one_took_nobody_else_gets_until_the_lease_ends_and_then_it_is_looked_up(
    db: Database,
) -> None:
    for number in range(1, 31):
        await _open(db, UUID(int=number))
    taken = [
        each.post.post_id
        for some in await asyncio.gather(*(_take(db, limit=10) for _ in range(5)))
        for each in some
    ]
    assert len(taken) == len(set(taken)) == 30
    assert await _take(db, NOW + LEASE - timedelta(seconds=1)) == []
    later = await _take(db, NOW + LEASE, limit=100)
    assert len(later) == 30
    assert all(each.is_unknown for each in later)
    assert all(each.post.first_attempt_at == NOW for each in later)


async def test_a_touch_while_the_card_is_being_written_is_not_lost(db: Database) -> None:
    await _open(db)
    (due,) = await _take(db)
    async with db.begin() as session:
        await touch_card(session, WHO, now=NOW)
        await stands(session, due.post, channel="C1", ts="1.000001")
    (again,) = await _take(db)
    assert not again.is_unknown
    assert again.post.ts == "1.000001"
    async with db.begin() as session:
        await stands(session, again.post, channel="C1", ts="1.000001")
    assert await _take(db) == []


async def test_lines_wait_for_the_card_and_then_come_one_at_a_time(db: Database) -> None:
    lead_id = await _open(db)
    async with db.begin() as session:
        for key in "abc":
            await add_thread_line(session, customer_id=WHO, key=key, content={"ja": key}, ids=IDS, now=NOW)
    assert [each.post.kind for each in await _take(db)] == ["card"]
    async with db.begin() as session:
        await stand_in(session, lead_id, channel="C1", ts="1.000001")
    for key in "abc":
        (due,) = await _take(db)
        assert (due.post.content, due.thread_ts) == ({"ja": key}, "1.000001")
        assert await _take(db) == []
        async with db.begin() as session:
            if key == "b":  # refused for good: those behind it go on
                await give_up(session, due.post, because="x")
            else:
                await stands(session, due.post, channel="C1", ts=f"2.00000{ord(key) % 10}")


async def test_who_lost_the_lease_settles_nothing(db: Database) -> None:
    await _open(db)
    (slow,) = await _take(db)
    (quick,) = await _take(db, NOW + LEASE)
    async with db.begin() as session:
        await stands(session, quick.post, channel="C1", ts="1.000001")
        await put_off(session, slow.post, until=NOW, because="late", is_unknown=False)
        (row,) = await session.scalars(select(Post).execution_options(populate_existing=True))
    assert (row.state, row.ts) == ("posted", "1.000001")


async def test_what_was_put_off_is_due_again_at_its_moment(db: Database) -> None:
    await _open(db)
    (due,) = await _take(db)
    until = NOW + timedelta(seconds=30)
    async with db.begin() as session:
        await put_off(session, due.post, until=until, because="rate limit", is_unknown=False)
        assert await next_due(session) == until
    assert await _take(db, until - timedelta(seconds=1)) == []
    (again,) = await _take(db, until)
    assert not again.is_unknown


async def test_what_slack_refused_rests_until_something_changes(db: Database) -> None:
    await _open(db)
    (due,) = await _take(db)
    async with db.begin() as session:
        await give_up(session, due.post, because="channel_not_found")
        assert await next_due(session) is None
    assert await _take(db, NOW + timedelta(days=1)) == []
    async with db.begin() as session:
        await touch_card(session, WHO, now=NOW)
    assert len(await _take(db, NOW + timedelta(days=1))) == 1

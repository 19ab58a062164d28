"""Does each thing appear in Slack once, in order, whatever the network does?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.flows.staff.post import post
from db.desk.post_outcomes import revive
from db.desk.posts import Post, PostKind, add_alert, next_due, rewrite_thread_line, take_due, touch_card
from db.engine import Database
from db.talk.conversations import unsend
from tests.flows.desk import desk


async def test_a_card_stands_once_and_is_rewritten_in_place(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        ts = d.card().ts
        async with db.begin() as session:
            for _ in range(5):
                await touch_card(session, (await d.the_lead()).customer_id, now=d.clock.now())
        before = len([each for each in d.slack.journal if each.method == "chat.update"])
        assert await post(d.deps) == 1
        after = len([each for each in d.slack.journal if each.method == "chat.update"])
        assert (d.card().ts, after - before) == (ts, 1)
        lead = await d.the_lead()
        assert (lead.channel, lead.ts) == (d.leads, ts)


async def test_without_slack_or_a_channel_everything_waits(db: Database) -> None:
    async with desk(db, slack_leads_channel=None) as d:
        await d.lead()
        await d.settle()
        d.set(slack_leads_channel=d.slack.workspace.channel("leads").id)
        assert await post(d.deps) > 0
        assert len(d.slack.messages("leads")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"drop": True, "after_commit": True},
        {"status": 503, "html": True, "after_commit": True},
        {"broken_json": True, "after_commit": True},
        {"error": "internal_error", "after_commit": True},
    ],
    ids=["connection cut", "503 page", "unreadable answer", "internal error"],
)
async def test_a_post_that_got_through_unnoticed_is_found_not_repeated(
    db: Database, fault: dict[str, object]
) -> None:
    async with desk(db) as d:
        d.slack.faults.add("chat.postMessage", **fault)  # type: ignore[arg-type]
        await d.lead()
        await d.settle()
        await d.turn(minutes=2)
        assert len(d.cards()) == 1
        assert (await d.the_lead()).ts == d.card().ts


@pytest.mark.parametrize(
    "fault",
    [{"drop": True}, {"status": 503, "html": True}, {"error": "service_unavailable"}, {"retry_after": 7}],
    ids=["connection cut", "503 page", "unavailable", "rate limit"],
)
async def test_a_post_that_did_not_get_through_is_repeated_later(
    db: Database, fault: dict[str, object]
) -> None:
    async with desk(db) as d:
        d.slack.faults.add("chat.postMessage", **fault)  # type: ignore[arg-type]
        await d.lead()
        await d.settle()
        assert d.cards() == []
        async with db.begin() as session:
            due = await next_due(session)
        assert due is not None
        assert timedelta(seconds=4) < due - d.clock.now() <= timedelta(seconds=7)
        await d.turn(seconds=8)
        assert len(d.cards()) == 1


async def test_a_row_whose_process_died_while_posting_is_looked_up_after_a_minute(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        async with db.begin() as session:  # taken by a process that then posts and dies
            (due,) = await take_due(session, kinds=[PostKind.CARD], now=d.clock.now())
        assert d.deps.slack is not None
        await d.deps.slack.post(channel=d.leads, text="x", blocks=[], key=due.post.post_id)
        assert await post(d.deps) == 0
        await d.turn(seconds=61)
        assert len(d.cards()) == 1
        assert (await d.the_lead()).ts == d.card().ts
        assert "山田 花子" in d.card().plain_text()


async def test_many_processes_at_once_post_each_thing_once(db: Database) -> None:
    async with desk(db) as d:
        for number in range(5):
            await d.lead(f"客 {number}")
        await asyncio.gather(*(post(d.deps) for _ in range(6)))
        await d.settle()
        assert len(d.cards()) == 5


async def test_thread_lines_come_in_order_after_the_card_even_when_slack_stumbles(db: Database) -> None:
    async with desk(db) as d:
        d.slack.faults.add("chat.postMessage", drop=True, where=lambda call: "三" in str(call.get("text")))
        await d.lead(says=None)
        customer_id = (await d.the_lead()).customer_id
        for text in ("一", "二", "三", "四", "五"):
            await d.say(customer_id, text)
        await asyncio.gather(*(post(d.deps) for _ in range(3)))
        await d.settle()
        assert [line.splitlines()[-1] for line in d.thread()] == ["一", "二"]
        await d.turn(seconds=10)
        assert [line.splitlines()[-1] for line in d.thread()] == ["一", "二", "三", "四", "五"]


async def test_what_a_customer_took_back_disappears_from_the_thread(db: Database) -> None:
    async with desk(db) as d:
        await d.lead(says=None)
        customer_id = (await d.the_lead()).customer_id
        await d.say(customer_id, "ひみつの番号です")
        await d.settle()
        assert any("ひみつ" in line for line in d.thread())
        async with db.begin() as session:
            await unsend(session, customer_id, str(d.count), at=d.clock.now())
            await rewrite_thread_line(session, customer_id=customer_id, key=f"said:{d.count}")
            await touch_card(session, customer_id, now=d.clock.now())
        await d.settle()
        shown = d.card().plain_text() + "".join(d.thread())
        assert "ひみつ" not in shown
        assert "送信が取り消されました" in shown


@pytest.mark.parametrize(
    "how", [{"archived": True}, {"ext_shared": True}, {"private": True, "bot_member": False}]
)
async def test_never_into_a_channel_with_outsiders_or_nobody_and_repaired_it_comes_back(
    db: Database, how: dict[str, bool], capfd: pytest.CaptureFixture[str]
) -> None:
    async with desk(db) as d:
        bad = d.slack.add_channel("bad", **how)  # type: ignore[arg-type]
        good = d.leads
        alerts = d.slack.add_channel("alerts")
        d.set(slack_leads_channel=bad, slack_alerts_channel=alerts)
        await d.lead()
        await d.settle()
        assert d.slack.messages(bad) == []
        states = {each.state for each in await d.rows(Post) if each.kind == "card"}
        assert states == {"dead"}
        (told,) = d.slack.messages(alerts)
        assert "カードをSlackに出せません" in told.plain_text()
        d.set(slack_leads_channel=good)
        async with db.begin() as session:
            assert await revive(session, now=d.clock.now()) == 1
        await d.settle()
        assert len(d.slack.messages(good)) == 1
    assert "post.refused" in capfd.readouterr().err


async def test_an_alert_is_said_once_in_the_alerts_channel(db: Database) -> None:
    async with desk(db) as d:
        alerts = d.slack.add_channel("alerts")
        d.set(slack_alerts_channel=alerts)
        for _ in range(2):
            async with db.begin() as session:
                await add_alert(
                    session, key="quota:2026-11", ja="上限です", en="quota", ids=d.deps.ids, now=d.clock.now()
                )
            await d.settle()
        assert [each.plain_text() for each in d.slack.messages(alerts)] == ["上限です"]


async def test_slacks_pace_of_one_message_a_second_is_kept_and_nothing_is_lost(db: Database) -> None:
    async with desk(db, rate_limits=True) as d:
        await d.lead(says=None)
        customer_id = (await d.the_lead()).customer_id
        for number in range(6):
            await d.say(customer_id, f"{number}")
        for _ in range(40):
            await d.settle()
            d.clock.turn(timedelta(seconds=1))
        assert [line.splitlines()[-1] for line in d.thread()] == [str(number) for number in range(6)]


async def test_a_message_of_a_name_with_markup_pings_nobody(db: Database) -> None:
    async with desk(db) as d:
        await d.lead("<!channel> *x* <@U123> & co", says="<!here> `rm` <https://evil.example|click>")
        await d.settle()
        assert d.slack.broadcasts() == []
        assert len(d.cards()) == 1


async def test_a_card_that_shows_an_older_state_never_replaces_a_newer_one(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        d.slack.faults.add("chat.update", hang=0.3)
        customer_id = (await d.the_lead()).customer_id
        async with db.begin() as session:
            await touch_card(session, customer_id, now=d.clock.now())
        slow = asyncio.create_task(post(d.deps))
        await asyncio.sleep(0.1)
        await d.slack.press(d.sato, d.leads, d.card().ts, "lead.claim")
        await d.settle()
        await slow
        await d.settle()
        assert "が担当中" in d.card().plain_text()


async def test_one_broken_row_does_not_hold_up_the_others(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        lead_id = (await d.the_lead()).lead_id
        async with db.begin() as session:
            await add_alert(session, key="a", ja="a", en="a", ids=d.deps.ids, now=d.clock.now())
            broken = {"kind": "line", "content": {"message_id": "no uuid"}, "lead_id": lead_id}
            await session.execute(update(Post).where(col(Post.kind) == "alert").values(broken))
            await touch_card(session, UUID(int=1), now=d.clock.now())
        assert await post(d.deps) == 1

"""Does a lead get one owner, whoever presses when?"""

from __future__ import annotations

import asyncio

from bot.flows.staff.press import press
from db.desk.audit import AuditEntry
from db.engine import Database
from tests.flows.desk import desk


async def test_claiming_sends_nothing_and_the_second_press_is_told_who_was_first(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        assert "lead.claim" not in d.buttons()
        assert await d.written() == []
        lead = await d.the_lead()
        assert (lead.state, lead.owner) == ("claimed", d.sato)
        assert (await d.context(lead.lead_id)).conversation.owner == d.sato
        assert any("担当します" in line for line in d.thread())


async def test_of_two_at_the_same_moment_one_gets_it(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        ts = d.card().ts
        await asyncio.gather(
            d.slack.press(d.sato, d.leads, ts, "lead.claim"),
            d.slack.press(d.suzuki, d.leads, ts, "lead.claim"),
        )
        await asyncio.gather(*(press(d.deps) for _ in range(3)))
        await d.settle()
        lead = await d.the_lead()
        loser, name = (d.suzuki, "佐藤") if lead.owner == d.sato else (d.sato, "鈴木")
        assert d.whispers(loser) == [f"{name}さんが10:00に担当になっています。"]
        assert len(await d.rows(AuditEntry)) == 1


async def test_won_ends_the_episode_and_gives_the_conversation_back(db: Database) -> None:
    async with desk(db) as d:
        lead_id = await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        await d.press(d.sato, "lead.won")
        lead = await d.the_lead()
        assert (lead.state, lead.closed_by) == ("won", d.sato)
        assert (await d.context(lead_id)).conversation.owner is None
        assert d.buttons() == []
        assert "✅ 受注" in d.card().plain_text()


async def test_a_closed_lead_says_who_closed_it_and_the_next_reason_opens_a_new_card(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        ts = d.card().ts
        await d.slack.press(d.sato, d.leads, ts, "lead.lost")
        await d.slack.press(d.suzuki, d.leads, ts, "lead.won")
        await d.settle()
        assert d.whispers(d.suzuki) == ["佐藤さんが10:00に失注にしています。"]
        lead = await d.the_lead()
        await d.open(lead.customer_id)
        await d.settle()
        assert len(d.cards()) == 2

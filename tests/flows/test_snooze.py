"""Does a lead come back when it should: at its moment, or as soon as the customer does something?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from db.engine import Database
from tests.flows.desk import Desk, desk


async def _modal(d: Desk, who: str) -> str:
    await d.press(who, "lead.snooze")
    await asyncio.sleep(0.1)
    return d.slack.open_views(who)[-1].id


async def test_one_hour_later_it_is_back_and_its_owner_is_mentioned_in_the_thread(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        await d.slack.submit(d.sato, await _modal(d, d.sato), {"span": "1h"})
        await d.settle()
        assert (await d.the_lead()).state == "snoozed"
        assert "保留中" in d.card().plain_text()
        await d.turn(minutes=59)
        assert (await d.the_lead()).state == "snoozed"
        await d.turn(minutes=2)
        lead = await d.the_lead()
        assert (lead.state, lead.owner, lead.snoozed_until) == ("claimed", d.sato, None)
        assert any(f"<@{d.sato}>" in line and "保留が終わりました" in line for line in d.thread())


async def test_tomorrow_is_ten_in_the_morning_by_the_presser_s_own_clock(db: Database) -> None:
    async with desk(db) as d:
        d.suzuki = d.slack.add_member("paris", real_name="Claire", tz="Europe/Paris", locale="fr-FR")
        await d.lead()
        await d.settle()
        await d.slack.submit(d.suzuki, await _modal(d, d.suzuki), {"span": "tomorrow"})
        await d.settle()
        assert (await d.the_lead()).snoozed_until == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


async def test_a_date_is_asked_for_when_none_was_picked_and_a_past_one_is_refused(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        view_id = await _modal(d, d.sato)
        await d.slack.submit(d.sato, view_id, {"span": "date"})
        (view,) = d.slack.open_views(d.sato)
        assert view.errors == {"snooze.date": "日付を選んでください。"}
        await d.slack.submit(d.sato, view_id, {"span": "date", "date": "2026-11-24"})
        assert view.errors == {"snooze.date": "明日以降の日付を選んでください。"}
        await d.slack.submit(d.sato, view_id, {"span": "date", "date": "2026-12-01"})
        await d.settle()
        assert (await d.the_lead()).snoozed_until == datetime(2026, 12, 1, 1, 0, tzinfo=UTC)


async def test_a_new_reason_wakes_it_at_once(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.slack.submit(d.sato, await _modal(d, d.sato), {"span": "3d"})
        await d.settle()
        await d.open((await d.the_lead()).customer_id, reason="もう一度問い合わせ")
        await d.settle()
        assert (await d.the_lead()).state == "new"
        assert "もう一度問い合わせ" in d.card().plain_text()
        assert len(d.cards()) == 1

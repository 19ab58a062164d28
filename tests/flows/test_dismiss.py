"""Is it kept why something was no lead?"""

from __future__ import annotations

import asyncio

from db.desk.audit import AuditEntry
from db.engine import Database
from tests.flows.desk import desk


async def test_dismissing_keeps_the_reason_and_shows_it(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.dismiss")
        await asyncio.sleep(0.1)
        (view,) = d.slack.open_views(d.sato)
        await d.slack.submit(d.sato, view.id, {"reason": "wrong_signal"})
        await d.settle()
        lead = await d.the_lead()
        assert (lead.state, lead.disposition, lead.closed_by) == ("dismissed", "wrong_signal", d.sato)
        assert "見込みではない" in d.card().plain_text()
        (entry,) = await d.rows(AuditEntry)
        assert (entry.action, entry.details["disposition"]) == ("lead.dismissed", "wrong_signal")


async def test_the_modal_speaks_the_presser_s_language(db: Database) -> None:
    async with desk(db) as d:
        ann = d.slack.add_member("ann", real_name="Ann", locale="en-US", tz="Europe/London")
        await d.lead()
        await d.settle()
        await d.press(ann, "lead.dismiss")
        await asyncio.sleep(0.1)
        (view,) = d.slack.open_views(ann)
        assert view.content["title"]["text"] == "Dismiss"

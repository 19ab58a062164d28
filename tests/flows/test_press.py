"""Who may press, and does each press take effect once whatever breaks?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.flows.staff import press as story
from bot.flows.staff.keep import Keeper
from bot.flows.staff.press import press
from bot.slack.ids import Action, Target
from bot.slack.presses import Press
from db.desk.audit import AuditEntry
from db.desk.leads import Lead
from db.engine import Database
from db.intake.inbox import InboxRow
from tests.flows.desk import desk


@pytest.mark.parametrize(
    "who",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True, "is_restricted": True},
        {"team_id": "T0OTHERORG1"},
    ],
    ids=["guest", "single-channel guest", "another organisation"],
)
async def test_outsiders_are_refused_and_it_is_written_down(db: Database, who: dict[str, object]) -> None:
    async with desk(db) as d:
        outsider = d.slack.add_member("outsider", real_name="Out", **who)  # type: ignore[arg-type]
        d.slack.workspace.channel(d.leads).member_ids = [d.sato, outsider, d.slack.workspace.bot.id]
        await d.lead()
        await d.settle()
        for action in ("lead.send", "lead.claim", "lead.won"):
            await d.press(outsider, action)
        await d.press(outsider, "lead.edit")
        await asyncio.sleep(0.1)
        assert d.slack.open_views(outsider) == []
        assert await d.written() == []
        assert (await d.the_lead()).state == "new"
        assert len(d.whispers(outsider)) == 4
        assert [each.action for each in await d.rows(AuditEntry)] == ["press.refused"] * 3


async def test_who_is_in_neither_group_is_refused_and_leaving_the_group_takes_minutes(db: Database) -> None:
    async with desk(db, slack_sales_group="S-to-be") as d:
        group = d.slack.add_user_group("sales", [d.sato])
        d.set(slack_sales_group=group)
        await d.lead()
        await d.settle()
        await d.press(d.suzuki, "lead.claim")
        assert "グループ" in d.whispers(d.suzuki)[0]
        d.slack.workspace.group("sales").member_ids.remove(d.sato)
        await d.turn(minutes=6)
        await d.press(d.sato, "lead.claim")
        assert (await d.the_lead()).owner is None


async def test_a_support_lead_may_act_on_somebody_elses_lead(db: Database) -> None:
    async with desk(db) as d:
        group = d.slack.add_user_group("support-leads", [d.suzuki])
        sales = d.slack.add_user_group("sales", [d.sato])
        d.set(slack_sales_group=sales, slack_support_leads_group=group)
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        await d.press(d.suzuki, "lead.won")
        assert (await d.the_lead()).closed_by == d.suzuki


async def test_a_press_waits_while_slack_cannot_say_who_it_was(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        ts = d.card().ts
        d.slack.faults.add("users.info", error="internal_error", times=5)
        await d.slack.press(d.sato, d.leads, ts, "lead.claim")
        assert await press(d.deps) == 0
        assert (await d.the_lead()).owner is None
        d.slack.faults.clear()
        assert await press(d.deps) == 1
        assert (await d.the_lead()).owner == d.sato


async def test_a_send_that_was_held_up_for_long_is_not_carried_out(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.slack.press(d.sato, d.leads, d.card().ts, "lead.send")
        d.clock.turn(timedelta(minutes=16))
        await d.settle()
        assert await d.written() == []
        assert "もう一度押してください" in d.whispers(d.sato)[0]


async def test_a_fault_of_ours_changes_nothing_is_tried_again_and_ends_with_a_reference(
    db: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.slack.press(d.sato, d.leads, d.card().ts, "lead.claim")
        # A lead whose row cannot be read as it should: the story itself breaks.
        async with db.begin() as session:
            await session.execute(update(Lead).values(state="never heard of"))
        for _ in range(6):
            await press(d.deps)
            d.clock.turn(timedelta(minutes=5))
        (row,) = await d.rows(InboxRow)
        assert row.done_at is not None
        assert row.attempts == 5
        (told,) = d.whispers(d.sato)
        assert f"番号 {row.because} を" in told
    assert "press.failed" in capfd.readouterr().err


async def test_the_same_delivery_twice_is_one_press(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        lead = await d.the_lead()
        pressed = Press(
            action=Action.CLAIM,
            target=Target(lead_id=lead.lead_id, draft_id=None, revision=1),
            slack_user_id=d.sato,
            channel=d.leads,
        )
        keeper = Keeper(d.deps)
        await asyncio.gather(*(keeper.press(pressed, event_id="7.1.a") for _ in range(5)))
        assert await press(d.deps) == 1
        assert d.whispers(d.sato) == []


def test_every_button_of_a_lead_has_one_story() -> None:
    opened = {Action.MORE, Action.WISH}  # a menu, and a question: what comes of them is `lead.regenerate`
    assert {each for each in Action if each.value.startswith("lead.")} - opened == set(story.STORIES)

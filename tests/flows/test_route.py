"""Is the right person asked to take a lead, the next one in time, and then those who lead?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.flows.leads.remind import remind
from bot.flows.leads.route import route
from bot.flows.rules.publish import publish
from db.desk.audit import AuditEntry
from db.desk.leads import Lead
from db.engine import Database
from followups.rules.parsing import PolicyText
from tests.flows.desk import Desk, desk


async def _team(d: Desk, *more: str) -> str:
    group = d.slack.add_user_group("sales", [d.sato, d.suzuki, *more])
    leads = d.slack.add_user_group("support-leads", [d.suzuki])
    d.set(slack_sales_group=group, slack_support_leads_group=leads)
    return leads


async def _settle(d: Desk) -> None:
    await d.settle()
    while await route(d.deps) + await remind(d.deps):
        await d.settle()


async def _turn(d: Desk, **span: float) -> None:
    d.clock.turn(timedelta(**span))
    await _settle(d)


async def _leads(d: Desk) -> list[Lead]:
    return sorted(await d.rows(Lead), key=lambda each: each.opened_at)


async def test_new_leads_go_round_by_who_has_the_least(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        asked = []
        for number in range(4):
            await d.lead(f"客{number}")
            await _settle(d)
            d.clock.turn(timedelta(seconds=1))
            asked.append((await _leads(d))[-1].offered_to or "")
        assert sorted(asked[:2]) == sorted([d.sato, d.suzuki])
        assert sorted(asked[2:]) == sorted([d.sato, d.suzuki])


async def test_the_person_asked_is_mentioned_once_and_stands_on_the_card(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        await d.lead()
        await _settle(d)
        who = (await d.the_lead()).offered_to
        lines = [line for line in d.thread() if "対応をお願いします" in line]
        assert len(lines) == 1
        assert "打診中" in d.card().plain_text()
        assert "担当の期限" in d.card().plain_text()
        assert who in {d.sato, d.suzuki}
        await _settle(d)
        assert len([line for line in d.thread() if "対応をお願いします" in line]) == 1


async def test_unclaimed_for_fifteen_minutes_the_next_is_asked_then_the_leads_each_once(db: Database) -> None:
    async with desk(db) as d:
        leads = await _team(d)
        await d.lead()
        await _settle(d)
        first = (await d.the_lead()).offered_to
        await _turn(d, minutes=14)
        assert (await d.the_lead()).offered_to == first
        await _turn(d, minutes=2)
        second = (await d.the_lead()).offered_to
        assert {first, second} == {d.sato, d.suzuki}
        await asyncio.gather(*(remind(d.deps) for _ in range(3)))
        await _turn(d, minutes=15)
        await _turn(d, hours=5)
        shown = [each.text for each in d.slack.thread(d.leads, d.card().ts)]
        assert len([line for line in shown if "15分たっても" in line]) == 1
        assert len([line for line in shown if f"<!subteam^{leads}>" in line]) == 1
        actions = [each.action for each in await d.rows(AuditEntry)]
        assert (actions.count("lead.offered"), actions.count("lead.escalated")) == (2, 1)


async def test_the_time_to_claim_runs_only_while_people_work(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        await d.turn(hours=7, minutes=55)  # 17:55, they close at 18:00
        await d.lead()
        await _settle(d)
        await _turn(d, hours=12)
        assert (await d.the_lead()).reminders == 1
        await _turn(d, hours=4, minutes=16)  # 10:11 the next morning: five and eleven minutes of work
        assert (await d.the_lead()).reminders == 2


async def test_who_claims_in_time_hears_no_reminder(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        await d.lead()
        await _settle(d)
        await d.press(d.sato, "lead.claim")
        await _turn(d, days=1)
        assert not any("⏰" in line for line in d.thread())


async def test_a_reminder_that_fell_due_while_nothing_ran_is_made_afterwards(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        await d.lead()
        await _settle(d)
        d.clock.turn(timedelta(days=2))
        await _settle(d)
        lead = await d.the_lead()
        assert (lead.reminders, lead.remind_at) == (3, None)


async def test_who_is_away_is_not_asked_until_they_are_back(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        assert (await d.slack.command(d.sato, "/leads", "away until 2026-11-26", d.leads)).is_good
        await asyncio.sleep(0.3)
        assert "担当から外しました" in d.whispers(d.sato)[-1]
        for number in range(2):
            await d.lead(f"客{number}")
        await _settle(d)
        assert {each.offered_to for each in await _leads(d)} == {d.suzuki}
        await d.slack.command(d.sato, "/leads", "back", d.leads)
        await asyncio.sleep(0.3)
        await d.lead("客3")
        await _settle(d)
        assert d.sato in {each.offered_to for each in await _leads(d)}


async def test_nobody_can_be_away_since_yesterday(db: Database) -> None:
    async with desk(db) as d:
        for written in ("away until 2026-11-20", "away", "away soon", "away 0d"):
            await d.slack.command(d.sato, "/leads", written, d.leads)
            await asyncio.sleep(0.2)
            assert "のように書いてください" in d.whispers(d.sato)[-1]


async def test_a_customers_own_rep_is_asked_and_the_daily_cap_spares_the_others(db: Database) -> None:
    policy = "routing: {owner_attribute: plan, per_rep_per_day: 1}\n"  # every customer here has plan: trial
    async with desk(db) as d:
        trial = d.slack.add_member("trial", real_name="trial")
        await _team(d, trial)
        await publish(d.deps, {}, by="test", policy=PolicyText(path="policy.yaml", source=policy))
        for number in range(3):
            await d.lead(f"客{number}")
            await _turn(d, seconds=1)
        assert [each.offered_to for each in await _leads(d)] == [trial] * 3
        source = "routing: {per_rep_per_day: 1}\n"
        await publish(d.deps, {}, by="test", policy=PolicyText(path="policy.yaml", source=source))
        for number in range(4):
            await d.lead(f"別{number}")
            await _turn(d, seconds=1)
        asked = [each.offered_to for each in await _leads(d)][3:]
        assert sorted(each for each in asked if each) == sorted([d.sato, d.suzuki])
        assert asked.count(None) == 2


async def test_two_processes_ask_one_person_once(db: Database) -> None:
    async with desk(db) as d:
        await _team(d)
        for number in range(5):
            await d.lead(f"客{number}")
        await d.settle()
        await asyncio.gather(*(route(d.deps) for _ in range(4)))
        await d.settle()
        entries = [each for each in await d.rows(AuditEntry) if each.action == "lead.offered"]
        assert len(entries) == 5

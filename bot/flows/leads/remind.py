"""Remind: nobody claimed a lead in time: the next one is asked, then the support leads are."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.leads.route import Team, held_lead, next_rep, say_once, team_of
from bot.slack.mrkdwn import mention
from db.columns import UUID
from db.desk import audit, posts, routing
from db.desk.leads import Lead, LeadState
from db.rulebook.rules import current_rulebook
from followups.rules.model import Policy
from followups.times.hours import add_business_time
from followups.times.zones import zone_of

BATCH = 50


async def remind(deps: Deps) -> int:
    """Take every step that is due, each once, in business time; how many.

    The moments stand in the leads' rows: a program that was down takes the steps it missed, one a run.
    """
    if deps.slack is None:
        return 0
    async with deps.db.begin() as session:
        due = await routing.leads_to_remind(session, now=deps.clock.now(), limit=BATCH)
    if not due:
        return 0
    team = await team_of(deps)
    if team is None:
        return 0
    done = 0
    for lead_id in due:
        done += await deps.db.run(partial(_remind_one, deps=deps, lead_id=lead_id, team=team))
    if done:
        await deps.waker.wake("post")
    return done


async def _remind_one(session: AsyncSession, deps: Deps, lead_id: UUID, team: Team) -> bool:
    now = deps.clock.now()
    lead = await held_lead(session, lead_id)
    if lead is None or lead.state != LeadState.NEW or lead.remind_at is None or lead.remind_at > now:
        return False
    policy = (await current_rulebook(session)).policy
    if lead.reminders < routing.ASKED_AGAIN:
        return await _ask_the_next(session, deps, lead, team, policy, now=now)
    return await _ask_support_leads(session, deps, lead, policy, now=now)


async def _ask_the_next(
    session: AsyncSession, deps: Deps, lead: Lead, team: Team, policy: Policy, *, now: datetime
) -> bool:
    rep = await next_rep(session, lead, team, policy, but=lead.asked, now=now)
    zone = zone_of(policy.timezone)
    escalate_at = add_business_time(
        lead.routed_at or now, policy.escalate_within, policy.business_hours, zone
    )
    to = [rep.slack_user_id] if rep else []
    if not await routing.offer(
        session, lead, to=to, step=routing.ASKED_AGAIN, remind_at=escalate_at, now=now
    ):
        return False
    minutes = _minutes(policy.claim_within.total_seconds())
    whom = (f"{mention(rep.slack_user_id)} さん、", f" {mention(rep.slack_user_id)},") if rep else ("", "")
    said = {
        "ja": f"⏰ 営業時間で{minutes}分たっても担当者が決まっていません。{whom[0]}対応をお願いします。",
        "en": f"⏰ Unclaimed for {minutes} business minutes.{whom[1]} please take this one.",
    }
    await say_once(session, deps, lead, "asked_again", said, now=now)
    await _note(session, deps, lead, "lead.offered", to=to[0] if to else None, now=now)
    return True


async def _ask_support_leads(
    session: AsyncSession, deps: Deps, lead: Lead, policy: Policy, *, now: datetime
) -> bool:
    if not await routing.offer(session, lead, to=[], step=routing.ESCALATED, remind_at=None, now=now):
        return False
    group = deps.settings.slack_support_leads_group
    minutes = _minutes(policy.escalate_within.total_seconds())
    whom = f"<!subteam^{group}> " if group else ""
    said = {
        "ja": f"🚨 {whom}営業時間で{minutes}分、だれも担当していません。担当者を決めてください。",
        "en": f"🚨 {whom}Nobody has claimed this for {minutes} business minutes. Please find somebody.",
    }
    await say_once(session, deps, lead, "escalated", said, now=now)
    await _note(session, deps, lead, "lead.escalated", to=group, now=now)
    return True


def _minutes(seconds: float) -> int:
    return max(1, round(seconds / 60))


async def _note(
    session: AsyncSession, deps: Deps, lead: Lead, action: str, *, to: str | None, now: datetime
) -> None:
    await audit.record(
        session,
        actor=audit.PROGRAM,
        action=action,
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        to=to,
        ids=deps.ids,
        now=now,
    )
    await posts.touch_lead(session, customer_id=lead.customer_id, lead_id=lead.lead_id)

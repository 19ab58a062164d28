"""Route: somebody is asked to take each new lead: their own rep, else who has the least to do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.ports import StaffProfile
from bot.slack.mrkdwn import mention
from db.columns import UUID
from db.desk import audit, posts, routing
from db.desk.leads import Lead, LeadState, lead_by_id
from db.desk.routing import Load
from db.people.customers import Customer, lock_customers
from db.people.staff import staff_of
from db.rulebook.rules import current_rulebook
from followups.routing import Rep, choose
from followups.rules.model import Policy
from followups.times.hours import add_business_time
from followups.times.zones import day_begins, zone_of

log = structlog.get_logger()

BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who may be asked, read from Slack outside any transaction."""

    profiles: Mapping[str, StaffProfile]


async def route(deps: Deps) -> int:
    """Ask somebody about every new lead for which nobody was asked; about how many.

    Without Slack nothing happens; without a sales group only the time to claim begins to run.
    """
    if deps.slack is None:
        return 0
    async with deps.db.begin() as session:
        waiting = await routing.leads_to_route(session, limit=BATCH)
    if not waiting:
        return 0
    team = await team_of(deps)
    if team is None:
        return 0
    done = 0
    for lead_id in waiting:
        done += await deps.db.run(partial(_route_one, deps=deps, lead_id=lead_id, team=team))
    if done:
        await deps.waker.wake("post")
    return done


async def team_of(deps: Deps) -> Team | None:
    """The sales group's people who may act; None: Slack does not answer now."""
    assert deps.slack is not None
    group = deps.settings.slack_sales_group
    try:
        members = await deps.slack.members_of(group) if group else frozenset[str]()
        profiles = [await deps.slack.profile(each) for each in sorted(members)]
    except (Unavailable, Refused) as error:
        log.warning("lead.not_routed", because=str(error))
        return None
    return Team(profiles={each.slack_user_id: each for each in profiles if each.is_allowed})


async def _route_one(session: AsyncSession, deps: Deps, lead_id: UUID, team: Team) -> bool:
    now = deps.clock.now()
    lead = await held_lead(session, lead_id)
    if lead is None or lead.state != LeadState.NEW or lead.reminders != 0:
        return False
    policy = (await current_rulebook(session)).policy
    rep = await next_rep(session, lead, team, policy, but=(), now=now)
    remind_at = add_business_time(now, policy.claim_within, policy.business_hours, zone_of(policy.timezone))
    to = [rep.slack_user_id] if rep else []
    if not await routing.offer(session, lead, to=to, step=routing.ASKED, remind_at=remind_at, now=now):
        return False
    if rep is not None:
        await audit.record(
            session,
            actor=audit.PROGRAM,
            action="lead.offered",
            customer_id=lead.customer_id,
            lead_id=lead.lead_id,
            to=rep.slack_user_id,
            ids=deps.ids,
            now=now,
        )
        who = mention(rep.slack_user_id)
        said = {
            "ja": f"🙋 {who} さん、対応をお願いします。カードの「担当する」を押してください。",
            "en": f"🙋 {who}, please take this one: press Claim on the card.",
        }
        await say_once(session, deps, lead, "offered", said, now=now)
    await posts.touch_lead(session, customer_id=lead.customer_id, lead_id=lead.lead_id)
    return True


async def held_lead(session: AsyncSession, lead_id: UUID) -> Lead | None:
    """The lead with its customer, held until the transaction ends."""
    known = await lead_by_id(session, lead_id)
    if known is None:
        return None
    await lock_customers(session, [known.customer_id])
    return await lead_by_id(session, lead_id, is_locked=True)


async def next_rep(
    session: AsyncSession, lead: Lead, team: Team, policy: Policy, *, but: Collection[str], now: datetime
) -> Rep | None:
    """Whom to ask about this lead now."""
    if not team.profiles:
        return None
    begun = day_begins(now.astimezone(zone_of(policy.timezone)).date(), zone_of(policy.timezone))
    known = await staff_of(session, team.profiles)
    loads = await routing.loads(session, team.profiles, since=begun)
    reps = []
    for who, profile in team.profiles.items():
        load, told = loads.get(who, Load()), known.get(who)
        reps.append(
            Rep(
                slack_user_id=who,
                name=profile.name,
                zone=zone_of(profile.timezone, policy.timezone),
                away_until=told.away_until if told else None,
                open=load.open,
                today=load.today,
                last_at=load.last_at,
            )
        )
    wanted = None
    if attribute := policy.routing.owner_attribute:
        customer = await session.get(Customer, lead.customer_id)
        value = customer.attributes.get(attribute) if customer else None
        wanted = value if isinstance(value, str) else None
    return choose(reps, policy, wanted=wanted, but=but, now=now)


async def say_once(
    session: AsyncSession, deps: Deps, lead: Lead, step: str, said: Mapping[str, str], *, now: datetime
) -> None:
    """A line in the lead's thread, once per step and run of the time to claim."""
    begun = int((lead.routed_at or now).timestamp())
    await posts.add_lead_line(
        session,
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        key=f"{step}:{begun}",
        content=dict(said),
        ids=deps.ids,
        now=now,
    )

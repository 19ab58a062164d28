"""Claim: a person takes a lead; of two at the same moment one gets it, the other is told who did."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.staff.acting import DONE, Act, Answer, changed_meanwhile, check_open, held, note, show
from bot.slack.mrkdwn import mention
from db import audit, conversations, leads
from db.leads import Lead


async def claim(session: AsyncSession, act: Act) -> Answer:
    """Give the lead, and the conversation with the customer, to the actor.

    Raises:
        Refused: somebody else was first, or the lead is closed.
    """
    lead = (await held(session, act)).lead
    check_open(act, lead)
    me = act.actor.slack_user_id
    if lead.owner == me and lead.state != leads.LeadState.SNOOZED:
        return Answer(ja="すでにあなたが担当しています。", en="You own this lead already.")
    if lead.owner not in (None, me):
        at = act.at(lead.claimed_at) if lead.claimed_at else ""
        raise Refused(
            f"{mention(lead.owner)}さんが{at}に担当になっています。",
            f"{mention(lead.owner)} claimed this at {at}.",
        )
    await take(session, act, lead)
    who = mention(me)
    said = {"ja": f"{who} さんが担当します。", "en": f"{who} claimed this lead."}
    await note(session, act, lead, f"claimed:{lead.revision}", said)
    await show(session, act, lead)
    return DONE


async def take(session: AsyncSession, act: Act, lead: Lead) -> None:
    """Make the actor the owner of the held lead and of its conversation.

    Raises:
        Refused: the lead changed since it was read.
    """
    me = act.actor.slack_user_id
    if not await leads.claim(session, lead, owner=me, now=act.now):
        raise changed_meanwhile()
    await conversations.own(session, lead.customer_id, owner=me, now=act.now)
    await audit.record(
        session,
        actor=me,
        action="lead.claimed",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        ids=act.deps.ids,
        now=act.now,
    )

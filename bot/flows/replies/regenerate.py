"""Regenerate: a person wants other drafts."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.flows.staff.acting import DONE, Act, Answer, changed_meanwhile, check_open, check_owner, held, show
from db.desk import audit, leads
from db.talk import drafts


async def regenerate(session: AsyncSession, act: Act) -> Answer:
    """Take the unsent drafts away and ask for new ones, as wished; the old ones stay in Edit's list.

    Raises:
        Refused: closed, or owned by somebody else.
    """
    lead = (await held(session, act)).lead
    check_open(act, lead)
    check_owner(act, lead)
    retired = await drafts.retire(session, lead.customer_id, lead.lead_id, now=act.now)
    if not await leads.want_drafts(session, lead, is_wanted=True, wish=act.form.get("wish")):
        raise changed_meanwhile()
    await audit.record(
        session,
        actor=act.actor.slack_user_id,
        action="draft.regenerated",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        retired=retired,
        ids=act.deps.ids,
        now=act.now,
    )
    await show(session, act, lead)
    return DONE

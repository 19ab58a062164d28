"""Dismiss: a person says that this is no lead, and why; rules are judged by these answers."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.flows.leads.close_lead import close_as
from bot.flows.staff.acting import Act, Answer
from db.desk.leads import LeadState


async def dismiss(session: AsyncSession, act: Act) -> Answer:
    """Close the lead with the reason that was chosen.

    Raises:
        Refused: closed already, or owned by somebody else.
    """
    return await close_as(session, act, LeadState.DISMISSED, disposition=act.form.get("reason"))

"""Won, lost: a person ends a lead's episode with its outcome."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.staff.acting import (
    DONE,
    Act,
    Answer,
    changed_meanwhile,
    check_open,
    check_owner,
    held,
    note,
    show,
)
from bot.slack.mrkdwn import mention
from db.desk import audit, leads
from db.desk.leads import LeadState
from db.talk import conversations

_SAID = {
    LeadState.SENT: ("✅ {who} さんが対応済みにしました。", "✅ {who} closed this lead as answered."),
    LeadState.WON: ("🎉 {who} さんが受注にしました。", "🎉 {who} closed this lead as won."),
    LeadState.LOST: ("{who} さんが失注にしました。", "{who} closed this lead as lost."),
    LeadState.DISMISSED: ("{who} さんが対象外にしました。", "{who} dismissed this lead."),
}


async def close_sent(session: AsyncSession, act: Act) -> Answer:
    """The customer has their answer. Raises Refused: nobody has answered, or as `close_as`."""
    if (await held(session, act)).sent is None:
        raise Refused(
            "まだ何も送っていません。対応が不要なら「対象外」を選んでください。",
            "Nothing was sent yet. Choose Dismiss when no answer is needed.",
        )
    return await close_as(session, act, LeadState.SENT)


async def close_won(session: AsyncSession, act: Act) -> Answer:
    """The customer bought. Raises Refused: closed already, or owned by somebody else."""
    return await close_as(session, act, LeadState.WON)


async def close_lost(session: AsyncSession, act: Act) -> Answer:
    """The customer did not. Raises Refused: closed already, or owned by somebody else."""
    return await close_as(session, act, LeadState.LOST)


async def close_as(
    session: AsyncSession, act: Act, state: LeadState, *, disposition: str | None = None
) -> Answer:
    """End the episode, and give the conversation back to the bot.

    Raises:
        Refused: closed already, or owned by somebody else.
    """
    lead = (await held(session, act)).lead
    check_open(act, lead)
    check_owner(act, lead)
    me = act.actor.slack_user_id
    is_closed = await leads.close(session, lead, state=state, by=me, disposition=disposition, now=act.now)
    if not is_closed:
        raise changed_meanwhile()
    await conversations.close(session, lead.customer_id, now=act.now)
    await audit.record(
        session,
        actor=me,
        action=f"lead.{state.value}",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        disposition=disposition,
        ids=act.deps.ids,
        now=act.now,
    )
    ja, en = (words.replace("{who}", mention(me)) for words in _SAID[state])
    await note(session, act, lead, f"closed:{lead.revision}", {"ja": ja, "en": en})
    await show(session, act, lead)
    return DONE

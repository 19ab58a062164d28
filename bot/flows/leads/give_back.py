"""Give back: a person lets the bot answer the customer again; the lead stays theirs."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.staff.acting import DONE, Act, Answer, check_open, check_owner, held, note, show
from bot.slack.mrkdwn import mention
from db.desk import audit
from db.talk import conversations


async def give_back(session: AsyncSession, act: Act) -> Answer:
    """The bot answers again, until somebody writes from the card or the customer asks for a person.

    Raises:
        Refused: closed, owned by somebody else, or the bot answers already.
    """
    context = await held(session, act)
    lead, me = context.lead, act.actor.slack_user_id
    check_open(act, lead)
    check_owner(act, lead)
    if not await conversations.give_back(session, lead.customer_id, by=me, now=act.now):
        raise Refused("すでにボットが応対しています。", "The bot answers already.")
    await audit.record(
        session,
        actor=me,
        action="conversation.given_back",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        ids=act.deps.ids,
        now=act.now,
    )
    revision = context.conversation.revision if context.conversation else 0
    said = {
        "ja": f"🤖 {mention(me)} さんが会話をボットに戻しました。",
        "en": f"🤖 {mention(me)} gave the conversation back to the bot.",
    }
    await note(session, act, lead, f"given_back:{revision}:{int(act.now.timestamp())}", said)
    await show(session, act, lead)
    return DONE

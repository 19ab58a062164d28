"""Undo: a person takes a reply back while it has not left yet."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.staff.acting import DONE, Act, Answer, held, note, show
from bot.slack.mrkdwn import mention
from db.desk import audit
from db.talk import drafts
from db.talk.messages import cancel_one


async def undo_send(session: AsyncSession, act: Act) -> Answer:
    """Cancel the queued reply; its text comes back as a draft.

    Raises:
        Refused: it is too late, or the reply is somebody else's.
    """
    context = await held(session, act)
    lead, message, me = context.lead, context.sent, act.actor.slack_user_id
    if message is None:
        raise Refused("取り消せる送信はありません。", "There is nothing to undo.")
    if me not in (message.approved_by, lead.owner) and not act.actor.is_support_lead:
        who = mention(message.approved_by or "")
        raise Refused(f"この送信を取り消せるのは{who}さんです。", f"Only {who} can undo this.")
    is_undone = await cancel_one(
        session, lead.customer_id, message.message_id, because=_because(act), now=act.now
    )
    if not is_undone:
        if message.state == "cancelled":
            raise Refused("すでに取り消されています。", "This was undone already.")
        raise Refused(
            "もう送信が始まっているため、取り消せません。", "It is on its way already: too late to undo."
        )
    draft = None
    if message.draft_id is not None:
        draft = await drafts.draft_by_id(session, lead.customer_id, message.draft_id)
    if draft is not None and lead.is_open:
        # A draft goes out at most once, so what was taken back becomes a draft of its own.
        await drafts.add_draft(
            session,
            customer_id=lead.customer_id,
            lead_id=lead.lead_id,
            conversation_revision=draft.conversation_revision,
            text=draft.text,
            source=draft.source,
            findings=draft.findings,
            ids=act.deps.ids,
            now=act.now,
        )
    await audit.record(
        session,
        actor=me,
        action="draft.undone",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        message_id=message.message_id,
        ids=act.deps.ids,
        now=act.now,
    )
    said = {"ja": f"↩️ {mention(me)} さんが送信を取り消しました。", "en": f"↩️ {mention(me)} undid sending."}
    await note(session, act, lead, f"undone:{message.message_id}", said)
    await show(session, act, lead)
    return DONE


def _because(act: Act) -> str:
    """In both languages, with the name: it stands on the card and in traces."""
    name = act.actor.profile.name
    return f"{name}さんが取り消し / undone by {name}"

"""Edit: a person changes a draft's words, and sends exactly those under their own name."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.flows.replies.send_draft import PRESS_LIVES, promise_draft
from bot.flows.staff.acting import DONE, Act, Answer, check_open, check_owner, held, show
from bot.llm.checks import check_text
from bot.slack.mrkdwn import mention
from bot.slack.views import card_line
from db.talk import drafts


async def edit_draft(session: AsyncSession, act: Act) -> Answer:
    """Store the edited text as a new draft of the actor's, and send it.

    When the conversation went on since the modal was opened, the text is kept as a draft on the card
    instead: nothing that a person wrote is lost.

    Raises:
        Refused: closed, owned by somebody else, another reply is on its way, or not reachable.
    """
    context = await held(session, act)
    lead = context.lead
    check_open(act, lead)
    check_owner(act, lead)
    base = None
    if act.target.draft_id is not None:
        base = await drafts.draft_by_id(session, lead.customer_id, act.target.draft_id)
    text = act.form["text"]
    said = [card_line(thing, "ja").text for thing in context.said]
    checked = check_text(text, context_texts=said, policy=act.policy)
    draft = await drafts.add_draft(
        session,
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        conversation_revision=context.revision,
        text=text,
        source="person",
        findings=[{**finding, "is_blocking": False} for finding in checked],
        ids=act.deps.ids,
        now=act.now,
    )
    in_flight = context.sent if context.is_in_flight else None
    is_stale = base is None or base.conversation_revision != context.revision
    is_late = act.now - act.received_at > PRESS_LIVES
    if not (in_flight or is_stale or is_late):
        await promise_draft(session, act, context, draft)
        return DONE
    await show(session, act, lead)
    kept = ("書いた文面は下書きとして残しました。", "What you wrote is kept as a draft.")
    if in_flight is not None:
        who, at = mention(in_flight.approved_by or ""), act.at(in_flight.promised_at)
        return Answer(
            ja=f"{who}さんが{at}に送信済みのため、送りませんでした。{kept[0]}",
            en=f"Not sent: {who} sent a reply at {at}. {kept[1]}",
        )
    return Answer(
        ja="編集しているあいだに会話が進んだため、送りませんでした。"
        f"{kept[0]}会話を確かめてから、カードの「送信」を押してください。",
        en=f"Not sent: the conversation went on while you wrote. {kept[1]} Read on, then press Send.",
    )

"""Send: a person presses Send on exactly this text, once, for the conversation as it is now."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.leads.claim import sender_of, take
from bot.flows.staff.acting import DONE, Act, Answer, check_open, check_owner, held, note, show
from bot.line.bubbles import text_bubble
from bot.slack.mrkdwn import cut, escaped, mention, one_line
from bot.slack.views import card_line
from db.desk import audit, leads
from db.desk.lead_cards import LeadContext, sent_draft
from db.desk.leads import LeadState
from db.talk import conversations, drafts
from db.talk.drafts import Draft
from db.talk.messages import Message, MessageKind, MessageState, promise

PRESS_LIVES = timedelta(minutes=15)
"""A press that could not take effect for longer is not carried out: the moment it was meant for is gone."""


async def send_draft(session: AsyncSession, act: Act) -> Answer:
    """Promise the draft to the customer; on an unclaimed lead the actor becomes its owner.

    Raises:
        Refused: closed, owned by somebody else, sent before, written for another state of the conversation,
            replaced by newer drafts, not allowed as it is, or the customer cannot be reached.
    """
    context = await held(session, act)
    check_open(act, context.lead)
    draft_id = act.target.draft_id
    draft = await drafts.draft_by_id(session, context.lead.customer_id, draft_id) if draft_id else None
    if draft is None or draft.lead_id != context.lead.lead_id:
        raise Refused("この下書きはもうありません。", "This draft does not exist any more.")
    await _check_unsent(session, act, context, draft)
    check_owner(act, context.lead)
    check_fresh(context, draft)
    if draft.retired_at is not None:
        raise Refused(
            "新しい下書きに置き換わっています。カードを見てください。",
            "Newer drafts stand in its place. Look at the card.",
        )
    if draft.source != "person" and any(finding.get("is_blocking") for finding in draft.findings):
        raise Refused(
            "この下書きはこのままでは送れません。編集してから送ってください。",
            "This draft cannot be sent as it is. Edit it first.",
        )
    check_in_time(act)
    await promise_draft(session, act, context, draft)
    return DONE


def check_in_time(act: Act) -> None:
    """Raises Refused when the press could not take effect for too long."""
    if act.now - act.received_at > PRESS_LIVES:
        raise Refused(
            f"{act.at(act.received_at)}に押されましたが、すぐに処理できなかったため送りませんでした。もう一度押してください。",
            f"Pressed at {act.at(act.received_at)} but held up, so nothing was sent. Press again.",
        )


def check_fresh(context: LeadContext, draft: Draft) -> None:
    """Raises Refused, saying what was said meanwhile, when the draft answers an earlier state."""
    if draft.conversation_revision == context.revision:
        return
    latest = context.said[-1] if context.said else None
    ja, en = (
        "この下書きのあとで会話が進んだため、送りませんでした。",
        "The conversation went on after this draft, so nothing was sent.",
    )
    if latest is not None:
        for language in ("ja", "en"):
            line = card_line(latest, language)
            words = escaped(cut(one_line(line.text), 120))
            if language == "ja":
                ja += f"\n最新: {'お客様' if line.speaker == 'customer' else '当社'}「{words}」"
            else:
                en += f"\nLatest: {'customer' if line.speaker == 'customer' else 'us'}: “{words}”"
    raise Refused(f"{ja}\n新しい下書きを作ります。", f"{en}\nNew drafts are being made.")


async def _check_unsent(session: AsyncSession, act: Act, context: LeadContext, draft: Draft) -> None:
    message = await sent_draft(session, draft.customer_id, draft.draft_id)
    if message is None and context.is_in_flight:
        message = context.sent
    if message is None:
        return
    who, at = mention(message.approved_by or ""), act.at(message.promised_at)
    if message.state == MessageState.CANCELLED:
        raise Refused(
            f"{who}さんが{at}に送信を取り消しています。カードの新しい下書きから送ってください。",
            f"{who} undid sending this at {at}. Send the new draft on the card.",
        )
    raise Refused(f"{who}さんが{at}に送信済みです。", f"{who} sent this at {at}.")


async def promise_draft(session: AsyncSession, act: Act, context: LeadContext, draft: Draft) -> None:
    """Write the message, its approver and everything that follows from it, in one transaction.

    Raises:
        Refused: the customer cannot be reached, or another reply is on its way.
    """
    lead, me = context.lead, act.actor.slack_user_id
    line_user_id = reachable(context)
    message_id = act.deps.ids.uuid()
    bubble = text_bubble(draft.text, await sender_of(session, act))
    assert bubble["text"] == draft.text, "what was approved is what is sent"
    is_new = await promise(
        session,
        Message(
            customer_id=lead.customer_id,
            message_id=message_id,
            kind=MessageKind.PERSON.value,
            state=MessageState.QUEUED.value,
            dedupe_key=f"draft:{draft.draft_id}",
            line_user_id=line_user_id,
            bubbles=[bubble],
            plain_text=draft.text,
            lead_id=lead.lead_id,
            draft_id=draft.draft_id,
            approved_by=me,
            text_hash=draft.text_hash,
            promised_at=act.now,
            not_before=act.now + timedelta(seconds=act.policy.undo_seconds),
        ),
    )
    if not is_new:
        raise Refused("この下書きはすでに送信済みです。", "This draft was sent already.")
    await drafts.mark_sent(session, draft, now=act.now)
    await leads.change(session, lead, first_sent_at=lead.first_sent_at or act.now)
    if lead.owner is None or lead.state == LeadState.SNOOZED:
        await take(session, act, lead)
    await conversations.own(session, lead.customer_id, owner=me, now=act.now)
    await audit.record(
        session,
        actor=me,
        action="draft.sent",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        draft_id=draft.draft_id,
        message_id=message_id,
        text_hash=draft.text_hash,
        ids=act.deps.ids,
        now=act.now,
    )
    await note(session, act, lead, f"sent:{message_id}", {"message_id": str(message_id)})
    await show(session, act, lead)


def reachable(context: LeadContext) -> str:
    """The LINE user to write to. Raises Refused, saying why there is none."""
    if context.unreachable == "blocked":
        raise Refused(
            "お客様がLINEでブロックしているか、友だちではないため、送れません。",
            "The customer has blocked us on LINE or is no friend: nothing can be sent.",
        )
    if context.line_user is None:
        raise Refused(
            "お客様がLINEにつながっていないため、送れません。",
            "The customer is not linked to LINE: nothing can be sent.",
        )
    return context.line_user.line_user_id

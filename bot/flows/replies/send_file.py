"""Send a file: a person presses the button under a file in the thread, and says yes once more."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.leads.claim import sender_of, take
from bot.flows.replies.send_draft import check_in_time, reachable
from bot.flows.staff.acting import DONE, Act, Answer, check_open, check_owner, held, note, show
from bot.line.bubbles import Json, image_bubble, text_bubble
from bot.slack.mrkdwn import mention
from db.desk import audit
from db.desk.leads import LeadState, change
from db.talk import conversations
from db.talk.files import LIVES, OfferedFile, file_of, link_to
from db.talk.messages import Message, MessageKind, MessageState, promise


async def send_file(session: AsyncSession, act: Act) -> Answer:
    """Promise the file to the customer: a picture as one, a document as an address that works for a month.

    Raises:
        Refused: gone, sent before, closed, owned by somebody else, another reply is on its way, the customer
            cannot be reached, or there is no https address from which LINE can fetch a picture.
    """
    context = await held(session, act)
    lead, me = context.lead, act.actor.slack_user_id
    check_open(act, lead)
    check_owner(act, lead)
    file_id = act.target.draft_id
    file = await file_of(session, lead.customer_id, file_id) if file_id else None
    if file is None or file.lead_id != lead.lead_id:
        raise Refused("このファイルはもうありません。", "This file does not exist any more.")
    if context.is_in_flight and context.sent is not None:
        who, at = mention(context.sent.approved_by or ""), act.at(context.sent.promised_at)
        raise Refused(
            f"{who}さんの{at}の送信がまだ終わっていません。済んでから押してください。",
            f"What {who} sent at {at} is still on its way. Press again after that.",
        )
    check_in_time(act)
    line_user_id = reachable(context)
    message_id = act.deps.ids.uuid()
    bubble, words = await _bubble(session, act, file)
    is_new = await promise(
        session,
        Message(
            customer_id=lead.customer_id,
            message_id=message_id,
            kind=MessageKind.PERSON.value,
            state=MessageState.QUEUED.value,
            dedupe_key=f"file:{file.file_id}:{context.revision}",
            line_user_id=line_user_id,
            bubbles=[bubble],
            plain_text=words,
            lead_id=lead.lead_id,
            approved_by=me,
            text_hash=sha256(file.content).hexdigest(),
            promised_at=act.now,
            not_before=act.now + timedelta(seconds=act.policy.undo_seconds),
        ),
    )
    if not is_new:
        raise Refused("このファイルはすでに送信済みです。", "This file was sent already.")
    await change(session, lead, first_sent_at=lead.first_sent_at or act.now)
    if lead.owner is None or lead.state == LeadState.SNOOZED:
        await take(session, act, lead)
    await conversations.own(session, lead.customer_id, owner=me, now=act.now)
    await audit.record(
        session,
        actor=me,
        action="file.sent",
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        file_id=file.file_id,
        message_id=message_id,
        ids=act.deps.ids,
        now=act.now,
    )
    await note(session, act, lead, f"sent:{message_id}", {"message_id": str(message_id)})
    await show(session, act, lead)
    return DONE


async def _bubble(session: AsyncSession, act: Act, file: OfferedFile) -> tuple[Json, str]:
    """The LINE message, and what it is called in the thread."""
    base = act.deps.settings.base_url
    if not base.startswith("https://"):
        raise Refused(
            "LINEが画像を取りに来られる https のアドレスがありません。"
            "管理者に PUBLIC_BASE_URL の設定を頼んでください。",
            "There is no https address that LINE can fetch from."
            " Ask your administrator to set PUBLIC_BASE_URL.",
        )

    async def address(*, is_preview: bool) -> str:
        token = await link_to(session, file, is_preview=is_preview, ids=act.deps.ids, now=act.now)
        return f"{base}/media/{token}"

    sender = await sender_of(session, act)
    whole = await address(is_preview=False)
    if file.preview is not None:
        return image_bubble(whole, await address(is_preview=True), sender), f"[画像 / picture] {file.name}"
    words = f"📎 {file.name}\n{whole}\n（{LIVES.days}日間ご覧いただけます）"
    return text_bubble(words, sender), f"📎 {file.name}"

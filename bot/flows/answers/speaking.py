"""How is an automatic answer promised: under which name, with which note, and to whom is it handed over?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.line.bubbles import Press, answer_bubble
from db.desk.leads import open_lead
from db.rulebook.rules import current_rulebook
from db.talk.answers import was_answered_since
from db.talk.conversations import QUIET_FOR, hand_over
from db.talk.messages import Message, MessageKind, MessageState, promise
from followups.answers.intent import Intent
from followups.answers.openings import opening_said
from followups.rules.model import Policy, Sender
from followups.times.hours import is_open
from followups.times.zones import zone_of
from prompts.texts import system_text

SENDER = {"ja": "自動応答", "en": "Automatic reply"}
"""Shown as the name above every automatic answer: nobody is to take it for a person."""
REASONS: Mapping[Intent, tuple[str, str]] = {
    Intent.QUESTION: ("LINE でご質問が届きました", "asked a question on LINE"),
    Intent.INTEREST: ("料金・導入のご相談です", "asks about prices or buying"),
    Intent.COMPLAINT: ("ご不満のご連絡です", "complains on LINE"),
    Intent.WISH: ("担当者との会話を希望されています", "wishes to talk with a person"),
    Intent.OTHER: ("LINE でメッセージが届きました", "wrote on LINE"),
}
"""What a lead's card says of why it was opened."""
_PROMISES = {Intent.COMPLAINT: "complaint_passed_on", Intent.INTEREST: "interest_passed_on"}
_PROMISE = "person_will_reply"
LATER = "_later"
"""The same text outside business hours; it says when a person replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Who is answered, in which language, and with which reply token while it is fresh."""

    customer_id: UUID
    line_user_id: str
    language: str
    reply_token: str | None = None
    reply_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """What the shop's clock says at one moment, in one language."""

    is_open: bool
    next_opening: str

    @classmethod
    def at(cls, now: datetime, policy: Policy, language: str) -> Hours:
        """Staff's hours are the shop's, not the customer's."""
        zone = zone_of(None, policy.timezone)
        return cls(
            is_open=is_open(now, policy.business_hours, zone),
            next_opening=opening_said(now, policy.business_hours, zone, language),
        )


async def promise_answer(
    session: AsyncSession,
    deps: Deps,
    listener: Listener,
    *,
    template: str,
    key: str,
    text: str,
    presses: Sequence[Press] = (),
    now: datetime,
) -> UUID | None:
    """Promise one automatic text; its id, None when it was promised before. Wake `deliver` afterwards."""
    bot = (await current_rulebook(session)).policy.senders.bot
    name = SENDER["ja" if listener.language.startswith("ja") else "en"]
    sender = Sender(name=name, icon_url=bot.icon_url if bot is not None else None)
    message_id = deps.ids.uuid()
    is_new = await promise(
        session,
        Message(
            customer_id=listener.customer_id,
            message_id=message_id,
            kind=MessageKind.ANSWER,
            state=MessageState.QUEUED,
            dedupe_key=f"{template}:{key}",
            line_user_id=listener.line_user_id,
            template=template,
            bubbles=[answer_bubble(text, presses, sender=sender)],
            plain_text=text,
            reply_token=listener.reply_token,
            reply_token_until=listener.reply_until if listener.reply_token else None,
            promised_at=now,
            not_before=now,
        ),
    )
    return message_id if is_new else None


async def with_note(
    session: AsyncSession, text: str, listener: Listener, hours: Hours, *, now: datetime
) -> str:
    """The first automatic answer of a conversation says that it is one, and how to reach a person."""
    if await was_answered_since(session, listener.customer_id, now - QUIET_FOR):
        return text
    name = "automatic" if hours.is_open else f"automatic{LATER}"
    return f"{text}\n\n{system_text(name).say(listener.language, when=hours.next_opening)}"


async def pass_on(
    session: AsyncSession,
    deps: Deps,
    listener: Listener,
    intent: Intent,
    *,
    key: str,
    policy: Policy,
    because: str | None = None,
    is_told: bool = True,
    now: datetime,
) -> bool:
    """A person answers from now on: a lead with the reason, and, once, who replies and when.

    Wake `post`, `draft` and `deliver` after the commit.

    Args:
        key: what the promise is unique by.
        because: one word for why; absent: the intent.
        is_told: say so to the customer.

    Returns:
        Whether the bot had the conversation until now.
    """
    reason_ja, reason_en = REASONS[intent]
    await open_lead(
        session,
        customer_id=listener.customer_id,
        source="message",
        reason_ja=reason_ja,
        reason_en=reason_en,
        ids=deps.ids,
        now=now,
    )
    if not await hand_over(session, listener.customer_id, because=because or intent.value, now=now):
        return False
    if is_told:
        hours = Hours.at(now, policy, listener.language)
        name = _PROMISES.get(intent, _PROMISE) + ("" if hours.is_open else LATER)
        text = system_text(name).say(listener.language, when=hours.next_opening)
        await promise_answer(session, deps, listener, template=f"system/{name}", key=key, text=text, now=now)
    return True

"""What happens when a customer answers in one tap, or types the answer's label?"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from bot.flows.customers.hear import put_in_thread
from bot.flows.customers.turn import Turn
from db.desk.leads import open_lead, wake_on_activity
from db.intake.events import NewEvent, take_in
from db.people.line_users import spoke_at
from db.talk.conversations import InboundLine, hear
from db.talk.messages import Message, latest_offer, message_of
from followups.signals import reacted_key

OFFERED_FOR = timedelta(days=30)
"""How long a label typed by hand still counts as the answer that was offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """`qr:{signal}:{lead or nothing}:{message}`, read."""

    signal: str
    is_lead: bool
    message_id: UUID | None


def read_tap(sent: str) -> Tap | None:
    """What a postback of ours says; None when it is not an answer in one tap."""
    if not sent.startswith("qr:") or sent.count(":") < 3:
        return None
    signal, lead, reference = sent[3:].rsplit(":", 2)
    if not signal:
        return None
    try:
        message_id = UUID(reference) if reference else None
    except ValueError:
        message_id = None
    return Tap(signal=signal, is_lead=lead == "lead", message_id=message_id)


async def tap(
    turn: Turn, answer: Tap, *, line_message_id: str | None = None, label: str | None = None
) -> None:
    """Record the answer as an event and a line; one marked `lead` opens a lead.

    Args:
        line_message_id: where the label was typed by hand, the message it was typed in.
        label: the words, where known.
    """
    message = (
        await message_of(turn.session, turn.customer_id, answer.message_id) if answer.message_id else None
    )
    shown = label or _label_of(message, answer.signal) or answer.signal
    line = InboundLine(
        customer_id=turn.customer_id,
        line_message_id=line_message_id or f"tap:{turn.event.event_id}",
        kind="tap",
        text=shown,
        details={"signal": answer.signal},
        at=turn.event.at,
    )
    if await hear(turn.session, line, now=turn.now, opens=answer.is_lead) is None:
        return
    await spoke_at(turn.session, turn.line_user_id, at=turn.event.at)
    properties = {"template": message.template, "rule": message.rule_id} if message else {}
    known = {key: value for key, value in properties.items() if value}
    await take_in(
        turn.session,
        [
            NewEvent(turn.customer_id, name, turn.event.at, f"{prefix}:{turn.event.event_id}", known)
            for name, prefix in ((answer.signal, "line"), (reacted_key(answer.signal), "reacted"))
        ],
        now=turn.now,
    )
    turn.wakes.add("decide")
    if answer.is_lead:
        await open_lead(
            turn.session,
            customer_id=turn.customer_id,
            source="quick_reply",
            reason_ja=f"「{shown}」を選びました",
            reason_en=f"answered “{shown}”",
            ids=turn.deps.ids,
            now=turn.now,
            rule_id=message.rule_id if message else None,
        )
        turn.wakes |= {"post", "draft"}
    elif await wake_on_activity(turn.session, turn.customer_id, ids=turn.deps.ids, now=turn.now):
        turn.wakes.add("post")
    await put_in_thread(turn, line.line_message_id)
    turn.wakes.add("post")


async def offered(turn: Turn, text: str) -> tuple[str, str] | None:
    """(what the quick reply sends, its label) where somebody typed the label of one we offered last.

    LINE for PC shows no quick replies, and phones hide them after the next message.
    """
    message = await latest_offer(turn.session, turn.customer_id, since=turn.now - OFFERED_FOR)
    wanted = _plain(text)
    for label, sent in _offers_of(message):
        if _plain(label) == wanted:
            return sent, label
    return None


def _label_of(message: Message | None, signal: str) -> str | None:
    for label, sent in _offers_of(message):
        if (found := read_tap(sent)) is not None and found.signal == signal:
            return label
    return None


def _offers_of(message: Message | None) -> list[tuple[str, str]]:
    bubbles = message.bubbles if message is not None else []
    return [
        (item["action"]["label"], item["action"]["data"])
        for bubble in bubbles
        for item in bubble.get("quickReply", {}).get("items", ())
        if item["action"]["type"] in {"postback", "datetimepicker"}
    ]


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())

"""What happens when a customer writes, shows or taps something, or takes it back?"""

from __future__ import annotations

from bot.flows.customers.turn import Turn
from bot.line.inbound import Said, Showed
from db.conversations import InboundLine, hear, unsend
from db.events import NewEvent, take_in
from db.inbox import forget_raw
from db.leads import open_lead
from db.line_users import spoke_at
from db.messages import MessageKind
from db.posts import add_thread_line, rewrite_thread_line, touch_card
from followups.hours import is_open, next_opening
from followups.wording import moment_en, moment_ja
from followups.zones import zone_of

REPLIED = "$replied"

_KINDS_JA = {
    "sticker": "スタンプ",
    "image": "画像",
    "video": "動画",
    "audio": "音声",
    "file": "ファイル",
    "location": "位置情報",
}


async def hear_line(turn: Turn, said: Said | Showed) -> None:
    """Keep what they said, open the conversation and a lead, and say once that a person will reply."""
    line = _line_of(turn, said)
    heard = await hear(turn.session, line, now=turn.now)
    if heard is None:
        return  # known already, or taken back before it arrived
    await spoke_at(turn.session, turn.line_user_id, at=turn.event.at)
    await take_in(
        turn.session,
        [NewEvent(turn.customer_id, REPLIED, turn.event.at, f"line:{turn.event.event_id}")],
        now=turn.now,
    )
    await open_lead(
        turn.session,
        customer_id=turn.customer_id,
        source="message",
        reason_ja="LINE でメッセージが届きました",
        reason_en="wrote on LINE",
        ids=turn.deps.ids,
        now=turn.now,
    )
    await put_in_thread(turn, line.line_message_id)
    turn.wakes |= {"decide", "post", "draft"}
    if heard.is_opening and heard.owner is None and not turn.is_late:
        await _promise_a_person(turn)


async def note_line(turn: Turn, said: Said) -> None:
    """Keep what they said without opening anything: the program itself answers it."""
    line = _line_of(turn, said)
    if await hear(turn.session, line, now=turn.now, opens=False) is not None:
        await put_in_thread(turn, line.line_message_id)


async def put_in_thread(turn: Turn, line_message_id: str) -> None:
    """Let staff see what was said, in the lead's thread and on its card."""
    await add_thread_line(
        turn.session,
        customer_id=turn.customer_id,
        key=f"said:{line_message_id}",
        content={"line_message_id": line_message_id},
        ids=turn.deps.ids,
        now=turn.now,
    )
    await touch_card(turn.session, turn.customer_id, now=turn.now)


async def take_back(turn: Turn, line_message_id: str) -> None:
    """Remove what they unsent: here, from the card and from the thread; also before the message arrives."""
    await unsend(turn.session, turn.customer_id, line_message_id, at=turn.event.at)
    await forget_raw(turn.session, f"line:{turn.line_user_id}")
    await rewrite_thread_line(turn.session, customer_id=turn.customer_id, key=f"said:{line_message_id}")
    await touch_card(turn.session, turn.customer_id, now=turn.now)
    turn.wakes.add("post")


def _line_of(turn: Turn, said: Said | Showed) -> InboundLine:
    if isinstance(said, Said):
        kind, text, details = "text", said.text, {}
    else:
        name = _KINDS_JA.get(said.kind, said.kind)
        kind, text, details = said.kind, f"[{name}]", dict(said.details)
    return InboundLine(
        customer_id=turn.customer_id,
        line_message_id=said.line_message_id,
        kind=kind,
        text=text,
        details=details,
        at=turn.event.at,
    )


async def _promise_a_person(turn: Turn) -> None:
    policy = turn.book.policy
    zone = zone_of(None, policy.timezone)  # staff's hours are the shop's, not the customer's
    kind = MessageKind.ANSWER
    if is_open(turn.now, policy.business_hours, zone):
        await turn.answer("person_will_reply", kind=kind)
        return
    opening = next_opening(turn.now, policy.business_hours, zone)
    say = moment_ja if turn.language.startswith("ja") else moment_en
    await turn.answer("person_will_reply_later", kind=kind, when=say(opening, zone))

"""What happens when a customer writes, shows or taps something, or takes it back?"""

from __future__ import annotations

from bot.flows.answers.speaking import REASONS, Listener, pass_on
from bot.flows.customers.turn import Turn
from bot.line.inbound import Said, Showed
from db.desk.leads import lead_of, open_lead, wake_on_activity
from db.desk.posts import add_thread_line, rewrite_thread_line, touch_card
from db.intake.events import NewEvent, take_in
from db.intake.inbox import forget_raw
from db.people.line_users import spoke_at
from db.talk.conversations import Heard, InboundLine, hear, unsend
from db.talk.media import KINDS as MEDIA_KINDS
from db.talk.media import forget_media, want_media
from followups.answers.intent import Intent
from followups.signals import REPLIED

_KINDS_JA = {
    "sticker": "スタンプ",
    "image": "画像",
    "video": "動画",
    "audio": "音声",
    "file": "ファイル",
    "location": "位置情報",
}


async def hear_line(turn: Turn, said: Said | Showed) -> None:
    """Keep what they said for a person to answer: a lead, and, once, who replies and when.

    A sticker wants no answer: staff see it where a lead is open.
    """
    is_small = isinstance(said, Showed) and said.kind == "sticker"
    heard = await keep(turn, said, opens=not is_small)
    if heard is None:
        return  # known already, or taken back before it arrived
    reason_ja, reason_en = REASONS[Intent.OTHER]
    if is_small or (
        (heard.is_persons or turn.event.is_standby) and await lead_of(turn.session, turn.customer_id)
    ):
        await wake_on_activity(turn.session, turn.customer_id, ids=turn.deps.ids, now=turn.now)
    elif heard.is_persons or turn.event.is_standby:
        await open_lead(
            turn.session,
            customer_id=turn.customer_id,
            source="message",
            reason_ja=reason_ja,
            reason_en=reason_en,
            ids=turn.deps.ids,
            now=turn.now,
        )
    else:
        await pass_on(
            turn.session,
            turn.deps,
            listener_of(turn),
            Intent.OTHER,
            key=turn.event.event_id,
            policy=turn.book.policy,
            is_told=not turn.is_late,
            now=turn.now,
        )
        turn.wakes.add("deliver")
    await put_in_thread(turn, _line_of(turn, said).line_message_id)
    turn.wakes |= {"decide", "post", "draft"}


async def keep(turn: Turn, said: Said | Showed, *, opens: bool) -> Heard | None:
    """Keep what they said, as a line and as the event that scenarios listen for; None: known already.

    Args:
        opens: it wants an answer.
    """
    heard = await hear(turn.session, _line_of(turn, said), now=turn.now, opens=opens)
    if heard is not None:
        await _want_content(turn, said)
    # Also of what was unsent before it arrived: that they wrote stays true.
    await spoke_at(turn.session, turn.line_user_id, at=turn.event.at)
    replied = NewEvent(turn.customer_id, REPLIED, turn.event.at, f"line:{turn.event.event_id}")
    await take_in(turn.session, [replied], now=turn.now)
    turn.wakes.add("decide")
    return heard


def listener_of(turn: Turn) -> Listener:
    """Who is answered in this turn; takes its reply token."""
    return Listener(
        customer_id=turn.customer_id,
        line_user_id=turn.line_user_id,
        language=turn.language,
        reply_token=turn.take_token(),
        reply_until=turn.event.reply_until,
    )


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
    await forget_media(turn.session, turn.customer_id, line_message_id)
    await forget_raw(turn.session, f"line:{turn.line_user_id}")
    await rewrite_thread_line(turn.session, customer_id=turn.customer_id, key=f"said:{line_message_id}")
    await touch_card(turn.session, turn.customer_id, now=turn.now)
    turn.wakes.add("post")


async def _want_content(turn: Turn, said: Said | Showed) -> None:
    """Have what they showed fetched; what another server keeps is not asked for (it may be any address)."""
    if not isinstance(said, Showed) or said.kind not in MEDIA_KINDS:
        return
    await want_media(
        turn.session,
        customer_id=turn.customer_id,
        line_message_id=said.line_message_id,
        kind=said.kind,
        at=turn.event.at,
        now=turn.now,
        refused_because="kept by another server than LINE's" if "provider" in said.details else None,
    )
    turn.wakes.add("fetch_media")


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

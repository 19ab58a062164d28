"""What happens when a customer says how they wish to be written to, in words or by a button?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID

from bot.flows.customers.turn import Turn
from bot.line.wishes import LONGEST, Asked, Asks
from db.deciding.ticks import mark_dirty
from db.people.consents import is_granted
from db.people.preferences import preferences_of, take_back, wish, wish_id_of
from db.talk.conversations import InboundLine, hear
from db.talk.messages import release_held
from followups.facts import Facts, Preferences
from followups.gates import preferences
from followups.times.zones import zone_of
from followups.words.wording import moment_en, moment_ja

PREFIX = "wish:"
_TOPICS = {
    "offers": ("セールやキャンペーン", "sales and offers"),
    "hints": ("使い方のヒント", "hints and tips"),
    "news": ("新機能やイベント", "news and events"),
}


async def prefer(turn: Turn, asked: Asked, *, source: str) -> bool:
    """Write the wish down and confirm it; False: it cannot be kept as said, so a person should read it.

    Args:
        source: `line:word` or `line:button`.
    """
    if asked.asks is Asks.MENU:
        await turn.answer("wish_menu")
        return True
    if asked.asks is Asks.LESS:
        asked = replace(asked, per_30_days=max(1, (turn.book.policy.caps.per_30_days or 4) // 2))
    if asked.asks is Asks.TOPIC and asked.topic not in turn.purposes():
        return False  # nothing of ours is about just that: a promise could not be kept
    if asked.asks is Asks.HOURS and not _can_keep(turn, asked):
        await turn.answer("wish_hours_closed", hours=_span(turn, _allowed(turn)))
        return True
    before = await _standing(turn)
    await wish(
        turn.session,
        customer_id=turn.customer_id,
        wishes=asked.wishes(),
        event_id=turn.event.event_id,
        at=turn.event.at,
        source=source,
        now=turn.now,
    )
    await _look_again(turn)
    await _confirm(turn, asked, is_changed=await _standing(turn) != before)
    return True


async def prefer_pressed(turn: Turn, sent: str, *, picked: str | None) -> bool:
    """A button of ours: `wish:less`, `wish:pause:30`, `wish:undo:…`; False: none that we know."""
    what, _, rest = sent.removeprefix(PREFIX).partition(":")
    if what == "undo":
        await _undo(turn, rest)
        return True
    asked = _asked_by(what, rest, picked, turn)
    return asked is not None and await prefer(turn, asked, source="line:button")


def _asked_by(what: str, rest: str, picked: str | None, turn: Turn) -> Asked | None:
    local = turn.event.at.astimezone(zone_of(None, turn.book.policy.timezone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        match what:
            case "menu":
                return Asked(asks=Asks.MENU)
            case "less":
                return Asked(asks=Asks.LESS)
            case "usual":
                return Asked(asks=Asks.USUAL)
            case "often":
                return Asked(asks=Asks.OFTEN, per_30_days=min(max(int(rest), 1), 30))
            case "topic":
                return Asked(asks=Asks.TOPIC, topic=rest)
            case "hours":
                start, _, end = rest.partition("-")
                return Asked(asks=Asks.HOURS, hours=(time.fromisoformat(start), time.fromisoformat(end)))
            case "pause" if rest:
                return Asked(asks=Asks.PAUSE, until=midnight + timedelta(days=min(max(int(rest), 1), 366)))
            case "pause":
                until = datetime.fromisoformat(picked or "").replace(tzinfo=local.tzinfo)
                is_possible = turn.event.at < until <= turn.event.at + LONGEST
                return Asked(asks=Asks.PAUSE, until=until) if is_possible else Asked(asks=Asks.MENU)
            case _:
                return None
    except ValueError:  # no date was picked (LINE for PC), or somebody made the data up
        return Asked(asks=Asks.MENU)


async def _undo(turn: Turn, reference: str) -> None:
    try:
        wish_id = UUID(reference)
    except ValueError:
        return
    before = await _standing(turn)
    await take_back(
        turn.session,
        customer_id=turn.customer_id,
        wish_id=wish_id,
        event_id=turn.event.event_id,
        at=turn.event.at,
        now=turn.now,
    )
    if await _standing(turn) != before:
        await _look_again(turn)
        await turn.answer("wish_undone")


async def _confirm(turn: Turn, asked: Asked, *, is_changed: bool) -> None:
    if asked.asks is Asks.USUAL:
        purpose = turn.book.policy.default_purpose
        if not await is_granted(turn.session, turn.customer_id, purpose):
            await turn.answer("consent")  # wishes are no consent: they are asked
        else:
            await turn.answer("wish_usual")
        return
    if not is_changed and turn.is_late:
        return
    undo = str(wish_id_of(turn.event.event_id))
    zone = zone_of(None, turn.book.policy.timezone)
    is_japanese = turn.language.startswith("ja")
    match asked.asks:
        case Asks.PAUSE if asked.until is not None:
            when = (moment_ja if is_japanese else moment_en)(asked.until, zone)
            await turn.answer("wish_pause", when=when, undo=undo)
        case Asks.HOURS if asked.hours is not None:
            await turn.answer("wish_hours", hours=_span(turn, asked.hours), undo=undo)
        case Asks.OFTEN | Asks.LESS:
            await turn.answer("wish_often", number=str(asked.per_30_days), undo=undo)
        case _:
            ja, en = _TOPICS.get(asked.topic or "", (asked.topic or "", asked.topic or ""))
            await turn.answer("wish_topic", topic=ja if is_japanese else en, undo=undo)


async def note_wish(turn: Turn, line_message_id: str, text: str) -> None:
    """Keep what they wrote in the conversation; the program itself answers it."""
    line = InboundLine(
        customer_id=turn.customer_id,
        line_message_id=line_message_id,
        kind="text",
        text=text,
        at=turn.event.at,
    )
    await hear(turn.session, line, now=turn.now, opens=False)


async def _standing(turn: Turn) -> Preferences | None:
    return (await preferences_of(turn.session, [turn.customer_id])).get(turn.customer_id)


async def _look_again(turn: Turn) -> None:
    """What waits is decided about anew; what is queued is asked again just before it goes out."""
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    await release_held(turn.session, turn.customer_id, now=turn.now)
    turn.wakes |= {"decide", "deliver"}


def _allowed(turn: Turn) -> tuple[time, time]:
    quiet = turn.book.policy.quiet_hours
    return (quiet.end, quiet.start) if quiet is not None else (time(0), time(0))


def _can_keep(turn: Turn, asked: Asked) -> bool:
    """Do the hours meet those in which the policy lets us write? Asked of the gate itself."""
    facts = Facts(customer_id=turn.customer_id, external_id=None, preferences=Preferences(hours=asked.hours))
    zone = zone_of(None, turn.book.policy.timezone)
    day = turn.event.at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    steps = [day + timedelta(minutes=10 * number) for number in range(144)]
    return any(
        not preferences(facts, turn.book.policy, "", now=each).passes for each in steps
    ) or _covers_all(turn, asked)


def _covers_all(turn: Turn, asked: Asked) -> bool:
    start, end = _allowed(turn)
    return (
        asked.hours is not None
        and start != end
        and asked.hours[0] <= start
        and (asked.hours[1] >= end or asked.hours[1] == time(0))
    )


def _span(turn: Turn, hours: tuple[time, time]) -> str:
    start, end = (f"{each.hour}:{each.minute:02}" for each in hours)
    end = "24:00" if end == "0:00" else end
    return f"{start}〜{end}" if turn.language.startswith("ja") else f"{start} and {end}"

"""Away: a person takes no new leads until they are back, and says how customers see their name."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Actor, zone_of
from bot.line.bubbles import SENDER_MOST
from bot.line.limits import utf16_len
from bot.slack.mrkdwn import clean, escaped, one_line, when
from db.desk import audit
from db.people import staff

_SPAN = re.compile(r"(\d{1,3})([hdw])", re.ASCII)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
MORNING = time(9)
LONGEST = timedelta(days=366)
_HOW = Refused(
    "`/leads away until 2026-12-01`、`/leads away 3d` のように書いてください。戻ったら `/leads back`。",
    "Write `/leads away until 2026-12-01`, or `/leads away 3d`; `/leads back` when you are back.",
)


async def away(deps: Deps, actor: Actor, written: str) -> str:
    """Take no new leads until the moment that was written (`until 2026-12-01`, `3d`); what to answer.

    Raises:
        Refused: no moment can be read, or it is past.
    """
    now = deps.clock.now()
    until = _moment(written, actor, now=now)
    if not now < until <= now + LONGEST:
        raise _HOW
    async with deps.db.begin() as session:
        await staff.away(session, actor.slack_user_id, until=until, now=now)
        await audit.record(
            session,
            actor=actor.slack_user_id,
            action="staff.away",
            until=until.isoformat(),
            ids=deps.ids,
            now=now,
        )
    if actor.profile.language == "ja":
        return f"{when(until)} まで、新しい見込みの担当から外しました。戻ったら `/leads back`。"
    return f"You are asked about no new leads until {when(until)}. `/leads back` ends it."


async def back(deps: Deps, actor: Actor) -> str:
    """Take new leads again; what to answer."""
    now = deps.clock.now()
    async with deps.db.begin() as session:
        await staff.away(session, actor.slack_user_id, until=None, now=now)
        await audit.record(session, actor=actor.slack_user_id, action="staff.back", ids=deps.ids, now=now)
    if actor.profile.language == "ja":
        return "おかえりなさい。新しい見込みの担当に戻しました。"
    return "Welcome back: you are asked about new leads again."


async def sign(deps: Deps, actor: Actor, written: str) -> str:
    """Customers see this name from now on (empty: the name in Slack); what to answer.

    Raises:
        Refused: longer than LINE shows.
    """
    now = deps.clock.now()
    name = one_line(clean(written)) or None
    if name is not None and utf16_len(name) > SENDER_MOST:
        raise Refused(
            f"お客様に見える名前は{SENDER_MOST}文字までです。",
            f"The name customers see has at most {SENDER_MOST} characters.",
        )
    async with deps.db.begin() as session:
        await staff.sign_as(session, actor.slack_user_id, name=name, now=now)
        await audit.record(session, actor=actor.slack_user_id, action="staff.signed", ids=deps.ids, now=now)
    shown = escaped(name or actor.profile.name)
    if actor.profile.language == "ja":
        return f"お客様には「{shown}」と表示します。"
    return f"Customers see you as “{shown}”."


def _moment(written: str, actor: Actor, *, now: datetime) -> datetime:
    text = written.strip().lower().removeprefix("until").strip()
    if span := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _HOW from None
    morning = datetime.combine(day, MORNING, tzinfo=zone_of(actor.profile.timezone))
    return morning.astimezone(UTC)

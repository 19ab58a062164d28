"""What does LINE itself tell of our messages: who saw them, who tapped, how many blocked the account?

Asked once a day: LINE allows 60 questions an hour, counts for 14 days after a send, and tells a day's figures
on the next one (Get statistics per unit, Get number of followers). Where fewer than 20 people are meant it
tells nothing, and so do we.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.deps import Deps
from bot.errors import Unavailable
from bot.line.account import unit_name
from bot.ports import FollowerFigures, Line
from db.deciding.nights import take_night
from db.rulebook.rules import current_rulebook, put_setting, setting
from db.talk.messages import Message, MessageState
from followups.times.zones import JAPAN

log = structlog.get_logger()

INSIGHT = "line_insight"
MOST = 50
"""Units asked about in one night: LINE answers 60 questions an hour."""
COUNTS_FOR = timedelta(days=14)
SPAN = timedelta(days=29)
"""LINE takes spans of at most 30 days, both ends included."""
MORNING = time(10)
FEWER = {"ja": "20人未満", "en": "fewer than 20"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One unit's figures; None: fewer than 20 people, or nothing told."""

    rule_id: str
    variant: str | None
    seen_by: int | None
    clicked_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """What LINE told last. `start` and `end` are days in Japan."""

    start: date
    end: date
    seen: tuple[Seen, ...] = ()
    followers: FollowerFigures | None = None

    @property
    def block_rate(self) -> float | None:
        """Blocks by everybody who ever added the account; None: not known."""
        if self.followers is None or not self.followers.followers:
            return None
        return self.followers.blocks / self.followers.followers


async def read_insight(deps: Deps) -> int:
    """Ask LINE about the messages of the last month, once a day from ten; how many units it told of."""
    line = deps.line
    if line is None:
        return 0
    now = deps.clock.now()

    async def begin(session: AsyncSession) -> dict[str, tuple[str, str | None]] | None:
        if not await take_night(session, "insight", now=now, after=MORNING):
            return None
        return await _units(session, now=now)

    units = await deps.db.run(begin)
    if units is None:
        return 0
    today = now.astimezone(JAPAN).date()
    start, end = today - SPAN - timedelta(days=1), today - timedelta(days=1)
    found = await _ask(line, units, start=start, end=end)
    await deps.db.run(lambda session: _keep(session, found, now=now))
    log.info("insight.read", units=len(found.seen))
    return len(found.seen)


async def _units(session: AsyncSession, *, now: datetime) -> dict[str, tuple[str, str | None]]:
    """Rule and variant by unit, of messages that LINE still counts for, the latest first."""
    book = await current_rulebook(session)
    known = {
        unit_name(rule.id, variant): (rule.id, variant)
        for rule in book.by_id.values()
        for variant in (None, *rule.variants)
    }
    rows = await session.scalars(
        select(col(Message.unit))
        .where(
            col(Message.promised_at) >= now - COUNTS_FOR,
            col(Message.state) == MessageState.ACCEPTED,
            col(Message.unit).is_not(None),
        )
        .distinct()
    )
    return {unit: known[unit] for unit in sorted(each for each in rows if each in known)[:MOST]}


async def _ask(line: Line, units: Mapping[str, tuple[str, str | None]], *, start: date, end: date) -> Insight:
    seen: list[Seen] = []
    followers = None
    try:
        followers = await line.followers(end)
        for unit, (rule_id, variant) in units.items():
            told = await line.unit_figures(unit, start=start, end=end)
            if told is not None:
                seen.append(
                    Seen(rule_id=rule_id, variant=variant, seen_by=told.seen_by, clicked_by=told.clicked_by)
                )
    except Unavailable as error:
        log.warning("insight.unavailable", because=str(error))
    return Insight(start=start, end=end, seen=tuple(seen), followers=followers)


async def _keep(session: AsyncSession, found: Insight, *, now: datetime) -> None:
    content = {
        "start": found.start.isoformat(),
        "end": found.end.isoformat(),
        "seen": [asdict(each) for each in found.seen],
        "followers": asdict(found.followers) if found.followers is not None else None,
    }
    await put_setting(session, INSIGHT, content, now=now)


async def last_insight(deps: Deps) -> Insight | None:
    """What LINE told last; None: it was never asked."""
    async with deps.db.begin() as session:
        content: dict[str, Any] | None = await setting(session, INSIGHT)
    if content is None:
        return None
    followers = content["followers"]
    return Insight(
        start=date.fromisoformat(content["start"]),
        end=date.fromisoformat(content["end"]),
        seen=tuple([Seen(**each) for each in content["seen"]]),
        followers=FollowerFigures(**followers) if followers is not None else None,
    )


def told(found: Insight, language: str, *, rule_id: str | None = None) -> list[str]:
    """The figures as lines for people.

    Args:
        rule_id: only this rule's.
    """
    is_ja = language == "ja"
    seen = [each for each in found.seen if rule_id in {None, each.rule_id}]
    if not seen and (found.followers is None or rule_id is not None):
        return []
    span = f"{found.start:%Y-%m-%d} – {found.end:%Y-%m-%d}"
    lines = ["", f"LINE の統計（{span}）" if is_ja else f"LINE's own figures ({span})"]
    fewer = FEWER["ja" if is_ja else "en"]
    for each in seen:
        name = f"{each.rule_id} ({each.variant})" if each.variant else each.rule_id
        shown, tapped = [f"{n:,}" if n is not None else fewer for n in (each.seen_by, each.clicked_by)]
        lines.append(
            f"  {name}: 表示 {shown}、タップ {tapped}"
            if is_ja
            else f"  {name}: seen by {shown}, tapped by {tapped}"
        )
    if found.followers is not None and rule_id is None and found.block_rate is not None:
        one = found.followers
        lines.append(
            f"  友だち {one.followers:,}（届く {one.reached:,}）、"
            f"ブロック {one.blocks:,}（{found.block_rate:.1%}）"
            if is_ja
            else f"  followers {one.followers:,} ({one.reached:,} reached), blocks {one.blocks:,}"
            f" ({found.block_rate:.1%})"
        )
    return lines

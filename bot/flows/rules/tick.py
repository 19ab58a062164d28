"""Whom did the passing of time make worth another look? The gathering half of deciding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from db.deciding.ticks import NotMoved, move_watermark, ring_alarms
from db.intake.events import fold_due
from db.rulebook.candidates import mark_crossings
from db.rulebook.rules import current_rulebook
from db.rulebook.scans import scan_some

log = structlog.get_logger()

FOLDED_AT_ONCE = 5000
_WORTH_SAYING = timedelta(minutes=1)
"""Clocks of several machines differ by less; a watermark further ahead means that a clock was wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """What one look at the time found.

    Attributes:
        crossed: customers of whom a signal crossed a rule's threshold.
        rung: customers whose alarm came due.
        folded: events dated ahead whose time has come.
        scanned: customers who may match a rule that is new, edited or enabled.
        is_moved: False: another process was there first, or the clock went backwards.
    """

    crossed: int = 0
    rung: int = 0
    folded: int = 0
    scanned: int = 0
    is_moved: bool = True

    @property
    def found(self) -> int:
        """How many reasons to decide about someone were found."""
        return self.crossed + self.rung + self.folded + self.scanned


async def tick(deps: Deps) -> Ticked:
    """Move the watermark to the present and mark whoever time alone may have made due.

    Any number of processes may do so at once: one of them moves the watermark, in the transaction that
    marks what lies in between; a kill leaves it where it was. After downtime the span is simply wide.
    """
    now = deps.clock.now()

    async def fold(session: AsyncSession) -> int:
        return await fold_due(session, now=now, at_most=FOLDED_AT_ONCE)

    async def look(session: AsyncSession) -> Ticked:
        moved = await move_watermark(session, now=now)
        if isinstance(moved, NotMoved):
            if moved.behind > _WORTH_SAYING:
                log.warning("tick.clock_behind", seconds=round(moved.behind.total_seconds()))
            return Ticked(rung=await ring_alarms(session, now=now), is_moved=False)
        book = await current_rulebook(session)
        crossed = await mark_crossings(session, book.thresholds, previous=moved.previous, now=now)
        return Ticked(crossed=crossed, rung=await ring_alarms(session, now=now))

    async def scan(session: AsyncSession) -> int | None:
        return await scan_some(session, now=now)

    folded = latest = await deps.db.run(fold)
    while latest == FOLDED_AT_ONCE:
        latest = await deps.db.run(fold)
        folded += latest
    looked = await deps.db.run(look)
    scanned = 0
    while (found := await deps.db.run(scan)) is not None:
        scanned += found
    ticked = Ticked(
        crossed=looked.crossed, rung=looked.rung, folded=folded, scanned=scanned, is_moved=looked.is_moved
    )
    if ticked.found:
        await deps.waker.wake("decide")
    return ticked

"""How often do customers come back nowadays? Measured once a night for the rules that ask."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from db.intake.rhythms import (
    WORTH_CHANGING,
    Figures,
    begin_figures,
    figures,
    look_again,
    measure,
    put_figures,
    rhythm_events,
    running,
)
from db.rulebook.rules import current_rulebook
from followups.times.zones import local_day, zone_of

log = structlog.get_logger()

NIGHT_BEGINS = timedelta(hours=3)
"""The local time of day from which the night's figures are measured."""


async def refresh_rhythms(deps: Deps) -> int:
    """Measure what is due: every figure once a night, a figure that is missing at once; how many changed.

    Whoever is first on a day does it, in one transaction under the row that holds the figures; a kill leaves
    the old ones and the work. A figure that moved by a tenth or more is taken, and the rules that use it look
    through everyone again; a smaller change is left, so that alarms already set stay right.
    """
    now = deps.clock.now()

    async def refresh(session: AsyncSession) -> int:
        book = await current_rulebook(session)
        wanted = rhythm_events(running(book))
        if not wanted:
            return 0
        night = local_day(now - NIGHT_BEGINS, zone_of(book.policy.timezone))
        if not _due(await figures(session), wanted, night):
            return 0
        await begin_figures(session, now=now)
        kept = await figures(session, is_held=True)
        due = _due(kept, wanted, night)
        if not due:
            return 0
        measured = {event: await measure(session, event) for event in sorted(due)}
        changed = {e for e, gap in measured.items() if is_moved(kept.gaps.get(e), gap)}
        gaps = {event: kept.gaps.get(event) for event in wanted}
        gaps |= {event: measured[event] for event in changed}
        await put_figures(session, Figures(measured_on=night, gaps=gaps), now=now)
        rules = await look_again(session, book, changed) if changed else 0
        log.info("rhythms.measured", events=len(due), changed=len(changed), rules=rules)
        return len(changed)

    changed = await deps.db.run(refresh)
    if changed:
        await deps.waker.wake("tick")
    return changed


def _due(kept: Figures, wanted: frozenset[str], night: object) -> frozenset[str]:
    return wanted - kept.gaps.keys() if kept.measured_on == night else wanted


def is_moved(before: timedelta | None, now: timedelta | None) -> bool:
    """Is the new figure another one, by a tenth or more?"""
    if before is None or now is None:
        return before != now
    return abs(now / before - 1) >= WORTH_CHANGING

"""What is removed because nobody needs it any longer?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from db.deciding.nights import take_night
from db.keeping.retention import drop_piece, empty_media, forget_arrivals, forget_decisions, pieces_before
from db.rulebook.rules import current_rulebook
from db.talk.files import forget_files
from followups.times.retention import Retention

log = structlog.get_logger()

_ROUNDS = 2_000
"""Pieces removed in one night; more wait for the next one."""


async def tidy(deps: Deps) -> int:
    """Once a night, remove what the policy's `retention` names; how many rows and months of events.

    Small transactions: a kill loses nothing, and the next night goes on.
    """
    now = deps.clock.now()

    async def begin(session: AsyncSession) -> Retention | None:
        is_ours = await take_night(session, "tidy", now=now)
        return (await current_rulebook(session)).policy.retention if is_ours else None

    retention = await deps.db.run(begin)
    if retention is None:
        return 0
    months = await _drop_months(deps, retention.events, now=now)
    removed = 0
    kinds: tuple[tuple[timedelta | None, Callable[..., Awaitable[int]]], ...] = (
        (retention.decisions, forget_decisions),
        (retention.inbox, forget_arrivals),
        (retention.media, empty_media),
    )
    for span, forget in kinds:
        if span is None:
            continue
        for _ in range(_ROUNDS):
            found = await deps.db.run(partial(_some, forget, before=now - span))
            removed += found
            if not found:
                break
    removed += await deps.db.run(partial(forget_files, now=now))
    log.info("tidy.done", rows=removed, months=months)
    return removed + months


async def _some(forget: Callable[..., Awaitable[int]], session: AsyncSession, *, before: datetime) -> int:
    return await forget(session, before=before)


async def _drop_months(deps: Deps, span: timedelta | None, *, now: datetime) -> int:
    if span is None:
        return 0
    async with deps.db.begin() as session:
        pieces = await pieces_before(session, now - span)
    for piece in pieces:
        await deps.db.run(partial(_drop, piece))
    return len(pieces)


async def _drop(piece: str, session: AsyncSession) -> None:
    await drop_piece(session, piece)

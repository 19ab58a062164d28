"""How much waits, as figures that Prometheus reads?"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from bot import metrics
from bot.deps import Deps
from db.keeping.backlogs import backlogs

log = structlog.get_logger()

FRESH_FOR = timedelta(seconds=5)
"""Several scrapers ask the database once."""


class Gauges:
    """The figures of this process, brought up to date when they are read."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._read_at: datetime | None = None

    async def read(self) -> None:
        """Ask the database; where it does not answer, the figures stay and `yorisoi_database_up` is 0."""
        now = self._deps.clock.now()
        if self._read_at is not None and timedelta(0) <= now - self._read_at < FRESH_FOR:
            return
        try:
            async with asyncio.timeout(5), self._deps.db.begin() as session:
                found = await backlogs(session, now=now)
        except Exception as error:  # whatever is wrong with it, the other figures are still worth reading
            log.warning("gauges.not_read", error=type(error).__name__)
            metrics.DATABASE_UP.set(0)
            return
        self._read_at = now
        metrics.DATABASE_UP.set(1)
        metrics.PAUSED.set(found.is_paused)
        if found.tick_age is not None:
            metrics.TICK_AGE.set(max(0.0, found.tick_age))
        for each in found.waiting:
            metrics.WAITING.labels(each.kind).set(each.rows)
            metrics.OLDEST.labels(each.kind).set(each.oldest)

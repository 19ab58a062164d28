"""How are the program's parts put together where a test needs no platform and no database?"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.clock import Ids, TurnableClock, system_random
from bot.deps import Deps
from bot.settings import Settings
from db.engine import Database


class SilentWaker:
    """Nobody is woken."""

    async def wake(self, story: str) -> None:
        """Do nothing."""


def deps_without_platforms(database: Database | None = None) -> Deps:
    """Deps with no LINE, no Slack, and by default a database that nothing connects to."""
    clock = TurnableClock(datetime(2026, 11, 2, 1, tzinfo=UTC))
    return Deps(
        settings=Settings.of(),
        clock=clock,
        ids=Ids(clock),
        rng=system_random(),
        db=database or Database("postgresql://nobody@127.0.0.1:1/nothing"),
        waker=SilentWaker(),
    )

"""Which figures does the App Home show without reckoning them anew at every opening?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from bot.deps import Deps
from bot.flows.measure.report import figures
from db.engine import Database
from db.rulebook.rules import revision_of
from followups.measure import Figures

KEPT_FOR = timedelta(minutes=5)
LATELY = timedelta(days=28)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFigures:
    """`ever`: over all time; `lately`: over 28 days. As `yorisoi report` would have shown them then."""

    ever: Figures
    lately: Figures
    revision: int

    @property
    def as_of(self) -> datetime:
        """When they were reckoned."""
        return self.ever.as_of


_kept: WeakKeyDictionary[Database, KeptFigures] = WeakKeyDictionary()


async def kept_figures(deps: Deps) -> KeptFigures:
    """The figures, at most five minutes old and of the rules as they are."""
    now = deps.clock.now()
    async with deps.db.begin() as session:
        revision, _ = await revision_of(session)
    known = _kept.get(deps.db)
    if known is not None and known.revision == revision and timedelta() <= now - known.as_of < KEPT_FOR:
        return known
    made = KeptFigures(
        ever=await figures(deps), lately=await figures(deps, start=now - LATELY), revision=revision
    )
    _kept[deps.db] = made
    return made

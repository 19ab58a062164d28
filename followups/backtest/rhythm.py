"""Would asking each customer's own rhythm flag the lost ones better than one fixed number of days?

The past is cut in two. Whoever is quiet for long enough at the cut is flagged; whoever does nothing more up
to the end of the history was lost. The own rhythm is the median gap between days of activity, drawn towards
everybody's by three pseudo-gaps in log space: `exp((g ln m + 3 ln M) / (g + 3))` with g own gaps of median
m, and M the median of the m of all who came back at least once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, log
from statistics import median
from zoneinfo import ZoneInfo

from followups.rules.conditions import Condition, EventLast, Group, Idle
from followups.times.zones import local_day

FACTOR = 3.0
COMMON_SPAN = timedelta(days=14)
"""What people commonly write where they do not ask for the own rhythm."""
PSEUDO_GAPS = 3
FEWEST_GAPS = 2
"""A customer who came back less often has no rhythm yet and is not looked at."""
_A_DAY = timedelta(days=1)
_LEAST_DAYS = 1 / 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """How good a flag is; shares from 0 to 1, None where there was nobody to divide by.

    Attributes:
        share: of all looked at, those flagged.
        precision: of those flagged, the lost.
        recall: of the lost, those flagged.
        false_alarm: of those who came back, those flagged.
    """

    share: float | None
    precision: float | None
    recall: float | None
    false_alarm: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Fixed days against the own rhythm, for one event.

    Attributes:
        span: the fixed one.
        customers: with a rhythm at the cut; `lost`: of them, those who did not come back.
    """

    event: str
    span: timedelta
    cut: datetime
    end: datetime
    customers: int
    lost: int
    fixed: Flagged
    own: Flagged


def quiet_spans(condition: Condition) -> Iterator[tuple[str, timedelta]]:
    """The (event, span) of every `last: {more_than: …}` in a condition; of `idle`, a common one."""
    if isinstance(condition, Group):
        for member in condition.members:
            yield from quiet_spans(member)
    elif isinstance(condition, EventLast) and condition.more_than is not None:
        yield condition.event, condition.more_than
    elif isinstance(condition, Idle):
        yield condition.event, COMMON_SPAN


@dataclass(frozen=True, slots=True)
class _Habit:
    gaps: int
    median_days: float
    quiet_for: timedelta
    is_lost: bool


class Rhythms:
    """Takes in customer after customer, then compares."""

    def __init__(self, event: str, span: timedelta, *, zone: ZoneInfo, cut: datetime, end: datetime) -> None:
        """Compare a fixed span with the own rhythm.

        Args:
            zone: whose days count: what happens on one day is one time.
            cut: whoever is quiet here is flagged; up to `end` one could come back.
        """
        self.event, self.span, self.cut, self.end = event, span, cut, end
        self.zone = zone
        self._medians: list[float] = []
        self._habits: list[_Habit] = []

    def add(self, times: Sequence[datetime]) -> None:
        """One customer's times of the event, in any order."""
        before = sorted(at for at in times if at <= self.cut)
        days = {local_day(at, self.zone): at for at in reversed(before)}
        gaps = [(later - earlier) / _A_DAY for earlier, later in pairwise(sorted(days.values()))]
        if gaps:
            self._medians.append(max(median(gaps), _LEAST_DAYS))
        if len(gaps) < FEWEST_GAPS:
            return
        self._habits.append(
            _Habit(
                gaps=len(gaps),
                median_days=max(median(gaps), _LEAST_DAYS),
                quiet_for=self.cut - before[-1],
                is_lost=not any(self.cut < at < self.end for at in times),
            )
        )

    def compare(self) -> Rhythm | None:
        """The table's two lines; None when nobody has a rhythm."""
        habits = self._habits
        if not habits:
            return None
        everybody = log(median(self._medians))

        def own_span(habit: _Habit) -> timedelta:
            drawn = habit.gaps * log(habit.median_days) + PSEUDO_GAPS * everybody
            return FACTOR * exp(drawn / (habit.gaps + PSEUDO_GAPS)) * _A_DAY

        return Rhythm(
            event=self.event,
            span=self.span,
            cut=self.cut,
            end=self.end,
            customers=len(habits),
            lost=sum(habit.is_lost for habit in habits),
            fixed=_flagged(habits, [habit.quiet_for >= self.span for habit in habits]),
            own=_flagged(habits, [habit.quiet_for >= own_span(habit) for habit in habits]),
        )


def _flagged(habits: Sequence[_Habit], flags: Sequence[bool]) -> Flagged:
    flagged = sum(flags)
    lost = sum(habit.is_lost for habit in habits)
    hits = sum(flag and habit.is_lost for habit, flag in zip(habits, flags, strict=True))
    return Flagged(
        share=share(flagged, len(habits)),
        precision=share(hits, flagged),
        recall=share(hits, lost),
        false_alarm=share(flagged - hits, len(habits) - lost),
    )


def share(part: float, whole: float) -> float | None:
    """A part of a whole; None of nothing."""
    return part / whole if whole else None

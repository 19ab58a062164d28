"""Of the leads a rule opened, how many were worth a person's time?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from followups.measure.proportions import Interval, wilson

GOOD = frozenset({"won", "sent"})
"""Worth a person's time. `lost` counts for neither side: it was a lead, and nothing came of it."""
WASTED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """So many leads of one rule, closed in one week (its Monday) in one way. `rule_id` None: no rule's."""

    rule_id: str | None
    week: date
    state: str
    reason: str | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredEnding:
    """So many leads of one rule that opened with the same score and closed in the same way."""

    rule_id: str
    score: int
    state: str
    number: int

    @property
    def is_good(self) -> bool:
        """They were worth a person's time."""
        return self.state in GOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """One rule's leads in one span. `share`: good of good and dismissed, None without both."""

    rule_id: str | None
    good: int
    dismissed: int
    lost: int
    reasons: tuple[tuple[str, int], ...]
    weeks: tuple[tuple[date, int, int], ...]

    @property
    def judged(self) -> int:
        """Those that say something."""
        return self.good + self.dismissed

    @property
    def share(self) -> float | None:
        """From 0 to 1."""
        return self.good / self.judged if self.judged else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's, for one look at these leads."""
        return wilson(self.good, self.judged) if self.judged else None


def precision_of(endings: Iterable[Ending]) -> tuple[Precision, ...]:
    """By rule, the one with the most judged leads first.

    `weeks`: (Monday, good, dismissed), oldest first; `reasons`: why they were dismissed, the commonest first.
    """
    by_rule: defaultdict[str | None, list[Ending]] = defaultdict(list)
    for each in endings:
        by_rule[each.rule_id].append(each)
    found = []
    for rule_id, some in by_rule.items():
        good: Counter[date] = Counter()
        wasted: Counter[date] = Counter()
        reasons: Counter[str] = Counter()
        lost = 0
        for each in some:
            if each.state in GOOD:
                good[each.week] += each.number
            elif each.state == WASTED:
                wasted[each.week] += each.number
                reasons[each.reason or "other"] += each.number
            else:
                lost += each.number
        found.append(
            Precision(
                rule_id=rule_id,
                good=good.total(),
                dismissed=wasted.total(),
                lost=lost,
                reasons=tuple(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
                weeks=tuple((week, good[week], wasted[week]) for week in sorted({*good, *wasted})),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.judged, one.rule_id or "")))

"""At which hour of the day does a customer like to hear from us, as far as their own activity tells?

The hours of their activity, smoothed over the neighbouring hours, drawn towards everybody's by `PSEUDO_TIMES`
times, inside the hours in which writing is allowed. What this is worth is small, and to be tested against a
fixed hour before anything is claimed of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from followups.facts import Facts
from followups.rules.model import Hours, Policy
from followups.standing.segments import DEPTH, LifeCycle
from followups.times.hours import is_within
from followups.times.zones import zone_of

PSEUDO_TIMES = 10.0
HOURS_A_DAY = 24
_NEIGHBOUR = 0.5
_EACH = 1 + 2 * _NEIGHBOUR
"""What one time weighs once smoothed."""
USUAL = (10, 12, 19)
"""The hours people in Japan commonly read messages at, where nothing at all is known."""

Shares = tuple[float, ...]
"""24 numbers that sum to 1, for the local hour that begins then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BestHour:
    """The hour (0 to 23) and the share of activity in it; `times`: how many own times it rests on."""

    hour: int
    share: float
    times: int


def _smoothed(counts: Sequence[float]) -> list[float]:
    return [
        counts[hour] + _NEIGHBOUR * (counts[hour - 1] + counts[(hour + 1) % HOURS_A_DAY])
        for hour in range(HOURS_A_DAY)
    ]


def _counted(times: Iterable[datetime], zone: ZoneInfo) -> list[float]:
    counts = [0.0] * HOURS_A_DAY
    for at in times:
        counts[at.astimezone(zone).hour] += 1
    return counts


def _shares(counts: Sequence[float]) -> Shares:
    total = sum(counts)
    return tuple(each / total for each in counts)


def usual_hours() -> Shares:
    """What to take for everybody's hours where nobody's are known."""
    return _shares(_smoothed([float(hour in USUAL) for hour in range(HOURS_A_DAY)]))


def everybodys_hours(times: Iterable[tuple[datetime, ZoneInfo]]) -> Shares:
    """The hours of everybody's activity, each in their own time zone."""
    counts = [0.0] * HOURS_A_DAY
    for at, zone in times:
        counts[at.astimezone(zone).hour] += 1
    if not any(counts):
        return usual_hours()
    return _shares(_smoothed(counts))


def best_hour(
    times: Sequence[datetime],
    *,
    zone: ZoneInfo,
    everybody: Shares,
    allowed: Sequence[Hours] = (),
    quiet: Sequence[Hours] = (),
) -> BestHour | None:
    """The hour with the largest share; of equal ones the earliest.

    Args:
        times: of the customer's activity.
        everybody: from `everybodys_hours`.
        allowed: daily spans, all of which the hour must begin in; `quiet`: none of which it may begin in.

    Returns:
        None: no hour is allowed.
    """
    own = _smoothed(_counted(times, zone))
    total = sum(own)
    drawn = [
        (own[hour] + PSEUDO_TIMES * _EACH * everybody[hour]) / (total + PSEUDO_TIMES * _EACH)
        for hour in range(HOURS_A_DAY)
    ]
    day = datetime(2001, 1, 1, tzinfo=zone)

    def is_allowed(hour: int) -> bool:
        at = day.replace(hour=hour)
        return all(is_within(at, each, zone) for each in allowed) and not any(
            is_within(at, each, zone) for each in quiet
        )

    hours = [hour for hour in range(HOURS_A_DAY) if is_allowed(hour)]
    if not hours:
        return None
    best = max(hours, key=lambda hour: (drawn[hour], -hour))
    return BestHour(hour=best, share=drawn[best], times=len(times))


def best_hour_of(facts: Facts, policy: Policy, *, everybody: Shares | None = None) -> BestHour | None:
    """The best hour of a customer, from the latest times of their activity, inside policy and own wishes."""
    life: LifeCycle = policy.life_cycle
    times = [
        at
        for event in life.activity
        if (signal := facts.signals.get(event)) is not None
        for at in signal.recent[:DEPTH] or (signal.last_at,)
    ]
    wish = facts.preferences.hours if facts.preferences is not None else None
    return best_hour(
        times,
        zone=zone_of(facts.timezone, policy.timezone),
        everybody=everybody or usual_hours(),
        allowed=[_hours(wish)] if wish is not None else [],
        quiet=[policy.quiet_hours] if policy.quiet_hours is not None else [],
    )


def _hours(wish: tuple[time, time]) -> Hours:
    return Hours(start=wish[0], end=wish[1])

"""Which kind of buyer is a customer, and where do they stand in their life with the product?

Both are told in units of the customer's own rhythm: somebody who buys every week is late after two, somebody
who buys twice a year is not. The own gap is drawn towards the usual one by three pseudo-gaps in log space,
`exp((g ln m + 3 ln u) / (g + 3))` with g own gaps of size m, so that one or two purchases decide little.
The thresholds are fixed and numbered (`VERSION`): whoever changes segment did so by themselves, not because
others changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, log
from statistics import median

from followups.facts import Facts, Signal
from followups.rules.checks import signal_of
from followups.signals import Watch
from followups.times.zones import local_day, zone_of

VERSION = 1
"""Grows when a threshold here changes."""
PSEUDO_GAPS = 3
DEPTH = 50
"""How many of the latest times of each activity the rhythm is read from."""
_A_DAY = timedelta(days=1)
_LEAST_GAP = timedelta(hours=1)

SEGMENTS = ("champions", "loyal", "promising", "new", "at_risk", "hibernating", "lost", "prospect")
STAGES = ("new", "onboarding", "active", "at_risk", "lapsed", "won_back")

LATE, VERY_LATE, GONE = 2.0, 4.0, 8.0
"""A purchase is due after one own gap; `at_risk`, `hibernating` and `lost` begin at so many."""
LOYAL_FROM, CHAMPION_FROM = 4, 8
"""Purchases from which a customer in rhythm is loyal, or a champion."""

QUIET, LAPSED = 3.0, 6.0
"""Own gaps of activity after which a customer is `at_risk`, or has `lapsed`, within these bounds:"""
QUIET_BOUNDS = (timedelta(days=7), timedelta(days=60))
LAPSED_BOUNDS = (timedelta(days=14), timedelta(days=120))
NEW_FOR = timedelta(days=7)
ONBOARDING_FOR = timedelta(days=30)
"""Without an event that says it is done, onboarding ends so long after joining."""
WON_BACK_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeCycle:
    """`life_cycle` of policy.yaml: which events say what.

    Attributes:
        purchase: the event of a purchase.
        product: the property that names what was bought; None: products are not told apart.
        activity: the events that say somebody uses the product.
        joined: the event of having become a customer; without it the first activity counts.
        activated: the event that ends onboarding; None: it ends by time.
        purchase_gap, activity_gap: what is usual between two of them.
    """

    purchase: str = "order_completed"
    product: str | None = None
    activity: tuple[str, ...] = ("login",)
    joined: str = "signup"
    activated: str | None = None
    purchase_gap: timedelta = timedelta(days=30)
    activity_gap: timedelta = timedelta(days=7)

    def purchase_watches(self) -> tuple[Watch, ...]:
        """What the segment is read from."""
        return (Watch(event=self.purchase),)

    def stage_watches(self) -> tuple[Watch, ...]:
        """What the stage is read from."""
        own = (self.joined, *((self.activated,) if self.activated is not None else ()))
        active = tuple(Watch(event=event, depth=DEPTH) for event in self.activity)
        return (*active, *(Watch(event=event) for event in own if event not in self.activity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """A customer's purchases: how many, the last, the own gap."""

    count: int
    last_at: datetime
    gap: timedelta


def shrunk(own: timedelta, gaps: int, usual: timedelta) -> timedelta:
    """The own gap, drawn towards the usual one by `PSEUDO_GAPS` in log space."""
    if gaps <= 0:
        return usual
    drawn = gaps * log(max(own, _LEAST_GAP) / _A_DAY) + PSEUDO_GAPS * log(usual / _A_DAY)
    return exp(drawn / (gaps + PSEUDO_GAPS)) * _A_DAY


def buying_of(facts: Facts, life: LifeCycle) -> Buying | None:
    """The purchases of a customer; None: there was none. The own gap is the mean, from first to last."""
    signal = signal_of(facts, life.purchase)
    if signal is None:
        return None
    gaps = signal.count - 1
    own = (signal.last_at - signal.first_at) / gaps if gaps else timedelta()
    return Buying(count=signal.count, last_at=signal.last_at, gap=shrunk(own, gaps, life.purchase_gap))


def segment_of(buying: Buying | None, *, now: datetime) -> str:
    """The segment at a moment, one of `SEGMENTS`."""
    if buying is None:
        return "prospect"
    quiet_for = now - buying.last_at
    for name, gaps in (("lost", GONE), ("hibernating", VERY_LATE), ("at_risk", LATE)):
        if quiet_for >= gaps * buying.gap:
            return name
    if buying.count >= CHAMPION_FROM:
        return "champions"
    if buying.count >= LOYAL_FROM:
        return "loyal"
    return "promising" if buying.count > 1 else "new"


def segment_moments(buying: Buying | None) -> tuple[datetime, ...]:
    """The only moments at which time alone changes the segment."""
    if buying is None:
        return ()
    return tuple(buying.last_at + gaps * buying.gap for gaps in (LATE, VERY_LATE, GONE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """A customer's life with the product.

    Attributes:
        joined_at: when it began.
        activated_at: when onboarding was done, as far as an event says so.
        last_at: the last activity, or joining where there was none since.
        quiet_at, lapsed_at: from when on silence means something.
        returned_at: when they last came back after having lapsed.
        gap: the own one.
    """

    joined_at: datetime
    activated_at: datetime | None
    last_at: datetime
    quiet_at: datetime
    lapsed_at: datetime
    returned_at: datetime | None
    gap: timedelta


def _clamped(span: timedelta, bounds: tuple[timedelta, timedelta]) -> timedelta:
    return min(max(span, bounds[0]), bounds[1])


def _own_gap(times: list[datetime], facts: Facts, life: LifeCycle) -> timedelta:
    """The median gap between days of activity, shrunk."""
    zone = zone_of(facts.timezone)
    days = sorted({local_day(at, zone) for at in times})
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return shrunk(median(gaps) * _A_DAY if gaps else timedelta(), len(gaps), life.activity_gap)


def _returned_at(times: list[datetime], facts: Facts, life: LifeCycle) -> datetime | None:
    """The latest activity that ended a silence as long as that of somebody lapsed; `times` newest first."""
    for number, (later, earlier) in enumerate(pairwise(times), start=1):
        silence = later - earlier
        if silence < LAPSED_BOUNDS[0]:
            continue
        if silence >= _clamped(LAPSED * _own_gap(times[number:], facts, life), LAPSED_BOUNDS):
            return later
    return None


def living_of(facts: Facts, life: LifeCycle) -> Living | None:
    """A customer's life with the product; None: neither joining nor any activity is known."""
    active = [signal for event in life.activity if (signal := signal_of(facts, event)) is not None]
    joined = signal_of(facts, life.joined)
    known: list[Signal] = [*active, *([joined] if joined is not None else [])]
    if not known:
        return None
    times = sorted((at for s in active for at in s.recent[:DEPTH] or (s.last_at,)), reverse=True)[:DEPTH]
    gap = _own_gap(times, facts, life)
    activated = signal_of(facts, life.activated) if life.activated is not None else None
    last_at = max(signal.last_at for signal in known)
    return Living(
        joined_at=joined.first_at if joined is not None else min(signal.first_at for signal in active),
        activated_at=activated.first_at if activated is not None else None,
        last_at=last_at,
        quiet_at=last_at + _clamped(QUIET * gap, QUIET_BOUNDS),
        lapsed_at=last_at + _clamped(LAPSED * gap, LAPSED_BOUNDS),
        returned_at=_returned_at(times, facts, life),
        gap=gap,
    )


def stage_of(living: Living | None, life: LifeCycle, *, now: datetime) -> str | None:
    """The stage at a moment, one of `STAGES`; None: nothing is known."""
    if living is None:
        return None
    if now >= living.lapsed_at:
        return "lapsed"
    if now >= living.quiet_at:
        return "at_risk"
    if living.activated_at is None:
        if now < living.joined_at + NEW_FOR:
            return "new"
        if life.activated is not None or now < living.joined_at + ONBOARDING_FOR:
            return "onboarding"
    if living.returned_at is not None and now < living.returned_at + WON_BACK_FOR:
        return "won_back"
    return "active"


def stage_moments(living: Living | None) -> tuple[datetime, ...]:
    """The only moments at which time alone changes the stage."""
    if living is None:
        return ()
    moments = [
        living.joined_at + NEW_FOR,
        living.joined_at + ONBOARDING_FOR,
        living.quiet_at,
        living.lapsed_at,
    ]
    if living.returned_at is not None:
        moments.append(living.returned_at + WON_BACK_FOR)
    return tuple(moments)

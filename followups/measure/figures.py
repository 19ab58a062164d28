"""Which numbers does every report, digest, page and file show?

Made once, from counts and first exposures; whoever shows them rounds them and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from followups.measure.checks import (
    Guardrail,
    SampleRatio,
    guardrail,
    holm,
    sample_ratio,
    sample_ratio_of_many,
)
from followups.measure.effect import Effect, EffectState, effect_of
from followups.measure.means import MeansArm, cuped, welch
from followups.measure.proportions import ALPHA, Interval
from followups.measure.sequence import Tally, sequence, tally_of

TREND_POINTS = 12
RATE_OVER = timedelta(weeks=8)
"""How far back the number of customers a week is looked at."""
_WEEK = timedelta(weeks=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Passages. `judged`: whose window is over; `counted`: conversions, each counted once across rules.

    `attributed`: of those, the ones of customers who were written to; `clicked_through`: goals within seven
    days after a click. Both for reference: they say what came after a message, not what came of it.
    """

    eligible: int = 0
    judged: int = 0
    sent: int = 0
    accepted: int = 0
    clicked: int = 0
    tapped: int = 0
    replied: int = 0
    reached: int = 0
    opted_out: int = 0
    blocked: int = 0
    by_person: int = 0
    won: int = 0
    lost: int = 0
    counted: int = 0
    attributed: int = 0
    clicked_through: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(
            **{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)}
        )


class Exposure(NamedTuple):
    """One customer's first passage through one rule. `share`: of all units, those held out at that time."""

    unit: str
    is_held_out: bool
    variant: str | None
    entered_at: datetime
    closes_at: datetime
    is_judged: bool
    is_reached: bool
    is_counted: bool
    is_opted_out: bool
    is_blocked: bool
    goal_n: int
    before_n: int
    share: float


class Day(NamedTuple):
    """What happened on one local day: messages accepted by LINE, customers who opted out or blocked."""

    on: date
    by_rule: int
    by_person: int
    by_program: int
    opted_out: int
    blocked: int


class Point(NamedTuple):
    """How the effect stood at one moment; None: hidden or not enough data then."""

    at: datetime
    interval: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Goal events per customer (unit), treated minus held out, for one look.

    `cut`: the share of the noise that the same count before took away (CUPED).
    """

    treated: float
    held_out: float
    interval: Interval
    cut: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFigures:
    """One wording of a rule, against the same held-out customers."""

    variant: str
    counts: Counts
    effect: Effect
    opt_outs: Guardrail
    blocks: Guardrail


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """One rule.

    Attributes:
        per_week: units that enter in a week, both arms.
        once: the effect on conversions that count here when each counts once; None as `effect.interval`.
        p_of_all: the effect's p value as it counts among all rules of the report (Holm).
        trend: the effect as it stood before, oldest first.
        since: when the first customer entered.
    """

    rule_id: str
    name: str
    goal_event: str
    goal_within: timedelta | None
    treated: Counts
    held_out: Counts
    effect: Effect
    once: Interval | None
    p_of_all: float
    opt_outs: Guardrail
    blocks: Guardrail
    means: Means | None
    per_week: float
    variants: tuple[VariantFigures, ...]
    trend: tuple[Point, ...]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything there is to say about a span of time.

    Attributes:
        start, end: passages that began from `start` on (None: ever) and before `end`.
        added: conversions that came of all rules together, each counted once, with an interval valid at any
            time; None: no rule has a comparison that may be shown.
        compared: the rules in `added`, by id.
        days: local days on which something happened, oldest first.
    """

    start: datetime | None
    end: datetime
    as_of: datetime
    timezone: str
    rules: tuple[RuleFigures, ...]
    together: Counts
    added: Interval | None
    compared: tuple[str, ...]
    days: tuple[Day, ...]

    def of(self, rule_id: str) -> RuleFigures | None:
        """One rule's; None: it is not in the report."""
        return next((rule for rule in self.rules if rule.rule_id == rule_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of one rule before it is judged. `by_variant` holds treated passages only."""

    rule_id: str
    name: str
    goal_event: str
    goal_within: timedelta | None
    treated: Counts
    held_out: Counts
    by_variant: Mapping[str, Counts]
    exposures: Sequence[Exposure]


def figures_of(
    rules: Iterable[Told],
    days: Iterable[Day],
    *,
    start: datetime | None,
    end: datetime,
    timezone: str,
    now: datetime,
) -> Figures:
    """Judge all rules together."""
    told = list(rules)
    judged = [_rule(each, now=now) for each in told]
    p_values = holm({rule.rule_id: rule.effect.p for rule in judged})
    by_id = {each.rule_id: each for each in told}
    ready = [rule for rule in judged if rule.once is not None]
    done = tuple(_with_p(rule, p_values[rule.rule_id]) for rule in judged)
    return Figures(
        start=start,
        end=end,
        as_of=now,
        timezone=timezone,
        rules=done,
        together=sum((rule.treated for rule in done), Counts()),
        added=_together([by_id[rule.rule_id].exposures for rule in ready]),
        compared=tuple(rule.rule_id for rule in ready),
        days=tuple(days),
    )


def _with_p(rule: RuleFigures, p: float) -> RuleFigures:
    return RuleFigures(**{**{f.name: getattr(rule, f.name) for f in fields(rule)}, "p_of_all": p})


def _rule(told: Told, *, now: datetime) -> RuleFigures:
    seen = told.exposures
    held = [one for one in seen if one.is_held_out]
    treated = [one for one in seen if not one.is_held_out]
    variants = sorted(told.by_variant)
    of_variant = {key: [one for one in treated if one.variant == key] for key in variants}
    ratio = _ratio(seen)
    even = sample_ratio_of_many([len({one.unit for one in some}) for some in of_variant.values()])
    per_week = _per_week(seen, now=now)
    is_compared = any(one.is_held_out or one.share > 0 for one in seen)
    effect = effect_of(
        _reached(treated), _reached(held), ratio=ratio, units_per_week=per_week, is_compared=is_compared
    )
    return RuleFigures(
        rule_id=told.rule_id,
        name=told.name,
        goal_event=told.goal_event,
        goal_within=told.goal_within,
        treated=told.treated,
        held_out=told.held_out,
        effect=effect,
        once=None
        if effect.state is EffectState.BROKEN
        else sequence(_tally(treated, "is_counted"), _tally(held, "is_counted")),
        p_of_all=effect.p,
        opt_outs=guardrail(_tally(treated, "is_opted_out"), _tally(held, "is_opted_out")),
        blocks=guardrail(_tally(treated, "is_blocked"), _tally(held, "is_blocked")),
        means=None if effect.state is EffectState.BROKEN else _means(treated, held),
        per_week=per_week,
        variants=tuple(
            VariantFigures(
                variant=key,
                counts=told.by_variant[key],
                effect=effect_of(
                    _reached(some),
                    _reached(held),
                    ratio=min(ratio, even, key=lambda each: each.p),
                    units_per_week=per_week * len(some) / len(treated) if treated else 0.0,
                    is_compared=is_compared,
                ),
                opt_outs=guardrail(_tally(some, "is_opted_out"), _tally(held, "is_opted_out")),
                blocks=guardrail(_tally(some, "is_blocked"), _tally(held, "is_blocked")),
            )
            for key, some in of_variant.items()
        ),
        trend=()
        if effect.state in {EffectState.BROKEN, EffectState.ALONE}
        else _trend(treated, held, now=now),
        since=min((one.entered_at for one in seen), default=None),
    )


def _reached(some: Iterable[Exposure]) -> Tally:
    return _tally(some, "is_reached")


def _tally(some: Iterable[Exposure], what: str) -> Tally:
    """Those whose window is over, by unit."""
    people: Counter[str] = Counter()
    reached: Counter[str] = Counter()
    for one in some:
        if one.is_judged:
            people[one.unit] += 1
            reached[one.unit] += bool(getattr(one, what))
    return tally_of((number, reached[unit]) for unit, number in people.items())


def _ratio(seen: Sequence[Exposure]) -> SampleRatio:
    """By unit, also those whose window is open; a unit in both arms counts in both and breaks the ratio."""
    arms: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for one in seen:
        arms[one.is_held_out].setdefault(one.unit, one.share)
    shares = [*arms[0].values(), *arms[1].values()]
    share = sum(shares) / len(shares) if shares else 0.0
    if not shares or (share == 0 and not arms[1]):
        return SampleRatio(p=1.0)
    return sample_ratio(len(arms[0]), len(arms[1]), share=share)


def _per_week(seen: Sequence[Exposure], *, now: datetime) -> float:
    """New units a week, over the last weeks or since the first one."""
    if not seen:
        return 0.0
    first_at: dict[str, datetime] = {}
    for one in seen:
        first_at[one.unit] = min(one.entered_at, first_at.get(one.unit, one.entered_at))
    start = max(min(first_at.values()), now - RATE_OVER)
    weeks = max((now - start) / _WEEK, 1.0)
    return sum(1 for at in first_at.values() if at >= start) / weeks


def _means(treated: Sequence[Exposure], held: Sequence[Exposure]) -> Means | None:
    arms = [_per_unit(some) for some in (treated, held)]
    (y, x), (y0, x0) = arms
    if min(len(y), len(y0)) < 2:
        return None
    adjusted = cuped(y, x, y0, x0)
    return Means(
        treated=MeansArm.of(y).mean,
        held_out=MeansArm.of(y0).mean,
        interval=welch(adjusted.one, adjusted.other),
        cut=adjusted.cut,
    )


def _per_unit(some: Iterable[Exposure]) -> tuple[list[float], list[float]]:
    """Per unit, events of the goal per customer: in the window, and before."""
    sums: dict[str, list[int]] = {}
    for one in some:
        if one.is_judged:
            of = sums.setdefault(one.unit, [0, 0, 0])
            of[0] += 1
            of[1] += one.goal_n
            of[2] += one.before_n
    return [n / of for of, n, _ in sums.values()], [before / of for of, _, before in sums.values()]


def _trend(treated: Sequence[Exposure], held: Sequence[Exposure], *, now: datetime) -> tuple[Point, ...]:
    """The effect at the ends of equal spans, from the first closed window to now."""
    closed = [one.closes_at for one in (*treated, *held) if one.is_judged]
    if not closed:
        return ()
    first = min(closed)
    steps = np.linspace(0.0, 1.0, TREND_POINTS)
    moments = [first + (now - first) * float(step) for step in steps] if now > first else [now]
    return tuple(
        Point(
            at,
            sequence(
                _reached(one for one in treated if one.closes_at <= at),
                _reached(one for one in held if one.closes_at <= at),
            ),
        )
        for at in moments
    )


def _together(of_rules: Sequence[Sequence[Exposure]]) -> Interval | None:
    """All goals added, each conversion counted once: α is shared out, so that all parts hold at once."""
    parts = []
    for seen in of_rules:
        treated = _tally((one for one in seen if not one.is_held_out), "is_counted")
        held = _tally((one for one in seen if one.is_held_out), "is_counted")
        interval = sequence(treated, held, alpha=ALPHA / len(of_rules))
        if interval is not None:
            n = treated.people
            parts.append((interval.estimate * n, interval.low * n, interval.high * n))
    if not parts:
        return None
    estimate, low, high = (sum(each) for each in zip(*parts, strict=True))
    return Interval(estimate=estimate, low=low, high=high)

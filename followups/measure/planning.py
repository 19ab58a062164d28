"""How many customers does a comparison need, and how long does it take to meet them?"""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, ceil, sqrt

from followups.measure.proportions import ALPHA, normal_quantile
from followups.measure.sequence import LEAST_UNITS, radius

POWER = 0.8
FAR = 520
"""Weeks beyond which "never, like this" is the honest answer."""


def effect_size(share: float, other: float) -> float:
    """Cohen's h: the distance of two shares on the arcsine scale, where their variance is the same."""
    return 2 * asin(sqrt(share)) - 2 * asin(sqrt(other))


def sample_size(
    baseline: float, target: float, *, holdout: float = 0.1, alpha: float = ALPHA, power: float = POWER
) -> tuple[int, int]:
    """(treated, held out): the units needed to see `baseline` become `target` at one look.

    Arcsine effect size (Cohen 1988, Statistical Power Analysis, 6.2); with unequal arms
    1/n₁ + 1/n₀ = h² / (z₁₋α⁄₂ + z_power)². Looked at all the time, somewhat more is needed.

    Args:
        holdout: the share that is kept as comparison.

    Raises:
        ValueError: a share is outside 0 to 1, both are the same, or an arm is empty.
    """
    if not (0 <= baseline <= 1 and 0 <= target <= 1 and baseline != target):
        raise ValueError("two different shares from 0 to 1 are needed")
    if not 0 < holdout < 1:
        raise ValueError("both arms need somebody")
    z = normal_quantile(1 - alpha / 2) + normal_quantile(power)
    both = (z / effect_size(target, baseline)) ** 2 / (holdout * (1 - holdout))
    return ceil(both * (1 - holdout)), ceil(both * holdout)


def detectable(
    baseline: float, units: int, *, holdout: float = 0.1, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The smallest rise of the baseline that so many units (both arms) show at one look; None: none."""
    if units <= 0 or not 0 < holdout < 1:
        return None
    z = normal_quantile(1 - alpha / 2) + normal_quantile(power)
    distance = z / sqrt(units * holdout * (1 - holdout))
    low, high = baseline, 1.0
    if effect_size(high, baseline) < distance:
        return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if effect_size(middle, baseline) < distance else (low, middle)
    return high - baseline


def weeks_to_see(
    difference: float, *, units: int, held_units: int, error: float, units_per_week: float
) -> int | None:
    """Weeks until the always-valid interval is narrow enough for this difference to stand out from 0.

    From now on at the observed rate, each arm growing as it did. None: not within ten years, or no rate.

    Args:
        units: of both arms, by now.
        held_units: those of them held out, by now.
        error: the standard error of the difference, by now.
    """
    if units_per_week <= 0 or units <= 0 or difference == 0:
        return None

    def is_seen(weeks: int) -> bool:
        then = units + weeks * units_per_week
        if min(held_units, units - held_units) * then / units < LEAST_UNITS:
            return False
        return radius(error * sqrt(units / then), int(then)) < abs(difference)

    if not is_seen(FAR):
        return None
    low, high = -1, FAR
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_seen(middle) else (middle, high)
    return max(high, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a comparison can be expected to show, before it starts.

    Attributes:
        baseline: the share that reaches the goal without any message.
        per_week: customers (units) who meet the rule's conditions in a week.
        holdout: the share kept as comparison.
        wanted: units in both arms by the rise that is to be seen, in points of share: (treated, held out).
        seen: the smallest rise that shows after so many weeks; None: none.
    """

    baseline: float
    per_week: float
    holdout: float
    wanted: dict[float, tuple[int, int]]
    seen: dict[int, float | None]


def plan(baseline: float, per_week: float, *, holdout: float = 0.1) -> Plan:
    """The plan of one rule: for rises of 2, 5 and 10 points, and after 4, 8, 12 and 26 weeks."""
    rises = [rise for rise in (0.02, 0.05, 0.1) if baseline + rise <= 1]
    return Plan(
        baseline=baseline,
        per_week=per_week,
        holdout=holdout,
        wanted={rise: sample_size(baseline, baseline + rise, holdout=holdout) for rise in rises},
        seen={
            weeks: detectable(baseline, int(per_week * weeks), holdout=holdout) for weeks in (4, 8, 12, 26)
        },
    )

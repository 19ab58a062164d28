"""How sure are a share and the difference of two shares, looked at once?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import hypot, sqrt

from scipy.special import ndtri

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with the values that the observations leave possible."""

    estimate: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Is this value among those left possible?"""
        return self.low <= value <= self.high


@cache
def normal_quantile(share: float) -> float:
    """The point below which this share of a standard normal lies (0 < share < 1)."""
    return float(ndtri(share))


def wilson(successes: int, trials: int, *, alpha: float = ALPHA) -> Interval:
    """A share with its score interval (Wilson 1927, JASA 22, 209).

    Raises:
        ValueError: there is no trial, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} of {trials} is no share")
    z = normal_quantile(1 - alpha / 2)
    share = successes / trials
    middle = (successes + z * z / 2) / (trials + z * z)
    half = z / (trials + z * z) * sqrt(share * (1 - share) * trials + z * z / 4)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == trials else min(1.0, middle + half)
    return Interval(estimate=share, low=low, high=high)


def newcombe(
    successes: int, trials: int, held_successes: int, held_trials: int, *, alpha: float = ALPHA
) -> Interval:
    """The difference of two independent shares, first minus second, for one look at independent customers.

    Method 10 of Newcombe 1998 (Statistics in Medicine 17, 873): the two score intervals, combined.

    Raises:
        ValueError: one of the two is no share.
    """
    one, other = wilson(successes, trials, alpha=alpha), wilson(held_successes, held_trials, alpha=alpha)
    estimate = one.estimate - other.estimate
    return Interval(
        estimate=estimate,
        low=estimate - hypot(one.estimate - one.low, other.high - other.estimate),
        high=estimate + hypot(one.high - one.estimate, other.estimate - other.low),
    )

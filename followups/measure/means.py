"""How sure is the difference of two means, and how much of its noise was there before?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from followups.measure.proportions import ALPHA, Interval

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeansArm:
    """One arm of a comparison of means: units, their mean and variance (n − 1 in its denominator)."""

    n: int
    mean: float
    variance: float

    @staticmethod
    def of(values: Values) -> MeansArm:
        """Summed up from one value a unit.

        Raises:
            ValueError: fewer than two units have no variance.
        """
        given = np.asarray(values, dtype=float)
        if given.size < 2:
            raise ValueError("a mean of fewer than two units has no interval")
        return MeansArm(n=int(given.size), mean=float(given.mean()), variance=float(given.var(ddof=1)))


def welch(one: MeansArm, other: MeansArm, *, alpha: float = ALPHA) -> Interval:
    """The difference of two means, first minus second, for one look (Welch 1947, Biometrika 34, 28)."""
    a, b = one.variance / one.n, other.variance / other.n
    estimate = one.mean - other.mean
    if a + b == 0:
        return Interval(estimate=estimate, low=estimate, high=estimate)
    freedom = (a + b) ** 2 / (a**2 / (one.n - 1) + b**2 / (other.n - 1))
    half = float(stdtrit(freedom, 1 - alpha / 2)) * sqrt(a + b)
    return Interval(estimate=estimate, low=estimate - half, high=estimate + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """Both arms after taking out what was known before. `cut`: the share of variance that it took away."""

    one: MeansArm
    other: MeansArm
    cut: float


def cuped(one: Values, one_before: Values, other: Values, other_before: Values) -> Adjusted:
    """Both arms with the noise removed that their pre-period values explain.

    Y − θ(X − X̄), θ = cov(X, Y) / var(X) pooled over both arms (Deng, Xu, Kohavi, Walker 2013, WSDM). X must
    be from before the assignment had any effect, or the estimate is wrong.

    Raises:
        ValueError: values and pre-period values are not as many, or fewer than two.
    """
    y, y0 = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    x, x0 = np.asarray(one_before, dtype=float), np.asarray(other_before, dtype=float)
    if y.shape != x.shape or y0.shape != x0.shape:
        raise ValueError("each unit needs one value and one pre-period value")
    within_x = np.concatenate([x - x.mean(), x0 - x0.mean()])
    within_y = np.concatenate([y - y.mean(), y0 - y0.mean()])
    spread = float(within_x @ within_x)
    theta = float(within_x @ within_y) / spread if spread > 0 else 0.0
    centre = float(np.concatenate([x, x0]).mean())
    left = within_y - theta * within_x
    noise = float(within_y @ within_y)
    return Adjusted(
        one=MeansArm.of(y - theta * (x - centre)),
        other=MeansArm.of(y0 - theta * (x0 - centre)),
        cut=1 - float(left @ left) / noise if noise > 0 else 0.0,
    )

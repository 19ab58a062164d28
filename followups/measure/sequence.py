"""Which differences do the observations leave possible, however often anybody looks at them?

An asymptotic confidence sequence: with probability 1 − α it holds the truth at every moment at once, so that
a report may be opened every day and a comparison stopped whenever it has said enough. The normal mixture of
Robbins 1970 in the form of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024 ("Time-uniform central limit
theory and asymptotic confidence sequences", Annals of Statistics 52, theorem 2.2), with the standard error of
a difference of ratios over clusters in the place of σ̂/√n. Ratios grow by whole units and, as colleagues
follow each other, within them; that makes neighbouring looks only more alike, which the bound outlasts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log, log1p, sqrt

from followups.measure.proportions import ALPHA, Interval

TIGHTEST_AT = 1_000
"""Units of both arms together at which the interval is narrowest; elsewhere it is little wider."""
LEAST_UNITS = 20
"""Units in each arm before anything is said: the theory is one of many units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One arm, counted by unit (an account, or a customer without one): all that its share and error need.

    Attributes:
        units: how many.
        people: customers judged, over all units.
        reached: those of them who reached the goal.
        people_2, reached_2, both: sums over units of people², reached² and people × reached.
    """

    units: int = 0
    people: int = 0
    reached: int = 0
    people_2: int = 0
    reached_2: int = 0
    both: int = 0

    @property
    def share(self) -> float:
        """Of its people, those who reached the goal; 0 where there is nobody."""
        return self.reached / self.people if self.people else 0.0

    @property
    def crowding(self) -> float:
        """How many times the variance is that of as many independent people; at least 1 (design effect).

        Linearised ratio, variance between units (Cochran 1977, Sampling Techniques, 6.3). Where nobody or
        everybody reached the goal, units are taken to be of one mind.
        """
        if self.units < 2:
            return float(max(self.people, 1))
        share = self.share
        alone = self.people * share * (1 - share)
        if alone <= 0:
            return max(1.0, self.people_2 / self.people) if self.people else 1.0
        between = self.reached_2 - 2 * share * self.both + share * share * self.people_2
        return max(1.0, between / alone * self.units / (self.units - 1))

    @property
    def spread(self) -> float:
        """The variance of one person's outcome, from (reached + 2) of (people + 4): never 0.

        Agresti and Coull 1998 (American Statistician 52, 119).
        """
        careful = (self.reached + 2) / (self.people + 4)
        return careful * (1 - careful)

    @property
    def error(self) -> float:
        """The standard error of `share`."""
        return sqrt(self.spread * self.crowding / max(self.people, 1))

    def __add__(self, other: Tally) -> Tally:
        """Both together; no unit may be in both."""
        return Tally(
            units=self.units + other.units,
            people=self.people + other.people,
            reached=self.reached + other.reached,
            people_2=self.people_2 + other.people_2,
            reached_2=self.reached_2 + other.reached_2,
            both=self.both + other.both,
        )


def tally_of(units: Iterable[tuple[int, int]]) -> Tally:
    """Counted up from (people, those of them who reached the goal), one pair a unit."""
    pairs = list(units)
    return Tally(
        units=len(pairs),
        people=sum(people for people, _ in pairs),
        reached=sum(reached for _, reached in pairs),
        people_2=sum(people * people for people, _ in pairs),
        reached_2=sum(reached * reached for _, reached in pairs),
        both=sum(people * reached for people, reached in pairs),
    )


def error_of(treated: Tally, held_out: Tally) -> float:
    """The standard error of the difference: each arm by its own variance or both by the common one, if more.

    A small holdout that had no goal so far says little about its variance; what both arms had says more.
    """
    common = (treated + held_out).spread
    of_each = of_both = 0.0
    for arm in (treated, held_out):
        weight = arm.crowding / max(arm.people, 1)
        of_each += arm.spread * weight
        of_both += common * weight
    return sqrt(max(of_each, of_both))


def _rho_2(alpha: float) -> float:
    """The mixture's spread, for which the sequence is narrowest at `TIGHTEST_AT` units."""
    wanted = -2 * log(alpha)
    return (wanted + log1p(wanted)) / TIGHTEST_AT


def radius(error: float, units: int, *, alpha: float = ALPHA) -> float:
    """Half the width of the interval, for a standard error that this many units (both arms) brought about."""
    if units <= 0:
        return float("inf")
    grown = units * _rho_2(alpha)
    return error * sqrt((1 + 1 / grown) * (log1p(grown) - 2 * log(alpha)))


def is_enough(treated: Tally, held_out: Tally) -> bool:
    """Are there units enough in both arms to say anything?"""
    return min(treated.units, held_out.units) >= LEAST_UNITS


def sequence(treated: Tally, held_out: Tally, *, alpha: float = ALPHA) -> Interval | None:
    """The difference of the two shares, valid at any time; None: too few units for any statement."""
    if not is_enough(treated, held_out):
        return None
    half = radius(error_of(treated, held_out), treated.units + held_out.units, alpha=alpha)
    estimate = treated.share - held_out.share
    return Interval(estimate=estimate, low=max(-1.0, estimate - half), high=min(1.0, estimate + half))


def always_valid_p(treated: Tally, held_out: Tally) -> float:
    """The smallest α at which the sequence excludes 0: a p value valid at any time, 1 at most."""
    if not is_enough(treated, held_out):
        return 1.0
    grown = (treated.units + held_out.units) * _rho_2(ALPHA)
    difference = treated.share - held_out.share
    z_2 = (difference / error_of(treated, held_out)) ** 2
    return min(1.0, sqrt(1 + grown) * exp(-z_2 * grown / (1 + grown) / 2))

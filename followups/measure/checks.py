"""Is a comparison sound, does a rule do harm, and how many questions were asked at once?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import chdtrc

from followups.measure.proportions import Interval, wilson
from followups.measure.sequence import LEAST_UNITS, Tally, error_of, radius

BROKEN_BELOW = 0.001
"""A split this unlikely is not chance: something is wrong with the assignment or with what was recorded."""
HARM_LIMIT = 0.003
"""Opt-outs or blocks that a rule may add per customer before it is to be stopped."""
_FEW = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Are the arms as large as they should be? `p`: how likely a split this uneven is by chance."""

    p: float

    @property
    def is_broken(self) -> bool:
        """Then no effect is shown: those who are missing are not missing by chance."""
        return self.p < BROKEN_BELOW


def sample_ratio(treated: int, held_out: int, *, share: float) -> SampleRatio:
    """Judge the split of units into two arms: χ² with one degree of freedom, exact where few are expected.

    Args:
        share: of the units, those that the assignment holds out (0 to 1).
    """
    total = treated + held_out
    if total == 0:
        return SampleRatio(p=1.0)
    if share <= 0 or share >= 1:
        return SampleRatio(p=1.0 if (held_out if share <= 0 else treated) == 0 else 0.0)
    if total * min(share, 1 - share) < _FEW:
        from scipy.stats import binomtest  # takes a second to import, and is seldom asked

        return SampleRatio(p=float(binomtest(held_out, total, share).pvalue))
    return _by_chi_2([treated, held_out], [1 - share, share])


def sample_ratio_of_many(counts: Sequence[int]) -> SampleRatio:
    """Judge an equal split of units into variants."""
    if len(counts) < 2 or sum(counts) / len(counts) < _FEW:
        return SampleRatio(p=1.0)
    return _by_chi_2(counts, [1 / len(counts)] * len(counts))


def _by_chi_2(counts: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    total = sum(counts)
    distance = sum(
        (count - total * share) ** 2 / (total * share) for count, share in zip(counts, shares, strict=True)
    )
    return SampleRatio(p=float(chdtrc(len(counts) - 1, distance)))


class GuardrailState(StrEnum):
    """`stop`: surely more than the limit. `watch`: more than the limit so far, not surely. `ok`: neither."""

    OK = "ok"
    WATCH = "watch"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrail:
    """How many customers a rule (or a variant) drove away.

    Attributes:
        rate: of the customers who were written to, with its interval for one look; None: nobody was.
        added: against the held out, with an interval valid at any time; None: no comparison yet.
    """

    state: GuardrailState
    rate: Interval | None
    added: Interval | None


def guardrail(treated: Tally, held_out: Tally, *, limit: float = HARM_LIMIT) -> Guardrail:
    """Does it add more than `limit` to what happens anyway? One-sided at 5 %, valid at any time.

    Without held-out customers the limit is compared with the rate itself. `reached` of the tallies counts the
    customers who opted out or blocked.
    """
    rate = wilson(treated.reached, treated.people) if treated.people else None
    if rate is None:
        return Guardrail(state=GuardrailState.OK, rate=None, added=None)
    added = None
    if min(treated.units, held_out.units) >= LEAST_UNITS:
        error = error_of(treated, held_out)
        # Twice α for a one-sided bound: the mixture is symmetric.
        half = radius(error, treated.units + held_out.units, alpha=0.1)
        estimate = treated.share - held_out.share
        added = Interval(estimate=estimate, low=max(-1.0, estimate - half), high=min(1.0, estimate + half))
    elif treated.units >= LEAST_UNITS and held_out.units == 0:
        half = radius(treated.error, treated.units, alpha=0.1)
        added = Interval(
            estimate=treated.share,
            low=max(0.0, treated.share - half),
            high=min(1.0, treated.share + half),
        )
    if added is not None and added.low > limit:
        state = GuardrailState.STOP
    elif added is not None and added.estimate > limit:
        state = GuardrailState.WATCH
    else:
        state = GuardrailState.OK
    return Guardrail(state=state, rate=rate, added=added)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """The p values as they count when all are asked together (Holm 1979, Scand. J. Statistics 6, 65)."""
    ordered = sorted(p_values.items(), key=lambda pair: (pair[1], pair[0]))
    adjusted: dict[str, float] = {}
    least = 0.0
    for position, (name, p) in enumerate(ordered):
        least = max(least, min(1.0, p * (len(ordered) - position)))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}

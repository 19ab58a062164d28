"""Do the leads that people closed teach a better score than the points, and what does it say?

A logistic regression of won or not on what made up the score when the lead opened. Trained and judged by
time only: on the earlier four fifths, against the points on the last fifth, both as chances, by their mean
squared error. It is used while it is better there, and while there is enough to learn from; otherwise it says
why not, and the points stand alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import exp
from typing import Any

import numpy as np

from followups.facts import Facts
from followups.predict.judging import Judgement, Numbers, judge
from followups.rules.checks import Text
from followups.standing.scoring import Scoring, contributions, score

FEWEST, FEWEST_WON = 200, 40
"""Closed leads, and won ones among them, below which nothing is learned."""
SURELY = 1.645
"""Standard errors by which it must be better: noise passes one time in twenty."""
MOST_FEATURES = 15
JUDGED = 0.2
"""The share of the latest leads that only judge."""


class NotInstalled(RuntimeError):
    """scikit-learn is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A lead that people closed: what was known when it opened, and whether it was won."""

    opened_at: datetime
    features: Mapping[str, float]
    points: float
    is_won: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedScore:
    """A logistic regression as plain numbers, one of each per feature."""

    names: tuple[str, ...]
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def chance(self, features: Mapping[str, float]) -> float:
        """The chance of being won, from 0 to 1; a feature that is missing counts as the usual one."""
        value = self.intercept
        for name, center, scale, weight in zip(
            self.names, self.centers, self.scales, self.weights, strict=True
        ):
            value += weight * (features.get(name, center) - center) / scale
        return 1 / (1 + exp(-min(50.0, max(-50.0, value))))

    def as_plain(self) -> dict[str, Any]:
        """Fit for JSON; `of_plain` reads it back."""
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> LearnedScore:
        """Read it back.

        Raises:
            KeyError, TypeError, ValueError: for anything `as_plain` did not write.
        """
        lists = {name: tuple(map(float, plain[name])) for name in ("centers", "scales", "weights")}
        return cls(names=tuple(map(str, plain["names"])), intercept=float(plain["intercept"]), **lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of learning.

    Attributes:
        learned: to be used; None: the points stand alone.
        because: why, for people.
        by_learning, by_points: both judged on the last fifth; None: nothing was learned.
    """

    learned: LearnedScore | None
    because: Text
    leads: int
    won: int
    by_learning: Judgement | None = None
    by_points: Judgement | None = None


def features_of(facts: Facts, scoring: Scoring, *, now: datetime) -> dict[str, float]:
    """What a lead is learned from: fit, intent, and the intent by kind of event, those with most points.

    Our own signals (clicks, replies) are left out: their past cannot be looked up for leads of long ago.
    """
    theirs = replace(scoring, pointed=tuple(each for each in scoring.pointed if not each.key.startswith("$")))
    found = score(facts, theirs, now=now)
    by_kind = contributions(facts, theirs, now=now)
    ranked = sorted(theirs.pointed, key=lambda each: (-each.points, each.key))[: MOST_FEATURES - 2]
    return {
        "fit": found.fit,
        "intent": found.intent,
        **{f"points:{each.key}": by_kind.get(each.key, 0.0) for each in ranked},
    }


def learn(closed: Sequence[Closed]) -> Trial:
    """Learn from closed leads, and judge it against the points.

    Raises:
        NotInstalled: scikit-learn is missing; installing the extra `learned` brings it.
    """
    ordered = sorted(closed, key=lambda each: each.opened_at)
    won = sum(each.is_won for each in ordered)
    if len(ordered) < FEWEST or won < FEWEST_WON:
        because = Text(
            ja=f"学ぶには足りない（案件{len(ordered)}/{FEWEST}件、うち成約{won}/{FEWEST_WON}件）。点数を使う",
            en=f"too few to learn from ({len(ordered)} of {FEWEST} leads, {won} of {FEWEST_WON} won):"
            " points are used",
        )
        return Trial(learned=None, because=because, leads=len(ordered), won=won)
    split = int(len(ordered) * (1 - JUDGED))
    earlier, later = ordered[:split], ordered[split:]
    came = np.asarray([each.is_won for each in later])
    if len({each.is_won for each in earlier}) < 2:
        because = Text(
            ja="古い案件の結果が一通りしかない。点数を使う",
            en="earlier leads ended all alike: points are used",
        )
        return Trial(learned=None, because=because, leads=len(ordered), won=won)
    learned_chances = _chances(_fit(earlier), later)
    plain = _fit([_by_points(each) for each in earlier])
    plain_chances = _chances(plain, [_by_points(each) for each in later])
    by_learning, by_points = judge(learned_chances, came), judge(plain_chances, came)
    gained = (plain_chances - came) ** 2 - (learned_chances - came) ** 2
    clearly = SURELY * float(np.std(gained)) / len(later) ** 0.5
    is_better = float(np.mean(gained)) > clearly and by_learning.brier < by_learning.base_brier
    figures = f"{by_learning.brier:.4f} / {by_points.brier:.4f}"
    because = (
        Text(
            ja=f"最近の{len(later)}件で点数より良い（Brier {figures}）。学習した見込みを使う",
            en=f"better than the points on the latest {len(later)} leads (Brier {figures}): used",
        )
        if is_better
        else Text(
            ja=f"最近の{len(later)}件で点数より良くない（Brier {figures}）。点数を使う",
            en=f"no better than the points on the latest {len(later)} leads (Brier {figures}):"
            " points are used",
        )
    )
    return Trial(
        learned=_fit(ordered) if is_better else None,
        because=because,
        leads=len(ordered),
        won=won,
        by_learning=by_learning,
        by_points=by_points,
    )


def _by_points(each: Closed) -> Closed:
    return Closed(
        opened_at=each.opened_at, features={"points": each.points}, points=each.points, is_won=each.is_won
    )


def _chances(model: LearnedScore, leads: Sequence[Closed]) -> Numbers:
    return np.asarray([model.chance(each.features) for each in leads])


def _fit(leads: Sequence[Closed]) -> LearnedScore:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise NotInstalled("scikit-learn is not installed (pip install 'yorisoi[learned]')") from None
    names = tuple(sorted({name for each in leads for name in each.features}))
    table = np.asarray([[each.features.get(name, 0.0) for name in names] for each in leads])
    centers, scales = table.mean(axis=0), table.std(axis=0)
    scales[scales == 0] = 1.0
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit((table - centers) / scales, [each.is_won for each in leads])
    return LearnedScore(
        names=names,
        centers=tuple(map(float, centers)),
        scales=tuple(map(float, scales)),
        weights=tuple(map(float, model.coef_[0])),
        intercept=float(model.intercept_[0]),
    )

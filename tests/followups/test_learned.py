"""Is a learned score used only while it is better than the points on the latest leads?"""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest

from followups.predict.learned import FEWEST, Closed, LearnedScore, features_of, learn
from followups.signals import fold_all
from followups.standing.scoring import Pointed, Scoring
from tests.followups.build import NOW, ago, reachable

pytest.importorskip("sklearn")
DAY = timedelta(days=1)


def leads(number: int, *, does_usage_tell: bool, seed: int = 1) -> list[Closed]:
    """Leads that are won by how much the product is used, or by luck; points say nothing of it."""
    rng = random.Random(seed)
    made = []
    for n in range(number):
        usage, points = rng.uniform(0, 30), rng.uniform(60, 100)
        chance = usage / 30 if does_usage_tell else 0.4
        features = {"intent": points, "points:report_viewed": usage}
        made.append(
            Closed(
                opened_at=ago(days=number - n), features=features, points=points, is_won=rng.random() < chance
            )
        )
    return made


def test_what_tells_more_than_the_points_is_used() -> None:
    trial = learn(leads(600, does_usage_tell=True))
    assert trial.learned is not None
    assert trial.by_learning is not None
    assert trial.by_points is not None
    assert trial.by_learning.brier < trial.by_points.brier
    low, high = ({"intent": 80.0, "points:report_viewed": usage} for usage in (2.0, 28.0))
    assert trial.learned.chance(low) < 0.3 < 0.7 < trial.learned.chance(high)


def test_what_tells_nothing_is_seldom_used_and_says_so() -> None:
    trials = [learn(leads(400, does_usage_tell=False, seed=seed)) for seed in range(20)]
    assert sum(trial.learned is not None for trial in trials) <= 2
    assert any("points are used" in trial.because.en for trial in trials)


def test_with_few_leads_or_few_won_nothing_is_learned() -> None:
    assert learn(leads(FEWEST - 1, does_usage_tell=True)).learned is None
    lost = [
        Closed(opened_at=each.opened_at, features=each.features, points=each.points, is_won=n < 39)
        for n, each in enumerate(leads(400, does_usage_tell=True))
    ]
    trial = learn(lost)
    assert (trial.learned, trial.won, trial.by_learning) == (None, 39, None)
    assert "39/40" in trial.because.ja


def test_it_is_kept_as_plain_numbers() -> None:
    trial = learn(leads(600, does_usage_tell=True))
    assert trial.learned is not None
    read = LearnedScore.of_plain(json.loads(json.dumps(trial.learned.as_plain())))
    assert read == trial.learned
    assert read.chance({}) == pytest.approx(trial.learned.chance({}))


def test_features_are_what_the_score_is_made_of() -> None:
    signal = fold_all("login", [NOW, ago(days=7)], depth=10)
    assert signal is not None
    scoring = Scoring(
        pointed=(
            Pointed(key="login", points=10, half_life=7 * DAY),
            Pointed(key="$clicked", points=50, half_life=7 * DAY),
        )
    )
    found = features_of(reachable(signals={"login": signal, "$clicked": signal}), scoring, now=NOW)
    assert found == {"fit": 100, "intent": 15, "points:login": 15}

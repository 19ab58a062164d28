"""Do the closed forms agree with an independent implementation and with numbers known from elsewhere?"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from followups.measure import (
    MeansArm,
    cuped,
    detectable,
    holm,
    newcombe,
    plan,
    sample_ratio,
    sample_ratio_of_many,
    sample_size,
    welch,
    wilson,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.power import NormalIndPower
    from statsmodels.stats.proportion import (
        confint_proportions_2indep,
        proportion_confint,
        proportion_effectsize,
    )
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

HILLSTROM = {"mens": (21_307, 3_894, 267), "womens": (21_387, 3_238, 189), "none": (21_306, 2_262, 122)}
"""A real e-mail trial (2008), counted: customers, visits, conversions by arm."""


@pytest.mark.parametrize(("successes", "trials"), [(0, 7), (1, 7), (7, 7), (122, 21_306), (55, 100)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_wilson_is_that_of_statsmodels(successes: int, trials: int, alpha: float):
    ours = wilson(successes, trials, alpha=alpha)
    assert (ours.low, ours.high) == pytest.approx(
        proportion_confint(successes, trials, alpha=alpha, method="wilson"), abs=1e-9
    )


@pytest.mark.parametrize(
    "counts", [(56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 0, 29), (3894, 21307, 2262, 21306), (1, 900, 2, 100)]
)
def test_newcombe_is_that_of_statsmodels(counts: tuple[int, int, int, int]):
    ours = newcombe(*counts)
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


def test_newcombe_is_that_of_the_paper():
    """Newcombe 1998, table II, method 10: 56/70 against 48/80."""
    interval = newcombe(56, 70, 48, 80)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.0524, 0.3339)


@pytest.mark.parametrize(
    ("arm", "outcome", "said"),
    [
        ("mens", 1, (7.66, 7.00, 8.32)),
        ("womens", 1, (4.52, 3.89, 5.16)),
        ("mens", 2, (0.681, 0.501, 0.864)),
        ("womens", 2, (0.311, 0.150, 0.475)),
    ],
)
def test_a_real_trial_gives_the_known_effects(arm: str, outcome: int, said: tuple[float, float, float]):
    one, none = HILLSTROM[arm], HILLSTROM["none"]
    interval = newcombe(one[outcome], one[0], none[outcome], none[0])
    places = 3 if outcome == 2 else 2
    shown = tuple(round(each * 100, places) for each in (interval.estimate, interval.low, interval.high))
    assert shown == said


def test_a_real_trials_spending_gives_the_known_effects():
    mens = MeansArm(n=21_307, mean=1.4226, variance=17.7542**2)
    none = MeansArm(n=21_306, mean=0.6528, variance=11.5882**2)
    interval = welch(mens, none)
    assert [round(each, 3) for each in (interval.estimate, interval.low, interval.high)] == [
        0.770,
        0.485,
        1.054,
    ]


def test_welch_is_that_of_statsmodels():
    rng = np.random.default_rng(4)
    for n, m in ((5, 9), (40, 400), (2, 2)):
        one, other = rng.normal(3, 4, n), rng.normal(1, 1, m)
        interval = welch(MeansArm.of(one), MeansArm.of(other))
        said = CompareMeans(DescrStatsW(one), DescrStatsW(other)).tconfint_diff(usevar="unequal")
        assert (interval.low, interval.high) == pytest.approx(said, abs=1e-9)


def test_cuped_is_a_regression_on_what_was_before():
    """Within arms, its residuals are those of least squares; and it takes away what was before, no more."""
    rng = np.random.default_rng(5)
    x, x0 = rng.gamma(2, 3, 600), rng.gamma(2, 3, 300)
    y, y0 = x + 0.5 + rng.normal(0, 1, 600), x0 + rng.normal(0, 1, 300)
    adjusted = cuped(y, x, y0, x0)
    arm = np.r_[np.ones(600), np.zeros(300)]
    design = np.column_stack([np.ones(900), arm, np.r_[x, x0]])
    slopes = np.linalg.lstsq(design, np.r_[y, y0], rcond=None)[0]
    assert adjusted.one.mean - adjusted.other.mean == pytest.approx(slopes[1], abs=1e-9)
    assert adjusted.cut == pytest.approx(1 - 1 / (1 + x.var()), abs=0.05)
    raw = welch(MeansArm.of(y), MeansArm.of(y0))
    less = welch(adjusted.one, adjusted.other)
    assert less.high - less.low < 0.4 * (raw.high - raw.low)


def test_cuped_without_anything_before_changes_nothing():
    y, y0 = [1.0, 2.0, 4.0], [0.0, 1.0]
    adjusted = cuped(y, [0.0] * 3, y0, [0.0] * 2)
    assert (adjusted.one, adjusted.other, adjusted.cut) == (MeansArm.of(y), MeansArm.of(y0), 0.0)
    with pytest.raises(ValueError, match="pre-period"):
        cuped(y, [0.0], y0, [0.0] * 2)


def test_holm_is_that_of_statsmodels():
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005, "e": 0.9, "f": 0.03}
    said = multipletests(list(p.values()), method="holm")[1]
    assert list(holm(p).values()) == pytest.approx(list(said), abs=1e-9)
    assert holm({}) == {}


@pytest.mark.parametrize(
    ("baseline", "target", "even", "uneven"),
    [
        (0.02, 0.03, 3_789, (18_942, 2_105)),
        (0.05, 0.07, 2_199, (10_993, 1_222)),
        (0.10, 0.13, 1_769, (8_841, 983)),
        (0.20, 0.25, 1_092, (5_460, 607)),
    ],
)
def test_sample_sizes_are_the_known_ones(baseline: float, target: float, even: int, uneven: tuple[int, int]):
    assert sample_size(baseline, target, holdout=0.5) == (even, even)
    assert sample_size(baseline, target, holdout=0.1) == uneven


def test_sample_sizes_are_those_of_statsmodels():
    size = proportion_effectsize(0.13, 0.10)
    exact = NormalIndPower().solve_power(size, alpha=0.025, power=0.8, ratio=9, alternative="larger")
    treated, held = sample_size(0.10, 0.13, holdout=0.1)
    assert (held - 1, treated - 9) < (exact, exact * 9)
    assert (held, treated) >= (exact, exact * 9)


def test_what_a_sample_size_was_made_for_is_what_it_detects():
    treated, held = sample_size(0.1, 0.13, holdout=0.2)
    assert detectable(0.1, treated + held, holdout=0.2) == pytest.approx(0.03, abs=1e-5)
    assert detectable(0.9, 10) is None
    assert detectable(0.9, 0) is None


def test_a_plan_says_what_shows_after_how_many_weeks():
    made = plan(0.1, 100.0, holdout=0.5)
    seen = [made.seen[weeks] for weeks in (4, 8, 12, 26)]
    assert all(one is not None for one in seen)
    assert seen == sorted(seen, key=lambda one: -(one or 0))
    assert list(made.wanted) == [0.02, 0.05, 0.1]


def test_impossible_questions_are_refused():
    for wrong in (lambda: sample_size(0.1, 0.1), lambda: sample_size(0.1, 1.1), lambda: wilson(3, 2)):
        with pytest.raises(ValueError, match=r"share|shares"):
            wrong()
    with pytest.raises(ValueError, match="arms"):
        sample_size(0.1, 0.2, holdout=0.0)


def test_a_broken_split_is_told_from_chance():
    assert not sample_ratio(21_307 + 21_387, 21_306, share=1 / 3).is_broken
    assert sample_ratio(9_000, 800, share=0.1).is_broken
    assert not sample_ratio(900, 90, share=0.1).is_broken
    assert sample_ratio(100, 0, share=0.5).is_broken
    assert not sample_ratio(18, 0, share=0.1).is_broken  # by chance in 15 of 100
    assert sample_ratio(5, 3, share=0.0).is_broken
    assert not sample_ratio(0, 0, share=0.1).is_broken
    assert sample_ratio_of_many([500, 500, 640]).is_broken
    assert not sample_ratio_of_many([500, 520, 490]).is_broken
    assert sample_ratio(21_307 + 21_387, 21_306, share=1 / 3).p == pytest.approx(0.819, abs=0.001)

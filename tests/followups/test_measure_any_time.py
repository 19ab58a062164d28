"""Does the interval hold however often it is looked at, and does the verdict claim no more than that?"""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
import pytest

from followups.measure import (
    Effect,
    EffectState,
    GuardrailState,
    SampleRatio,
    Tally,
    always_valid_p,
    effect_of,
    guardrail,
    radius,
    sequence,
    shrunk,
    tally_of,
    weeks_to_see,
)
from followups.measure.sequence import LEAST_UNITS, error_of
from followups.measure.wording import effect_said, guardrail_said
from followups.rules.conditions import Text

EVEN = SampleRatio(p=1.0)
_NARROWEST = 2.9
"""No interval is narrower than so many standard errors: looks inside need not be computed one by one."""


def people(n: int, reached: int) -> Tally:
    """Independent customers."""
    return Tally(units=n, people=n, reached=reached, people_2=n, reached_2=reached, both=reached)


def missed(p: float, held_p: float, holdout: float, *, looks: int, step: int, runs: int, seed: int) -> float:
    """Of so many comparisons, the share that excluded the truth at any look; both arms grow between looks."""
    rng = np.random.default_rng(seed)
    reached, n = np.zeros((2, runs), int), np.zeros((2, runs), int)
    out = np.zeros(runs, bool)
    for _ in range(looks):
        held = rng.binomial(step, holdout, runs)
        n += np.stack([step - held, held])
        reached += np.stack([rng.binomial(step - held, p), rng.binomial(held, held_p)])
        careful = (reached + 2) / (n + 4)
        error = np.sqrt((careful * (1 - careful) / np.maximum(n, 1)).sum(axis=0))
        shares = reached / np.maximum(n, 1)
        far = np.abs(shares[0] - shares[1] - (p - held_p)) > _NARROWEST * error
        for run in np.flatnonzero(far & ~out):
            interval = sequence(
                people(int(n[0, run]), int(reached[0, run])), people(int(n[1, run]), int(reached[1, run]))
            )
            out[run] = interval is not None and not interval.holds(p - held_p)
    return float(out.mean())


def test_no_interval_is_narrower_than_the_shortcut_of_these_tests_takes():
    assert min(radius(1.0, units) for units in range(1, 200_000, 7)) > _NARROWEST


@pytest.mark.parametrize(("p", "holdout"), [(0.1, 0.1), (0.3, 0.5), (0.02, 0.2)])
def test_two_equal_arms_looked_at_a_hundred_times_are_seldom_called_different(p: float, holdout: float):
    assert missed(p, p, holdout, looks=100, step=50, runs=10_000, seed=1) <= 0.05


@pytest.mark.parametrize(
    ("p", "held_p", "holdout"),
    [(0.30, 0.20, 0.1), (0.13, 0.10, 0.5), (0.02, 0.10, 0.2), (0.95, 0.90, 0.1), (0.03, 0.02, 0.5)],
)
def test_a_known_effect_is_inside_at_every_look(p: float, held_p: float, holdout: float):
    assert missed(p, held_p, holdout, looks=40, step=100, runs=2_000, seed=2) <= 0.05


def test_colleagues_who_follow_each_other_bring_no_false_wins():
    """Accounts of 1 to 12 people with a share of their own; ignoring that would call many A/A different."""
    runs, units, looks = 400, 600, 20
    rng = np.random.default_rng(3)
    wrong = careless = 0
    for _ in range(runs):
        size = rng.integers(1, 13, units)
        held = rng.random(units) < 0.3
        reached = rng.binomial(size, rng.beta(0.5, 1.5, units))
        columns = np.stack([np.ones(units, int), size, reached, size**2, reached**2, size * reached])
        arms = [np.cumsum(columns * mask, axis=1) for mask in (~held, held)]
        is_wrong = is_careless = False
        for at in np.linspace(60, units - 1, looks).astype(int):
            treated, held_out = (
                Tally(**dict(zip(_FIELDS, map(int, arm[:, at]), strict=True))) for arm in arms
            )
            interval = sequence(treated, held_out)
            alone = sequence(*(people(arm.people, arm.reached) for arm in (treated, held_out)))
            is_wrong |= interval is not None and not interval.holds(0.0)
            is_careless |= alone is not None and not alone.holds(0.0)
        wrong += is_wrong
        careless += is_careless
    assert wrong / runs <= 0.05
    assert careless / runs > 0.10  # so this test would notice


_FIELDS = ("units", "people", "reached", "people_2", "reached_2", "both")


def test_tallies_add_up_and_measure_crowding():
    alone = tally_of([(1, 1), (1, 0)] * 50)
    assert alone == people(100, 50)
    assert alone.crowding == pytest.approx(100 / 99)
    together = tally_of([(10, 10), (10, 0)] * 50)
    assert together.crowding == pytest.approx(10 * 100 / 99)
    assert (alone + alone).units == 200
    assert tally_of([(10, 0)] * 30).crowding == 10.0  # all of one mind, for all that is known
    assert Tally().share == 0.0


def test_the_error_is_never_nought_while_little_is_known():
    assert people(20, 0).error > 0.05
    assert error_of(people(900, 90), people(50, 0)) > sqrt(0.1 * 0.9 / 50) * 0.9
    assert radius(1.0, 0) == inf


def test_nothing_is_said_about_few_units():
    few = LEAST_UNITS - 1
    assert sequence(people(1000, 900), people(few, 0)) is None
    assert always_valid_p(people(1000, 900), people(few, 0)) == 1.0
    assert effect_of(people(1000, 900), people(few, 0), ratio=EVEN, units_per_week=10).interval is None


def test_the_p_value_falls_below_five_percent_where_the_interval_leaves_nought():
    for reached in range(100, 200):
        treated, held_out = people(1000, reached), people(500, 50)
        interval = sequence(treated, held_out)
        assert interval is not None
        assert (always_valid_p(treated, held_out) < 0.05) == (not interval.holds(0.0))


@pytest.mark.parametrize(
    ("treated", "held_out", "ratio", "state"),
    [
        (people(5000, 1500), people(5000, 1000), EVEN, EffectState.HELPS),
        (people(5000, 1000), people(5000, 1500), EVEN, EffectState.HARMS),
        (people(500, 110), people(50, 10), EVEN, EffectState.WAITING),
        (people(200_000, 20_000), people(200_000, 20_000), EVEN, EffectState.NOTHING),
        (people(5000, 1500), Tally(), EVEN, EffectState.ALONE),
        (people(5000, 1500), people(5000, 1000), SampleRatio(p=1e-6), EffectState.BROKEN),
        (Tally(), Tally(), EVEN, EffectState.ALONE),
    ],
)
def test_the_verdict(treated: Tally, held_out: Tally, ratio: SampleRatio, state: EffectState):
    effect = effect_of(treated, held_out, ratio=ratio, units_per_week=100)
    assert effect.state is state
    said = effect_said(effect)
    assert said.ja
    assert said.en
    if state is EffectState.BROKEN:
        assert (effect.interval, effect.added, effect.p) == (None, None, 1.0)


def waiting(**more: float) -> Effect:
    return effect_of(people(500, 110), people(50, 10), ratio=EVEN, **{"units_per_week": 100.0, **more})


def test_waiting_says_for_how_long_and_the_wait_is_long_enough():
    effect = waiting(units_per_week=2_000.0)
    assert effect.weeks is not None
    assert f"あと約{effect.weeks}週間" in effect_said(effect).ja
    assert f"about {effect.weeks} more week" in effect_said(effect).en
    grown = 1 + effect.weeks * 2_000 / 550
    then = sequence(
        people(round(500 * grown), round(110 * grown)), people(round(50 * grown), round(10 * grown))
    )
    assert then is not None
    assert not then.holds(0.0)


def test_what_will_not_be_known_within_a_year_is_said_so():
    effect = waiting(units_per_week=1.0)
    assert effect.state is EffectState.WAITING
    assert "within a year" in effect_said(effect).en
    assert weeks_to_see(0.0, units=1, held_units=1, error=1.0, units_per_week=1.0) is None
    assert weeks_to_see(0.1, units=10, held_units=5, error=0.3, units_per_week=0.0) is None


def test_a_guardrail_stops_what_surely_drives_customers_away():
    assert guardrail(people(3000, 120), people(1000, 2)).state is GuardrailState.STOP
    assert guardrail(people(300, 6), people(100, 0)).state is GuardrailState.WATCH
    assert guardrail(people(3000, 6), people(1000, 2)).state is GuardrailState.OK
    assert guardrail(people(3000, 120), Tally()).state is GuardrailState.STOP  # nobody to compare with
    assert guardrail(Tally(), Tally()).rate is None
    stopped = guardrail(people(3000, 120), people(1000, 2))
    said = guardrail_said(stopped, Text(ja="ブロック", en="blocks"))
    assert said is not None
    assert "止める" in said.ja
    assert guardrail_said(guardrail(people(3000, 6), people(1000, 2)), Text(ja="", en="")) is None


def test_what_little_is_known_is_counted_as_little():
    sure = effect_of(people(50_000, 15_000), people(50_000, 10_000), ratio=EVEN, units_per_week=1)
    unsure = effect_of(people(50, 15), people(50, 10), ratio=EVEN, units_per_week=1)
    assert shrunk(sure) == pytest.approx(0.1, abs=0.003)
    assert 0 < shrunk(unsure) < 0.01
    assert shrunk(effect_of(people(50, 15), Tally(), ratio=EVEN, units_per_week=1)) == 0.0

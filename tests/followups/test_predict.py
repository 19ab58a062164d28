"""Do predictions give the published answers, find the truth, and keep to what is allowed?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from followups.facts import Preferences
from followups.predict.buying import BuyingModel, Purchases, TooLittle, fit
from followups.predict.contact import in_goals, risk_of, worth
from followups.predict.hours import best_hour, best_hour_of, everybodys_hours, usual_hours
from followups.predict.judging import auc, judge
from followups.predict.products import AGAIN, POPULAR, SIMILAR, learn_products, next_products
from followups.rules.model import Hours, Policy
from followups.signals import fold_all
from tests.followups.build import NOW, ago, reachable

TOKYO = ZoneInfo("Asia/Tokyo")
DAY = timedelta(days=1)
PUBLISHED = BuyingModel(r=0.243, alpha=4.414, a=0.793, b=2.426)


def simulated(model: BuyingModel, customers: int, weeks: float, seed: int) -> Purchases:
    """Customers who buy exactly as the model says, all known for as long."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(model.r, 1 / model.alpha, customers)
    leaving = rng.beta(model.a, model.b, customers)
    again, last = np.zeros(customers), np.zeros(customers)
    for number in range(customers):
        at = rng.exponential(1 / rates[number]) if rates[number] > 0 else np.inf
        while at < weeks:
            again[number] += 1
            last[number] = at
            if rng.random() < leaving[number]:
                break
            at += rng.exponential(1 / rates[number])
    return Purchases(again, last * 7, np.full(customers, weeks * 7))


def test_the_published_example_comes_out_as_published() -> None:
    one = Purchases(np.array([2.0]), np.array([30.43 * 7]), np.array([38.86 * 7]))
    assert PUBLISHED.expected(one, 39 * 7)[0] == pytest.approx(1.226, abs=1e-3)
    assert PUBLISHED.active(one)[0] == pytest.approx(0.7266, abs=1e-4)
    assert PUBLISHED.bought_within(one, 39 * 7)[0] == pytest.approx(0.5546, abs=1e-4)


def test_fitting_finds_the_parameters_that_made_the_purchases() -> None:
    truth = BuyingModel(r=0.9, alpha=6.0, a=0.8, b=3.0)
    found = fit(simulated(truth, 20_000, 60, seed=3))
    assert found.r == pytest.approx(truth.r, rel=0.1)
    assert found.alpha == pytest.approx(truth.alpha, rel=0.1)
    assert found.a / (found.a + found.b) == pytest.approx(truth.a / (truth.a + truth.b), rel=0.1)


def test_the_chances_are_true_where_the_model_is() -> None:
    truth = BuyingModel(r=0.9, alpha=6.0, a=0.8, b=3.0)
    rng = np.random.default_rng(5)
    known = simulated(truth, 20_000, 40, seed=5)
    # Once more with the same customers' future: who is active buys at Gamma(r + x, α + T).
    active = rng.random(len(known)) < truth.active(known)
    rates = rng.gamma(truth.r + known.again, 1 / (truth.alpha + known.known / 7))
    came = active & (rng.random(len(known)) < 1 - np.exp(-rates * 26))
    judged = judge(truth.bought_within(known, 26 * 7), came)
    assert judged.error < 0.01
    assert judged.brier < judged.base_brier
    assert judged.auc is not None
    assert judged.auc > 0.7


def test_too_few_purchases_are_not_fitted() -> None:
    with pytest.raises(TooLittle):
        fit(Purchases.of([[date(2026, 1, 1)]] * 100, date(2026, 6, 1)))


def test_purchases_of_one_day_are_one_and_later_ones_are_not_known_yet() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 8), date(2026, 3, 1)]
    known = Purchases.of([days], date(2026, 2, 1))
    assert (known.again[0], known.last[0], known.known[0]) == (1, 7, 31)


@pytest.mark.parametrize(
    ("chances", "came", "expected"),
    [
        ([0.1, 0.9], [False, True], 1.0),
        ([0.9, 0.1], [False, True], 0.0),
        ([0.5, 0.5, 0.5], [True, False, True], 0.5),
    ],
)
def test_auc_counts_pairs(chances: Sequence[float], came: Sequence[bool], expected: float) -> None:
    assert auc(np.asarray(chances), np.asarray(came)) == expected


def test_without_both_kinds_there_is_no_auc() -> None:
    assert auc(np.asarray([0.2, 0.3]), np.asarray([True, True])) is None


# --- next product -------------------------------------------------------------------------------------------


def habits(seed: int, *, is_loyal: bool) -> dict[object, list[tuple[datetime, str]]]:
    """Customers who buy the same again, or who go through a row of products in order."""
    rng = random.Random(seed)
    pasts: dict[object, list[tuple[datetime, str]]] = {}
    for number in range(300):
        own = rng.randrange(30)
        pasts[number] = [
            (ago(days=120 - 10 * n), f"p{own if is_loyal else (own // 10 * 10 + n) % 30}") for n in range(12)
        ]
    return pasts


def test_what_won_on_the_own_past_is_named_first() -> None:
    loyal = learn_products(habits(1, is_loyal=True), cut=ago(days=60), now=NOW)
    assert loyal.ways[0] == AGAIN
    assert SIMILAR not in loyal.ways
    assert next_products([(ago(days=1), "p9")], loyal)[0] == ("p9", AGAIN)
    in_rows = learn_products(habits(2, is_loyal=False), cut=ago(days=60), now=NOW)
    assert in_rows.hits[AGAIN] < max(in_rows.hits[SIMILAR], in_rows.hits[POPULAR])


def test_with_little_history_nothing_clever_is_used() -> None:
    few = learn_products({1: [(ago(days=1), "tea")], 2: [(ago(days=2), "cup")]}, cut=ago(days=60), now=NOW)
    assert few.ways == (AGAIN, POPULAR)
    assert next_products([(ago(days=9), "pot")], few, leave_out=frozenset({"tea"})) == [
        ("pot", AGAIN),
        ("cup", POPULAR),
    ]


# --- best hour ----------------------------------------------------------------------------------------------


def at_hour(hour: int, number: int) -> list[datetime]:
    return [datetime(2026, 11, 1 + n, hour, 20, tzinfo=TOKYO) for n in range(number)]


def test_many_own_times_decide_and_few_do_not() -> None:
    everybody = everybodys_hours((at, TOKYO) for at in at_hour(12, 20))
    few = best_hour(at_hour(21, 2), zone=TOKYO, everybody=everybody)
    many = best_hour(at_hour(21, 25), zone=TOKYO, everybody=everybody)
    assert few is not None
    assert many is not None
    assert (few.hour, many.hour) == (12, 21)


def test_the_hour_is_inside_what_policy_and_customer_allow() -> None:
    signal = fold_all("login", at_hour(22, 25), depth=50)
    assert signal is not None
    facts = reachable(
        signals={"login": signal}, timezone="Asia/Tokyo", preferences=Preferences(hours=(time(10), time(18)))
    )
    found = best_hour_of(facts, Policy())
    assert found is not None
    assert 10 <= found.hour < 18
    assert (
        best_hour([], zone=TOKYO, everybody=usual_hours(), quiet=[Hours(start=time(0), end=time(23, 59))])
        is None
    )


# --- worth of a contact ---------------------------------------------------------------------------------


def test_a_message_is_worth_its_gain_less_its_cost_and_risk() -> None:
    assert worth(0.02, 0.001, margin=1000, at_stake=5000).expected == pytest.approx(20 - 3 - 5)


def test_a_rule_that_makes_people_block_us_is_worth_less_than_nothing() -> None:
    blocked = risk_of(treated=4000, blocked=200, held_out=500, blocked_held_out=2)
    assert in_goals(0.05, blocked) < 0 < in_goals(0.05, 0.0)


def test_one_early_block_decides_nothing_and_people_block_us_anyway() -> None:
    assert risk_of(treated=1, blocked=1, held_out=0, blocked_held_out=0) < 0.005
    assert risk_of(treated=1000, blocked=10, held_out=100, blocked_held_out=1) == pytest.approx(0)
    assert in_goals(0.05, -0.01) == 0.05

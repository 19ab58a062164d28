"""Is a score the same whenever it is asked for, and does only what happens raise it?"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from followups.decide import decide
from followups.facts import Facts, FollowUp, FollowUpState, Signal
from followups.rules.conditions import HotLead, ScoreIs
from followups.rules.conditions.attributes import AttributeIs
from followups.rules.hot_lead import HOT_LEAD, hot_lead, worth_of
from followups.rules.model import Policy
from followups.rules.parsing import RuleError, load_folder, parse_scoring
from followups.signals import fold_all
from followups.standing.scoring import (
    DEPTH,
    Fitting,
    Pointed,
    Scoring,
    falls_below,
    points_of,
    score,
    was_below,
)
from followups.verdicts import Drop, Escalate, NotDue
from tests.followups.build import NOW, ago, reachable

DAY = timedelta(days=1)
SCORING = Scoring(
    pointed=(
        Pointed(key="pricing_viewed", points=30, half_life=3 * DAY, per_day=2),
        Pointed(key="login", points=5, half_life=14 * DAY, per_day=1),
    ),
    threshold=70,
)
FITTING = Fitting(condition=AttributeIs(attribute="plan", operator="equals", value="trial"), points=30)


def with_events(now: datetime = NOW, /, **times: list[datetime]) -> Facts:
    folded = {
        key: fold_all(key, [at for at in each if at <= now], depth=DEPTH) for key, each in times.items()
    }
    signals: dict[str, Signal] = {key: signal for key, signal in folded.items() if signal is not None}
    return reachable(signals=signals, timezone="Asia/Tokyo")


def test_points_halve_after_each_half_life() -> None:
    facts = with_events(pricing_viewed=[ago(days=6)])
    assert score(facts, SCORING, now=NOW).points == pytest.approx(30 / 4)


def test_of_one_local_day_only_so_many_count() -> None:
    midnight = NOW - timedelta(hours=12)  # in Tokyo
    one_day = with_events(pricing_viewed=[midnight + timedelta(hours=n) for n in range(1, 6)])
    two_days = with_events(pricing_viewed=[midnight + timedelta(hours=n) for n in (-2, -1, 1, 2)])
    assert 55 < score(one_day, SCORING, now=NOW).points <= 60
    assert score(two_days, SCORING, now=NOW).points == 100


def test_the_fit_takes_its_share_of_the_intent() -> None:
    facts = with_events(pricing_viewed=[NOW, NOW])
    found = score(facts, Scoring(pointed=SCORING.pointed, fitting=(FITTING,)), now=NOW)
    assert (found.intent, found.fit, found.points) == (60, 50, 30)
    fitting = reachable(signals=facts.signals, attributes={"plan": "trial"})
    found = score(fitting, Scoring(pointed=SCORING.pointed, fitting=(FITTING,)), now=NOW)
    assert (found.fit, found.points) == (80, 48)


def test_the_reasons_are_the_largest_terms_first_in_both_languages() -> None:
    facts = with_events(pricing_viewed=[ago(days=1), ago(days=1)], login=[NOW])
    (first, points), (second, _) = score(facts, SCORING, now=NOW).reasons
    assert first.ja == "pricing_viewed 2回（最後は1日前）"
    assert first.en == "pricing_viewed 2 times (last 1 day ago)"
    assert points == pytest.approx(60 * 0.5 ** (1 / 3))
    assert second.en == "login 1 time (just now)"


@pytest.mark.parametrize("seed", range(30))
def test_without_events_a_score_only_falls_and_crosses_where_it_says(seed: int) -> None:
    rng = random.Random(seed)
    times = {
        key: [ago(hours=rng.uniform(0, 24 * 12)) for _ in range(rng.randint(0, 9))]
        for key in ("pricing_viewed", "login")
    }
    facts, asked = with_events(**times), rng.uniform(1, 90)
    points = [points_of(facts, SCORING, now=NOW + n * DAY / 3) for n in range(60)]
    assert points == sorted(points, reverse=True)
    at = falls_below(facts, SCORING, asked, now=NOW)
    assert (at is not None) == (points[0] >= asked)
    if at is not None:
        assert points_of(facts, SCORING, now=at) < asked
        assert points_of(facts, SCORING, now=at - timedelta(microseconds=1)) >= asked
        assert ScoreIs(at_least=asked, scoring=SCORING).check(facts, now=NOW).flips_at == at


@pytest.mark.parametrize("seed", range(30))
def test_whether_it_was_below_is_what_looking_at_every_minute_says(seed: int) -> None:
    rng = random.Random(1000 + seed)
    times = [ago(minutes=rng.randrange(1, 3000)) for _ in range(rng.randint(3, 8))]
    since = ago(minutes=rng.randrange(1, 3000))
    facts = with_events(pricing_viewed=times)
    seen = any(
        points_of(with_events(at, pricing_viewed=times), SCORING, now=at) < 40
        for at in (since + n * timedelta(minutes=1) for n in range((NOW - since) // timedelta(minutes=1)))
    )
    seen |= points_of(facts, SCORING, now=NOW) < 40
    assert was_below(facts, SCORING, 40, since=since, now=NOW) == seen


def test_a_score_at_a_past_moment_is_what_it_was_then() -> None:
    times = [ago(days=n / 2) for n in range(1, 30)]
    then = ago(days=5)
    assert points_of(with_events(login=times), SCORING, now=then) == pytest.approx(
        points_of(with_events(then, login=times), SCORING, now=then)
    )


# --- the rule that nobody wrote -----------------------------------------------------------------------------


def verdict_of(facts: Facts, *, now: datetime = NOW) -> object:
    rule = hot_lead(SCORING)
    assert rule is not None
    return decide(facts, [rule], Policy(), now=now).rules[0].verdict


def test_whoever_comes_up_to_the_threshold_becomes_a_lead() -> None:
    assert isinstance(verdict_of(with_events(pricing_viewed=[NOW])), NotDue)
    hot = with_events(pricing_viewed=[NOW, NOW, ago(days=1)])
    assert isinstance(verdict_of(hot), Escalate)
    worth = worth_of(hot, SCORING, HOT_LEAD, "", now=NOW)
    assert worth.points == 83
    assert worth.reason.ja == "点数が83点に: pricing_viewed 3回（最後はたった今） +84"


def test_once_per_episode_however_often_it_is_asked() -> None:
    hot = with_events(pricing_viewed=[NOW, NOW, ago(days=1)])
    entered = FollowUp(
        rule_id=HOT_LEAD,
        rule_version=1,
        occasion=1,
        state=FollowUpState.ENDED,
        entered_at=NOW,
        ended_at=NOW + DAY,
    )
    after = NOW + 1.1 * DAY
    again = reachable(signals=hot.signals, follow_ups={HOT_LEAD: entered}, timezone="Asia/Tokyo")
    still = [NOW, NOW, ago(days=1), after - DAY / 20, after - DAY / 20]
    signals = with_events(after, pricing_viewed=still).signals
    above = reachable(signals=signals, follow_ups={HOT_LEAD: entered}, timezone="Asia/Tokyo")
    assert isinstance(verdict_of(above, now=after), Escalate)  # 66 before these, and so below
    kept = [*still[:3], NOW + DAY / 10, after - DAY / 20]
    signals = with_events(after, pricing_viewed=kept, login=[NOW - n * DAY for n in range(20)]).signals
    never_below = reachable(signals=signals, follow_ups={HOT_LEAD: entered}, timezone="Asia/Tokyo")
    assert isinstance(verdict_of(never_below, now=after), NotDue)
    assert isinstance(verdict_of(again, now=after), NotDue)


def test_a_lead_that_people_closed_does_not_open_again_by_itself() -> None:
    hot = with_events(pricing_viewed=[ago(hours=2), ago(hours=2), ago(days=1)])
    closed = reachable(signals=hot.signals, lead_closed_at=ago(hours=1), timezone="Asia/Tokyo")
    assert isinstance(verdict_of(hot), Escalate)
    assert isinstance(verdict_of(closed), NotDue)


def test_people_who_have_the_customer_are_left_alone() -> None:
    hot = with_events(pricing_viewed=[NOW, NOW, ago(days=1)])
    had = reachable(signals=hot.signals, has_open_lead=True, timezone="Asia/Tokyo")
    assert isinstance(verdict_of(had), Drop)


def test_a_small_share_is_shown_early_and_told_so() -> None:
    early = replace(SCORING, middling=1.0)
    rule = hot_lead(early)
    assert rule is not None
    facts = with_events(pricing_viewed=[NOW, NOW])
    assert isinstance(decide(facts, [rule], Policy(), now=NOW).rules[0].verdict, Escalate)
    assert worth_of(facts, early, HOT_LEAD, "", now=NOW).reason.en.endswith(
        "(shown early, to check the score)"
    )
    assert isinstance(verdict_of(facts), NotDue)
    shown = sum(
        replace(SCORING, middling=0.05).is_middling(replace(facts, customer_id=UUID(int=n)))
        for n in range(4000)
    )
    assert 120 < shown < 280


def test_the_rule_reads_what_has_points() -> None:
    assert {watch.event for watch in HotLead(rule_id="x", scoring=SCORING).watches()} == {
        "pricing_viewed",
        "login",
    }


# --- scoring.yaml -------------------------------------------------------------------------------------------

WRITTEN = """\
events:
  pricing_viewed: {points: 15, half_life: 3d, per_day: 2, label: {ja: 料金の閲覧, en: pricing}}
  login: 3
clicks: {points: 10, half_life: 3d}
replies: 20
quick_replies:
  needs_help: {points: 25}
fit:
  - {attribute: plan, in: [trial], points: 30}
  - {attribute: seats, at_least: 50, points: -20, label: 大きな会社}
fit_start: 40
threshold: 60
"""


def test_a_scoring_is_read_as_written() -> None:
    found = parse_scoring(WRITTEN)
    assert {each.key: (each.points, each.half_life.days) for each in found.pointed} == {
        "pricing_viewed": (15, 3),
        "login": (3, 7),
        "$clicked": (10, 3),
        "$replied": (20, 7),
        "$reacted:needs_help": (25, 7),
    }
    assert (found.fit_start, found.threshold) == (40, 60)
    assert [each.points for each in found.fitting] == [30, -20]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("evnts: {a: 3}", (1, 1), "did you mean “events”"),
        ("events: {a: -3}", (1, 13), "above 0"),
        ("events: {a: {half_life: 3d}}", (1, 13), "“points” is missing"),
        ("events: {a: {points: 3, half_life: 3 days}}", (1, 36), "not a duration"),
        ("events: {a~b: 3}", (1, 10), "not a name"),
        ("threshold: 70", (1, 1), "never reached"),
        ("threshold: 700\nevents: {a: 3}", (1, 12), "from 1 to 100"),
        ("fit: [{attribute: a, equals: 3}]", (1, 7), "“points” is missing"),
        ("fit: [{attribute: a, within: 3d, points: 3}]", (1, 7), "only the value"),
    ],
)
def test_what_is_wrong_with_a_scoring_is_told_at_its_place(
    text: str, place: tuple[int, int], said: str
) -> None:
    with pytest.raises(RuleError) as caught:
        parse_scoring(text)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == place
    assert said in problem.said("en")


RULE = """\
id: x
goal: {event: login, within: 3d}
when: {score: {at_least: 70}}
then: [{escalate: {reason: a}}]
"""


def test_a_rule_that_asks_for_a_score_needs_a_scoring() -> None:
    with pytest.raises(RuleError, match=r"write one in the rule folder"):
        load_folder({"x.yaml": RULE})
    rule_set = load_folder({"x.yaml": RULE, "scoring.yaml": WRITTEN})
    assert rule_set.scoring is not None
    assert rule_set.rules[0].when == ScoreIs(at_least=70, scoring=rule_set.scoring)


def test_a_broken_scoring_is_told_once_and_no_rule_is_blamed() -> None:
    with pytest.raises(RuleError) as caught:
        load_folder({"x.yaml": RULE, "scoring.yaml": "evnts: {}"})
    assert [problem.path for problem in caught.value.problems] == ["scoring.yaml"]

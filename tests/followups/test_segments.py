"""Do segment and stage follow the customer's own rhythm, and change exactly when they say?"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from followups.facts import Facts, Signal
from followups.rules.conditions import SegmentIs, StageIs
from followups.rules.parsing import RuleError, load_folder, parse_policy
from followups.signals import fold_all
from followups.standing.segments import (
    DEPTH,
    SEGMENTS,
    STAGES,
    LifeCycle,
    buying_of,
    living_of,
    segment_of,
    shrunk,
    stage_of,
)
from tests.followups.build import NOW, ago, reachable

DAY = timedelta(days=1)
LIFE = LifeCycle()
WITH_END = LifeCycle(activated="data_connected")


def living(now: datetime = NOW, /, **times: list[datetime]) -> Facts:
    folded = {
        key: fold_all(key, [at for at in each if at <= now], depth=DEPTH) for key, each in times.items()
    }
    signals: dict[str, Signal] = {key: signal for key, signal in folded.items() if signal is not None}
    return reachable(signals=signals, timezone="Asia/Tokyo")


def days(*numbers: float) -> list[datetime]:
    return [ago(days=number) for number in numbers]


@pytest.mark.parametrize(
    ("bought", "segment"),
    [
        ([], "prospect"),
        ([3], "new"),
        ([59], "new"),
        ([60], "at_risk"),
        ([120], "hibernating"),
        ([240], "lost"),
        ([3, 33], "promising"),
        ([3, 10, 17, 24], "loyal"),
        ([3 + 7 * n for n in range(8)], "champions"),
        ([40 + 7 * n for n in range(8)], "at_risk"),  # a week is their gap, drawn towards 30 days to 11
        ([40 + 90 * n for n in range(8)], "champions"),  # three months is
    ],
    ids=str,
)
def test_a_segment_is_told_in_own_gaps(bought: list[float], segment: str) -> None:
    facts = living(order_completed=days(*bought))
    assert segment_of(buying_of(facts, LIFE), now=NOW) == segment


def test_few_own_gaps_are_drawn_towards_the_usual_one() -> None:
    assert shrunk(timedelta(), 0, 30 * DAY) == 30 * DAY
    one, many = shrunk(3 * DAY, 1, 30 * DAY), shrunk(3 * DAY, 100, 30 * DAY)
    assert 16 * DAY < one < 18 * DAY
    assert 3 * DAY < many < 3.3 * DAY


@pytest.mark.parametrize(
    ("signup", "login", "connected", "life", "stage"),
    [
        ([], [], [], LIFE, None),
        ([2], [1], [], LIFE, "new"),
        ([8], [1, 2], [], LIFE, "onboarding"),
        ([31], [1, 2, 3, 4, 5], [], LIFE, "active"),
        ([200], [1], [], WITH_END, "onboarding"),
        ([2], [1], [1.5], WITH_END, "active"),
        ([200], [7.1 + n for n in range(20)], [], LIFE, "at_risk"),  # daily, and a week is more than 3 gaps
        ([200], [7.1 + 7 * n for n in range(20)], [], LIFE, "active"),  # weekly
        ([200], [30 + n for n in range(20)], [], LIFE, "lapsed"),
        ([200], [1, 2, *(60 + n for n in range(20))], [], LIFE, "won_back"),
        ([200], [*(n for n in range(31)), *(60 + n for n in range(20))], [], LIFE, "active"),
        ([], [1], [], LIFE, "new"),  # without an event for joining, the first activity is
    ],
    ids=str,
)
def test_a_stage_is_told_by_the_own_rhythm(
    signup: list[float], login: list[float], connected: list[float], life: LifeCycle, stage: str | None
) -> None:
    facts = living(signup=days(*signup), login=days(*login), data_connected=days(*connected))
    assert stage_of(living_of(facts, life), life, now=NOW) == stage


@pytest.mark.parametrize("seed", range(40))
def test_both_change_by_time_exactly_when_they_say(seed: int) -> None:
    rng = random.Random(seed)
    facts = living(
        signup=days(rng.uniform(0, 90)),
        login=days(*(rng.uniform(0, 60) for _ in range(rng.randint(0, 12)))),
        order_completed=days(*(rng.uniform(0, 300) for _ in range(rng.randint(0, 9)))),
    )
    segments = tuple(rng.sample(SEGMENTS, rng.randint(1, 4)))
    stages = tuple(rng.sample(STAGES, rng.randint(1, 3)))
    for condition in (SegmentIs(names=segments), StageIs(names=stages)):
        check = condition.check(facts, now=NOW)
        end = check.flips_at or NOW + 400 * DAY
        for _ in range(40):
            between = NOW + rng.random() * (end - NOW)
            assert condition.check(facts, now=between).holds == check.holds
        if check.flips_at is not None:
            assert condition.check(facts, now=check.flips_at).holds != check.holds


def test_both_say_why_in_both_languages() -> None:
    facts = living(order_completed=days(40, 47, 54, 61), signup=days(90), login=days(12, 13, 14, 15))
    segment = SegmentIs(names=("at_risk",)).check(facts, now=NOW).because
    assert segment.ja == ("区分は「離反予兆」: 購入4回、最後は40日前、いつもの間隔は14日（条件: 離反予兆）")
    assert segment.en == (
        "segment “at risk”: 4 purchases, last 40 days ago, usually every 14 days (asked: at risk)"
    )
    stage = StageIs(names=("active", "won_back")).check(facts, now=NOW).because
    assert stage.ja == (
        "段階は「離脱予兆」: 開始は90日前、最後の利用は12日前、いつもの間隔は3日（条件: 利用中・復帰）"
    )
    assert stage.en == (
        "stage “at risk”: joined 90 days ago, last active 12 days ago, usually every 3 days"
        " (asked: active or won back)"
    )


# --- as written ---------------------------------------------------------------------------------------------


def rule(when: str) -> dict[str, str]:
    text = f"id: x\ngoal: {{event: login, within: 3d}}\nwhen: {when}\nthen: [{{escalate: {{reason: a}}}}]\n"
    return {"x.yaml": text}


def test_conditions_rest_on_the_life_cycle_of_the_policy() -> None:
    policy = parse_policy(
        "life_cycle: {purchase: paid, activity: [used, seen], activated: set_up, purchase_gap: 14d}"
    )
    when = load_folder(
        rule("{all: [{segment: champions}, {stage: [at_risk, lapsed]}]}"), policy=policy
    ).rules[0]
    watched = {watch.event for watch in when.when.watches()}
    assert watched == {"paid", "used", "seen", "signup", "set_up"}
    assert policy.life_cycle.purchase_gap == 14 * DAY


@pytest.mark.parametrize(
    ("when", "column", "said"),
    [
        ("{segment: champion}", 17, "did you mean “champions”"),
        ("{stage: lost}", 15, "unknown stage “lost”"),
        ("{stage: []}", 15, "the list is empty"),
        ("{segment: {in: [new]}}", 17, "unknown segment"),
        ("{score: 70}", 15, "not a mapping"),
        ("{score: {at_least: 170}}", 26, "from 1 to 100"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(when: str, column: int, said: str) -> None:
    with pytest.raises(RuleError) as caught:
        load_folder(rule(when))
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (3, column)
    assert said in caught.value.problems[0].said("en")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("life_cycle: {purchse: paid}", "did you mean “purchase”"),
        ("life_cycle: {activity: []}", "the list is empty"),
        ("life_cycle: {purchase_gap: often}", "not a duration"),
    ],
)
def test_a_life_cycle_that_is_wrong_is_told(text: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        parse_policy(text)

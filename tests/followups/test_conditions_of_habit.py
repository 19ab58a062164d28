"""What do conditions answer that compare with the own habit, ask for answers, or look at properties?"""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from followups.facts import Facts
from followups.rules.conditions import (
    Answered,
    Condition,
    EventCount,
    EventLast,
    Idle,
    Stalled,
    Threshold,
    Trend,
)
from followups.signals import (
    MAX_RECENT,
    REPLIED,
    Watch,
    clicked_key,
    filtered_key,
    fold_all,
    has_properties,
    reacted_key,
    shown,
    unfiltered,
)
from followups.times.rhythm import KEPT_TIMES, own_gaps, rhythm_of
from tests.followups.build import CUSTOMER, NOW, ago

DAY = timedelta(days=1)


def facts(rhythms=None, depth=MAX_RECENT, **times):
    folded = {key: fold_all(key, each, depth=depth) for key, each in times.items()}
    return Facts(
        customer_id=CUSTOMER,
        external_id=None,
        signals={key: signal for key, signal in folded.items() if signal is not None},
        rhythms=rhythms or {},
    )


def days(*ages):
    return [ago(days=age) for age in ages]


down = Trend(event="a", over=7 * DAY, down_by=0.5, at_least=4)
gone = Trend(event="a", over=7 * DAY, down_by=1.0, at_least=2)
up = Trend(event="a", over=7 * DAY, up_by=1.0, at_least=3)

# condition, ages in days, holds, flips in days
TRENDS = {
    "down: never": (down, [], False, None),
    "down: half": (down, [1, 2, 8, 9, 10, 11], True, 3),
    "down: not by half": (down, [1, 2, 3, 8, 9, 10, 11], False, None),
    "down: two leave and it is enough": (down, [5, 6, 6, 8, 8, 8, 8], False, 1),
    "down: too few before": (down, [8, 9, 10], False, None),
    "down: too few before, so far": (down, [3, 3, 3, 8], False, 4),
    "down: at the moment the window ends": (down, [7, 7, 7, 7], True, 7),
    "down: all the same": (down, [1, 2, 3, 4, 8, 9, 10, 11], False, 4),
    "gone": (gone, [8, 9], True, 5),
    "gone: one is left": (gone, [1, 8, 9], False, None),
    "up: twice as many": (up, [1, 2, 3, 4, 8, 9], True, 3),
    "up: from nothing": (up, [1, 1, 1], True, 6),
    "up: from nothing to little": (up, [1, 1], False, None),
    "up: not twice": (up, [1, 2, 3, 8, 9], False, None),
    "up: slightly ahead counts": (up, [-0.001, 1, 2], True, 5),
}


@pytest.mark.parametrize(("condition", "ages", "holds", "flips"), TRENDS.values(), ids=TRENDS)
def test_trends(condition, ages, holds, flips):
    check = condition.check(facts(a=days(*ages)), now=NOW)
    assert (check.holds, check.flips_at) == (holds, None if flips is None else NOW + flips * DAY)
    assert "条件" in check.because.ja or "一度もない" in check.because.ja
    assert condition.needs_alarm()
    assert condition.watches() == (Watch(event="a", depth=MAX_RECENT),)
    assert condition.thresholds() == ()


def test_a_trend_is_told_with_both_numbers():
    because = down.check(facts(a=days(1, 2, 8, 9, 10, 11)), now=NOW).because
    assert because.ja == "a は直近7日で 2回、その前は 4回（条件: 50%以上減、多い方が4回以上）"
    assert (
        because.en == "a 2 in the last 7 days, 4 in the 7 days before"
        " (asked: down by 50% or more, 4 or more in the larger)"
    )


def test_where_too_few_times_were_kept_no_trend_is_claimed():
    busy = days(*[n / 100 for n in range(700)], *[7 + n / 100 for n in range(700)])
    assert not up.check(facts(a=busy), now=NOW).holds
    assert not up.check(facts(a=busy, depth=3), now=NOW).holds
    assert not down.check(facts(a=busy), now=NOW).holds
    assert down.check(facts(a=[at - 8 * DAY for at in busy]), now=NOW).holds
    assert "以上" in up.check(facts(a=busy), now=NOW).because.ja


idle = Idle(event="a", rhythm=3, shortest=7 * DAY, longest=60 * DAY)
weekly = range(0, 71, 7)
IDLE = {
    "never happened": (idle, {}, [], False, None),
    "every week, 20 days quiet": (idle, {}, [20 + n for n in weekly], False, 1),
    "every week, 21 days quiet": (idle, {}, [21 + n for n in weekly], True, None),
    "daily: not before the shortest": (idle, {}, [6 + n for n in range(20)], False, 1),
    "daily: the shortest": (idle, {}, [7 + n for n in range(20)], True, None),
    "every two months: the longest": (idle, {}, [59 + 60 * n for n in range(4)], False, 1),
    "once, nothing known: the longest": (idle, {}, [59], False, 1),
    "once: everybody's rhythm": (idle, {"a": 4 * DAY}, [11], False, 1),
    "once: everybody's rhythm, over": (idle, {"a": 4 * DAY}, [12], True, None),
    "another event's rhythm": (idle, {"b": 4 * DAY}, [12], False, 48),
}


@pytest.mark.parametrize(("condition", "rhythms", "ages", "holds", "flips"), IDLE.values(), ids=IDLE)
def test_idle(condition, rhythms, ages, holds, flips):
    check = condition.check(facts(rhythms, a=days(*ages)), now=NOW)
    assert (check.holds, check.flips_at) == (holds, None if flips is None else NOW + flips * DAY)
    assert condition.needs_alarm()
    assert condition.thresholds() == (Threshold(key="a", after=7 * DAY),)
    assert condition.watches() == (Watch(event="a", depth=KEPT_TIMES),)


def test_idle_says_the_usual_gap():
    because = idle.check(facts(a=days(*[22 + n for n in weekly])), now=NOW).because
    assert because.ja == "最後の a は 22日前、いつもの間隔は7日（条件: 21日以上）"
    assert because.en == "last a 22 days ago, usual gap 7 days (asked: 21 days or more)"
    assert "みなさんの間隔は4日" in idle.check(facts({"a": 4 * DAY}, a=days(3)), now=NOW).because.ja
    assert "usual gap not known" in idle.check(facts(a=days(3)), now=NOW).because.en


def test_a_visit_of_many_events_is_one_visit():
    visits = [ago(days=7 * week, minutes=minute) for week in range(6) for minute in (0, 1, 5, 200)]
    assert rhythm_of(own_gaps(visits), None) == timedelta(days=6, hours=20, minutes=40)


def test_the_own_rhythm_outweighs_everybodys_from_the_fourth_gap_on():
    everybody = 30 * DAY
    drawn = [rhythm_of([3 * DAY] * gaps, everybody) / DAY for gaps in (0, 1, 3, 4, 30)]
    assert drawn == sorted(drawn, reverse=True)
    assert drawn[0] == 30
    middle = (3 * 30) ** 0.5
    assert drawn[2] == pytest.approx(middle, rel=1e-4)
    assert drawn[3] < middle
    assert drawn[4] == pytest.approx(3, rel=0.3)


clicked = Answered(key=clicked_key("checkin"))
lately = Answered(key=REPLIED, within=7 * DAY)
silent = Answered(key=REPLIED, within=7 * DAY, is_wanted=False)
ANSWERS = {
    "not clicked": (clicked, [], False, None, "checkin のクリックはない", "never clicked checkin"),
    "clicked": (clicked, [90], True, None, "checkin のクリックは 90日前", "clicked checkin 90 days ago"),
    "replied": (
        lately,
        [6],
        True,
        1,
        "返信は 6日前（条件: 直近7日にある）",
        "replied 6 days ago (asked: yes in the last 7 days)",
    ),
    "replied too long ago": (lately, [7], False, None, "返信は 7日前", "replied 7 days ago"),
    "silent": (
        silent,
        [],
        True,
        None,
        "返信はない（条件: 直近7日にない）",
        "never replied (asked: not in the last 7 days)",
    ),
    "not silent": (silent, [6], False, 1, "返信は 6日前", "replied 6 days ago"),
    "silent again": (silent, [7], True, None, "返信は 7日前", "replied 7 days ago"),
    "reacted": (
        Answered(key=reacted_key("busy")),
        [1],
        True,
        None,
        "busy の回答は 1日前",
        "reacted busy 1 day ago",
    ),
}


@pytest.mark.parametrize(("condition", "ages", "holds", "flips", "ja", "en"), ANSWERS.values(), ids=ANSWERS)
def test_answers(condition, ages, holds, flips, ja, en):
    check = condition.check(facts(**{condition.key: days(*ages)}), now=NOW)
    assert (check.holds, check.flips_at) == (holds, None if flips is None else NOW + flips * DAY)
    assert check.because.ja.startswith(ja)
    assert check.because.en.startswith(en)
    assert condition.watches() == (Watch(event=condition.key),)
    within = condition.within
    assert condition.thresholds() == (() if within is None else (Threshold(key=condition.key, after=within),))
    assert not condition.needs_alarm()


FILTERS = {
    "text": ({"plan": "pro"}, 'order?plan="pro"', "order (plan: pro)"),
    "none": ({}, "order", "order"),
    "order does not matter": ({"b": 1, "a": True}, "order?a=true&b=1", "order (a: true, b: 1)"),
    "whole numbers": ({"n": 3.0}, "order?n=3", "order (n: 3)"),
    "fractions": ({"n": 3.5}, "order?n=3.5", "order (n: 3.5)"),
    "a text that looks like a filter": ({"a": 'x"&b=1'}, 'order?a="x\\"&b=1"', 'order (a: x"&b=1)'),
    "an odd name": ({"a=b": "#3"}, 'order?"a=b"="#3"', "order (a=b: #3)"),
    "Japanese": ({"種類": "年額"}, 'order?種類="年額"', "order (種類: 年額)"),
}


@pytest.mark.parametrize(("where", "key", "said"), FILTERS.values(), ids=FILTERS)
def test_a_filtered_event_has_one_key_that_can_be_read_back(where, key, said):
    assert filtered_key("order", where) == key
    assert filtered_key("order", dict(reversed(where.items()))) == key
    assert unfiltered(key) == ("order", tuple(sorted(where.items())))
    watch = Watch(event=key)
    assert (watch.source, watch.where) == unfiltered(key)
    assert shown(key) == said


@pytest.mark.parametrize(
    "name", ["Did you?", "a?b", "a?b=", "a?=1", "a?b=[1]", "a?b=1&", "a?b= 1", "a?b=null", "?"]
)
def test_other_names_with_a_question_mark_are_names(name):
    assert unfiltered(name) == (name, ())


@pytest.mark.parametrize(
    ("properties", "is_meant"),
    [
        ({"plan": 3, "more": "x"}, True),
        ({"plan": 3.0}, True),
        ({"plan": "3"}, False),
        ({"plan": True}, False),
        ({"plan": None}, False),
        ({"plan": [3]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_properties_match_exactly_and_of_one_kind(properties, is_meant):
    assert has_properties(properties, (("plan", 3),)) is is_meant
    assert has_properties({"on": 1}, (("on", True),)) is False


@pytest.mark.parametrize(
    "condition",
    [
        EventLast(event=filtered_key("order", {"plan": "pro"}), more_than=DAY),
        EventCount(event=filtered_key("order", {"plan": "pro"}), at_most=0),
        Stalled(since="a", without=filtered_key("order", {"plan": "pro"}), span=DAY),
        Trend(event=filtered_key("order", {"plan": "pro"}), over=DAY, down_by=0.5),
        Idle(event=filtered_key("order", {"plan": "pro"})),
    ],
    ids=lambda condition: type(condition).__name__,
)
def test_reasons_name_a_filtered_event_as_people_read_it(condition: Condition):
    key = filtered_key("order", {"plan": "pro"})
    for times in ({}, {"a": days(2)}, {key: days(1), "a": days(2)}):
        because = condition.check(facts(**times), now=NOW).because
        assert "?" not in because.ja + because.en
    assert "order (plan: pro)" in because.ja
    assert "order (plan: pro)" in because.en


@pytest.mark.parametrize("seed", range(60))
def test_what_time_changes_is_foretold_to_the_moment(seed):
    draw = Random(seed)
    span = draw.randint(1, 200) * timedelta(hours=1)
    share = draw.choice([0.01, 0.3, 0.5, 1.0])
    condition = draw.choice(
        [
            Trend(event="a", over=span, down_by=share, at_least=draw.randint(1, 4)),
            Trend(event="a", over=span, up_by=share, at_least=draw.randint(1, 4)),
            Idle(event="a", rhythm=draw.choice([1, 2.5]), shortest=DAY, longest=draw.choice([2, 9]) * DAY),
            Answered(key="a", within=span, is_wanted=draw.random() < 0.5),
        ]
    )
    known = facts(
        {"a": 2 * DAY} if draw.random() < 0.5 else {},
        depth=draw.choice([3, MAX_RECENT]),
        a=[NOW - draw.randint(0, 900) * timedelta(hours=1) for _ in range(draw.randint(1, 14))],
    )
    at, flips = NOW, 0
    while (check := condition.check(known, now=at)).flips_at is not None:
        assert check.flips_at > at
        step = (check.flips_at - at) / 7
        assert all(condition.check(known, now=at + n * step).holds == check.holds for n in range(1, 7))
        before = condition.check(known, now=check.flips_at - timedelta(microseconds=1))
        assert before.holds == check.holds != condition.check(known, now=check.flips_at).holds
        at, flips = check.flips_at, flips + 1
        assert flips < 60
    for later in range(1, 200):
        assert condition.check(known, now=at + later * 5 * DAY).holds == check.holds

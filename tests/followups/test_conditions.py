"""What does each condition answer at its boundary, why, and when next?"""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from followups.facts import Facts, Signal
from followups.rules.conditions import (
    AttributeDate,
    AttributeIs,
    Check,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    LineIs,
    Stalled,
    Text,
    Threshold,
    Used,
    flip_of,
)
from followups.signals import MAX_RECENT, Watch, derived, fold_all, merge
from tests.followups.build import CUSTOMER, NOW, ago, reachable, signals

DAY = timedelta(days=1)
SOON = NOW + timedelta(minutes=2)
"""An event whose sender's clock is a little fast."""


def facts(attributes=None, timezone="Asia/Tokyo", **times):
    return Facts(
        customer_id=CUSTOMER,
        external_id=None,
        attributes=attributes or {},
        timezone=timezone,
        signals=signals(**times),
    )


more, less = EventLast(event="a", more_than=14 * DAY), EventLast(event="a", less_than=14 * DAY)
between = EventLast(event="a", more_than=2 * DAY, less_than=5 * DAY)
first = EventFirst(event="a", less_than=7 * DAY)
twice = EventCount(event="a", at_least=2, within=28 * DAY)
fewer = EventCount(event="a", at_most=2, within=28 * DAY)
ever = EventCount(event="a", at_least=2, at_most=3)
stalled = Stalled(since="a", without="b", span=3 * DAY)
unused = Used(of=("a", "b", "c"), fewer_than=2, within=30 * DAY)
used = Used(of=("a", "b", "c"), at_least=2)

# condition, what happened, holds, flips at
EVENTS = {
    "more_than: never happened": (more, {}, False, None),
    "more_than: just short": (more, {"a": [ago(days=13)]}, False, NOW + DAY),
    "more_than: at the moment": (more, {"a": [ago(days=14)]}, True, None),
    "more_than: the latest counts": (more, {"a": [ago(days=2), ago(days=40)]}, False, NOW + 12 * DAY),
    "more_than: slightly ahead": (more, {"a": [SOON]}, False, SOON + 14 * DAY),
    "less_than: inside": (less, {"a": [ago(days=13)]}, True, NOW + DAY),
    "less_than: at the moment": (less, {"a": [ago(days=14)]}, False, None),
    "less_than: slightly ahead": (less, {"a": [SOON]}, True, SOON + 14 * DAY),
    "between: before": (between, {"a": [ago(days=1)]}, False, NOW + DAY),
    "between: inside": (between, {"a": [ago(days=2)]}, True, NOW + 3 * DAY),
    "between: after": (between, {"a": [ago(days=5)]}, False, None),
    "first: the earliest counts": (first, {"a": [ago(days=1), ago(days=6)]}, True, NOW + DAY),
    "first: over": (first, {"a": [ago(days=1), ago(days=7)]}, False, None),
    "first: never": (first, {}, False, None),
    "count: none": (twice, {}, False, None),
    "count: two": (twice, {"a": [ago(days=1), ago(days=27)]}, True, NOW + DAY),
    "count: one has left": (twice, {"a": [ago(days=1), ago(days=28)]}, False, None),
    "count: duplicates in time": (twice, {"a": [ago(days=1), ago(days=1)]}, True, NOW + 27 * DAY),
    "fewer: none": (fewer, {}, True, None),
    "fewer: three": (fewer, {"a": [ago(days=1), ago(days=2), ago(days=9)]}, False, NOW + 19 * DAY),
    "fewer: the third has left": (fewer, {"a": [ago(days=1), ago(days=2), ago(days=28)]}, True, None),
    "ever: three": (ever, {"a": [ago(days=1)] * 3}, True, None),
    "ever: four": (ever, {"a": [ago(days=1)] * 4}, False, None),
    "never: not yet": (EventNever(event="a"), {}, True, None),
    "never: once": (EventNever(event="a"), {"a": [ago(days=1)]}, False, None),
    "at least once": (EventNever(event="a", is_never=False), {"a": [ago(days=1)]}, True, None),
    "stalled: not begun": (stalled, {"b": [ago(days=1)]}, False, None),
    "stalled: too early": (stalled, {"a": [ago(days=2)]}, False, NOW + DAY),
    "stalled: at the moment": (stalled, {"a": [ago(days=3)]}, True, None),
    "stalled: done": (stalled, {"a": [ago(days=4)], "b": [ago(days=3)]}, False, None),
    "stalled: done at once": (stalled, {"a": [ago(days=4)], "b": [ago(days=4)]}, False, None),
    "stalled: done before": (stalled, {"a": [ago(days=4)], "b": [ago(days=5)]}, True, None),
    "stalled: begun again": (
        stalled,
        {"a": [ago(days=2), ago(days=9)], "b": [ago(days=8)]},
        False,
        NOW + DAY,
    ),
    "used: nothing": (unused, {}, True, None),
    "used: two": (unused, {"a": [ago(days=1)], "b": [ago(days=29)]}, False, NOW + DAY),
    "used: three": (
        unused,
        {"a": [ago(days=1)], "b": [ago(days=9)], "c": [ago(days=29)]},
        False,
        NOW + 21 * DAY,
    ),
    "used: one has left": (unused, {"a": [ago(days=1)], "b": [ago(days=30)]}, True, None),
    "used ever": (used, {"a": [ago(days=99)], "c": [ago(days=400)]}, True, None),
    "used ever: one": (used, {"a": [ago(days=99)]}, False, None),
}


@pytest.mark.parametrize(("condition", "times", "holds", "flips_at"), EVENTS.values(), ids=EVENTS)
def test_events(condition, times, holds, flips_at):
    check = condition.check(facts(**times), now=NOW)
    assert (check.holds, check.flips_at) == (holds, flips_at)
    assert check.because.ja
    assert check.because.en


TODAY = "2026-12-03"
BEGAN = datetime(2026, 12, 2, 15, tzinfo=UTC)
within, passed = AttributeDate(attribute="d", within=30 * DAY), AttributeDate(attribute="d", passed=3 * DAY)
birthday = AttributeDate(attribute="d", is_anniversary=True)

DATES = {
    "within: today": (within, TODAY, True, BEGAN + DAY),
    "within: 31 days ahead": (within, "2027-01-03", False, datetime(2026, 12, 3, 15, tzinfo=UTC)),
    "within: 30 days ahead": (within, "2027-01-02", True, datetime(2027, 1, 2, 15, tzinfo=UTC)),
    "within: over": (within, "2026-12-02", False, None),
    "passed: two days ago": (passed, "2026-12-01", False, datetime(2026, 12, 3, 15, tzinfo=UTC)),
    "passed: three days ago": (passed, "2026-11-30", True, None),
    "passed: ahead": (passed, "2027-01-01", False, datetime(2027, 1, 3, 15, tzinfo=UTC)),
    "anniversary: today": (birthday, "1990-12-03", True, BEGAN + DAY),
    "anniversary: tomorrow": (birthday, "1990-12-04", False, BEGAN + DAY),
    "anniversary: yesterday": (birthday, "1990-12-02", False, datetime(2027, 12, 1, 15, tzinfo=UTC)),
    "anniversary: leap day": (birthday, "1992-02-29", False, datetime(2027, 2, 27, 15, tzinfo=UTC)),
    "not a date": (within, "soon", False, None),
    "a truth": (within, True, False, None),
    "not set": (birthday, None, False, None),
}


@pytest.mark.parametrize(("condition", "value", "holds", "flips_at"), DATES.values(), ids=DATES)
def test_dates(condition, value, holds, flips_at):
    check = condition.check(facts({"d": value}), now=NOW)
    assert (check.holds, check.flips_at) == (holds, flips_at)


def test_a_date_is_the_customers_own_day():
    late = datetime(2026, 12, 3, 16, tzinfo=UTC)  # the 4th in Tokyo, the 3rd in New York
    assert not birthday.check(facts({"d": "1990-12-03"}), now=late).holds
    assert birthday.check(facts({"d": "1990-12-03"}, timezone="America/New_York"), now=late).holds
    assert birthday.check(facts({"d": "1990-12-04"}, timezone=None), now=late).holds


IS = {
    "equals": ("equals", "trial", "trial", True),
    "equals another": ("equals", "trial", "free", False),
    "equals nothing": ("equals", "trial", None, False),
    "numbers are not texts": ("equals", 3, "3", False),
    "3 is 3.0": ("equals", 3, 3.0, True),
    "1 is not true": ("equals", True, 1, False),
    "in": ("in", ("a", "b"), "b", True),
    "not in the list": ("in", ("a", "b"), "c", False),
    "not_in": ("not_in", ("a", "b"), "c", True),
    "not_in, but is": ("not_in", ("a", "b"), "a", False),
    "not_in, not set": ("not_in", ("a", "b"), None, True),
    "at_least": ("at_least", 10, 10, True),
    "at_least, text": ("at_least", 10, "12.5", True),
    "at_least, no number": ("at_least", 10, "many", False),
    "at_least, truth": ("at_least", 0, True, False),
    "at_least, not set": ("at_least", 0, None, False),
    "at_most": ("at_most", 10, 11, False),
    "at_most, not a number": ("at_most", 10, float("nan"), False),
    "exists": ("exists", True, "", True),
    "exists, not set": ("exists", True, None, False),
    "exists not": ("exists", False, None, True),
    "unheard of": ("resembles", "a", "a", False),
}


@pytest.mark.parametrize(("operator", "value", "actual", "holds"), IS.values(), ids=IS)
def test_attributes(operator, value, actual, holds):
    condition = AttributeIs(attribute="x", operator=operator, value=value)
    check = condition.check(facts({"x": actual}), now=NOW)
    assert (check.holds, check.flips_at) == (holds, None)
    assert check.because.ja.startswith("x は")
    assert check.because.en.startswith("x is ")
    assert (condition.thresholds(), condition.watches(), condition.needs_alarm()) == ((), (), False)


def test_being_linked():
    assert LineIs(is_linked=True).check(reachable(), now=NOW).holds
    assert LineIs(is_linked=False).check(facts(), now=NOW).holds
    assert LineIs(is_linked=True).check(facts(), now=NOW).because.ja == "LINE と未連携"
    assert LineIs(is_linked=True).thresholds() == LineIs(is_linked=True).watches() == ()


def group(kind, *members):
    return Group(kind=kind, members=members)


never, always = EventNever(event="x", is_never=False), EventNever(event="x")
in_a_day, in_a_week = EventLast(event="a", more_than=DAY * 2), EventLast(event="a", more_than=DAY * 8)
until_a_day = EventLast(event="a", less_than=DAY * 2)

GROUPS = {
    "all hold": (group("all", always, until_a_day), True, 1),
    "all: wait for the last": (group("all", in_a_day, in_a_week), False, 7),
    "all: one never": (group("all", in_a_day, never), False, None),
    "all: flips back before": (group("all", until_a_day, in_a_week), False, None),
    "any: first of them": (group("any", in_a_day, in_a_week), False, 1),
    "any: held by one for ever": (group("any", always, until_a_day), True, None),
    "any: held for a day": (group("any", never, until_a_day), True, 1),
    "any: handed over": (group("any", until_a_day, in_a_day), True, None),
    "none": (group("none", in_a_day, never), True, 1),
    "none: until over": (group("none", until_a_day), False, 1),
    "nested": (group("all", group("none", until_a_day), group("any", never, always)), False, 1),
}


@pytest.mark.parametrize(("condition", "holds", "days"), GROUPS.values(), ids=GROUPS)
def test_groups(condition, holds, days):
    known = facts(a=[ago(days=1)])
    check = condition.check(known, now=NOW)
    assert check.holds == holds
    assert flip_of(condition, known, check) == (None if days is None else NOW + days * DAY)


def test_a_group_says_which_member_decided():
    known = facts(a=[ago(days=1)])
    assert group("all", always, in_a_day).check(known, now=NOW).because.ja.startswith("最後の a は 1日前")
    assert group("all", always, always).check(known, now=NOW).because.en == "all 2 hold"
    assert group("any", never, never).check(known, now=NOW).because.en == "none of 2 holds"
    assert group("none", never).check(known, now=NOW).because.en == "x never happened"
    assert [part.holds for part in group("any", never, always).check(known, now=NOW).parts] == [False, True]


def test_flips_are_given_early_rather_than_looked_for_without_end():
    class Restless:
        """Names a moment every hour and never changes."""

        def check(self, facts, *, now):
            return Check(holds=True, because=Text(ja="", en=""), flips_at=now + timedelta(hours=1))

    restless = Restless()
    check = restless.check(None, now=NOW)
    assert flip_of(restless, None, check, limit=5) == NOW + timedelta(hours=6)


BECAUSE = {
    "last": (
        more,
        {"a": [ago(days=16)]},
        "最後の a は 16日前（条件: 14日以上）",
        "last a 16 days ago (asked: 14 days or more)",
    ),
    "hours": (
        less,
        {"a": [ago(hours=5)]},
        "最後の a は 5時間前（条件: 14日未満）",
        "last a 5 hours ago (asked: less than 14 days)",
    ),
    "just now": (
        less,
        {"a": [SOON]},
        "最後の a は たった今（条件: 14日未満）",
        "last a just now (asked: less than 14 days)",
    ),
    "count": (
        twice,
        {"a": [ago(days=1)]},
        "a は直近28日で 1回（条件: 2回以上）",
        "a 1 time in the last 28 days (asked: 2 or more)",
    ),
    "count, none": (
        fewer,
        {},
        "a は直近28日で 0回（条件: 2回以下）",
        "a 0 times in the last 28 days (asked: 2 or fewer)",
    ),
    "used": (
        unused,
        {"b": [ago(days=2)]},
        "使っている機能は 3個中 1個 (b)（条件: 2個未満）",
        "1 of 3 features used (b) (asked: fewer than 2)",
    ),
}


@pytest.mark.parametrize(("condition", "times", "ja", "en"), BECAUSE.values(), ids=BECAUSE)
def test_reasons_name_the_value_that_decided(condition, times, ja, en):
    because = condition.check(facts(**times), now=NOW).because
    assert (because.ja, because.en) == (ja, en)


THRESHOLDS = {
    "last": (between, [("a", 2), ("a", 5)], [Watch(event="a")]),
    "first": (first, [("a~first", 7)], [Watch(event="a", is_first_watched=True)]),
    "count at least": (twice, [("a#2", 28)], [Watch(event="a", depth=2, ranks=frozenset({2}))]),
    "count at most": (fewer, [("a#3", 28)], [Watch(event="a", depth=3, ranks=frozenset({3}))]),
    "count at least one": (
        EventCount(event="a", at_least=1, within=DAY),
        [("a", 1)],
        [Watch(event="a", depth=1)],
    ),
    "count ever": (ever, [], [Watch(event="a")]),
    "stalled": (stalled, [("a", 3)], [Watch(event="a"), Watch(event="b")]),
    "used": (unused, [("a", 30), ("b", 30), ("c", 30)], [Watch(event=e) for e in "abc"]),
    "used ever": (used, [], [Watch(event=e) for e in "abc"]),
    "never": (EventNever(event="a"), [], [Watch(event="a")]),
    "within": (within, [("@d", -30), ("@d", 1)], []),
    "passed": (passed, [("@d", 3)], []),
    "anniversary": (birthday, [], []),
    "group": (
        group("all", more, more, less, first),
        [("a", 14), ("a~first", 7)],
        [Watch(event="a")] * 3 + [Watch(event="a", is_first_watched=True)],
    ),
}


@pytest.mark.parametrize(("condition", "thresholds", "watches"), THRESHOLDS.values(), ids=THRESHOLDS)
def test_thresholds_and_watches(condition, thresholds, watches):
    assert condition.thresholds() == tuple(Threshold(key=key, after=days * DAY) for key, days in thresholds)
    assert condition.watches() == tuple(watches)
    assert condition.needs_alarm() == (condition is birthday)
    assert group("any", condition).needs_alarm() == (condition is birthday)


def test_a_time_that_was_not_kept_is_not_guessed():
    times = [ago(days=n) for n in (1, 2, 3, 4)]
    shallow = fold_all("a", times, depth=1)
    known = Facts(customer_id=CUSTOMER, external_id=None, signals={"a": shallow})
    check = fewer.check(known, now=NOW)
    assert (check.holds, check.flips_at) == (False, None)
    assert "記録が足りず不明" in check.because.ja
    row = Signal(key="a#3", count=1, first_at=times[2], last_at=times[2])
    known = Facts(customer_id=CUSTOMER, external_id=None, signals={"a": shallow, "a#3": row})
    assert fewer.check(known, now=NOW).flips_at == times[2] + 28 * DAY
    assert "3回以上" in fewer.check(known, now=NOW).because.ja
    two = fold_all("a", times[:2], depth=0)
    known = Facts(customer_id=CUSTOMER, external_id=None, signals={"a": two})
    assert twice.check(known, now=NOW).flips_at == times[1] + 28 * DAY  # the second of two is the first


def test_watches_of_all_rules_are_kept_as_one():
    watches = merge([*twice.watches(), *fewer.watches(), *first.watches(), *more.watches()])
    assert watches == {"a": Watch(event="a", depth=3, ranks=frozenset({2, 3}), is_first_watched=True)}
    signal = fold_all("a", [ago(days=1), ago(days=2)], depth=3)
    assert signal is not None
    assert [(row.key, row.last_at) for row in derived(signal, watches["a"])] == [
        ("a#2", ago(days=2)),
        ("a~first", ago(days=2)),
    ]
    assert MAX_RECENT == 200


def test_a_text_is_put_into_words_once_and_only_when_it_is_read():
    asked = []

    def say():
        asked.append(1)
        return Text(ja="一度", en="once")

    text = Text.later(say)
    assert asked == []
    assert (text.ja, text.en, text, hash(text)) == ("一度", "once", Text(ja="一度", en="once"), hash(text))
    assert len(asked) == 1
    assert pickle.loads(pickle.dumps(Text.later(say))) == text
    with pytest.raises(AttributeError):
        text.ja = "二度"

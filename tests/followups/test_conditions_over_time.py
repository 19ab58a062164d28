"""Do `flips_at` and `thresholds` find every moment at which time alone changes a condition?"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followups.facts import Facts, Signal
from followups.rules.conditions import (
    Answered,
    AttributeDate,
    AttributeIs,
    Condition,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    Idle,
    LineIs,
    Stalled,
    Trend,
    Used,
    flip_of,
)
from followups.signals import attribute_key, derived, fold_all, merge
from followups.times.zones import attribute_moment, zone_of
from tests.followups.build import CUSTOMER, NOW

HOUR = timedelta(hours=1)
EVENTS = ("login", "signup", "export")
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Cairo", None)

moments = st.integers(min_value=-24 * 45, max_value=12).map(lambda hours: NOW + hours * HOUR)
spans = st.integers(min_value=1, max_value=24 * 30).map(lambda hours: hours * HOUR)
events = st.sampled_from(EVENTS)
counts = st.integers(min_value=1, max_value=4)
dates = st.dates(min_value=date(2025, 1, 1), max_value=date(2028, 3, 2)).map(str)
instants = st.integers(min_value=-24 * 60, max_value=24 * 60).map(lambda h: (NOW + h * HOUR).isoformat())


@st.composite
def since(draw: st.DrawFn) -> Condition:
    more, less = draw(st.tuples(st.none() | spans, st.none() | spans).filter(any))
    return draw(st.sampled_from([EventLast, EventFirst]))(event=draw(events), more_than=more, less_than=less)


@st.composite
def counted(draw: st.DrawFn) -> Condition:
    least, most = draw(st.tuples(st.none() | counts, st.none() | counts).filter(any))
    return EventCount(event=draw(events), at_least=least, at_most=most, within=draw(st.none() | spans))


@st.composite
def used(draw: st.DrawFn) -> Condition:
    fewer, least = draw(st.tuples(st.none() | counts, st.none() | counts).filter(any))
    names = draw(st.lists(events, min_size=1, max_size=3))
    return Used(of=tuple(names), fewer_than=fewer, at_least=least, within=draw(st.none() | spans))


@st.composite
def trend(draw: st.DrawFn) -> Condition:
    share = draw(st.sampled_from([0.01, 0.5, 1.0]))
    way = {"down_by": share} if draw(st.booleans()) else {"up_by": share}
    return Trend(event=draw(events), over=draw(spans), at_least=draw(counts), **way)


@st.composite
def idle(draw: st.DrawFn) -> Condition:
    shortest, longest = sorted(draw(st.tuples(spans, spans)))
    return Idle(event=draw(events), rhythm=draw(counts), shortest=shortest, longest=longest)


dated = st.one_of(
    spans.map(lambda s: AttributeDate(attribute="day", within=s)),
    spans.map(lambda s: AttributeDate(attribute="day", passed=s)),
    st.just(AttributeDate(attribute="day", is_anniversary=True)),
)
single: st.SearchStrategy[Condition] = st.one_of(
    since(),
    counted(),
    used(),
    dated,
    trend(),
    idle(),
    st.builds(Answered, key=events, within=st.none() | spans, is_wanted=st.booleans()),
    st.builds(EventNever, event=events, is_never=st.booleans()),
    st.builds(Stalled, since=events, without=events, span=spans),
    st.just(AttributeIs(attribute="plan", operator="in", value=("trial",))),
    st.builds(LineIs, is_linked=st.booleans()),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    single,
    lambda inner: st.builds(
        Group,
        kind=st.sampled_from(["all", "any", "none"]),
        members=st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=5,
)
histories = st.fixed_dictionaries({event: st.lists(moments, max_size=6) for event in EVENTS})


def known(
    history: dict[str, list[datetime]], condition: Condition, day: str | None, zone: str | None
) -> Facts:
    watches = merge(condition.watches())
    signals: dict[str, Signal] = {}
    for event, times in history.items():
        depth = watches[event].depth if event in watches else 0
        signal = fold_all(event, times, depth=depth)
        if signal is not None:
            signals[event] = signal
    attributes = {"plan": "trial", **({"day": day} if day is not None else {})}
    return Facts(
        customer_id=CUSTOMER, external_id=None, attributes=attributes, timezone=zone, signals=signals
    )


def rows(facts: Facts, condition: Condition) -> dict[str, datetime]:
    """Every key's moment, as the store keeps them."""
    watches = merge(condition.watches())
    found = {key: signal.last_at for key, signal in facts.signals.items()}
    for event, watch in watches.items():
        if event in facts.signals:
            found |= {row.key: row.last_at for row in derived(facts.signals[event], watch)}
    at = attribute_moment(facts.attributes.get("day"), zone_of(facts.timezone))
    return found if at is None else {**found, attribute_key("day"): at}


GRID = [NOW + n * timedelta(hours=7, minutes=30) for n in range(-160, 161)]
"""Fifty days either way."""


def changes(condition: Condition, facts: Facts) -> list[tuple[datetime, datetime]]:
    """Between which moments of the grid the value changes, found by asking at each."""
    holds = [condition.check(facts, now=at).holds for at in GRID]
    return [(GRID[n], GRID[n + 1]) for n in range(len(GRID) - 1) if holds[n] != holds[n + 1]]


def flips_are_found(condition: Condition, facts: Facts) -> int:
    """Every change on the grid is crossed by a threshold (or has an alarm), and no `flips_at` is late."""
    at = rows(facts, condition)
    crossings = [at[t.key] + t.after for t in condition.thresholds() if t.key in at]
    flips = changes(condition, facts)
    for prev, now in flips:
        assert condition.needs_alarm() or any(prev < crossing <= now for crossing in crossings)
    for asked in GRID[::20]:
        check = condition.check(facts, now=asked)
        flip = flip_of(condition, facts, check)
        assert check.flips_at is None or check.flips_at > asked
        following = next((now for prev, now in flips if prev >= asked), None)
        if following is not None:
            assert check.flips_at is not None
            assert flip is not None
            assert check.flips_at <= flip <= following
        if flip is not None:
            assert condition.check(facts, now=flip - timedelta(microseconds=1)).holds == check.holds
    return len(flips)


@settings(max_examples=300, deadline=None)
@given(condition=conditions, history=histories, day=st.none() | dates | instants, zone=st.sampled_from(ZONES))
def test_every_flip_is_found(condition, history, day, zone):
    flips_are_found(condition, known(history, condition, day, zone))


def drawn(draw: random.Random, depth: int = 0) -> Condition:
    """Any condition, evenly over the kinds; hypothesis favours the simple ones."""
    kind = draw.randint(0, 12 if depth < 3 else 9)
    event, span, number = draw.choice(EVENTS), draw.randint(1, 500) * HOUR, draw.randint(1, 4)
    match kind:
        case 0:
            return EventLast(event=event, more_than=span, less_than=draw.choice([None, span + 50 * HOUR]))
        case 1:
            return EventFirst(event=event, more_than=draw.choice([None, span / 2]), less_than=span)
        case 2:
            most = draw.choice([None, number + 1])
            return EventCount(event=event, at_least=number, at_most=most, within=span)
        case 3:
            return EventCount(event=event, at_most=number - 1, within=span)
        case 4:
            return Used(of=EVENTS, fewer_than=min(number, 3), within=span)
        case 5:
            return Stalled(since=event, without=draw.choice(EVENTS), span=span)
        case 6:
            return Trend(event=event, over=span, down_by=draw.choice([0.01, 0.5, 1.0]), at_least=number)
        case 7:
            return Idle(event=event, rhythm=number, shortest=span, longest=2 * span)
        case 8:
            return Answered(key=event, within=span, is_wanted=draw.random() < 0.5)
        case 9:
            ways = ({"within": span}, {"passed": span}, {"is_anniversary": True})
            return AttributeDate(attribute="day", **draw.choice(ways))
        case _:
            members = tuple(drawn(draw, depth + 1) for _ in range(draw.randint(1, 4)))
            return Group(kind=draw.choice(["all", "any", "none"]), members=members)


@pytest.mark.parametrize("block", range(4))
def test_every_flip_is_found_also_where_there_are_many(block):
    flips = 0
    for seed in range(block * 100, block * 100 + 100):
        draw = random.Random(seed)
        condition = drawn(draw)
        history = {
            event: [NOW + draw.randint(-24 * 45, 12) * HOUR for _ in range(draw.randint(0, 6))]
            for event in EVENTS
        }
        day = (NOW + draw.randint(-24 * 400, 24 * 60) * HOUR).date().isoformat()
        try:
            flips += flips_are_found(condition, known(history, condition, day, draw.choice(ZONES)))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {condition}") from error
    assert flips > 60


@settings(max_examples=400, deadline=None)
@given(condition=single, history=histories, day=st.none() | dates | instants, zone=st.sampled_from(ZONES))
def test_a_single_condition_flips_at_exactly_its_moment(condition, history, day, zone):
    facts = known(history, condition, day, zone)
    for asked in GRID[::40]:
        check = condition.check(facts, now=asked)
        if check.flips_at is not None:
            assert condition.check(facts, now=check.flips_at).holds != check.holds
            assert condition.check(facts, now=check.flips_at - timedelta(microseconds=1)).holds == check.holds


@settings(max_examples=200, deadline=None)
@given(
    times=st.lists(moments, min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    depth=st.integers(min_value=0, max_value=6),
)
def test_folding_does_not_depend_on_the_order_events_arrive_in(times, order, depth):
    shuffled = list(times)
    order.shuffle(shuffled)
    assert fold_all("login", times, depth=depth) == fold_all("login", shuffled, depth=depth)


def test_the_alarm_of_an_anniversary_is_the_local_midnight():
    condition = AttributeDate(attribute="day", is_anniversary=True)
    facts = known({}, condition, "1990-12-04", "Asia/Tokyo")
    assert condition.check(facts, now=NOW).flips_at == datetime(2026, 12, 3, 15, tzinfo=UTC)

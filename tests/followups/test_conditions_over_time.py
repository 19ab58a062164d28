"""Do `flips_at` and `thresholds` find every moment at which time alone changes a condition?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from followups.facts import Facts, Signal
from followups.rules.conditions import (
    AttributeDate,
    AttributeIs,
    Condition,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    LineIs,
    Stalled,
    Used,
    flip_of,
)
from followups.signals import attribute_key, derived, fold_all, merge
from followups.zones import attribute_moment, zone_of
from tests.followups.build import CUSTOMER, NOW

HOUR = timedelta(hours=1)
EVENTS = ("login", "signup", "export")
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Cairo", None)

moments = st.integers(min_value=-24 * 45, max_value=12).map(lambda hours: NOW + hours * HOUR)
spans = st.integers(min_value=1, max_value=24 * 30).map(lambda hours: hours * HOUR)
events = st.sampled_from(EVENTS)
counts = st.integers(min_value=1, max_value=4)
dates = st.dates(min_value=datetime(2025, 1, 1).date(), max_value=datetime(2028, 3, 2).date()).map(str)
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
histories = st.dictionaries(events, st.lists(moments, max_size=6))


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


steps = st.lists(st.integers(min_value=0, max_value=60 * 24 * 40), min_size=1, max_size=8)


@settings(max_examples=400, deadline=None)
@given(
    condition=conditions,
    history=histories,
    day=st.none() | dates | instants,
    zone=st.sampled_from(ZONES),
    minutes=steps,
)
def test_between_now_and_flips_at_nothing_changes(condition, history, day, zone, minutes):
    facts = known(history, condition, day, zone)
    check = condition.check(facts, now=NOW)
    assert check.flips_at is None or check.flips_at > NOW
    flip = flip_of(condition, facts, check)
    assert flip is None or check.flips_at is None or flip >= check.flips_at
    for ahead in minutes:
        later = NOW + ahead * timedelta(minutes=1)
        if flip is None or later < flip:
            assert condition.check(facts, now=later).holds == check.holds
    if flip is not None:
        just_before = flip - timedelta(microseconds=1)
        assert condition.check(facts, now=just_before).holds == check.holds


@settings(max_examples=300, deadline=None)
@given(condition=single, history=histories, day=st.none() | dates | instants, zone=st.sampled_from(ZONES))
def test_a_single_condition_flips_at_exactly_its_moment(condition, history, day, zone):
    facts = known(history, condition, day, zone)
    check = condition.check(facts, now=NOW)
    if check.flips_at is not None:
        assert condition.check(facts, now=check.flips_at).holds != check.holds


@settings(max_examples=500, deadline=None)
@given(
    condition=conditions,
    history=histories,
    day=st.none() | dates | instants,
    zone=st.sampled_from(ZONES),
    start=st.integers(min_value=-60 * 24 * 40, max_value=60 * 24 * 40),
    length=st.integers(min_value=1, max_value=60 * 24 * 5),
)
def test_every_flip_is_crossed_by_a_threshold_or_has_an_alarm(condition, history, day, zone, start, length):
    facts = known(history, condition, day, zone)
    prev = NOW + start * timedelta(minutes=1)
    now = prev + length * timedelta(minutes=1)
    if condition.check(facts, now=prev).holds == condition.check(facts, now=now).holds:
        return
    if condition.needs_alarm():
        return
    at = rows(facts, condition)
    crossings = [at[t.key] + t.after for t in condition.thresholds() if t.key in at]
    assert any(prev < crossing <= now for crossing in crossings)


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

"""Does a replay of a known history come to the answers worked out by hand?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followups.backtest import Past, Replay, Rhythms, Tally, quiet_spans, reachable
from followups.backtest.tally import spread
from followups.facts import Facts
from followups.rules.conditions import (
    AttributeDate,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    Stalled,
)
from followups.rules.model import Caps, EscalateStep, Policy
from tests.followups.build import rule

START = datetime(2026, 3, 1, 15, tzinfo=UTC)
"""Monday 2 March 2026, midnight in Tokyo."""
END = START + timedelta(days=60)
POLICY = Policy(holdout=None)


def day(number: float, hour: float = 12) -> datetime:
    """An hour in Tokyo, `number` days after the start."""
    return START + timedelta(days=number, hours=hour)


def past(number: int = 1, *, known_from: datetime = START, attributes=None, **events) -> Past:
    facts = Facts(
        customer_id=UUID(int=number),
        external_id=f"c{number}",
        attributes={"name": "田中", **(attributes or {})},
    )
    return Past(facts=reachable(facts, ["support"], at=known_from), known_from=known_from, events=events)


def replay(*rules, policy: Policy = POLICY, end: datetime = END, **more) -> Replay:
    return Replay(rules, policy, start=START, end=end, **more)


def entered(of) -> list[tuple[str, datetime]]:
    return [(entry.rule_id, entry.at) for entry in of.entries]


def test_the_moments_are_those_at_which_something_can_change_and_no_others() -> None:
    """Enabled on day 0; logins on day 1 and 3; due on day 17 at noon. No daily grid."""
    quiet = rule()
    of = replay(quiet).of(past(login=[day(3), day(1)]))
    assert entered(of) == [("inactive", day(17))]
    assert of.moments == 4  # the start, two logins, the crossing; a rule without return needs no more
    assert of.held == ()


def test_a_message_due_at_night_waits_for_the_morning_and_is_counted_once() -> None:
    of = replay(rule()).of(past(login=[day(0, 22)]))
    assert entered(of) == [("inactive", day(15, 9))]
    assert [(held.gate, held.at, held.is_sent_later) for held in of.held] == [
        ("quiet_hours", day(14, 22), True)
    ]
    assert of.entries[0].held_by == {"quiet_hours"}


def test_who_comes_back_before_the_gate_opens_is_not_written_to() -> None:
    of = replay(rule()).of(past(login=[day(0, 22), day(14, 23)]))
    assert entered(of) == [("inactive", day(29, 9))]
    assert [(held.at, held.is_sent_later) for held in of.held] == [
        (day(14, 22), False),
        (day(28, 23), True),
    ]


def test_a_rule_that_may_return_does_so_when_its_cool_down_ends() -> None:
    of = replay(rule(again_after=timedelta(days=20))).of(past(login=[day(0)]))
    assert entered(of) == [("inactive", day(14)), ("inactive", day(34))]  # silence rests the third


def test_two_unanswered_messages_make_the_customer_rest() -> None:
    of = replay(rule(again_after=timedelta(days=10))).of(past(login=[day(0)]))
    assert entered(of) == [("inactive", day(14)), ("inactive", day(24))]
    assert [held.gate for held in of.held] == ["silence"]


def test_the_higher_priority_goes_first_and_the_other_when_the_caps_let_it() -> None:
    one, other = rule("a", priority=10), rule("b", priority=90)
    of = replay(one, other).of(past(login=[day(0)]))
    assert entered(of) == [("b", day(14)), ("a", day(15, 9))]
    arbitration, night = of.held
    assert (arbitration.rule_id, arbitration.gate, arbitration.behind) == ("a", "arbitration", "b")
    assert arbitration.at == day(14)
    assert (night.gate, night.at) == ("quiet_hours", day(15, 0))


def test_caps_count_the_messages_of_all_rules() -> None:
    rules = [
        rule(name, when=EventLast(event="login", more_than=timedelta(days=n)))
        for name, n in (("a", 5), ("b", 6), ("c", 7))
    ]
    policy = Policy(caps=Caps(per_day=None, per_7_days=2, per_30_days=None), silence_messages=0)
    of = replay(*rules, policy=policy).of(past(login=[day(0)]))
    assert entered(of) == [("a", day(5)), ("b", day(6)), ("c", day(12))]
    assert [(held.rule_id, held.gate) for held in of.held] == [("c", "caps")]


def test_a_goal_that_was_reached_frees_the_customer_and_a_missed_one_at_its_end() -> None:
    """`again_after` is shorter than the window: only a passage that has ended can be followed by another."""
    quiet = rule(when=EventLast(event="view", more_than=timedelta(days=2)), again_after=timedelta(days=1))
    reached = replay(quiet).of(past(view=[day(0)], login=[day(4)]))
    missed = replay(quiet).of(past(view=[day(0)]))
    assert entered(reached)[:2] == [("inactive", day(2)), ("inactive", day(4))]
    assert entered(missed)[:2] == [("inactive", day(2)), ("inactive", day(9))]
    assert reached.entries[0].is_goal_reached is True
    assert missed.entries[0].is_goal_reached is False


def test_a_goal_whose_window_is_not_over_is_neither_reached_nor_missed() -> None:
    of = replay(rule(), end=day(20), known_until=day(20)).of(past(login=[day(0), day(16)]))
    assert [entry.is_goal_reached for entry in of.entries] == [None]
    later = replay(rule(), end=day(20), known_until=day(40)).of(past(login=[day(0), day(16)]))
    assert [entry.is_goal_reached for entry in later.entries] == [True]


def test_an_open_lead_holds_messages_back_until_it_is_settled() -> None:
    hot = rule(
        "hot",
        when=EventCount(event="view", at_least=2, within=timedelta(days=7)),
        steps=(EscalateStep(reason="見ている"),),
    )
    first = rule("first", when=EventFirst(event="view", more_than=timedelta(hours=1)))
    of = replay(hot, first, lead_open_for=timedelta(days=2)).of(past(view=[day(0), day(0, 12.5)]))
    assert entered(of) == [("hot", day(0, 12.5)), ("first", day(2, 12.5))]
    assert [(held.rule_id, held.gate) for held in of.held] == [("first", "conversation")]
    assert of.entries[0].is_escalation


def test_everybody_known_is_looked_at_when_the_rules_are_enabled_others_when_they_come() -> None:
    without = rule(when=EventNever(event="login"))
    assert entered(replay(without).of(past())) == [("inactive", START + timedelta(hours=9))]
    assert entered(replay(without).of(past(known_from=day(5)))) == [("inactive", day(5))]
    assert entered(replay(without).of(past(known_from=END))) == []


def test_what_happened_before_the_start_is_known_at_it() -> None:
    of = replay(rule()).of(past(known_from=START - timedelta(days=99), login=[START - timedelta(days=20)]))
    assert entered(of) == [("inactive", START + timedelta(hours=9))]


def test_a_date_and_an_anniversary_come_by_themselves() -> None:
    renewal = rule("renewal", when=AttributeDate(attribute="renewal", within=timedelta(days=3)))
    birthday = rule("birthday", when=AttributeDate(attribute="birth", is_anniversary=True))
    of = replay(renewal, birthday).of(past(attributes={"renewal": "2026-04-01", "birth": "1990-03-20"}))
    assert entered(of) == [("birthday", day(18, 9)), ("renewal", day(27, 9))]


def test_the_comparison_group_is_not_written_to() -> None:
    kept = replay(rule(holdout=1.0)).of(past(login=[day(0)]))
    assert kept.entries == ()
    assert [held.gate for held in kept.held] == ["holdout"]


def test_without_a_link_nothing_is_sent() -> None:
    unlinked = past(login=[day(0)])
    unlinked = Past(
        facts=Facts(customer_id=UUID(int=1), external_id="c1", attributes={"name": "田中"}),
        known_from=START,
        events=unlinked.events,
    )
    of = replay(rule()).of(unlinked)
    assert of.entries == ()
    assert [held.gate for held in of.held] == ["not_linked"]


def test_the_tally_of_a_small_history() -> None:
    """Three customers quiet since day 0, two of whom come back on day 16; one busy; one never seen.

    Entered on day 14 at noon: three. Within 7 days two of them log in. Of the four who ever do anything on
    days from 14 on (of five known), the windows that begin on day 14 (midnight) hold a login of: two who come
    back, and the busy one.
    """
    quiet = rule()
    made = replay(quiet, end=day(30, 0))
    tally = Tally(made)
    people = [
        past(1, login=[day(0), day(16)]),
        past(2, login=[day(0), day(16)]),
        past(3, login=[day(0)]),
        past(4, login=[day(n) for n in range(30)]),
        past(5),
    ]
    for each in people:
        tally.add(each, made.of(each))
    forecast = tally.forecast()
    (line,) = forecast.rules
    assert (forecast.customers, forecast.events, len(forecast.days)) == (5, 35, 30)
    assert (line.matched, line.entered) == (3, 3)
    assert [n for n, sent in enumerate(line.sends) if sent] == [14]
    assert spread(line.sends).most == 3
    assert (line.judged, line.reached, line.rate) == (3, 2, pytest.approx(2 / 3))
    assert line.all_rate == pytest.approx(3 / 5)
    assert forecast.sends == line.sends
    assert forecast.overlaps == {}


def test_overlaps_and_who_waited_behind_whom_are_counted() -> None:
    made = replay(rule("a", priority=10), rule("b", priority=90))
    tally = Tally(made)
    for number in (1, 2):
        each = past(number, login=[day(0)])
        tally.add(each, made.of(each))
    forecast = tally.forecast()
    assert forecast.overlaps == {("a", "b"): 2}
    assert forecast.behind == {("a", "b"): 2}
    assert forecast.rules[0].held["arbitration"].sent_later == 2
    assert forecast.entered == 2


def test_the_own_rhythm_is_the_median_gap_drawn_towards_everybodys() -> None:
    """Weekly and monthly visitors, all silent for 25 days at the cut: 14 days flag all, the rhythm some.

    Medians 7 (4 gaps) and 30 (3 gaps); everybody's is 18.5. Weekly: exp((4 ln 7 + 3 ln 18.5) / 7) = 10.62
    days, × 3 = 31.9: not flagged at 25 days. At 35 days it is, and the monthly (23.56 × 3 = 70.7) is not.
    """
    cut = day(200)
    weekly = [cut - timedelta(days=35 + 7 * n) for n in range(5)]
    monthly = [cut - timedelta(days=35 + 30 * n) for n in range(4)]
    both = Rhythms("login", timedelta(days=14), zone=ZoneInfo("Asia/Tokyo"), cut=cut, end=day(300))
    both.add(weekly)
    both.add([*monthly, cut + timedelta(days=3)])
    both.add([cut - timedelta(days=50)])
    found = both.compare()
    assert found is not None
    assert (found.customers, found.lost) == (2, 1)
    assert (found.fixed.share, found.fixed.precision, found.fixed.false_alarm) == (1.0, 0.5, 1.0)
    assert (found.own.share, found.own.precision, found.own.recall) == (0.5, 1.0, 1.0)
    assert found.own.false_alarm == 0.0


def test_an_inactivity_rule_is_recognised_inside_groups() -> None:
    last = EventLast(event="login", more_than=timedelta(days=14))
    nested = Group(kind="all", members=(EventNever(event="x"), Group(kind="any", members=(last,))))
    assert list(quiet_spans(nested)) == [("login", timedelta(days=14))]
    assert list(quiet_spans(EventLast(event="login", less_than=timedelta(days=14)))) == []


HOURS = st.integers(0, 24 * 50).map(lambda hours: START + timedelta(hours=hours))
HISTORY = st.fixed_dictionaries({name: st.lists(HOURS, max_size=8) for name in ("login", "view", "signup")})
RULES = (
    rule(
        "a",
        priority=80,
        again_after=timedelta(days=9),
        when=EventLast(event="login", more_than=timedelta(days=3)),
    ),
    rule("b", when=Stalled(since="signup", without="view", span=timedelta(days=2))),
    rule(
        "c",
        again_after=timedelta(days=5),
        when=EventCount(event="view", at_least=2, within=timedelta(days=4)),
    ),
)


@settings(max_examples=30, deadline=None)
@given(HISTORY, st.randoms(use_true_random=False))
def test_neither_the_order_of_events_nor_of_rules_matters(history, chance) -> None:
    shuffled = {name: chance.sample(times, len(times)) for name, times in reversed(history.items())}
    rules = chance.sample(RULES, len(RULES))
    assert replay(*RULES).of(past(**history)) == replay(*rules).of(past(**shuffled))


@settings(max_examples=10, deadline=None)
@given(HISTORY)
def test_looking_more_often_would_find_nothing_else(history) -> None:
    """A three-hourly grid besides: something that means nothing makes each of its moments one to look at."""
    ticks = [START + timedelta(hours=3 * n) for n in range(8 * 60)]
    idle = rule("idle", when=EventCount(event="tick", at_least=10**6))
    exact = replay(*RULES).of(past(**history))
    often = replay(*RULES, idle).of(past(**history, tick=ticks))
    assert entered(often) == entered(exact)
    assert often.moments >= exact.moments

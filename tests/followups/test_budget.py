"""Is LINE's month shared out so that people come first, and then the rules that matter most?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.budget import (
    Demand,
    alert_due,
    allot,
    extra_of,
    left_for_rules,
    limit_of,
    reserve_of,
    to_month_end,
)
from followups.room import Room

NOW = datetime(2026, 11, 2, 1, tzinfo=UTC)
demands = st.lists(
    st.builds(
        lambda priority, expected, messages: (priority, expected, messages),
        st.integers(0, 3),
        st.sampled_from([0.0, 0.5, 1.0]),
        st.integers(0, 50),
    ),
    max_size=8,
).map(
    lambda rows: [
        Demand(rule_id=f"r{n}", priority=priority, expected=expected, messages=messages)
        for n, (priority, expected, messages) in enumerate(rows)
    ]
)


@given(st.integers(0, 200), demands)
def test_never_more_than_is_left_is_given_and_never_more_than_was_asked_for(
    left: int, asked: list[Demand]
) -> None:
    shares = allot(left, asked).shares
    assert sum(each.given for each in shares) == min(left, sum(each.messages for each in asked))
    assert all(0 <= each.given <= each.wanted for each in shares)


@given(st.integers(0, 200), demands)
def test_nobody_gets_any_before_all_above_have_everything(left: int, asked: list[Demand]) -> None:
    shares = allot(left, asked).shares
    by_id = {each.rule_id: each for each in asked}
    for above, below in pairwise(shares):
        one, other = by_id[above.rule_id], by_id[below.rule_id]
        assert (one.priority, one.expected) >= (other.priority, other.expected)
        assert above.given == above.wanted or below.given == 0


@given(st.integers(0, 200), st.integers(0, 50), demands)
def test_more_room_never_takes_anything_from_anybody(left: int, more: int, asked: list[Demand]) -> None:
    before = {each.rule_id: each.given for each in allot(left, asked).shares}
    after = {each.rule_id: each.given for each in allot(left + more, asked).shares}
    assert all(after[rule_id] >= given for rule_id, given in before.items())


@given(st.integers(0, 200), demands, st.randoms(use_true_random=False))
def test_whatever_the_order_of_writing_those_above_find_their_messages(
    left: int, asked: list[Demand], random: Random
) -> None:
    """Rules write in any order, each as much as its forecast said; all find what they were given."""
    allotment = allot(left, asked)
    by_id = {each.rule_id: each for each in asked}
    room = Room(
        quota_left=left,
        floor=allotment.floor,
        shares=allotment.capped,
        expected={each.rule_id: each.expected for each in asked},
    )
    wanted = {each.rule_id: each.messages for each in asked}
    sent = dict.fromkeys(wanted, 0)
    turns = [rule_id for rule_id, number in wanted.items() for _ in range(number)]
    random.shuffle(turns)
    for rule_id in turns:
        worth = by_id[rule_id].priority, by_id[rule_id].expected
        assert room.quota_left is not None
        is_below = room.floor is not None and worth < room.floor
        if room.quota_left > 0 and not is_below and room.shares.get(rule_id, 1) > 0:
            sent[rule_id] += 1
            room = room.after(rule_id)
    assert sum(sent.values()) <= left
    assert sent == {each.rule_id: each.given for each in allotment.shares}


@given(
    limit=st.integers(0, 1000),
    used=st.integers(0, 1200),
    by_people=st.integers(0, 1200),
    share=st.floats(0, 1),
    more=st.integers(0, 100),
)
def test_what_is_kept_for_people_is_there_whatever_rules_do(
    limit: int, used: int, by_people: int, share: float, more: int
) -> None:
    by_people = min(by_people, used)
    left = left_for_rules(limit, used=used, by_people=by_people, share=share)
    assert 0 <= left <= max(0, limit - used)
    if left:  # rules take all of theirs: people still have the rest of their reserve
        assert limit - used - left >= reserve_of(limit, share=share) - by_people
    assert left_for_rules(limit, used=used + more, by_people=by_people, share=share) <= left
    assert left_for_rules(limit + more, used=used, by_people=by_people, share=share) >= left
    by_people_too = left_for_rules(limit, used=used + more, by_people=by_people + more, share=share)
    assert by_people_too <= left


def test_one_reserved_message_of_ten_is_two_of_eleven_rounded_up() -> None:
    assert reserve_of(10, share=0.2) == 2
    assert reserve_of(11, share=0.2) == 3
    assert left_for_rules(10, used=5, by_people=1, share=0.2) == 4


@pytest.mark.parametrize(
    ("line", "monthly", "yen", "limit"),
    [
        (None, None, None, None),
        (5000, None, None, 5000),
        (None, 200, None, 200),
        (5000, 200, None, 200),
        (5000, 200, 3.0, 5000),
        (None, 200, 3.0, None),
        (100, 200, None, 100),
    ],
    ids=["none", "line's", "policy's", "both", "beyond at a price", "price, no cap", "line's is less"],
)
def test_the_limit_is_line_s_and_the_policy_s(
    line: int | None, monthly: int | None, yen: float | None, limit: int | None
) -> None:
    assert limit_of(line, monthly=monthly, yen_per_extra=yen) == limit


def test_a_forecast_goes_on_as_in_the_last_four_weeks() -> None:
    def ahead(messages: int, days: float, left: float, queued: int = 0) -> int:
        since = NOW - timedelta(days=days)
        return to_month_end(messages, since=since, queued=queued, now=NOW, ends=NOW + timedelta(days=left))

    assert ahead(280, 28, 14) == 140
    assert ahead(280, 90, 14) == 140, "no further back than what was counted"
    assert ahead(70, 1, 7) == 70, "one day's catching up is spread over a week"
    assert ahead(0, 28, 14, queued=3) == 3
    assert ahead(280, 28, 0, queued=3) == 3


@pytest.mark.parametrize(
    ("used", "limit", "due"),
    [(49, 100, None), (50, 100, 0.5), (79, 100, 0.5), (80, 100, 0.8), (120, 100, 0.95), (9, None, None)],
)
def test_staff_are_told_of_the_highest_mark_alone(used: int, limit: int | None, due: float | None) -> None:
    assert alert_due(used, limit) == due


def test_only_what_is_beyond_the_plan_is_extra() -> None:
    assert [extra_of(n, monthly=200) for n in (199, 200, 203)] == [0, 0, 3]
    assert extra_of(10_000, monthly=None) == 0

"""Does a replay give out LINE's monthly messages as the program would, all customers together?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from followups.backtest import Months, Past, Replay, Replayed
from followups.room import Room
from followups.rules.conditions import EventLast
from followups.rules.model import Caps, Policy, Rule
from tests.followups.build import rule
from tests.followups.test_backtest import END, START, day, past

POLICY = Policy(
    holdout=None,
    reserve_for_people=0.2,
    caps=Caps(per_day=None, per_7_days=None, per_30_days=None),
    silence_messages=0,
)
APRIL = START + timedelta(days=30)
"""Midnight in Tokyo, when LINE begins to count anew."""


def quiet(rule_id: str = "quiet", *, days: int = 14, **more: Any) -> Rule:
    return rule(rule_id, when=EventLast(event="login", more_than=timedelta(days=days)), **more)


def shared(
    rules: Sequence[Rule], pasts: Sequence[Past], *, monthly: int, room: Room | None = None
) -> tuple[Months, dict[int, Replayed]]:
    replay = Replay(rules, POLICY, start=START, end=END, room=room or Room())
    months = Months(replay, monthly=monthly)
    written = [each for each in pasts if months.want(replay.of(each))]
    found = {each.facts.customer_id.int: came_of for each, came_of in months.together(written)}
    return months, found


def sent(found: dict[int, Replayed]) -> list[tuple[int, str, datetime]]:
    return sorted(
        (number, entry.rule_id, entry.at) for number, each in found.items() for entry in each.entries
    )


def test_who_comes_after_the_last_message_of_a_month_waits_for_the_next_one() -> None:
    """Three are due on days 14, 15 and 16; of three messages people keep one: two are left."""
    people = [past(n, login=[day(n - 1)]) for n in (1, 2, 3)]
    months, found = shared([quiet()], people, monthly=3)
    assert months.limit == 2
    assert sent(found) == [
        (1, "quiet", day(14)),
        (2, "quiet", day(15)),
        (3, "quiet", APRIL + timedelta(hours=9)),  # at midnight it is quiet
    ]
    waited = found[3].held[0]
    assert (waited.gate, waited.at, waited.is_sent_later) == ("quota", day(16), True)
    assert [(each.wanted, each.sent) for each in months.told()] == [(3, 2), (0, 1)]
    assert months.told()[1].begins == APRIL


def test_messages_are_kept_for_a_rule_that_matters_more_and_comes_later() -> None:
    """Two would be reminded on day 5 and welcomed on day 20; with two messages, both are for the latter."""
    early, late = quiet("early", days=5, priority=10), quiet("late", days=20, priority=90)
    people = [past(n, login=[day(0)]) for n in (1, 2)]
    _, found = shared([early, late], people, monthly=2)
    assert [each[:2] for each in sent(found) if each[2] < APRIL] == [(1, "late")]  # people's part: one of two
    _, found = shared([early, late], people, monthly=3)
    assert [each[:2] for each in sent(found) if each[2] < APRIL] == [(1, "late"), (2, "late")]


def test_of_equal_priority_the_rule_that_is_expected_to_bring_more_gets_them() -> None:
    one, other = quiet("one", days=5), quiet("other", days=20)
    people = [past(n, login=[day(0)]) for n in (1, 2)]
    for better in ("one", "other"):
        _, found = shared([one, other], people, monthly=3, room=Room(expected={better: 0.3}))
        assert {each[1] for each in sent(found) if each[2] < APRIL} == {better}


def test_with_enough_for_everybody_it_is_as_if_each_were_alone() -> None:
    people = [past(n, login=[day(n % 5), day(n % 7 + 20)]) for n in range(1, 20)]
    replay = Replay([quiet()], POLICY, start=START, end=END)
    months, found = shared([quiet()], people, monthly=1000)
    assert not months.is_short
    assert found == {each.facts.customer_id.int: replay.of(each) for each in people}
    assert all(each.wanted == each.sent for each in months.told())


def test_the_order_in_which_customers_are_read_does_not_matter() -> None:
    chance = random.Random(5)
    people = [
        past(n, login=[day(chance.randrange(40), chance.randrange(24)) for _ in range(4)])
        for n in range(1, 40)
    ]
    rules = [quiet("a", days=3, priority=30, again_after=timedelta(days=9)), quiet("b", days=6)]
    months, found = shared(rules, people, monthly=20)
    chance.shuffle(people)
    again, found_again = shared(rules, people, monthly=20)
    assert found == found_again
    assert months.told() == again.told()
    assert months.is_short
    assert all(each.sent <= months.limit for each in months.told())
    for each in months.told():  # whoever is held over by a month that was short is written to in the next
        assert each.wanted < months.limit or each.sent == months.limit

"""Are holdouts fixed, even and independent of each other?"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from followups.experiments import BUCKETS, GLOBAL_SALT, bucket, is_held_out, rule_salt, unit_of
from tests.followups.build import reachable


def test_an_assignment_never_changes():
    assert bucket(GLOBAL_SALT, "acme") == bucket(GLOBAL_SALT, "acme")
    assert [bucket("rule:a", str(UUID(int=n))) for n in range(4)] == [4366, 7356, 4095, 5588]


def test_buckets_are_even():
    """χ² over 100 cells, 100,000 units: the 99.9 % point of 99 degrees of freedom is 148.2."""
    cells = [0] * 100
    for number in range(100_000):
        cells[bucket(GLOBAL_SALT, str(UUID(int=number))) // (BUCKETS // 100)] += 1
    assert sum((cell - 1000) ** 2 / 1000 for cell in cells) < 148.2


def test_two_rules_hold_out_independently():
    units = [str(UUID(int=n)) for n in range(20_000)]
    both = sum(is_held_out(rule_salt("a"), u, 0.1) and is_held_out(rule_salt("b"), u, 0.1) for u in units)
    assert 150 < both < 250


def test_raising_the_share_keeps_all_who_were_held_out():
    for number in range(2_000):
        unit = str(number)
        assert not is_held_out("s", unit, 0.1) or is_held_out("s", unit, 0.2)
        assert not is_held_out("s", unit, 0.0)
        assert is_held_out("s", unit, 1.0)


def test_colleagues_are_treated_alike():
    one, other = reachable(account="acme"), replace(reachable(account="acme"), customer_id=UUID(int=99))
    assert unit_of(one) == unit_of(other) == "acme"
    assert unit_of(reachable()) == str(UUID(int=7))

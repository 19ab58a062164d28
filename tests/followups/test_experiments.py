"""Are holdouts fixed, even and independent of each other?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import numpy as np
import pytest
from scipy.special import chdtrc

from followups.experiments import (
    BUCKETS,
    GLOBAL_SALT,
    bucket,
    is_held_out,
    rule_salt,
    share_held_out,
    unit_of,
    variant_of,
)
from followups.rules.model import Policy, Rule
from tests.followups.build import reachable

ROOT = Path(__file__).resolve().parents[2]
ANOTHER = {**os.environ, "PYTHONHASHSEED": "12345"}
"""Another process, whose built-in hashes are other ones."""


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


def test_a_million_customers_are_spread_evenly_and_independently_over_rules_and_variants():
    """χ² with p > 0.001 on 10,000 buckets, on the table of two rules' deciles, and on three variants."""
    units = [str(UUID(int=number)) for number in range(1_000_000)]
    buckets = {salt: [bucket(salt, unit) for unit in units] for salt in (GLOBAL_SALT, rule_salt("a"))}
    for found in buckets.values():
        cells = np.bincount(found, minlength=BUCKETS)
        assert chdtrc(BUCKETS - 1, ((cells - 100) ** 2 / 100).sum()) > 0.001
    pairs = Counter((one // 1000, other // 1000) for one, other in zip(*buckets.values(), strict=True))
    assert len(pairs) == 100
    assert chdtrc(99, sum((n - 10_000) ** 2 / 10_000 for n in pairs.values())) > 0.001
    some = units[:100_000]
    variants = Counter((variant_of("a", unit, "xyz"), bucket(rule_salt("a"), unit) < 1000) for unit in some)
    expected = {True: len(some) * 0.1 / 3, False: len(some) * 0.9 / 3}
    distance = sum((n - expected[is_held]) ** 2 / expected[is_held] for (_, is_held), n in variants.items())
    assert chdtrc(5, distance) > 0.001


def test_an_assignment_survives_restarts_imports_and_edits_of_the_rule():
    """It is made of the rule's id and the unit, and of nothing else; here by another process."""
    program = (
        "from followups.experiments import *;"
        "print([(bucket(rule_salt('inactive-14d'), str(n)), variant_of('inactive-14d', str(n), 'ab'))"
        " for n in range(50)])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env=ANOTHER
    ).stdout
    rule = rule_salt("inactive-14d")
    assert told.strip() == str(
        [(bucket(rule, str(n)), variant_of("inactive-14d", str(n), "ab")) for n in range(50)]
    )


def test_the_share_held_out_is_of_both_holdouts_together():
    rule = cast(Rule, SimpleNamespace(holdout=0.2))
    assert share_held_out(Policy(holdout=0.1), rule) == pytest.approx(1 - 0.9 * 0.8)
    assert share_held_out(Policy(), cast(Rule, SimpleNamespace(holdout=None))) == 0.0
    held = sum(
        is_held_out(GLOBAL_SALT, unit, 0.1) or is_held_out(rule_salt("a"), unit, 0.2)
        for unit in map(str, range(20_000))
    )
    assert held / 20_000 == pytest.approx(0.28, abs=0.012)

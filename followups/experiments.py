"""Who is kept as comparison, and who reads which wording?"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from typing import TYPE_CHECKING

from followups.facts import Facts

if TYPE_CHECKING:
    from followups.rules.model import Policy, Rule

BUCKETS = 10_000
GLOBAL_SALT = "global"


def rule_salt(rule_id: str) -> str:
    """The salt of one rule's holdout, so that the holdouts of two rules are independent."""
    return f"rule:{rule_id}"


def unit_of(facts: Facts) -> str:
    """What is assigned as one: the account where there is one, so that colleagues are treated alike."""
    return facts.account or str(facts.customer_id)


def bucket(salt: str, unit: str) -> int:
    """A fixed number from 0 to 9999 for this unit, uniform over units (BLAKE2b, 8 bytes)."""
    return _hash(salt, unit) % BUCKETS


def _hash(salt: str, unit: str) -> int:
    digest = blake2b(f"{salt}|{unit}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def is_held_out(salt: str, unit: str, share: float) -> bool:
    """Is this unit in the holdout of this share (0 to 1)? Raising the share keeps all who were in it."""
    return bucket(salt, unit) < round(share * BUCKETS)


def share_held_out(policy: Policy, rule: Rule) -> float:
    """Of all units, those that a rule does not write to: held out for all rules or for this one (0 to 1)."""
    of_all, of_rule = policy.holdout or 0.0, rule.holdout or 0.0
    return 1 - (1 - of_all) * (1 - of_rule)


def variant_of(rule_id: str, unit: str, keys: Collection[str]) -> str | None:
    """Which of a rule's variants this unit reads; None: there are none.

    The key with the largest hash wins (rendezvous hashing, D. Thaler and C. Ravishankar 1998): a new
    variant takes its share evenly from the others, and moves nobody between those.
    """
    return max(keys, key=lambda key: (_hash(f"variant:{rule_id}:{key}", unit), key), default=None)

"""Who is kept as comparison?"""

from __future__ import annotations

from hashlib import blake2b

from followups.facts import Facts

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
    digest = blake2b(f"{salt}|{unit}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % BUCKETS


def is_held_out(salt: str, unit: str, share: float) -> bool:
    """Is this unit in the holdout of this share (0 to 1)? Raising the share keeps all who were in it."""
    return bucket(salt, unit) < round(share * BUCKETS)

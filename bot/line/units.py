"""Under which name does LINE count what became of a rule's messages?

A unit name is `[A-Za-z0-9_]{1,30}`, one per push, and LINE keeps 1,000 different ones a month (Get statistics
per unit): one per rule and variant, never per customer or day.
"""

from __future__ import annotations

import re
from hashlib import blake2b

MOST = 30
_PREFIX = "y_"
_UNSAYABLE = re.compile(r"[^A-Za-z0-9_]+")


def unit_name(rule_id: str, variant: str | None = None) -> str:
    """Readable where it fits (`y_inactive_14d_a_3f9c1b`), and never the same for two rules or variants."""
    whole = f"{rule_id}\0{variant or ''}"
    tail = blake2b(whole.encode(), digest_size=3).hexdigest()
    shown = _UNSAYABLE.sub("_", f"{rule_id}_{variant}" if variant else rule_id)
    return f"{_PREFIX}{shown[: MOST - len(_PREFIX) - len(tail) - 1]}_{tail}"

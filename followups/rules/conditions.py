"""Does a condition hold for these facts now, why, and when would time alone change it?

Every condition has two readings: `check` here decides; `db/candidates.py` finds in SQL who *might* have
flipped and must never miss anyone. `thresholds` names the moments that time can cross, as
`signal(key).last_at + after`; the value changes at that very moment, so a tick's crossings are
`prev < last_at + after <= now`.
"""

from __future__ import annotations

from followups.rules.attribute_conditions import AttributeDate, AttributeIs, LineIs
from followups.rules.checks import Check, Condition, Text, Threshold, flip_of
from followups.rules.event_conditions import EventCount, EventFirst, EventLast, EventNever, Stalled, Used
from followups.rules.groups import Group

__all__ = [
    "AttributeDate",
    "AttributeIs",
    "Check",
    "Condition",
    "EventCount",
    "EventFirst",
    "EventLast",
    "EventNever",
    "Group",
    "LineIs",
    "Stalled",
    "Text",
    "Threshold",
    "Used",
    "flip_of",
]

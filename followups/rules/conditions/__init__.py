"""Does a condition hold for these facts now, why, and when would time alone change it?

Every condition has two readings: `check` here decides; `db/rulebook/candidates.py` finds in SQL who *might*
have flipped and must never miss anyone. `thresholds` names the moments that time can cross, as
`signal(key).last_at + after`; the value changes at that very moment, so a tick's crossings are
`prev < last_at + after <= now`.
"""

from __future__ import annotations

from followups.rules.checks import Check, Condition, Text, Threshold, flip_of
from followups.rules.conditions.answers import Answered
from followups.rules.conditions.attributes import AttributeDate, AttributeIs, LineIs
from followups.rules.conditions.customers import HotLead, ScoreIs, SegmentIs, StageIs
from followups.rules.conditions.events import EventCount, EventFirst, EventLast, EventNever, Stalled, Used
from followups.rules.conditions.groups import Group
from followups.rules.conditions.rhythms import Idle, Trend

__all__ = [
    "Answered",
    "AttributeDate",
    "AttributeIs",
    "Check",
    "Condition",
    "EventCount",
    "EventFirst",
    "EventLast",
    "EventNever",
    "Group",
    "HotLead",
    "Idle",
    "LineIs",
    "ScoreIs",
    "SegmentIs",
    "StageIs",
    "Stalled",
    "Text",
    "Threshold",
    "Trend",
    "Used",
    "flip_of",
]

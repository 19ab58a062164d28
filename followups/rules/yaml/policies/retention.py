"""For how long does policy.yaml say that things are kept?"""

from __future__ import annotations

from datetime import timedelta

from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import MapNode, ScalarNode
from followups.times.retention import Retention

KEYS = ("events", "decisions", "inbox", "media")
_LEAST = {"events": timedelta(days=60), "decisions": timedelta(days=90), "inbox": timedelta(days=3)}
"""LINE redelivers for a while, and caps and shadow rules look back: less would change what is decided."""


def read_retention(node: MapNode, problems: Problems, default: Retention) -> Retention:
    """The spans, `null` for "never"; what is not said stays as it is."""
    keys = Fields(node, problems, KEYS)

    def span(key: str, usual: timedelta | None) -> timedelta | None:
        if not keys.has(key):
            return usual
        value = node.values[key]
        if isinstance(value, ScalarNode) and value.value is None:
            return None
        found = keys.get(key, read.duration)
        least = _LEAST.get(key, timedelta())
        if found is not None and found < least:
            problems.add(
                keys.key(key),
                f"短すぎます（{least.days}d 以上にしてください）",
                f"too short (at least {least.days}d)",
            )
        return found

    return Retention(
        events=span("events", default.events),
        decisions=span("decisions", default.decisions),
        inbox=span("inbox", default.inbox),
        media=span("media", default.media),
    )

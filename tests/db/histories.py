"""Random rules and random lives of customers, and what Python alone says of them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from db.people.customers import customer_id_of
from followups.facts import Facts, LineContact
from followups.rules.model import Rule
from followups.signals import MAX_RECENT, filtered_key, fold_all, has_properties
from followups.standing.segments import SEGMENTS, STAGES
from followups.times.zones import zone_of

START = datetime(2026, 10, 1, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENTS = ("login", "signup", "export")
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", None)
FILTERS: tuple[dict[str, Any], ...] = ({"plan": "pro"}, {"plan": 3}, {"plan": True, "n": 1}, {"n": 1})
ANSWERS = ("$clicked:checkin", "$replied", "$reacted:busy")
RHYTHMS = {"login": timedelta(hours=30)}
"""The population's figure that the program is given, for one of the events."""
POLICY = "life_cycle: {purchase: export, activity: [login, export], purchase_gap: 1d, activity_gap: 1d}"
SCORING = """\
events:
  login: {points: 20, half_life: 12h, per_day: 2}
  export: {points: 30, half_life: 2d}
  signup: 5
fit:
  - {attribute: plan, in: [trial, pro], points: 50}
fit_start: 50
"""
"""What `segment`, `stage` and `score` rest on."""
PLANS = ("trial", "standard", "pro", 3, 3.5, "3", True, None)


def _span(rng: random.Random) -> str:
    return rng.choice(["5h", "1d", "30h", "3d", "5d", "7d"])


def _window(rng: random.Random) -> dict[str, str]:
    match rng.randrange(3):
        case 0:
            return {"more_than": _span(rng)}
        case 1:
            return {"less_than": _span(rng)}
        case _:
            return {"more_than": rng.choice(["5h", "1d"]), "less_than": rng.choice(["3d", "5d", "8d"])}


def _count(rng: random.Random) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    match rng.randrange(3):
        case 0:
            bounds["at_least"] = rng.randint(1, 4)
        case 1:
            bounds["fewer_than"] = rng.randint(1, 4)
        case _:
            bounds["at_most"] = rng.randint(1, 3)
    if rng.random() < 0.8:
        bounds["within"] = _span(rng)
    return bounds


def _trend(rng: random.Random) -> dict[str, Any]:
    way = rng.choice([{"down_by": "50%"}, {"down_by": "100%"}, {"up_by": "1%"}, {"up_by": "100%"}])
    return {**way, "over": _span(rng), "at_least": rng.randint(1, 3)}


def _idle(rng: random.Random) -> dict[str, Any]:
    return {
        "event": rng.choice(EVENTS),
        "rhythm": rng.choice([1, 1.5, 3]),
        "min": rng.choice(["5h", "1d"]),
        "max": rng.choice(["3d", "8d"]),
    }


def _answer(rng: random.Random) -> dict[str, Any]:
    within = {"within": _span(rng)} if rng.random() < 0.7 else {}
    match rng.randrange(3):
        case 0:
            return {"clicked": "checkin", **within}
        case 1:
            return {"reacted": "busy", **within}
        case _:
            return {"replied": rng.random() < 0.5, **within}


def _attribute(rng: random.Random) -> dict[str, Any]:
    match rng.randrange(6):
        case 0:
            return {"in": ["trial", 3]}
        case 1:
            return {"not_in": ["standard", True]}
        case 2:
            return {"equals": rng.choice(["pro", 3, True])}
        case 3:
            return {"at_least": 3.2}
        case 4:
            return {"at_most": 3}
        case _:
            return {"exists": rng.random() < 0.5}


def leaf(rng: random.Random, kind: str) -> dict[str, Any]:
    """One random condition of a kind, as it stands in a rule file."""
    event = rng.choice(EVENTS)
    match kind:
        case "last" | "first":
            return {"event": event, kind: _window(rng)}
        case "count":
            return {"event": event, "count": _count(rng)}
        case "never":
            return {"event": event, "never": rng.random() < 0.7}
        case "stalled":
            since, without = rng.sample(EVENTS, 2)
            return {"stalled": {"since": {"event": since}, "without": {"event": without}, "for": _span(rng)}}
        case "where":
            of: dict[str, Any] = {"event": event, "where": rng.choice(FILTERS)}
            return rng.choice(
                [
                    {**of, "last": _window(rng)},
                    {**of, "first": _window(rng)},
                    {**of, "count": _count(rng)},
                    {**of, "never": True},
                    {"stalled": {"since": {"event": event}, "without": of, "for": _span(rng)}},
                    {"used": {"of": [of, event], "within": _span(rng), "at_least": 1}},
                ]
            )
        case "trend":
            return {"event": event, "trend": _trend(rng)}
        case "idle":
            return {"idle": _idle(rng)}
        case "answer":
            return _answer(rng)
        case "used":
            bound = rng.choice([{"fewer_than": 2}, {"fewer_than": 1}, {"at_least": 2}])
            return {"used": {"of": list(EVENTS), "within": _span(rng), **bound}}
        case "attribute":
            return {"attribute": "plan", **_attribute(rng)}
        case "within" | "passed":
            return {"attribute": "day", kind: rng.choice(["1d", "3d", "36h"])}
        case "anniversary":
            return {"attribute": "day", "anniversary": True}
        case "segment":
            return {"segment": rng.sample(SEGMENTS, rng.randint(1, 3))}
        case "stage":
            return {"stage": rng.sample(STAGES, rng.randint(1, 3))}
        case "score":
            return {"score": {"at_least": rng.randint(5, 90)}}
        case _:
            return {"line": {"linked": rng.random() < 0.7}}


KINDS = (
    "last",
    "first",
    "count",
    "never",
    "stalled",
    "used",
    "where",
    "trend",
    "idle",
    "answer",
    "attribute",
    "within",
    "passed",
    "anniversary",
    "line",
)
STANDING = ("segment", "stage", "score")
"""They need `POLICY` and `SCORING`."""


def condition(rng: random.Random, depth: int = 0, *, kinds: Sequence[str] = KINDS) -> dict[str, Any]:
    """A random condition, often a group of groups."""
    if depth < 3 and rng.random() < (0.75 if depth == 0 else 0.35):
        members = [condition(rng, depth + 1, kinds=kinds) for _ in range(rng.randint(1, 3))]
        return {rng.choice(["all", "any", "none"]): members}
    return leaf(rng, rng.choice(kinds))


def rule_file(rule_id: str, when: dict[str, Any], *, state: str = "live", **more: Any) -> str:
    """A rule as text (JSON is YAML)."""
    return json.dumps(
        {
            "id": rule_id,
            "name": rule_id,
            "state": state,
            "goal": {"event": "goal", "within": "7d"},
            "when": when,
            "again_after": "1d",
            "then": [{"escalate": {"reason": "見てください"}}],
            **more,
        },
        ensure_ascii=False,
    )


@dataclass
class Life:
    """One customer as the sender knows them."""

    external_id: str
    zone: str | None = None
    is_linked: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)
    events: dict[str, list[datetime]] = field(default_factory=dict)

    @property
    def customer_id(self) -> UUID:
        return customer_id_of(self.external_id)

    def live(self, name: str, at: datetime, properties: dict[str, Any]) -> None:
        """Remember an event, under its name and under every filter that it fulfils."""
        for where in ({}, *FILTERS):
            if has_properties(properties, tuple(where.items())):
                self.events.setdefault(filtered_key(name, where), []).append(at)

    def facts(self, *, now: datetime) -> Facts:
        """What is known now, computed from the whole history."""
        signals = {
            name: fold_all(name, sorted(at for at in times if at <= now), depth=MAX_RECENT)
            for name, times in self.events.items()
        }
        line = LineContact(line_user_id="U" + "0" * 32, is_friend=True, is_blocked=False)
        return Facts(
            customer_id=self.customer_id,
            external_id=self.external_id,
            attributes=self.attributes,
            timezone=str(zone_of(self.zone)),
            signals={name: signal for name, signal in signals.items() if signal is not None},
            line=line if self.is_linked else None,
            rhythms=RHYTHMS,
        )

    def holding(self, rules: dict[str, Rule], *, now: datetime) -> set[tuple[UUID, str]]:
        """The (customer, rule) whose conditions hold now."""
        facts = self.facts(now=now)
        return {
            (self.customer_id, rule.id) for rule in rules.values() if rule.when.check(facts, now=now).holds
        }

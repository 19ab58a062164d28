"""What happens now with one customer, for every rule, and why?

The one evaluator: live, shadow, rule tests and `why` all come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from followups.facts import Facts
from followups.rules.conditions import Check, Text
from followups.rules.model import MessageTemplate, Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Write this message now."""

    message: MessageTemplate
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalate:
    """Open a lead."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Due, but not now: asked again at `until`, or when what `gate` names changes (until None)."""

    gate: str
    because: Text
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Due, but not to be sent on this occasion, and what would have to change."""

    gate: str
    because: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDue:
    """The rule has nothing to say now: its conditions do not hold, or its follow-up is under way or done."""

    because: Text
    flips_at: datetime | None = None


Verdict = Send | Escalate | Wait | Drop | NotDue


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One gate that was asked, in order; the last one that did not pass decided."""

    gate: str
    passes: bool
    because: Text
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDecision:
    """What one rule decided for one customer, with everything that led to it."""

    rule_id: str
    rule_version: int
    is_shadow: bool
    verdict: Verdict
    check: Check
    gates: tuple[GateResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole trace for one customer at one moment. At most one live rule sends."""

    customer_id: UUID
    at: datetime
    rules: tuple[RuleDecision, ...]


def decide(facts: Facts, rules: Sequence[Rule], policy: Policy, *, now: datetime) -> Decision:
    """Decide for one customer over all published rules.

    Rules in draft or paused are left out by the caller. Order: conditions, follow-up under way or cooling
    down, arbitration among live rules that would send (priority, then id), gates cheapest first.
    """
    raise NotImplementedError

"""What can come of asking a rule, and what of asking a gate?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from followups.facts import Arm
from followups.rules.conditions import Check, Text
from followups.rules.model import MessageTemplate
from followups.times.zones import DEFAULT_TIMEZONE

if TYPE_CHECKING:
    from followups.reviews import Asked


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
    """One gate that was asked, in order; the last one that did not pass decided.

    Attributes:
        until: where time alone opens it.
        is_final: a closed gate that ends this occasion instead of making it wait.
    """

    gate: str
    passes: bool
    because: Text
    until: datetime | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a customer stands in a rule's steps, and where they stand once the decision is carried out.

    Attributes:
        is_entry: with this decision they enter the rule.
        step: the path of the step decided about, where they stand since `at`; None: nothing is left to do.
        next: the path they stand at afterwards, since `next_at`.
        ended: why the passage ends with this decision; None: it goes on.
        asked: the conditions of steps asked on the way, by the path of their step.
        past: the paths that lie behind.
    """

    is_entry: bool
    entered_at: datetime
    step: str | None
    at: datetime
    next: str | None
    next_at: datetime
    arm: Arm = Arm.TREATED
    variant: str | None = None
    unit: str | None = None
    ended: str | None = None
    asked: tuple[tuple[str, Check], ...] = ()
    past: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDecision:
    """What one rule decided for one customer, with everything that led to it.

    Attributes:
        position: of a customer who enters, or has steps left; None: they are in no scenario.
        to_review: what a support lead is to be asked about, where nobody was yet; not part of the trace.
    """

    rule_id: str
    rule_version: int
    is_shadow: bool
    verdict: Verdict
    check: Check
    gates: tuple[GateResult, ...] = ()
    rule_name: str = ""
    position: Position | None = None
    to_review: Asked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole trace for one customer at one moment. At most one live rule sends.

    Attributes:
        timezone: the customer's, in which moments are told.
    """

    customer_id: UUID
    at: datetime
    rules: tuple[RuleDecision, ...]
    timezone: str = DEFAULT_TIMEZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """The message may be handed to LINE now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Not now: asked again at `until`, or when what `gate` names changes (until None)."""

    gate: str
    because: Text
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Never: `gate` is `superseded` (conditions no longer hold), `consent`, `blocked`, ..."""

    gate: str
    because: Text


Recheck = Go | Hold | Cancel

"""What is a rule, a message template, a policy, once read and found valid?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum

from followups.rules.conditions import Condition


class RuleState(StrEnum):
    """`shadow` decides and records but sends nothing; `live` sends."""

    DRAFT = "draft"
    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    PAUSED = "paused"


class DuringConversation(StrEnum):
    """What a rule does while people talk."""

    HOLD = "hold"
    DROP = "drop"
    SEND = "send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """The one event that says the rule worked, within a window from the send."""

    event: str
    within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReply:
    """An answer in one tap: recorded as the event `signal`; `is_lead` opens a lead."""

    label: Mapping[str, str]
    signal: str
    is_lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A message to customers. `text` by language; labels of the button and quick replies likewise."""

    name: str
    text: Mapping[str, str]
    purpose: str | None = None
    button_label: Mapping[str, str] | None = None
    button_url: str | None = None
    quick_replies: tuple[QuickReply, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStep:
    """`send: name`, or a message in place (then the template's name is `<rule id>/<step number>`)."""

    message: MessageTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateStep:
    """`escalate: {reason: …}`: open a lead."""

    reason: str


Step = SendStep | EscalateStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, valid. `again_after` None: never again. `holdout`: share of customers kept as comparison."""

    id: str
    name: str
    goal: Goal
    when: Condition
    steps: tuple[Step, ...]
    version: int = 1
    state: RuleState = RuleState.SHADOW
    priority: int = 50
    again_after: timedelta | None = None
    holdout: float | None = None
    approval: str = "auto"
    during_conversation: DuringConversation = DuringConversation.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A daily span of local time; `start > end` runs over midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """When people answer. `days`: Monday is 0."""

    days: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    hours: Hours = field(default_factory=lambda: Hours(start=time(10), end=time(18)))
    holidays: str | None = "JP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most proactive messages one customer gets; None: no cap."""

    per_day: int | None = 1
    per_7_days: int | None = 2
    per_30_days: int | None = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for every rule; `policy.yaml`, every key optional. `holdout` None: not said in the file."""

    timezone: str = "Asia/Tokyo"
    quiet_hours: Hours | None = field(default_factory=lambda: Hours(start=time(20), end=time(9)))
    business_hours: BusinessHours = field(default_factory=BusinessHours)
    caps: Caps = field(default_factory=Caps)
    silence_messages: int = 2
    silence_for: timedelta = timedelta(days=60)
    reserve_for_people: float = 0.2
    holdout: float | None = None
    canary_size: int = 10
    canary_for: timedelta = timedelta(minutes=30)
    approval_above: int = 50
    undo_seconds: int = 15
    claim_within: timedelta = timedelta(minutes=15)
    escalate_within: timedelta = timedelta(minutes=30)
    link_hosts: tuple[str, ...] = ()
    default_purpose: str = "support"

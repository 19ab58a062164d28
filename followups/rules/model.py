"""What is a rule, a message template, a policy, once read and found valid?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum

from followups.rules.conditions import Condition
from followups.standing.segments import LifeCycle
from followups.times.retention import Retention


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
class Picture:
    """A picture at an https address (JPEG or PNG, 10 MB), and a small one (1 MB) for the chat."""

    url: str
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTemplate:
    """A message to customers. `text` by language; labels of the button and quick replies likewise.

    Attributes:
        image: above the text; with a button it is part of its bubble.
        coupon: the id that LINE gave a coupon, shown below.
    """

    name: str
    text: Mapping[str, str]
    purpose: str | None = None
    button_label: Mapping[str, str] | None = None
    button_url: str | None = None
    quick_replies: tuple[QuickReply, ...] = ()
    image: Picture | None = None
    coupon: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStep:
    """`send: name`, or a message in place (then the template's name is `<rule id>/<step number>`).

    Attributes:
        variants: by key, where several wordings are compared; then `message` is that of the first key.
    """

    message: MessageTemplate
    variants: Mapping[str, MessageTemplate] = field(default_factory=dict)

    def wording(self, variant: str | None) -> MessageTemplate:
        """What a customer of this variant reads."""
        return self.variants.get(variant, self.message) if variant is not None else self.message

    @property
    def messages(self) -> tuple[MessageTemplate, ...]:
        """Every wording there is."""
        return tuple(self.variants.values()) or (self.message,)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalateStep:
    """`escalate: {reason: …}`: open a lead."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep:
    """`wait: 3d`, or `wait: {for: 3d, until: …, at: "10:00"}`: go on after the span, or when `until` holds.

    Attributes:
        at: the customer's local time of day: the first one at or after the end of the span.
    """

    span: timedelta
    until: Condition | None = None
    at: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IfStep:
    """`if: …` with `then:` and `else:`: which steps come next is settled when the customer gets here."""

    condition: Condition
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()


Step = SendStep | EscalateStep | WaitStep | IfStep


def every_step(steps: Sequence[Step]) -> Iterator[Step]:
    """These steps and all below them, in the order they are written."""
    for step in steps:
        yield step
        if isinstance(step, IfStep):
            yield from every_step(step.then)
            yield from every_step(step.otherwise)


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

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that it asks: `when`, then the conditions of its steps."""
        asked = [self.when]
        for step in every_step(self.steps):
            if isinstance(step, IfStep):
                asked.append(step.condition)
            elif isinstance(step, WaitStep) and step.until is not None:
                asked.append(step.until)
        return tuple(asked)

    @property
    def messages(self) -> tuple[MessageTemplate, ...]:
        """Every message it may send, in the order they are written."""
        return tuple(
            message
            for step in every_step(self.steps)
            if isinstance(step, SendStep)
            for message in step.messages
        )

    @property
    def variants(self) -> tuple[str, ...]:
        """The keys of its variants; none: every customer reads the same."""
        for step in every_step(self.steps):
            if isinstance(step, SendStep) and step.variants:
                return tuple(step.variants)
        return ()


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
class Routing:
    """Who is asked to take a new lead.

    Attributes:
        owner_attribute: names the person who looks after a customer: their Slack id, or name in Slack.
        value_attribute: what the customer is worth, as the lead's card shows it.
        per_rep_per_day: leads one person is asked to take, or takes, in a day; None: any number.
        introduce: tell a customer who wrote, once, who has taken their request.
    """

    owner_attribute: str | None = None
    value_attribute: str | None = None
    per_rep_per_day: int | None = None
    introduce: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Whom a bubble is from, as the customer sees it; None: the account's own name or picture."""

    name: str | None = None
    icon_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """Who bubbles are from. `people` by Slack user id; a name that a person chose in Slack comes first."""

    bot: Sender | None = None
    people: Mapping[str, Sender] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestTime:
    """When the digest is posted, by local time, but for holidays of the business calendar. Monday is 0."""

    at: time = time(9)
    days: frozenset[int] = frozenset({0, 1, 2, 3, 4})


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
    quota_monthly: int | None = None
    yen_per_extra: float | None = None
    holdout: float | None = None
    canary_size: int = 10
    canary_for: timedelta = timedelta(minutes=30)
    approval_above: int = 50
    undo_seconds: int = 15
    claim_within: timedelta = timedelta(minutes=15)
    escalate_within: timedelta = timedelta(minutes=30)
    routing: Routing = field(default_factory=Routing)
    senders: Senders = field(default_factory=Senders)
    link_hosts: tuple[str, ...] = ()
    default_purpose: str = "support"
    life_cycle: LifeCycle = field(default_factory=LifeCycle)
    retention: Retention = field(default_factory=Retention)
    digest: DigestTime | None = field(default_factory=DigestTime)

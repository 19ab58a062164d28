"""What is known of one customer at one moment?

Facts are loaded in one go, frozen, and handed to the pure core. All times are aware datetimes; spans
are timedeltas. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

AttributeValue = str | int | float | bool | None
"""A free attribute of a customer, as sent in by `identify`. Dates are ISO text (`2026-12-03`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """The running summary of one event name of one customer.

    Attributes:
        key: the event's name, or a derived key (see `followups.signals`).
        count: number of distinct events ever.
        first_at: the earliest event.
        last_at: the latest event.
        recent: the most recent times, newest first; as many as some published rule watches.
    """

    key: str
    count: int
    first_at: datetime
    last_at: datetime
    recent: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LineContact:
    """The LINE user this customer is linked to."""

    line_user_id: str
    is_friend: bool
    is_blocked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The latest entry of the consent ledger for one purpose."""

    purpose: str
    is_granted: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One proactive message promised or sent to this customer (what caps count).

    Attributes:
        at: when it was accepted by LINE, or when it is due while still queued.
        is_started: a LINE request for it has been started (sending, accepted or unknown).
    """

    message_id: UUID
    rule_id: str | None
    purpose: str
    at: datetime
    is_started: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How the customer wishes to be written to; stricter than the policy, never looser.

    Attributes:
        paused_until: nothing before this moment.
        hours: (from, to) of the day, in their own time; over midnight where from is later.
        per_30_days: at most so many messages in any 30 days.
        topics_off: purposes they do not want to hear about, though they agreed to be written to.
    """

    paused_until: datetime | None = None
    hours: tuple[time, time] | None = None
    per_30_days: int | None = None
    topics_off: frozenset[str] = frozenset()


class FollowUpState(StrEnum):
    """Where one passage through one rule stands."""

    ACTIVE = "active"
    ENDED = "ended"


class Arm(StrEnum):
    """Whether a passage does something, or is kept to compare with."""

    TREATED = "treated"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The latest passage of this customer through one rule.

    Attributes:
        arm: what they were assigned to when they entered; nothing is done with those held out.
        variant: which wording they read, where the rule compares several.
        unit: what was assigned as one: the account at that time, else the customer.
        step: the path of the step they stand at ("0", "1.then.0"); None: nothing is left to do.
        step_at: since when they stand there.
    """

    rule_id: str
    rule_version: int
    occasion: int
    state: FollowUpState
    entered_at: datetime
    ended_at: datetime | None = None
    ended_because: str | None = None
    arm: Arm = Arm.TREATED
    variant: str | None = None
    unit: str | None = None
    step: str | None = None
    step_at: datetime | None = None


class ReviewState(StrEnum):
    """What a support lead said about one text."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The latest question to a support lead about a text that a rule wants to send to this customer.

    Attributes:
        step: the path of the step that sends it.
        text_hash: of the whole message asked about (`followups.reviews.text_hash`).
        revision: the conversation's, when it was asked (0: there was none).
    """

    rule_version: int
    occasion: int
    step: str
    text_hash: str
    revision: int
    state: ReviewState


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The chat with this customer's LINE user.

    Attributes:
        revision: grows with every line said by anyone; drafts are bound to it.
        owner: the Slack user id of the staff member who holds it; None: the bot.
        is_unanswered: the last line is the customer's.
    """

    is_open: bool
    revision: int
    owner: str | None = None
    is_unanswered: bool = False
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything known of one customer at one moment.

    Attributes:
        account: the id of the company the customer belongs to, if any.
        timezone: IANA name; None: the policy's.
        language: BCP 47 primary tag ("ja", "en"); None: Japanese.
        signals: by key.
        consents: by purpose.
        contacts: proactive messages of the last 60 days, any order.
        follow_ups: the latest passage by rule id.
        has_open_lead: a lead is new, claimed or snoozed.
        lead_closed_at: when people last closed one; None: never.
        preferences: how the customer wishes to be written to; None: nothing was ever said.
        rhythms: by event, the population's median gap between visits: the same for everyone.
        reviews: by rule id, of rules whose messages a support lead approves one by one.
    """

    customer_id: UUID
    external_id: str | None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    account: str | None = None
    timezone: str | None = None
    language: str | None = None
    signals: Mapping[str, Signal] = field(default_factory=dict)
    line: LineContact | None = None
    consents: Mapping[str, Consent] = field(default_factory=dict)
    contacts: tuple[Contact, ...] = ()
    follow_ups: Mapping[str, FollowUp] = field(default_factory=dict)
    conversation: Conversation | None = None
    has_open_lead: bool = False
    lead_closed_at: datetime | None = None
    preferences: Preferences | None = None
    reviews: Mapping[str, Review] = field(default_factory=dict)
    rhythms: Mapping[str, timedelta] = field(default_factory=dict)

"""What is known of one customer at one moment?

Facts are loaded in one go, frozen, and handed to the pure core. All times are aware datetimes; spans
are timedeltas. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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


class FollowUpState(StrEnum):
    """Where one passage through one rule stands."""

    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The latest passage of this customer through one rule."""

    rule_id: str
    rule_version: int
    occasion: int
    state: FollowUpState
    entered_at: datetime
    ended_at: datetime | None = None
    ended_because: str | None = None


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

"""Which customers are worth a person's time now, whose are they, and what is drafted for them?"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment


class LeadState(StrEnum):
    """`new → claimed → (snoozed) → won / lost / dismissed`."""

    NEW = "new"
    CLAIMED = "claimed"
    SNOOZED = "snoozed"
    WON = "won"
    LOST = "lost"
    DISMISSED = "dismissed"


OPEN_STATES = (LeadState.NEW, LeadState.CLAIMED, LeadState.SNOOZED)


class Lead(SQLModel, table=True):
    """One episode. `revision` is what compare-and-swap compares; at most one open lead per customer.

    `reasons`: [{ja, en, at}], newest first. `channel` and `ts`: the card in Slack.
    """

    __tablename__ = "lead"
    __table_args__ = (
        Index(
            "uq_lead_open",
            "customer_id",
            unique=True,
            postgresql_where=text("state IN ('new', 'claimed', 'snoozed')"),
        ),
        Index("ix_lead_snoozed", "snoozed_until", postgresql_where=text("state = 'snoozed'")),
    )

    customer_id: UUID = customer_key()
    lead_id: UUID = Field(primary_key=True)
    state: str
    revision: int = 1
    source: str
    rule_id: str | None = None
    score: int | None = None
    reasons: list[Json] = document(default_factory=list)
    owner: str | None = None
    claimed_at: datetime | None = moment(default=None)
    snoozed_until: datetime | None = moment(default=None)
    disposition: str | None = None
    closed_by: str | None = None
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None)
    channel: str | None = None
    ts: str | None = None


class Draft(SQLModel, table=True):
    """A reply proposed for a lead at one revision of its conversation. It has no way to be sent by itself."""

    __tablename__ = "draft"

    customer_id: UUID = customer_key()
    draft_id: UUID = Field(primary_key=True)
    lead_id: UUID
    number: int
    conversation_revision: int
    text: str
    text_hash: str
    source: str
    findings: list[Json] = document(default_factory=list)
    created_at: datetime = moment()
    sent_at: datetime | None = moment(default=None)

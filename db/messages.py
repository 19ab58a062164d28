"""What was promised to customers on LINE, and what became of it? The outbox: the row is the message."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment


class MessageState(StrEnum):
    """`sending`: a request was or may have been started. `accepted`: by LINE, which is not "delivered"."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEAD = "dead"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class MessageKind(StrEnum):
    """Why it is written. Only `rule` is proactive: gated by consent, hours and caps."""

    RULE = "rule"
    PERSON = "person"
    ANSWER = "answer"
    SYSTEM = "system"


class Message(SQLModel, table=True):
    """One LINE push or reply promised to a customer. `message_id` is LINE's retry key.

    `bubbles`: the LINE message objects, fixed when promised. `dedupe_key`: unique per customer.
    `not_before`: undo window, back-off, opening of a gate. `reply_token`: tried first while fresh.
    `approved_by` and `text_hash`: who pressed Send on exactly which text (kind `person`).
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("customer_id", "dedupe_key"),
        Index("ix_message_queued", "not_before", postgresql_where=text("state = 'queued'")),
        Index("ix_message_sending", "attempted_at", postgresql_where=text("state = 'sending'")),
        Index("ix_message_promised", "customer_id", "promised_at"),
    )

    customer_id: UUID = customer_key()
    message_id: UUID = Field(primary_key=True)
    kind: str
    state: str
    dedupe_key: str
    line_user_id: str
    purpose: str | None = None
    rule_id: str | None = None
    rule_version: int | None = None
    occasion: int | None = None
    template: str | None = None
    bubbles: list[Json] = document(default_factory=list)
    plain_text: str = ""
    priority: int = 50
    lead_id: UUID | None = None
    draft_id: UUID | None = None
    approved_by: str | None = None
    text_hash: str | None = None
    reply_token: str | None = None
    reply_token_until: datetime | None = moment(default=None)
    promised_at: datetime = moment()
    not_before: datetime = moment()
    first_attempt_at: datetime | None = moment(default=None)
    attempted_at: datetime | None = moment(default=None)
    attempts: int = 0
    settled_at: datetime | None = moment(default=None)
    because: str | None = None
    line_request_id: str | None = None
    line_message_ids: list[str] = document(default_factory=list)


class Link(SQLModel, table=True):
    """A directory row: where `/r/{token}` leads and whose message it was in. Knows nothing else."""

    __tablename__ = "link"

    token: str = Field(primary_key=True)
    customer_id: UUID
    message_id: UUID
    url: str
    created_at: datetime = moment()


class Click(SQLModel, table=True):
    """One opening of a tracked link."""

    __tablename__ = "click"

    customer_id: UUID = customer_key()
    click_id: UUID = Field(primary_key=True)
    message_id: UUID
    at: datetime = moment()

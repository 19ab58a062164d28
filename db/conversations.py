"""What has been said with each customer on LINE, and who holds the conversation?"""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment


class ConversationRow(SQLModel, table=True):
    """The chat with one customer. `revision` grows with every line; drafts are bound to it."""

    __tablename__ = "conversation"

    customer_id: UUID = customer_key()
    is_open: bool = False
    owner: str | None = None
    revision: int = 0
    last_inbound_at: datetime | None = moment(default=None)
    last_outbound_at: datetime | None = moment(default=None)
    changed_at: datetime = moment()


class InboundLine(SQLModel, table=True):
    """One thing a customer said. `text` is removed when they unsend it; the row stays as a tombstone."""

    __tablename__ = "inbound_line"
    __table_args__ = (Index("ix_inbound_line_at", "customer_id", "at"),)

    customer_id: UUID = customer_key()
    line_message_id: str = Field(primary_key=True)
    kind: str
    text: str | None = None
    details: Json = document(default_factory=dict)
    at: datetime = moment()
    revision: int = 0
    unsent_at: datetime | None = moment(default=None)

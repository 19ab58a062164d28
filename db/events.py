"""What happened, as sent in? Append-only, partitioned by the month it happened in, droppable."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment


class Event(SQLModel, table=True):
    """One thing that happened. `message_id` is the sender's: the same one twice is one event."""

    __tablename__ = "event"
    __table_args__ = {"postgresql_partition_by": "RANGE (at)"}

    customer_id: UUID = customer_key()
    message_id: str = Field(primary_key=True)
    at: datetime = moment(primary_key=True)
    name: str
    properties: Json | None = document(default=None, nullable=True)
    received_at: datetime = moment()
    is_folded: bool = True


class FutureEvent(SQLModel, table=True):
    """An event dated ahead of its arrival, to be folded when its time comes."""

    __tablename__ = "future_event"

    customer_id: UUID = customer_key()
    message_id: str = Field(primary_key=True)
    at: datetime = moment(index=True)
    name: str

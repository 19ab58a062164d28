"""What is the running summary of each customer's events, and what do rules need kept of them?"""

from __future__ import annotations

from sqlalchemy import ARRAY, Column, Index, Integer
from sqlmodel import Field, SQLModel

from db.columns import UUID, Timestamp, customer_key, datetime, moment


class SignalRow(SQLModel, table=True):
    """One `followups.facts.Signal`, or a derived row (`login#3`, `login~first`, `@renewal_date`)."""

    __tablename__ = "signal"
    __table_args__ = (Index("ix_signal_key_last_at", "key", "last_at", "customer_id"),)

    customer_id: UUID = customer_key()
    key: str = Field(primary_key=True)
    n: int = 1
    first_at: datetime = moment()
    last_at: datetime = moment()
    recent: list[datetime] = Field(default_factory=list, sa_column=Column(ARRAY(Timestamp), nullable=False))


class WatchRow(SQLModel, table=True):
    """The union of what all published rules watch of one event (`followups.signals.Watch`)."""

    __tablename__ = "watch"

    event: str = Field(primary_key=True)
    depth: int = 0
    ranks: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(Integer), nullable=False))
    is_first_watched: bool = False

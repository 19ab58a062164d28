"""Who has to be looked at again: because something changed, or because a moment came?"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Column, Index, SmallInteger, Table
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from db.columns import UUID, Timestamp, customer_key, datetime, moment

dirty = Table(
    "dirty",
    SQLModel.metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", SqlUuid, nullable=False),
    Column("at", Timestamp, nullable=False),
)
"""Append-only: customers to decide about; rows are deleted in the deciding transaction. No key on purpose:
an id or time watermark over it would lose rows of transactions that commit late."""


class Alarm(SQLModel, table=True):
    """A moment at which one customer has to be decided about again (gate opens, cool-down ends, birthday)."""

    __tablename__ = "alarm"
    __table_args__ = (Index("ix_alarm_at", "shard", "at"),)

    customer_id: UUID = customer_key()
    key: str = Field(primary_key=True)
    at: datetime = moment()
    shard: int = Field(default=0, sa_type=SmallInteger)


class Tick(SQLModel, table=True):
    """Up to which moment time has been looked at, per shard; moved by compare-and-swap."""

    __tablename__ = "tick"

    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    watermark: datetime = moment()
    n: int = 0


async def mark_dirty(session: AsyncSession, customer_ids: Iterable[UUID], *, now: datetime) -> None:
    """Have these customers decided about again, because something known of them changed."""
    rows = [{"shard": 0, "customer_id": customer_id, "at": now} for customer_id in sorted(set(customer_ids))]
    if rows:
        await session.execute(dirty.insert(), rows)

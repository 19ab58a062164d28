"""Who has to be looked at again: because something changed, or because a moment came?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Index,
    SmallInteger,
    Table,
    any_,
    delete,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, Timestamp, customer_key, datetime, moment

SHARD = 0
_ROWS_AT_A_TIME = 10_000
_UUIDS = ARRAY(SqlUuid)
_ROWS_PER_CUSTOMER = 5
"""How many dirty rows a customer has, about; a guess too low only means a smaller batch."""

dirty = Table(
    "dirty",
    SQLModel.metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", SqlUuid, nullable=False),
    Column("at", Timestamp, nullable=False),
    Index("ix_dirty_customer_id", "shard", "customer_id"),
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
    shard: int = Field(default=SHARD, sa_type=SmallInteger)


class Tick(SQLModel, table=True):
    """Up to which moment time has been looked at, per shard; moved by compare-and-swap."""

    __tablename__ = "tick"

    shard: int = Field(primary_key=True, sa_type=SmallInteger)
    watermark: datetime = moment()
    n: int = 0


class Undecided(SQLModel, table=True):
    """A customer about whom deciding failed (a bug): tried again at `again_at`, None: only on a change."""

    __tablename__ = "undecided"

    customer_id: UUID = customer_key()
    attempts: int = 1
    ref: str
    failed_at: datetime = moment()
    again_at: datetime | None = moment(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The watermark went from `previous` to the present."""

    previous: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMoved:
    """Nothing to look at: another process was there first, or this clock is `behind` the watermark."""

    behind: timedelta = timedelta(0)


async def mark_dirty(session: AsyncSession, customer_ids: Iterable[UUID], *, now: datetime) -> None:
    """Have these customers decided about again, because something known of them changed."""
    ids = sorted(set(customer_ids))
    for start in range(0, len(ids), _ROWS_AT_A_TIME):
        each = func.unnest(literal(ids[start : start + _ROWS_AT_A_TIME], _UUIDS)).column_valued("each")
        await session.execute(
            dirty.insert().from_select(
                ["shard", "customer_id", "at"], select(literal(SHARD), each, literal(now, Timestamp))
            )
        )


async def take_dirty(
    session: AsyncSession, *, latest: datetime, limit: int, start: UUID
) -> dict[UUID, datetime]:
    """Delete the dirty rows of up to `limit` customers nobody else is deciding about.

    Args:
        latest: rows marked after this moment (by a machine whose clock is ahead) are left alone.
        start: where in the range of ids to begin; different workers begin apart and so seldom meet.

    Returns:
        The customers, each with the latest moment they were marked at.
    """
    ids = dirty.c.customer_id
    taken = await _take_range(session, ids >= start, latest=latest, limit=limit)
    if len(taken) < limit:
        taken |= await _take_range(session, ids < start, latest=latest, limit=limit - len(taken))
    return taken


async def take_dirty_of(
    session: AsyncSession, customer_id: UUID, *, latest: datetime
) -> dict[UUID, datetime]:
    """Delete the dirty rows of this one customer; as `take_dirty`."""
    return await _take_range(session, dirty.c.customer_id == customer_id, latest=latest, limit=1)


async def _take_range(
    session: AsyncSession, within: ColumnElement[bool], *, latest: datetime, limit: int
) -> dict[UUID, datetime]:
    some = (
        select(literal_column("ctid").label("place"), dirty.c.customer_id)
        .where(dirty.c.shard == SHARD, within, dirty.c.at <= latest)
        .order_by(dirty.c.customer_id)
        .limit(limit * _ROWS_PER_CUSTOMER)
        .with_for_update(skip_locked=True)
        .cte("some")
    )
    chosen = select(some.c.customer_id).distinct().order_by(some.c.customer_id).limit(limit).cte("chosen")
    places = select(some.c.place).where(some.c.customer_id.in_(select(chosen.c.customer_id)))
    rows = await session.execute(
        delete(dirty)
        .where(literal_column("dirty.ctid") == any_(func.array(places.scalar_subquery())))
        .returning(dirty.c.customer_id, dirty.c.at)
    )
    taken: dict[UUID, datetime] = {}
    for customer_id, at in rows:
        taken[customer_id] = max(at, taken.get(customer_id, at))
    return taken


async def move_watermark(session: AsyncSession, *, now: datetime) -> Moved | NotMoved:
    """Claim the span since the last tick for this transaction, by compare-and-swap.

    The very first tick begins at `now` with an empty span.
    """
    await begin_ticking(session, now=now)
    previous = await watermark(session)
    assert previous is not None
    if previous >= now:
        return NotMoved(behind=previous - now)
    swapped = await session.execute(
        update(Tick)
        .where(col(Tick.shard) == SHARD, col(Tick.watermark) == previous)
        .values(watermark=now, n=col(Tick.n) + 1)
        .returning(col(Tick.n))
    )
    return Moved(previous=previous) if swapped.scalar_one_or_none() is not None else NotMoved()


async def begin_ticking(session: AsyncSession, *, now: datetime) -> None:
    """Set the first watermark, where there is none: from here on no moment is missed."""
    await session.execute(insert(Tick).values(shard=SHARD, watermark=now, n=0).on_conflict_do_nothing())


async def watermark(session: AsyncSession, *, is_held: bool = False) -> datetime | None:
    """Up to which moment time has been looked at; `is_held` keeps it there until the transaction ends."""
    query = select(col(Tick.watermark)).where(col(Tick.shard) == SHARD)
    return (await session.execute(query.with_for_update() if is_held else query)).scalar_one_or_none()


async def ring_alarms(session: AsyncSession, *, now: datetime) -> int:
    """Turn due alarms into dirty rows; how many customers.

    Alarms that a deciding transaction holds are skipped: it writes them anew, and the next tick sees them.
    """
    due = (
        select(col(Alarm.customer_id), col(Alarm.key))
        .where(col(Alarm.shard) == SHARD, col(Alarm.at) <= now)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rung = (
        delete(Alarm)
        .where(col(Alarm.customer_id) == due.c.customer_id, col(Alarm.key) == due.c.key)
        .returning(col(Alarm.customer_id))
        .cte("rung")
    )
    marked = await session.execute(
        dirty.insert()
        .from_select(
            ["shard", "customer_id", "at"],
            select(literal(SHARD), rung.c.customer_id, literal(now, Timestamp)).distinct(),
        )
        .returning(dirty.c.customer_id)
    )
    return len(marked.all())


async def set_alarms(
    session: AsyncSession,
    customer_ids: Sequence[UUID],
    alarms: Mapping[tuple[UUID, str], datetime],
) -> None:
    """Replace all alarms of these customers by these, given as (customer, key) → moment."""
    await session.execute(delete(Alarm).where(col(Alarm.customer_id).in_(customer_ids)))
    if alarms:
        await session.execute(
            insert(Alarm),
            [
                {"customer_id": customer_id, "key": key, "at": at, "shard": SHARD}
                for (customer_id, key), at in sorted(alarms.items())
            ],
        )


RETRIES = 10
_UNDECIDED = "undecided"


async def keep_undecided(session: AsyncSession, customer_id: UUID, *, ref: str, now: datetime) -> None:
    """Remember that deciding failed, and look again in 1, 2, 4 … minutes, at most `RETRIES` times."""
    failed = insert(Undecided).values(customer_id=customer_id, attempts=1, ref=ref, failed_at=now)
    attempts = (
        await session.execute(
            failed.on_conflict_do_update(
                index_elements=["customer_id"],
                set_={"attempts": col(Undecided.attempts) + 1, "ref": ref, "failed_at": now},
            ).returning(col(Undecided.attempts))
        )
    ).scalar_one()
    again_at = now + timedelta(minutes=2 ** (attempts - 1)) if attempts <= RETRIES else None
    await session.execute(
        update(Undecided).where(col(Undecided.customer_id) == customer_id).values(again_at=again_at)
    )
    if again_at is not None:
        alarm = insert(Alarm).values(customer_id=customer_id, key=_UNDECIDED, at=again_at, shard=SHARD)
        await session.execute(
            alarm.on_conflict_do_update(index_elements=["customer_id", "key"], set_={"at": again_at})
        )


async def forget_undecided(session: AsyncSession, customer_ids: Sequence[UUID]) -> None:
    """Deciding about these customers worked."""
    await session.execute(delete(Undecided).where(col(Undecided.customer_id).in_(customer_ids)))

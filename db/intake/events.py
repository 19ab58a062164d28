"""What happened, as sent in? Append-only, partitioned by the month it happened in, droppable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Integer,
    SmallInteger,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable
from sqlmodel import Field, SQLModel, col

from bot.errors import Refused
from db import arrays
from db.columns import UUID, Json, Timestamp, customer_key, datetime, document, moment
from db.deciding.ticks import dirty
from db.engine import sqlstate_of
from db.intake.partitions import ensure_partitions, forget_partitions, month_of
from db.intake.signals import fold_into_signals, hold_watch, with_filtered
from db.people.customers import Customer, add_customers, lock_customers


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
    at: datetime = moment(primary_key=True, index=True)


class NewEvent(NamedTuple):
    """One event as it came in. A tuple, for being made by the thousand.

    Attributes:
        at: when it happened, aware; its arrival where the sender gave no time.
        message_id: the sender's id of it, unique per customer.
        properties: an object, or the JSON of one.
        external_id: the product's id of the customer, for a customer not heard of before.
        is_timed: False: the sender gave no time, so a repeat of it carries another `at`.
    """

    customer_id: UUID
    name: str
    at: datetime
    message_id: str
    properties: Json | bytes | None = None
    external_id: str | None = None
    is_timed: bool = True


EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FURTHEST_AHEAD = timedelta(days=366)
FOLDED_AHEAD = timedelta(minutes=5)
"""Clocks differ: up to here an event dated ahead counts as present."""
REPEATED_WITHIN = timedelta(days=35)
"""How far back a repeat of an event without a time is recognised."""


def untakeable(at: datetime, *, now: datetime) -> Refused | None:
    """Why an event of this time is not taken; None when it is."""
    if at < EARLIEST:
        return Refused(
            ja=f"日時が1990年より前です（{at.isoformat()}）。単位（秒・ミリ秒）と書式をご確認ください。",
            en=f"the time {at.isoformat()} is before 1990 (check its unit and format)",
        )
    if at > now + FURTHEST_AHEAD:
        return Refused(
            ja=f"日時が366日以上先です（{at.isoformat()}）。単位（秒・ミリ秒）と書式をご確認ください。",
            en=f"the time {at.isoformat()} is more than 366 days ahead (check its unit and format)",
        )
    return None


async def take_in(session: AsyncSession, events: Sequence[NewEvent], *, now: datetime) -> list[bool]:
    """Store events, each once, fold the new ones into signals and mark their customers dirty.

    Events may be late, out of order and repeated, within the batch or across batches. Those dated more than
    five minutes ahead wait in `future_event` for `fold_due`.

    Returns:
        For each event whether it was new.

    Raises:
        Refused: an event lies before 1990 or more than 366 days ahead; nothing is stored.
    """
    fresh: dict[tuple[UUID, str], int] = {}
    for index, event in enumerate(events):
        fresh.setdefault((event.customer_id, event.message_id), index)
    if not fresh:
        return []
    given = [events[index] for index in fresh.values()]
    times = [event.at for event in given]
    for at in (min(times), max(times)):
        if refusal := untakeable(at, now=now):
            raise refusal
    await ensure_partitions(session, {month_of(at) for at in times})
    await hold_watch(session)
    indexes = list(fresh.values())
    if not all(event.is_timed for event in given):
        repeated = await _repeats(session, given, now=now)
        indexes = [
            index
            for index in indexes
            if (events[index].customer_id, events[index].message_id) not in repeated
        ]
    taken = [False] * len(events)
    if not indexes:
        return taken
    for index in indexes:
        taken[index] = True
    for known in await _store(session, [events[index] for index in indexes], now=now):
        taken[indexes[known]] = False
    return taken


async def _store(session: AsyncSession, given: Sequence[NewEvent], *, now: datetime) -> list[int]:
    """Run the one statement; returns the positions of events that were known before."""
    customers, names, times, messages, documents, externals, _ = zip(*given, strict=True)
    try:
        known = await session.scalar(
            _storing(),
            {
                "customers": arrays.uuids(customers),
                "messages": arrays.texts(messages),
                "times": arrays.moments(times),
                "names": arrays.texts(names),
                "documents": arrays.documents(documents),
                "externals": arrays.texts([external_id or "" for external_id in externals]),
                "now": now,
                "horizon": now + FOLDED_AHEAD,
            },
        )
    except IntegrityError as error:
        if sqlstate_of(error) == _NO_PARTITION:  # dropped since we looked: the next attempt makes it again
            forget_partitions(session)
        raise
    return [position - 1 for position in known or ()]


_NO_PARTITION = "23514"


@cache
def _storing() -> Executable:
    """Customers, events, signals, what is derived of them, and dirty rows, in one statement."""
    event: Table = Event.__table__  # type: ignore[attr-defined]
    customer: Table = Customer.__table__  # type: ignore[attr-defined]
    future: Table = FutureEvent.__table__  # type: ignore[attr-defined]
    now, horizon = bindparam("now", type_=Timestamp), bindparam("horizon", type_=Timestamp)
    null_document = cast(literal("null", Text()), JSONB)
    unnested = func.unnest(
        arrays.array("customers", Uuid()),
        arrays.array("messages", Text()),
        arrays.array("times", Timestamp),
        arrays.array("names", Text()),
        arrays.array("documents", JSONB()),
        arrays.array("externals", Text()),
    ).table_valued(
        column("customer_id", Uuid),
        column("message_id", Text),
        column("at", Timestamp),
        column("name", Text),
        column("properties", JSONB),
        column("external_id", Text),
        with_ordinality="position",
        name="unnested",
    )
    given = select(unnested.render_derived()).cte("given")
    people = (
        insert(customer)
        .from_select(
            ["customer_id", "external_id", "attributes", "attribute_times", "created_at"],
            select(
                given.c.customer_id,
                func.nullif(func.max(given.c.external_id), ""),
                cast(literal("{}", Text()), JSONB),
                cast(literal("{}", Text()), JSONB),
                now,
            )
            .where(
                ~select(customer.c.customer_id).where(customer.c.customer_id == given.c.customer_id).exists()
            )
            .group_by(given.c.customer_id)
            .order_by(given.c.customer_id),
        )
        .on_conflict_do_nothing()
        .returning(customer.c.customer_id)
        .cte("people")
    )
    stored = (
        insert(event)
        .from_select(
            ["customer_id", "message_id", "at", "name", "properties", "received_at", "is_folded"],
            select(
                given.c.customer_id,
                given.c.message_id,
                given.c.at,
                given.c.name,
                func.nullif(given.c.properties, null_document),
                now,
                given.c.at <= horizon,
            ).order_by(given.c.customer_id, given.c.message_id),
        )
        .on_conflict_do_nothing()
        .returning(
            event.c.customer_id,
            event.c.message_id,
            event.c.name,
            event.c.at,
            event.c.is_folded,
            event.c.properties,
        )
        .cte("stored")
    )
    present = (
        select(stored.c.customer_id, stored.c.name, stored.c.at, stored.c.properties)
        .where(stored.c.is_folded)
        .subquery("present")
    )
    fresh = with_filtered(present)
    waiting = (
        insert(future)
        .from_select(
            ["customer_id", "message_id", "at"],
            select(stored.c.customer_id, stored.c.message_id, stored.c.at).where(~stored.c.is_folded),
        )
        .on_conflict_do_nothing()
        .returning(future.c.customer_id)
        .cte("waiting")
    )
    known = select(given.c.position).where(
        ~select(stored.c.message_id)
        .where(stored.c.customer_id == given.c.customer_id, stored.c.message_id == given.c.message_id)
        .exists()
    )
    is_all_new = (
        select(func.count()).select_from(stored).scalar_subquery()
        == select(func.count()).select_from(given).scalar_subquery()
    )
    return select(
        case((is_all_new, null()), else_=func.array(known.scalar_subquery(), type_=ARRAY(Integer)))
    ).add_cte(people, waiting, *fold_into_signals(fresh), _marked(fresh, now))


def _marked(fresh: Any, now: Any) -> Any:
    return (
        dirty.insert()
        .from_select(
            ["shard", "customer_id", "at"],
            select(cast(literal(0), SmallInteger), fresh.c.customer_id, now).distinct(),
        )
        .cte("marked")
    )


async def _repeats(
    session: AsyncSession, given: Sequence[NewEvent], *, now: datetime
) -> set[tuple[UUID, str]]:
    """Which events without a time of their own are stored already, under an earlier arrival.

    Their customers' rows are held, so that two arrivals of one event at once do not both look in vain.
    """
    untimed = [event for event in given if not event.is_timed]
    customers = {event.customer_id: event.external_id for event in untimed}
    await add_customers(session, customers, now=now)
    await lock_customers(session, customers)
    asked = arrays.rows("asked", customers=Uuid(), messages=Text())
    found = await session.execute(
        select(asked.c.customers, asked.c.messages).join(
            Event,
            and_(
                col(Event.customer_id) == asked.c.customers,
                col(Event.message_id) == asked.c.messages,
                col(Event.at) > now - REPEATED_WITHIN,
            ),
        ),
        {
            "customers": arrays.uuids([event.customer_id for event in untimed]),
            "messages": arrays.texts([event.message_id for event in untimed]),
        },
    )
    return {(customer_id, message_id) for customer_id, message_id in found}


async def fold_due(session: AsyncSession, *, now: datetime, at_most: int = 5000) -> int:
    """Fold the events dated ahead whose time has come; returns how many. Call again while it is `at_most`.

    Any number of processes may do so at once: each row is taken by one.
    """
    await hold_watch(session)
    event: Table = Event.__table__  # type: ignore[attr-defined]
    future: Table = FutureEvent.__table__  # type: ignore[attr-defined]
    keys = (future.c.customer_id, future.c.message_id, future.c.at)
    come = (
        select(*keys)
        .where(future.c.at <= now)
        .order_by(future.c.at)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    due = delete(future).where(tuple_(*keys).in_(come)).returning(*keys).cte("due")
    come_true = (
        update(event)
        .where(
            event.c.customer_id == due.c.customer_id,
            event.c.message_id == due.c.message_id,
            event.c.at == due.c.at,
            ~event.c.is_folded,
        )
        .values(is_folded=True)
        .returning(event.c.customer_id, event.c.name, event.c.at, event.c.properties)
        .cte("folded")
    )
    fresh = with_filtered(come_true)
    folded = await session.scalar(
        select(select(func.count()).select_from(due).scalar_subquery()).add_cte(
            *fold_into_signals(fresh), _marked(fresh, literal(now, Timestamp))
        )
    )
    return int(folded or 0)

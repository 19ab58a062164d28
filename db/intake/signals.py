"""What is the running summary of each customer's events, and what do rules need kept of them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Integer,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from db import arrays
from db.columns import UUID, Json, Timestamp, customer_key, datetime, document, moment
from followups.signals import MAX_RECENT, Watch, first_key, nth_key


class SignalRow(SQLModel, table=True):
    """One `followups.facts.Signal`, or a derived row (`login#3`, `login~first`, `@renewal_date`).

    A derived row is one moment: `n` is 1, `first_at` equals `last_at`, `recent` is empty.
    """

    __tablename__ = "signal"
    __table_args__ = (Index("ix_signal_key_last_at", "key", "last_at", "customer_id"),)

    customer_id: UUID = customer_key()
    key: str = Field(primary_key=True)
    n: int = 1
    first_at: datetime = moment()
    last_at: datetime = moment()
    recent: list[datetime] = Field(default_factory=list, sa_column=Column(ARRAY(Timestamp), nullable=False))


class WatchRow(SQLModel, table=True):
    """The union of what all published rules watch of one event (`followups.signals.Watch`).

    Of a filtered event `source` is the name its events come in under and `filter` the properties they have.
    """

    __tablename__ = "watch"

    event: str = Field(primary_key=True)
    source: str | None = None
    filter: Json | None = document(default=None, nullable=True)
    depth: int = 0
    ranks: list[int] = Field(default_factory=list, sa_column=Column(ARRAY(Integer), nullable=False))
    is_first_watched: bool = False


signal: Table = SignalRow.__table__  # type: ignore[attr-defined]
watch: Table = WatchRow.__table__  # type: ignore[attr-defined]

_WATCH_LOCK = 7_260_151
"""The advisory lock under which events are folded (shared) and `watch` changes (exclusive)."""

NO_TIMES = cast(literal("{}", Text()), ARRAY(Timestamp))


async def hold_watch(session: AsyncSession) -> None:
    """Keep `watch` as it is until this transaction ends; folding starts here."""
    await session.execute(select(func.pg_advisory_xact_lock_shared(_WATCH_LOCK)))


async def hold_watch_changes(session: AsyncSession) -> None:
    """Keep events from being folded until this transaction ends; changing `watch` starts here.

    Waits for running batches, which are short. Publish and `backfill` in the same transaction.
    """
    await session.execute(select(func.pg_advisory_xact_lock(_WATCH_LOCK)))


def with_filtered(events: FromClause) -> CTE:
    """`fresh(customer_id, name, at)`: these events, and again under each filtered key they belong to.

    Args:
        events: `(customer_id, name, at, properties)`.
    """
    own = select(events.c.customer_id, events.c.name, events.c.at)
    filtered = select(events.c.customer_id, watch.c.event, events.c.at).select_from(
        events.join(watch, watch.c.source == events.c.name)
    )
    return union_all(own, filtered.where(events.c.properties.contains(watch.c.filter))).cte("fresh")


def fold_into_signals(fresh: CTE) -> list[CTE]:
    """The statements that fold the distinct new events of `fresh(customer_id, name, at)`.

    The same as `followups.signals.fold` one by one, in whatever order: counts add, the earliest and latest
    widen, the most recent times merge; then what is derived from them follows. Rows are locked in the order
    of their keys, so that batches never wait for each other in a circle.
    """
    depth = func.max(func.coalesce(watch.c.depth, 0))
    times = func.array_agg(aggregate_order_by(fresh.c.at, fresh.c.at.desc()), type_=ARRAY(Timestamp))
    summary = (
        select(
            fresh.c.customer_id,
            fresh.c.name.label("key"),
            cast(func.count(), Integer).label("n"),
            func.min(fresh.c.at).label("first_at"),
            func.max(fresh.c.at).label("last_at"),
            func.coalesce(times.filter(watch.c.depth > 0)[1:depth], NO_TIMES).label("recent"),
        )
        .select_from(fresh.outerjoin(watch, watch.c.event == fresh.c.name))
        .group_by(fresh.c.customer_id, fresh.c.name)
        .order_by(fresh.c.customer_id, fresh.c.name)
    )
    new = insert(signal).from_select(["customer_id", "key", "n", "first_at", "last_at", "recent"], summary)
    both = (
        func.unnest(signal.c.recent + new.excluded.recent)
        .table_valued(column("time", Timestamp), name="both")
        .render_derived()
    )
    arrived: ColumnElement[str] = literal_column(
        "excluded.key", Text()
    )  # a subquery would list it as a table
    kept = select(watch.c.depth).where(watch.c.event == arrived)
    newest = select(both.c.time).order_by(both.c.time.desc()).limit(kept.scalar_subquery())
    base = (
        new.on_conflict_do_update(
            index_elements=["customer_id", "key"],
            set_={
                "n": signal.c.n + new.excluded.n,
                "first_at": func.least(signal.c.first_at, new.excluded.first_at),
                "last_at": func.greatest(signal.c.last_at, new.excluded.last_at),
                "recent": case(
                    (func.cardinality(new.excluded.recent) == 0, signal.c.recent),
                    else_=func.array(newest.scalar_subquery(), type_=ARRAY(Timestamp)),
                ),
            },
        )
        .returning(signal.c.customer_id, signal.c.key, signal.c.first_at, signal.c.recent)
        .cte("base")
    )
    return [base, _derive(base)]


def _derive(base: FromClause) -> CTE:
    """Write the rows that rules watch of `base(customer_id, key, first_at, recent)`."""
    ranks = func.unnest(watch.c.ranks).table_valued(column("rank", Integer), name="ranks").render_derived()
    rank = ranks.c.rank
    nth = (
        select(
            base.c.customer_id.label("customer_id"),
            (base.c.key + literal(nth_key("", 0)[:-1]) + cast(rank, Text())).label("key"),
            base.c.recent[rank].label("at"),
        )
        .select_from(base.join(watch, watch.c.event == base.c.key).join(ranks, true()))
        .where(rank <= func.cardinality(base.c.recent))
    )
    first = (
        select(base.c.customer_id, base.c.key + literal(first_key("")), base.c.first_at)
        .select_from(base.join(watch, watch.c.event == base.c.key))
        .where(watch.c.is_first_watched)
    )
    rows = union_all(nth, first).subquery("rows")
    return moments_written(
        select(rows.c.customer_id, rows.c.key, rows.c.at).order_by(rows.c.customer_id, rows.c.key), "derived"
    )


def moments_written(rows: Select[Any], name: str) -> CTE:
    """The statement that keeps each of `rows(customer_id, key, at)` as one moment."""
    given = rows.subquery(f"{name}_rows")
    new = insert(signal).from_select(
        ["customer_id", "key", "n", "first_at", "last_at", "recent"],
        select(given.c.customer_id, given.c.key, literal(1), given.c.at, given.c.at, NO_TIMES).order_by(
            given.c.customer_id, given.c.key
        ),
    )
    return (
        new.on_conflict_do_update(
            index_elements=["customer_id", "key"],
            set_={"first_at": new.excluded.first_at, "last_at": new.excluded.last_at},
            where=signal.c.last_at != new.excluded.last_at,
        )
        .returning(signal.c.customer_id)
        .cte(name)
    )


async def backfill(session: AsyncSession, wanted: Watch) -> None:
    """Make what is kept of one event what rules now watch of it, from the events themselves.

    To be called under `hold_watch_changes`, in the transaction that changes `watch`. Where old events were
    dropped, what the signal remembered of them stays. Reads every event: minutes where there are a hundred
    million; the statement may take as long as it needs.
    """
    event = table(
        "event",
        *(column(name) for name in ("customer_id", "name", "at", "is_folded")),
        column("properties", JSONB),
    )
    is_meant = and_(event.c.name == wanted.source, event.c.is_folded)
    if wanted.where:
        is_meant = and_(is_meant, event.c.properties.contains(dict(wanted.where)))
    await session.execute(select(func.set_config("statement_timeout", "0", True)))
    if wanted.where:
        await _fill_filtered(session, wanted, event, is_meant)
    if wanted.depth:
        times = func.array_agg(aggregate_order_by(event.c.at, event.c.at.desc()), type_=ARRAY(Timestamp))
        history = (
            select(event.c.customer_id, times[1 : wanted.depth].label("recent"))
            .where(is_meant)
            .group_by(event.c.customer_id)
            .subquery("history")
        )
        await session.execute(
            update(signal)
            .where(
                signal.c.key == wanted.event,
                signal.c.customer_id == history.c.customer_id,
                func.cardinality(signal.c.recent) < func.cardinality(history.c.recent),
            )
            .values(recent=history.c.recent)
        )
    await session.execute(
        update(signal)
        .where(signal.c.key == wanted.event, func.cardinality(signal.c.recent) > wanted.depth)
        .values(recent=signal.c.recent[1 : wanted.depth] if wanted.depth else NO_TIMES)
    )
    await _rederive(session, wanted)


async def _fill_filtered(
    session: AsyncSession, wanted: Watch, event: FromClause, is_meant: ColumnElement[bool]
) -> None:
    """Make the rows of a filtered event, or bring them up to date where it was watched before."""
    counted = (
        select(
            event.c.customer_id,
            literal(wanted.event),
            cast(func.count(), Integer),
            func.min(event.c.at),
            func.max(event.c.at),
            NO_TIMES,
        )
        .where(is_meant)
        .group_by(event.c.customer_id)
    )
    new = insert(signal).from_select(["customer_id", "key", "n", "first_at", "last_at", "recent"], counted)
    await session.execute(
        new.on_conflict_do_update(
            index_elements=["customer_id", "key"],
            set_={
                "n": func.greatest(signal.c.n, new.excluded.n),
                "first_at": func.least(signal.c.first_at, new.excluded.first_at),
                "last_at": func.greatest(signal.c.last_at, new.excluded.last_at),
            },
        )
    )


async def _rederive(session: AsyncSession, wanted: Watch) -> None:
    """Write the derived rows of one event anew."""
    derived = [nth_key(wanted.event, rank) for rank in range(1, MAX_RECENT + 1)] + [first_key(wanted.event)]
    await session.execute(delete(signal).where(signal.c.key.in_(derived)))
    of_event = signal.c.key == wanted.event
    for rank in sorted(wanted.ranks):
        rows = select(
            signal.c.customer_id,
            literal(nth_key(wanted.event, rank)).label("key"),
            signal.c.recent[rank].label("at"),
        )
        await _keep(session, rows.where(of_event, func.cardinality(signal.c.recent) >= rank))
    if wanted.is_first_watched:
        rows = select(
            signal.c.customer_id, literal(first_key(wanted.event)).label("key"), signal.c.first_at.label("at")
        )
        await _keep(session, rows.where(of_event))


async def _keep(session: AsyncSession, rows: Select[Any]) -> None:
    await session.execute(select(literal(1)).add_cte(moments_written(rows, "derived")))


async def set_moments(session: AsyncSession, moments: Mapping[tuple[UUID, str], datetime | None]) -> None:
    """Keep these (customer, key) moments, such as a date attribute's day; None removes the row."""
    gone = sorted(pair for pair, at in moments.items() if at is None)
    kept = sorted((pair, at) for pair, at in moments.items() if at is not None)
    if gone:
        asked = arrays.rows("gone", of=Uuid(), key=Text())
        await session.execute(
            delete(signal).where(signal.c.customer_id == asked.c.of, signal.c.key == asked.c.key),
            {"of": arrays.uuids([of for of, _ in gone]), "key": arrays.texts([key for _, key in gone])},
        )
    if kept:
        given = arrays.rows("kept", of=Uuid(), key=Text(), at=Timestamp)
        rows = select(given.c.of.label("customer_id"), given.c.key, given.c.at)
        await session.execute(
            select(literal(1)).add_cte(moments_written(rows, "dates")),
            {
                "of": arrays.uuids([of for (of, _), _ in kept]),
                "key": arrays.texts([key for (_, key), _ in kept]),
                "at": arrays.moments([at for _, at in kept]),
            },
        )

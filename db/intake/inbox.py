"""What reached us from LINE and Slack, stored before it is acknowledged, each once?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import Boolean, Index, LargeBinary, Text, and_, func, or_, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement, Executable
from sqlmodel import Field, SQLModel, col

from db import arrays
from db.columns import Timestamp, datetime, moment

MOST_ATTEMPTS = 5
"""How often a row that raises is tried before it is put aside."""
FIRST_PAUSE = timedelta(seconds=5)
_LOCK_FAMILY = 7_041
"""Sets the inbox's advisory locks apart from everybody else's."""


class InboxRow(SQLModel, table=True):
    """One event as received. `source`: `line:U…` or `slack:U…`; rows of a source are taken in order of `at`.

    `raw`: the JSON of the one event, emptied once taken in. `not_before`: a row that raised rests until
    then. `because` of a done row: why it had no effect; its `raw` is kept when it was put aside.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_waiting", "source", "at", postgresql_where=text("done_at IS NULL")),)

    source: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    kind: str
    raw: bytes = Field(sa_type=LargeBinary)
    destination: str | None = None
    is_redelivery: bool = False
    at: datetime = moment()
    received_at: datetime = moment()
    done_at: datetime | None = moment(default=None)
    attempts: int = 0
    not_before: datetime | None = moment(default=None)
    because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event on its way into the inbox: an `InboxRow` without the cost of one."""

    source: str
    event_id: str
    kind: str
    raw: bytes
    destination: str | None = None
    is_redelivery: bool = False
    at: datetime
    received_at: datetime


async def store(session: AsyncSession, rows: Sequence[InboxRow | Arrival]) -> int:
    """Keep these events; those known already change nothing. Returns how many were new."""
    if not rows:
        return 0
    stored = await session.scalar(
        _storing(),
        {
            "sources": arrays.texts([row.source for row in rows]),
            "event_ids": arrays.texts([row.event_id for row in rows]),
            "kinds": arrays.texts([row.kind for row in rows]),
            "raws": "{" + ",".join(['"\\\\x' + row.raw.hex() + '"' for row in rows]) + "}",
            "destinations": arrays.texts([row.destination or "" for row in rows]),
            "redeliveries": arrays.truths([row.is_redelivery for row in rows]),
            "times": arrays.moments([row.at for row in rows]),
            "arrivals": arrays.moments([row.received_at for row in rows]),
        },
    )
    return int(stored or 0)


@cache
def _storing() -> Executable:
    incoming = (
        func.unnest(
            arrays.array("sources", Text()),
            arrays.array("event_ids", Text()),
            arrays.array("kinds", Text()),
            arrays.array("raws", LargeBinary()),
            arrays.array("destinations", Text()),
            arrays.array("redeliveries", Boolean()),
            arrays.array("times", Timestamp),
            arrays.array("arrivals", Timestamp),
        )
        .table_valued(
            "source", "event_id", "kind", "raw", "destination", "is_redelivery", "at", "received_at"
        )
        .render_derived("incoming")
    )
    columns = incoming.c
    stored = (
        insert(InboxRow)
        .from_select(
            [*columns.keys(), "attempts"],
            select(  # type: ignore[call-overload]
                columns.source,
                columns.event_id,
                columns.kind,
                columns.raw,
                func.nullif(columns.destination, ""),
                columns.is_redelivery,
                columns.at,
                columns.received_at,
                0,
            ).order_by(columns.source, columns.event_id),
        )
        .on_conflict_do_nothing()
        .returning(col(InboxRow.event_id))
        .cte("stored")
    )
    return select(func.count()).select_from(stored)


async def store_batches(session: AsyncSession, batches: Sequence[Sequence[InboxRow | Arrival]]) -> list[int]:
    """Keep what several callers received, in one statement; their sizes, in order (for a group commit)."""
    await store(session, [row for batch in batches for row in batch])
    return [len(batch) for batch in batches]


def _waiting(prefix: str, now: datetime | None) -> ColumnElement[bool]:
    terms = [col(InboxRow.done_at).is_(None), col(InboxRow.source).startswith(prefix, autoescape=True)]
    if now is not None:
        terms.append(or_(col(InboxRow.not_before).is_(None), col(InboxRow.not_before) <= now))
    return and_(*terms)


async def waiting_sources(
    session: AsyncSession, prefix: str, *, limit: int, now: datetime | None = None
) -> list[str]:
    """Who has rows waiting, longest first; with `now`, rows that rest after an error are left out."""
    found = await session.scalars(
        select(col(InboxRow.source))
        .where(_waiting(prefix, now))
        .group_by(col(InboxRow.source))
        .order_by(func.min(col(InboxRow.received_at)), col(InboxRow.source))
        .limit(limit)
    )
    return list(found)


async def take_some(session: AsyncSession, source: str, *, limit: int, now: datetime) -> list[InboxRow]:
    """The earliest waiting rows of a source, in order, the source held until the transaction ends.

    Empty: there are none, or somebody else holds the source.
    """
    if not await session.scalar(select(_try_lock(source))):
        return []
    # A statement of its own after the lock: what the holder before us did is seen.
    found = await session.scalars(
        select(InboxRow)
        .where(
            col(InboxRow.source) == source,
            col(InboxRow.done_at).is_(None),
            or_(col(InboxRow.not_before).is_(None), col(InboxRow.not_before) <= now),
        )
        .order_by(col(InboxRow.at), col(InboxRow.event_id))
        .limit(limit)
    )
    taken = list(found)
    for row in taken:
        session.expunge(row)  # readable after a rollback too
    return taken


async def take_next(session: AsyncSession, source: str, *, now: datetime) -> InboxRow | None:
    """The earliest waiting row of a source, as `take_some`; None: there is none, or the source is held."""
    return next(iter(await take_some(session, source, limit=1, now=now)), None)


async def put_by(session: AsyncSession, rows: Sequence[InboxRow], *, now: datetime, because: str) -> None:
    """These rows are not for us to act on; they are kept as they came."""
    if rows:
        await session.execute(
            update(InboxRow)
            .where(_are(rows))
            .values(done_at=now, because=because)
            .execution_options(synchronize_session=False)
        )


def _try_lock(source: object) -> ColumnElement[bool]:
    return func.pg_try_advisory_xact_lock(func.hashtextextended(source, _LOCK_FAMILY))


async def take(
    session: AsyncSession, prefix: str, *, limit: int, now: datetime | None = None
) -> list[InboxRow]:
    """The oldest waiting rows, whole sources at a time, in order; held until the transaction ends.

    Sources that somebody else holds are skipped. At most `limit` rows, so the last source may be cut.
    """
    oldest = (
        select(col(InboxRow.source))
        .where(_waiting(prefix, now))
        .group_by(col(InboxRow.source))
        .order_by(func.min(col(InboxRow.received_at)), col(InboxRow.source))
        .limit(limit)
        .subquery()
    )
    held = list(await session.scalars(select(oldest.c.source).where(_try_lock(oldest.c.source))))
    if not held:
        return []
    rows = await session.scalars(
        select(InboxRow)
        .where(_waiting(prefix, now), col(InboxRow.source).in_(held))
        .order_by(col(InboxRow.source), col(InboxRow.at), col(InboxRow.event_id))
        .limit(limit)
    )
    return list(rows)


async def done(
    session: AsyncSession, rows: Sequence[InboxRow], *, now: datetime, because: str | None = None
) -> None:
    """These rows have taken effect (or never will: `because`); what was said in them is forgotten."""
    if rows:
        await session.execute(
            update(InboxRow)
            .where(_are(rows))
            .values(done_at=now, raw=b"", because=because)
            .execution_options(synchronize_session=False)
        )


async def failed(session: AsyncSession, row: InboxRow, *, because: str, now: datetime) -> bool:
    """This row raised: it rests, longer each time, and after `MOST_ATTEMPTS` is put aside (True)."""
    attempts = row.attempts + 1
    is_parked = attempts >= MOST_ATTEMPTS
    await session.execute(
        update(InboxRow)
        .where(_are([row]), col(InboxRow.done_at).is_(None))
        .values(
            attempts=attempts,
            because=because[:500],
            not_before=now + FIRST_PAUSE * 2 ** (attempts - 1),
            done_at=now if is_parked else None,
        )
        .execution_options(synchronize_session=False)
    )
    return is_parked


async def forget_raw(session: AsyncSession, source: str) -> None:
    """Empty what is left of rows of this source that were put aside."""
    await session.execute(
        update(InboxRow)
        .where(col(InboxRow.source) == source, col(InboxRow.done_at).is_not(None))
        .values(raw=b"")
        .execution_options(synchronize_session=False)
    )


def _are(rows: Sequence[InboxRow]) -> ColumnElement[bool]:
    keys = [(row.source, row.event_id) for row in rows]
    return tuple_(col(InboxRow.source), col(InboxRow.event_id)).in_(keys)

"""Into which monthly pieces is the event table cut, and do those exist that a batch needs?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import column, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession

Month = tuple[int, int]
"""Year and month, in UTC."""

_PARTITION_LOCK = 7_260_152
_known: WeakKeyDictionary[Any, set[Month]] = WeakKeyDictionary()
"""By engine: the months this process has seen committed."""
_MADE = "partitions_made"


def month_of(at: datetime) -> Month:
    """The piece a moment belongs to."""
    moment = at.astimezone(UTC)
    return (moment.year, moment.month)


def partition_name(month: Month) -> str:
    """The table that holds this month's events."""
    return f"event_{month[0]:04d}_{month[1]:02d}"


def _first_of(month: Month, *, months_later: int = 0) -> str:
    years, index = divmod(month[0] * 12 + month[1] - 1 + months_later, 12)
    return f"{years:04d}-{index + 1:02d}-01 00:00:00+00"


async def ensure_partitions(session: AsyncSession, months: Iterable[Month]) -> None:
    """Have these months' pieces exist, made now where they are missing.

    Two transactions that need the same new month wait for each other. Reading and writing of other months
    goes on meanwhile: a piece is made apart and attached, which locks the whole table only weakly.
    """
    engine = session.get_bind().engine
    known = _known.setdefault(engine, set())
    wanted = set(months) - known
    if not wanted:
        return
    made: set[Month] = session.info.setdefault(_MADE, set())
    missing = wanted - await _existing(session, wanted)
    known |= wanted - missing - made
    if not missing:
        return
    await session.execute(select(func.pg_advisory_xact_lock(_PARTITION_LOCK)))
    connection = await session.connection()
    for month in sorted(missing - await _existing(session, missing)):
        name = partition_name(month)
        await connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE event INCLUDING ALL)")
        await connection.exec_driver_sql(
            f"ALTER TABLE event ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{_first_of(month)}') TO ('{_first_of(month, months_later=1)}')"
        )
    made |= missing


def forget_partitions(session: AsyncSession) -> None:
    """Look again which months exist: somebody may have dropped old ones."""
    _known.pop(session.get_bind().engine, None)


async def _existing(session: AsyncSession, months: set[Month]) -> set[Month]:
    pg_class = table("pg_class", column("relname"), column("relnamespace"), column("relispartition"))
    found = await session.scalars(
        select(pg_class.c.relname).where(
            pg_class.c.relname.in_([partition_name(month) for month in months]),
            pg_class.c.relispartition,
            func.pg_table_is_visible(column("oid")),
        )
    )
    names = set(found)
    return {month for month in months if partition_name(month) in names}

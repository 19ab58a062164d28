"""Which rows are older than anybody needs, and how are they removed without holding up others?"""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    any_,
    column,
    delete,
    exists,
    func,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import SQLModel, col

from db.deciding.followups import DecisionRow
from db.intake.inbox import InboxRow
from db.intake.partitions import Month, forget_partitions, month_of
from db.talk.media import Media, MediaState

ROWS_AT_ONCE = 5_000
_PIECE = re.compile(r"event_(\d{4})_(\d{2})")


async def pieces_before(session: AsyncSession, moment: datetime) -> list[str]:
    """The months of events that lie wholly before `moment`, oldest first."""
    of_class = table("pg_class", column("oid"), column("relname"))
    inherits = table("pg_inherits", column("inhrelid"), column("inhparent"))
    parent = select(func.to_regclass("event")).scalar_subquery()
    names = await session.scalars(
        select(of_class.c.relname)
        .join(inherits, inherits.c.inhrelid == of_class.c.oid)
        .where(inherits.c.inhparent == parent)
        .order_by(of_class.c.relname)
    )
    latest = month_of(moment)
    return [name for name in names if (month := _month(name)) is not None and month < latest]


def _month(name: str) -> Month | None:
    found = _PIECE.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


async def drop_piece(session: AsyncSession, name: str) -> None:
    """Drop one month of events. A late event of that month makes it anew, with that event alone."""
    assert _month(name) is not None
    connection = await session.connection()
    await connection.exec_driver_sql(f"DROP TABLE {name}")
    forget_partitions(session)


async def forget_decisions(session: AsyncSession, *, before: datetime) -> int:
    """Remove some old decisions; how many. The latest of each rule and customer stays."""
    later = aliased(DecisionRow)
    is_superseded = exists().where(
        col(later.customer_id) == col(DecisionRow.customer_id),
        col(later.rule_id) == col(DecisionRow.rule_id),
        col(later.at) > col(DecisionRow.at),
    )
    return await _forget(session, DecisionRow, and_(col(DecisionRow.at) < before, is_superseded))


async def forget_arrivals(session: AsyncSession, *, before: datetime) -> int:
    """Remove some of what was received and dealt with long ago; how many."""
    done_at = col(InboxRow.done_at)
    return await _forget(session, InboxRow, and_(done_at.is_not(None), done_at < before))


async def _forget(session: AsyncSession, of: type[SQLModel], holds: ColumnElement[bool]) -> int:
    rows: Table = of.__table__  # type: ignore[attr-defined]
    place: ColumnElement[str] = literal_column(f"{rows.name}.ctid")
    some = select(place).where(holds).limit(ROWS_AT_ONCE).scalar_subquery()
    gone = await session.execute(
        delete(rows).where(place == any_(func.array(some))).execution_options(synchronize_session=False)
    )
    return int(getattr(gone, "rowcount", 0))


async def empty_media(session: AsyncSession, *, before: datetime) -> int:
    """Empty some old contents that customers sent; the rows stay and say so. How many."""
    some = (
        select(col(Media.customer_id), col(Media.line_message_id))
        .where(col(Media.state) == MediaState.STORED.value, col(Media.at) < before)
        .limit(100)
        .subquery()
    )
    emptied = await session.scalars(
        update(Media)
        .where(
            col(Media.customer_id) == some.c.customer_id,
            col(Media.line_message_id) == some.c.line_message_id,
        )
        .values(state=MediaState.GONE.value, content=None, because="kept long enough")
        .returning(col(Media.line_message_id))
        .execution_options(synchronize_session=False)
    )
    return len(emptied.all())

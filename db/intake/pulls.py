"""How far was each of the product's databases read, and who is reading it now?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import Json, document, moment


class Pull(SQLModel, table=True):
    """One source. `digest`: of how it is read; another one begins anew. `place`: of the last row taken.

    `due_at`: when it is asked next; `leased_until`: until then a process is at it.
    """

    __tablename__ = "pull"

    name: str = Field(primary_key=True)
    digest: str
    place: Json = document(default_factory=dict)
    due_at: datetime = moment()
    leased_until: datetime | None = moment(default=None)
    taken: int = 0
    refused: int = 0
    failures: int = 0
    because: str | None = None


LEASE = timedelta(minutes=5)


async def lease(
    session: AsyncSession, name: str, digest: str, *, now: datetime, is_forced: bool
) -> Pull | None:
    """Be the one who reads this source now; None: it is not due, or another process is at it."""
    await session.execute(
        insert(Pull)
        .values(name=name, digest=digest, place={}, due_at=now, taken=0, refused=0, failures=0)
        .on_conflict_do_nothing()
    )
    query = select(Pull).where(
        col(Pull.name) == name,
        or_(col(Pull.leased_until).is_(None), col(Pull.leased_until) <= now),
    )
    if not is_forced:
        query = query.where(col(Pull.due_at) <= now)
    row: Pull | None = await session.scalar(
        query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    )
    if row is None:
        return None
    row.leased_until = now + LEASE
    if row.digest != digest:
        row.digest, row.place = digest, {}
    await session.flush()
    session.expunge(row)
    return row


async def note(session: AsyncSession, name: str, **values: Any) -> None:
    """Write down how far it got, in the transaction that stores the rows."""
    await session.execute(update(Pull).where(col(Pull.name) == name).values(**values))


async def all_pulls(session: AsyncSession) -> list[Pull]:
    """Every source that was ever read, by name."""
    return list(await session.scalars(select(Pull).order_by(col(Pull.name))))

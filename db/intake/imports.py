"""How far did an import of a file get before it was stopped?"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import datetime, moment


class ImportProgress(SQLModel, table=True):
    """One unfinished import. `digest`: of the file's content and of how its columns are read."""

    __tablename__ = "import_progress"

    digest: str = Field(primary_key=True)
    lines: int
    at: datetime = moment()


async def lines_taken(session: AsyncSession, digest: str) -> int:
    """How many lines of this import are stored already."""
    found = await session.scalar(
        select(col(ImportProgress.lines)).where(col(ImportProgress.digest) == digest)
    )
    return found or 0


async def note_lines(session: AsyncSession, digest: str, lines: int, *, now: datetime) -> None:
    """Remember how far it got, in the transaction that stores the lines."""
    row = insert(ImportProgress).values(digest=digest, lines=lines, at=now)
    await session.execute(
        row.on_conflict_do_update(index_elements=["digest"], set_={"lines": lines, "at": now})
    )


async def forget(session: AsyncSession, digest: str) -> None:
    """It is finished."""
    await session.execute(delete(ImportProgress).where(col(ImportProgress.digest) == digest))

"""Which files may go from a lead's thread to the customer, and behind which addresses do they lie?"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Index, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import UUID, customer_key, datetime, moment

LIVES = timedelta(days=30)
"""How long an address that was sent to a customer works."""


class OfferedFile(SQLModel, table=True):
    """A file that somebody put into a lead's thread. `content`: as uploaded; `preview`: a small picture."""

    __tablename__ = "offered_file"
    __table_args__ = (
        Index("uq_offered_file_slack", "customer_id", "slack_file_id", unique=True),
        Index("ix_offered_file_created", "created_at"),
    )

    customer_id: UUID = customer_key()
    file_id: UUID = Field(primary_key=True)
    lead_id: UUID
    slack_file_id: str
    name: str
    content_type: str
    content: bytes
    preview: bytes | None = None
    offered_by: str
    created_at: datetime = moment()


class MediaLink(SQLModel, table=True):
    """A directory row: which file `/media/{token}` shows, and until when."""

    __tablename__ = "media_link"
    __table_args__ = (Index("ix_media_link_expires", "expires_at"),)

    token: str = Field(primary_key=True)
    customer_id: UUID
    file_id: UUID
    is_preview: bool = False
    expires_at: datetime = moment()


async def keep_file(session: AsyncSession, file: OfferedFile) -> OfferedFile:
    """Keep a file once for each upload; returns the row that stands."""
    await session.execute(
        insert(OfferedFile)
        .values(file.model_dump())
        .on_conflict_do_nothing(index_elements=["customer_id", "slack_file_id"])
    )
    found = await session.scalar(
        select(OfferedFile).where(
            col(OfferedFile.customer_id) == file.customer_id,
            col(OfferedFile.slack_file_id) == file.slack_file_id,
        )
    )
    assert found is not None
    return found


async def file_of(session: AsyncSession, customer_id: UUID, file_id: UUID) -> OfferedFile | None:
    """One file."""
    found: OfferedFile | None = await session.scalar(
        select(OfferedFile).where(
            col(OfferedFile.customer_id) == customer_id, col(OfferedFile.file_id) == file_id
        )
    )
    return found


async def link_to(
    session: AsyncSession, file: OfferedFile, *, is_preview: bool, ids: Ids, now: datetime
) -> str:
    """A new token for the file's address; nobody can guess it, and it ends."""
    token = ids.token()
    await session.execute(
        insert(MediaLink).values(
            token=token,
            customer_id=file.customer_id,
            file_id=file.file_id,
            is_preview=is_preview,
            expires_at=now + LIVES,
        )
    )
    return token


async def file_behind(session: AsyncSession, token: str, *, now: datetime) -> tuple[OfferedFile, bool] | None:
    """The file and whether its preview is meant; None: no such address, or its time is over."""
    link = await session.get(MediaLink, token)
    if link is None or link.expires_at <= now:
        return None
    file = await file_of(session, link.customer_id, link.file_id)
    return (file, link.is_preview) if file is not None else None


async def forget_files(session: AsyncSession, *, now: datetime) -> int:
    """Remove addresses and files whose time is over; how many files."""
    await session.execute(
        delete(MediaLink).where(col(MediaLink.expires_at) <= now).execution_options(synchronize_session=False)
    )
    gone = await session.scalars(
        delete(OfferedFile)
        .where(col(OfferedFile.created_at) <= now - LIVES - timedelta(days=1))
        .returning(col(OfferedFile.file_id))
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())

"""Which pictures, videos, recordings and files did customers send, and do we have them yet?

The row says what to fetch from LINE, which keeps contents for a time it does not tell (Getting content). What
was unsent is emptied; the row stays, so that a fetch under way cannot bring it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import Index, LargeBinary, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, customer_key, datetime, moment

LEASE = timedelta(seconds=90)
"""Whoever took a row up has it for this long; a request for content ends sooner."""
KINDS = frozenset({"image", "video", "audio", "file"})
"""The messages whose content LINE keeps."""


class MediaState(StrEnum):
    """`gone`: LINE has it no more, or we gave up. `refused`: too large, or not kept by LINE."""

    WAITING = "waiting"
    STORED = "stored"
    GONE = "gone"
    REFUSED = "refused"
    UNSENT = "unsent"


class Media(SQLModel, table=True):
    """One content of a customer's. `content` is there in state `stored` only; `because`: why it is not.

    `content_type`: as LINE says it, `image/jpeg`. `size`: bytes. `sha256`: hex, of the content.
    """

    __tablename__ = "media"
    __table_args__ = (Index("ix_media_waiting", "not_before", postgresql_where=text("state = 'waiting'")),)

    customer_id: UUID = customer_key()
    line_message_id: str = Field(primary_key=True)
    kind: str
    state: str = MediaState.WAITING.value
    content_type: str = ""
    size: int = 0
    sha256: str = ""
    content: bytes | None = Field(default=None, sa_type=LargeBinary)
    at: datetime = moment()
    not_before: datetime = moment()
    attempts: int = 0
    because: str | None = None


async def want_media(
    session: AsyncSession,
    *,
    customer_id: UUID,
    line_message_id: str,
    kind: str,
    at: datetime,
    now: datetime,
    refused_because: str | None = None,
) -> None:
    """Have this content fetched; known ones stay as they are.

    Args:
        refused_because: it is not to be fetched, for this reason.
    """
    row = Media(
        customer_id=customer_id,
        line_message_id=line_message_id,
        kind=kind,
        state=(MediaState.REFUSED if refused_because else MediaState.WAITING).value,
        at=at,
        not_before=now,
        because=refused_because,
    )
    await session.execute(insert(Media).values(row.model_dump()).on_conflict_do_nothing())


async def claim_media(session: AsyncSession, *, limit: int, now: datetime) -> list[Media]:
    """Due contents, each this caller's own for `LEASE`; its attempt is counted."""
    due = (
        select(col(Media.customer_id), col(Media.line_message_id))
        .where(col(Media.state) == MediaState.WAITING.value, col(Media.not_before) <= now)
        .order_by(col(Media.not_before), col(Media.line_message_id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = await session.scalars(
        update(Media)
        .where(
            tuple_(col(Media.customer_id), col(Media.line_message_id)).in_(
                select(due.c.customer_id, due.c.line_message_id)
            )
        )
        .values(attempts=col(Media.attempts) + 1, not_before=now + LEASE)
        .returning(Media)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    rows: Sequence[Media] = claimed.all()
    for row in rows:
        session.expunge(row)
    return list(rows)


async def settle_media(session: AsyncSession, row: Media) -> bool:
    """Write down what came of a claimed row; False: it was unsent, erased, moved or settled meanwhile."""
    kept = await session.scalar(
        update(Media)
        .where(
            col(Media.customer_id) == row.customer_id,
            col(Media.line_message_id) == row.line_message_id,
            col(Media.state) == MediaState.WAITING.value,
        )
        .values(**row.model_dump(exclude={"customer_id", "line_message_id", "kind", "at"}))
        .returning(col(Media.customer_id))
        .execution_options(synchronize_session=False)
    )
    return kept is not None


async def forget_media(session: AsyncSession, customer_id: UUID, line_message_id: str) -> None:
    """The customer unsent it: no byte of it stays, and none will come."""
    await session.execute(
        update(Media)
        .where(col(Media.customer_id) == customer_id, col(Media.line_message_id) == line_message_id)
        .values(state=MediaState.UNSENT.value, content=None, size=0, sha256="", because="unsent")
        .execution_options(synchronize_session=False)
    )


async def media_of(session: AsyncSession, customer_id: UUID, line_message_id: str) -> Media | None:
    """One content of a customer's, whatever its state."""
    found: Media | None = await session.scalar(
        select(Media)
        .where(col(Media.customer_id) == customer_id, col(Media.line_message_id) == line_message_id)
        .execution_options(populate_existing=True)
    )
    return found


async def next_media_due(session: AsyncSession) -> datetime | None:
    """When the next content is to be fetched; None: none waits."""
    at: datetime | None = await session.scalar(
        select(func.min(col(Media.not_before))).where(col(Media.state) == MediaState.WAITING.value)
    )
    return at

"""What is drafted for each lead, and for which state of its conversation?"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Index, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import UUID, Json, customer_key, datetime, document, moment


class Draft(SQLModel, table=True):
    """A reply proposed for a lead at one revision of its conversation. It has no way to be sent by itself.

    `source`: `model`, `template` or `person`. `findings`: [{ja, en, is_blocking}], what its checks found.
    `retired_at`: newer drafts stand in its place.
    """

    __tablename__ = "draft"
    __table_args__ = (Index("ix_draft_lead", "customer_id", "lead_id"),)

    customer_id: UUID = customer_key()
    draft_id: UUID = Field(primary_key=True)
    lead_id: UUID
    number: int
    conversation_revision: int
    text: str
    text_hash: str
    source: str
    findings: list[Json] = document(default_factory=list)
    created_at: datetime = moment()
    sent_at: datetime | None = moment(default=None)
    retired_at: datetime | None = moment(default=None)


def hash_of(text: str) -> str:
    """What binds an approval to exactly this text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


async def add_draft(
    session: AsyncSession,
    *,
    customer_id: UUID,
    lead_id: UUID,
    conversation_revision: int,
    text: str,
    source: str,
    findings: Sequence[Json],
    ids: Ids,
    now: datetime,
) -> Draft:
    """Store one more draft of this lead; its `number` counts on."""
    last = await session.scalar(
        select(func.max(col(Draft.number))).where(
            col(Draft.customer_id) == customer_id, col(Draft.lead_id) == lead_id
        )
    )
    draft = Draft(
        customer_id=customer_id,
        draft_id=ids.uuid(),
        lead_id=lead_id,
        number=(last or 0) + 1,
        conversation_revision=conversation_revision,
        text=text,
        text_hash=hash_of(text),
        source=source,
        findings=list(findings),
        created_at=now,
    )
    session.add(draft)
    await session.flush()
    return draft


async def drafts_of(session: AsyncSession, customer_id: UUID, lead_id: UUID) -> list[Draft]:
    """The drafts that stand for this lead (sent ones too, retired ones not), the first proposed first."""
    query = (
        select(Draft)
        .where(
            col(Draft.customer_id) == customer_id,
            col(Draft.lead_id) == lead_id,
            col(Draft.retired_at).is_(None),
        )
        .order_by(col(Draft.number))
        .execution_options(populate_existing=True)
    )
    return list((await session.scalars(query)).all())


async def versions_of(session: AsyncSession, customer_id: UUID, lead_id: UUID, *, limit: int) -> list[Draft]:
    """Every draft that was ever made for this lead, the latest first: replaced and sent ones too."""
    query = (
        select(Draft)
        .where(col(Draft.customer_id) == customer_id, col(Draft.lead_id) == lead_id)
        .order_by(col(Draft.number).desc())
        .limit(limit)
    )
    return list(await session.scalars(query))


async def draft_by_id(session: AsyncSession, customer_id: UUID, draft_id: UUID) -> Draft | None:
    """One draft, retired or not."""
    query = select(Draft).where(col(Draft.customer_id) == customer_id, col(Draft.draft_id) == draft_id)
    found: Draft | None = await session.scalar(query.execution_options(populate_existing=True))
    return found


async def made_since(session: AsyncSession, customer_id: UUID, since: datetime) -> int:
    """How many drafts a model wrote for this customer since a moment."""
    made: int = (
        await session.scalar(
            select(func.count()).where(
                col(Draft.customer_id) == customer_id,
                col(Draft.source) == "model",
                col(Draft.created_at) >= since,
            )
        )
        or 0
    )
    return made


async def retire(session: AsyncSession, customer_id: UUID, lead_id: UUID, *, now: datetime) -> int:
    """Take the unsent drafts of this lead away, so that new ones are made; how many there were."""
    retired = await session.scalars(
        update(Draft)
        .where(
            col(Draft.customer_id) == customer_id,
            col(Draft.lead_id) == lead_id,
            col(Draft.sent_at).is_(None),
            col(Draft.retired_at).is_(None),
        )
        .values(retired_at=now)
        .returning(col(Draft.draft_id))
        .execution_options(synchronize_session=False)
    )
    return len(retired.all())


async def mark_sent(session: AsyncSession, draft: Draft, *, now: datetime | None) -> None:
    """Note that the draft was sent; None: its sending was undone."""
    draft.sent_at = now
    await session.flush()

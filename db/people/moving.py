"""What moves over when a LINE user turns out to be a customer we know from the product?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Table, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from db.columns import UUID, datetime
from db.deciding.followups import DecisionRow, FollowUpRow
from db.deciding.ticks import Alarm
from db.desk.audit import AuditEntry
from db.desk.leads import OPEN_STATES, Lead, LeadState
from db.desk.posts import Post
from db.intake.events import Event, NewEvent, take_in
from db.intake.signals import SignalRow
from db.people.consents import ConsentEntry, ConsentQuestion
from db.people.customers import Customer
from db.people.preferences import Wish
from db.talk.answers import AnswerRow
from db.talk.conversations import BOT, PERSON, ConversationRow, InboundLine
from db.talk.drafts import Draft
from db.talk.files import MediaLink, OfferedFile
from db.talk.media import Media
from db.talk.messages import Click, Link, Message


@dataclass(frozen=True, slots=True)
class Pair:
    """The customer made for an unknown LINE user, and the one they are."""

    placeholder: UUID
    customer_id: UUID


_MOVED: tuple[type[SQLModel], ...] = (
    InboundLine, Media, Message, Link, Click, Draft, AnswerRow, OfferedFile, MediaLink, DecisionRow, Post,
    AuditEntry,
)  # fmt: skip
_LEDGERS: tuple[type[SQLModel], ...] = (ConsentEntry, ConsentQuestion, Wish)
"""Who was linked before has these entries on both sides."""


async def move_over(session: AsyncSession, pair: Pair, *, now: datetime) -> None:
    """Everything said, agreed to and done on LINE; the placeholder is gone afterwards."""
    await _move_leads(session, pair, now=now)
    await _move_conversation(session, pair, now=now)
    for table in _MOVED:
        await _rekey(session, table, pair)
    for ledger in _LEDGERS:
        await _merge(session, ledger, pair)
    await _move_events(session, pair, now=now)
    # Rules know the customer by what the product says of them: what was under way starts afresh there.
    for gone in (FollowUpRow, Alarm):
        await session.execute(delete(gone).where(col(gone.customer_id) == pair.placeholder))
    await session.execute(delete(Customer).where(col(Customer.customer_id) == pair.placeholder))


async def _rekey(session: AsyncSession, table: type[SQLModel], pair: Pair) -> None:
    customer_id = col(table.customer_id)  # type: ignore[attr-defined]
    await session.execute(
        update(table)
        .where(customer_id == pair.placeholder)
        .values(customer_id=pair.customer_id)
        .execution_options(synchronize_session=False)
    )


async def _merge(session: AsyncSession, ledger: type[SQLModel], pair: Pair) -> None:
    table: Table = ledger.__table__  # type: ignore[attr-defined]
    columns = [column for column in table.columns if column.name != "customer_id"]
    await session.execute(
        insert(table)
        .from_select(
            ["customer_id", *(column.name for column in columns)],
            select(literal(pair.customer_id), *columns).where(table.c.customer_id == pair.placeholder),
        )
        .on_conflict_do_nothing()
    )
    await session.execute(delete(table).where(table.c.customer_id == pair.placeholder))


async def _move_leads(session: AsyncSession, pair: Pair, *, now: datetime) -> None:
    """At most one lead is open per customer: of two, the linked customer's own stays so."""
    has_open = await session.scalar(
        select(col(Lead.lead_id)).where(
            col(Lead.customer_id) == pair.customer_id, col(Lead.state).in_(OPEN_STATES)
        )
    )
    if has_open is not None:
        await session.execute(
            update(Lead)
            .where(col(Lead.customer_id) == pair.placeholder, col(Lead.state).in_(OPEN_STATES))
            .values(
                state=LeadState.DISMISSED.value,
                disposition="linked",
                closed_at=now,
                revision=col(Lead.revision) + 1,
            )
            .execution_options(synchronize_session=False)
        )
    await _rekey(session, Lead, pair)
    await session.execute(
        update(Post)
        .where(col(Post.customer_id) == pair.placeholder, col(Post.kind) == "card")
        .values(wanted=col(Post.wanted) + 1)
        .execution_options(synchronize_session=False)
    )


async def _move_conversation(session: AsyncSession, pair: Pair, *, now: datetime) -> None:
    rows = {
        row.customer_id: row
        for row in await session.scalars(
            select(ConversationRow)
            .where(col(ConversationRow.customer_id).in_([pair.placeholder, pair.customer_id]))
            .execution_options(populate_existing=True)
        )
    }
    theirs, ours = rows.get(pair.placeholder), rows.get(pair.customer_id)
    if theirs is None:
        return
    if ours is None:
        await _rekey(session, ConversationRow, pair)
        return
    moments = ("last_inbound_at", "last_outbound_at")
    latest = {
        name: max((at for at in (getattr(theirs, name), getattr(ours, name)) if at), default=None)
        for name in moments
    }
    await session.execute(
        update(ConversationRow)
        .where(col(ConversationRow.customer_id) == pair.customer_id)
        .values(
            is_open=theirs.is_open or ours.is_open,
            mode=PERSON if PERSON in {theirs.mode, ours.mode} else BOT,
            mode_because=ours.mode_because if ours.mode == PERSON else theirs.mode_because,
            owner=ours.owner or theirs.owner,
            revision=max(theirs.revision, ours.revision) + 1,
            is_unanswered=theirs.is_unanswered or ours.is_unanswered,
            changed_at=now,
            **latest,
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(delete(ConversationRow).where(col(ConversationRow.customer_id) == pair.placeholder))


async def _move_events(session: AsyncSession, pair: Pair, *, now: datetime) -> None:
    """What they did on LINE is folded again, into the linked customer's signals."""
    events = list(await session.scalars(select(Event).where(col(Event.customer_id) == pair.placeholder)))
    if not events:
        return
    await session.execute(delete(Event).where(col(Event.customer_id) == pair.placeholder))
    await session.execute(delete(SignalRow).where(col(SignalRow.customer_id) == pair.placeholder))
    moved = [
        NewEvent(pair.customer_id, event.name, event.at, event.message_id, event.properties)
        for event in events
    ]
    await take_in(session, moved, now=now)

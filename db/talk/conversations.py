"""What has been said with each customer on LINE, and who holds the conversation?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sqlalchemy import Index, Table, Uuid, bindparam, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable
from sqlmodel import Field, SQLModel, col

from db import arrays
from db.columns import UUID, Json, Timestamp, customer_key, datetime, document, moment

QUIET_FOR = timedelta(hours=24)
"""After our answer, a conversation that nobody holds is over when nothing was said for this long."""
BOT, PERSON = "bot", "person"
UNSENT = "unsent"
"""The kind of a line that was unsent before it arrived; then it is what it was."""
_OVER: dict[str, object] = {"is_open": False, "owner": None, "mode": BOT, "mode_because": None}
"""A conversation that ended; the next one begins with the bot."""


class ConversationRow(SQLModel, table=True):
    """The chat with one customer. `revision` grows with every line; drafts are bound to it.

    `is_unanswered`: the last line that wants an answer is the customer's (an answer in one tap does not).
    `mode`: "bot" answers by itself; "person": it is silent until the conversation is given back.
    `mode_because`: why it was handed over (one word), or who gave it back.
    """

    __tablename__ = "conversation"
    __table_args__ = (Index("ix_conversation_open", "changed_at", postgresql_where=text("is_open")),)

    customer_id: UUID = customer_key()
    is_open: bool = False
    owner: str | None = None
    mode: str = "bot"
    mode_because: str | None = None
    revision: int = 0
    is_unanswered: bool = False
    last_inbound_at: datetime | None = moment(default=None)
    last_outbound_at: datetime | None = moment(default=None)
    changed_at: datetime = moment()


class InboundLine(SQLModel, table=True):
    """One thing a customer said. `text` is removed when they unsend it; the row stays as a tombstone."""

    __tablename__ = "inbound_line"
    __table_args__ = (Index("ix_inbound_line_at", "customer_id", "at"),)

    customer_id: UUID = customer_key()
    line_message_id: str = Field(primary_key=True)
    kind: str
    text: str | None = None
    details: Json = document(default_factory=dict)
    at: datetime = moment()
    revision: int = 0
    unsent_at: datetime | None = moment(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What hearing a line did to the conversation.

    Attributes:
        is_opening: it was closed (or had never begun) before.
        owner: the staff member who holds it.
        is_persons: a person answers here; the bot is silent.
    """

    revision: int
    is_opening: bool
    owner: str | None
    is_persons: bool = False


async def current(session: AsyncSession, customer_id: UUID) -> ConversationRow | None:
    """The conversation with this customer, open or not."""
    found: ConversationRow | None = await session.scalar(
        select(ConversationRow)
        .where(col(ConversationRow.customer_id) == customer_id)
        .execution_options(populate_existing=True)
    )
    return found


async def hear(
    session: AsyncSession, line: InboundLine, *, now: datetime, opens: bool = True
) -> Heard | None:
    """The customer said something. Call it with the customer locked.

    What was unsent before it arrived stays without its words.

    Args:
        line: what was said; its `revision` is filled in.
        opens: it wants an answer; False: an answer in one tap, which does not hold other messages.

    Returns:
        None when this line is known already, or was unsent before it arrived.
    """
    before = await current(session, line.customer_id)
    line.revision = (before.revision if before else 0) + 1
    is_new = await session.scalar(
        insert(InboundLine)
        .values(line.model_dump())
        .on_conflict_do_nothing()
        .returning(col(InboundLine.line_message_id))
    )
    if is_new is None:
        await session.execute(
            update(InboundLine)
            .where(
                col(InboundLine.customer_id) == line.customer_id,
                col(InboundLine.line_message_id) == line.line_message_id,
                col(InboundLine.kind) == UNSENT,
            )
            .values(kind=line.kind, at=line.at)
            .execution_options(synchronize_session=False)
        )
        return None
    row = ConversationRow(
        customer_id=line.customer_id,
        is_open=opens,
        revision=1,
        is_unanswered=opens,
        last_inbound_at=line.at,
        changed_at=now,
    )
    statement = insert(ConversationRow).values(row.model_dump())
    changes: dict[str, object] = {
        "revision": col(ConversationRow.revision) + 1,
        "last_inbound_at": func.greatest(col(ConversationRow.last_inbound_at), line.at),
        "changed_at": now,
    }
    if opens:
        changes |= {"is_open": True, "is_unanswered": True}
    await session.execute(statement.on_conflict_do_update(index_elements=["customer_id"], set_=changes))
    return Heard(
        revision=line.revision,
        is_opening=opens and not (before and before.is_open),
        owner=before.owner if before else None,
        is_persons=before is not None and before.mode == PERSON,
    )


async def spoke(
    session: AsyncSession, customer_ids: Collection[UUID], *, now: datetime, opens: bool = False
) -> None:
    """We said something to these customers (LINE accepted it): the revision grows, drafts become stale.

    Args:
        opens: a person wrote: an answer is expected, so the conversation is open, and it is theirs.
    """
    ids = sorted(set(customer_ids))
    if ids:
        await session.execute(_speaking(opens), {"customers": arrays.uuids(ids), "now": now})


@cache
def _speaking(opens: bool) -> Executable:
    now = bindparam("now", type_=Timestamp)
    given = func.unnest(arrays.array("customers", Uuid())).column_valued("given")
    new = {
        "customer_id": given,
        "is_open": literal(opens),
        "mode": literal(PERSON if opens else BOT),
        "revision": literal(1),
        "is_unanswered": literal(False),
        "last_outbound_at": now,
        "changed_at": now,
    }
    changes: dict[str, object] = {
        "revision": col(ConversationRow.revision) + 1,
        "last_outbound_at": func.greatest(col(ConversationRow.last_outbound_at), now),
        "changed_at": now,
    }
    if opens:
        changes |= {"is_open": True, "is_unanswered": False, "mode": PERSON}
    table: Table = ConversationRow.__table__  # type: ignore[attr-defined]
    return (
        insert(table)
        .from_select([*new], select(*new.values()))
        .on_conflict_do_update(index_elements=["customer_id"], set_=changes)
    )


async def own(session: AsyncSession, customer_id: UUID, *, owner: str | None, now: datetime) -> None:
    """A staff member (Slack user id) holds the conversation from now on; None: the bot has it back."""
    mode = BOT if owner is None else PERSON
    row = ConversationRow(
        customer_id=customer_id, is_open=owner is not None, owner=owner, mode=mode, changed_at=now
    )
    changes: dict[str, object] = {"owner": owner, "mode": mode, "changed_at": now}
    if owner is not None:
        changes["is_open"] = True
    await session.execute(
        insert(ConversationRow)
        .values(row.model_dump())
        .on_conflict_do_update(index_elements=["customer_id"], set_=changes)
    )


async def hand_over(session: AsyncSession, customer_id: UUID, *, because: str, now: datetime) -> bool:
    """From now on a person answers, and the bot is silent; False when that was so before.

    Call it with the customer locked.

    Args:
        because: one word (`complaint`, `interest`, `not_covered`, `wish`, …).
    """
    before = await current(session, customer_id)
    if before is not None and before.mode == PERSON:
        return False
    row = ConversationRow(
        customer_id=customer_id, is_open=True, mode=PERSON, mode_because=because, changed_at=now
    )
    await session.execute(
        insert(ConversationRow)
        .values(row.model_dump())
        .on_conflict_do_update(
            index_elements=["customer_id"],
            set_={"mode": PERSON, "mode_because": because, "is_open": True, "changed_at": now},
        )
    )
    return True


async def give_back(session: AsyncSession, customer_id: UUID, *, by: str, now: datetime) -> bool:
    """The bot answers again, and nobody holds the conversation; False when it did already.

    Call it with the customer locked. What the customer said last counts as answered by whoever gives back.

    Args:
        by: who does (a Slack user id).
    """
    given = await session.scalar(
        update(ConversationRow)
        .where(col(ConversationRow.customer_id) == customer_id, col(ConversationRow.mode) == PERSON)
        .values(mode=BOT, mode_because=by, owner=None, is_unanswered=False, changed_at=now)
        .returning(col(ConversationRow.customer_id))
        .execution_options(synchronize_session=False)
    )
    return given is not None


async def answered(session: AsyncSession, customer_id: UUID, *, now: datetime) -> None:
    """The bot answered what the customer said last: it stays open, and nobody has to answer that."""
    await session.execute(
        update(ConversationRow)
        .where(col(ConversationRow.customer_id) == customer_id)
        .values(is_unanswered=False, revision=col(ConversationRow.revision) + 1, changed_at=now)
        .execution_options(synchronize_session=False)
    )


async def close(session: AsyncSession, customer_id: UUID, *, now: datetime) -> None:
    """The conversation is over (its lead was closed): nobody holds it, nothing waits for an answer."""
    await session.execute(
        update(ConversationRow)
        .where(col(ConversationRow.customer_id) == customer_id)
        .values(**_OVER, is_unanswered=False, changed_at=now)
        .execution_options(synchronize_session=False)
    )


async def close_quiet(session: AsyncSession, *, now: datetime, limit: int = 500) -> list[UUID]:
    """Close answered conversations that nobody holds and in which nothing was said for `QUIET_FOR`."""
    quiet = (
        select(col(ConversationRow.customer_id))
        .where(
            col(ConversationRow.is_open),
            col(ConversationRow.changed_at) <= now - QUIET_FOR,
            col(ConversationRow.owner).is_(None),
            col(ConversationRow.is_unanswered).is_(False),
        )
        .order_by(col(ConversationRow.customer_id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    closed = await session.scalars(
        update(ConversationRow)
        .where(col(ConversationRow.customer_id).in_(quiet))
        .values(**_OVER, changed_at=now)
        .returning(col(ConversationRow.customer_id))
        .execution_options(synchronize_session=False)
    )
    return list(closed)


async def unsend(session: AsyncSession, customer_id: UUID, line_message_id: str, *, at: datetime) -> bool:
    """Remove what the customer took back; a tombstone stays, also when it comes before the message.

    Returns whether a text of theirs was there.
    """
    tombstone = InboundLine(
        customer_id=customer_id, line_message_id=line_message_id, kind=UNSENT, at=at, unsent_at=at
    )
    was_there = await session.scalar(
        select(col(InboundLine.line_message_id)).where(
            col(InboundLine.customer_id) == customer_id,
            col(InboundLine.line_message_id) == line_message_id,
            or_(col(InboundLine.unsent_at).is_(None), col(InboundLine.text).is_not(None)),
        )
    )
    await session.execute(
        insert(InboundLine)
        .values(tombstone.model_dump())
        .on_conflict_do_update(
            index_elements=["customer_id", "line_message_id"],
            set_={"text": None, "details": {}, "unsent_at": at},
        )
    )
    return was_there is not None


async def lines_of(session: AsyncSession, customer_id: UUID, *, limit: int = 20) -> list[InboundLine]:
    """The latest things a customer said, newest first, tombstones included."""
    found = await session.scalars(
        select(InboundLine)
        .where(col(InboundLine.customer_id) == customer_id)
        .order_by(col(InboundLine.at).desc(), col(InboundLine.line_message_id).desc())
        .limit(limit)
    )
    return list(found)

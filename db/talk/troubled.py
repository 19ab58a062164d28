"""Which messages failed or may have failed, and what did a person decide about each?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from db.columns import UUID, datetime
from db.people.customers import Customer
from db.talk.messages import Message, MessageState

COUNTED_TO = 1_000
"""More than this is "very many"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubled:
    """One message that nobody decided about yet. `state`: `dead` or `unknown`; `because`: why, for people."""

    customer_id: UUID
    message_id: UUID
    state: str
    kind: str
    rule_id: str | None
    because: str | None
    at: datetime
    external_id: str | None
    name: str | None


def _is_open() -> ColumnElement[bool]:
    states = (MessageState.DEAD.value, MessageState.UNKNOWN.value)
    return col(Message.state).in_(states) & col(Message.reviewed_by).is_(None)


async def troubled(session: AsyncSession, *, limit: int) -> tuple[list[Troubled], int]:
    """The latest of them, and how many there are (at most `COUNTED_TO`)."""
    counted = select(col(Message.message_id)).where(_is_open()).limit(COUNTED_TO).subquery()
    number = await session.scalar(select(func.count()).select_from(counted))
    rows = await session.execute(
        select(Message, col(Customer.external_id), col(Customer.attributes)["name"].astext)
        .outerjoin(Customer, col(Customer.customer_id) == col(Message.customer_id))
        .where(_is_open())
        .order_by(col(Message.settled_at).desc(), col(Message.message_id))
        .limit(limit)
    )
    return [
        Troubled(
            customer_id=row.customer_id,
            message_id=row.message_id,
            state=row.state,
            kind=row.kind,
            rule_id=row.rule_id,
            because=row.because,
            at=row.settled_at or row.promised_at,
            external_id=external_id,
            name=name,
        )
        for row, external_id, name in rows
    ], number or 0


async def troubled_one(session: AsyncSession, customer_id: UUID, message_id: UUID) -> Message | None:
    """One message, held until the transaction ends; call it with the customer locked."""
    return await session.get(Message, (customer_id, message_id), with_for_update=True, populate_existing=True)


async def reviewed(
    session: AsyncSession, message: Message, *, by: str, has_arrived: bool, now: datetime
) -> bool:
    """Note that a person looked at it; False: somebody decided before, or it is no trouble any more.

    Args:
        has_arrived: they saw in the chat that it reached the customer.
    """
    changes: dict[str, object] = {"reviewed_by": by}
    if has_arrived:
        changes |= {"state": MessageState.ACCEPTED.value, "because": None}
    noted = await session.scalar(
        update(Message)
        .where(
            col(Message.customer_id) == message.customer_id,
            col(Message.message_id) == message.message_id,
            col(Message.state) == message.state,
            _is_open(),
        )
        .values(changes)
        .returning(col(Message.message_id))
        .execution_options(synchronize_session=False)
    )
    return noted is not None


_FRESH_VALUES: dict[str, object] = {
    "state": MessageState.QUEUED.value,
    "first_attempt_at": None,
    "attempted_at": None,
    "attempts": 0,
    "settled_at": None,
    "because": None,
    "reply_token": None,
    "reply_token_until": None,
    "reply_tried_at": None,
    "line_request_id": None,
    "line_message_ids": [],
    "reviewed_by": None,
}


async def promise_again(session: AsyncSession, message: Message, *, ids: Ids, now: datetime) -> UUID | None:
    """Promise the same words as a message of its own, with a key of its own; None: that was done before.

    The first one's key may be too old for LINE to know it: the customer may get both. A person decided so.
    """
    key = ids.uuid()
    values = {
        **message.model_dump(),
        **_FRESH_VALUES,
        "message_id": key,
        "dedupe_key": f"{message.dedupe_key}:again",
        "promised_at": now,
        "not_before": now,
    }
    promised = await session.scalar(
        insert(Message)
        .values(values)
        .on_conflict_do_nothing(index_elements=["customer_id", "dedupe_key"])
        .returning(col(Message.message_id))
    )
    return key if promised is not None else None

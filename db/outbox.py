"""Which promised messages are due, and how is what delivery learnt about them written down?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Integer, Text, Uuid, and_, cast, column, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement, Executable
from sqlmodel import col

from db import arrays
from db.columns import Timestamp, datetime
from db.customers import Customer, LineUser, lock_customers
from db.messages import LEASE, Message, MessageState


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Queued and due, or `sending` by a process that must have died."""
    return or_(
        and_(col(Message.state) == MessageState.QUEUED, col(Message.not_before) <= now),
        and_(col(Message.state) == MessageState.SENDING, col(Message.attempted_at) <= now - LEASE),
    )


async def claim_due(session: AsyncSession, *, limit: int, now: datetime) -> list[Message]:
    """The due messages with their customers locked, by time; empty: nothing is due.

    Customers that another transaction holds are left for later, unless nothing else is due: then this
    waits for them.
    """
    queued: Any = (
        select(col(Message.customer_id), col(Message.message_id), col(Message.not_before).label("at"))
        .where(col(Message.state) == MessageState.QUEUED, col(Message.not_before) <= now)
        .order_by(col(Message.not_before), col(Message.message_id))
        .limit(limit)
    )
    stuck: Any = (
        select(col(Message.customer_id), col(Message.message_id), col(Message.attempted_at).label("at"))
        .where(col(Message.state) == MessageState.SENDING, col(Message.attempted_at) <= now - LEASE)
        .order_by(col(Message.attempted_at), col(Message.message_id))
        .limit(limit)
    )
    due = [(row.customer_id, row.message_id) for row in await session.execute(stuck)]
    if len(due) < limit:
        due += [(row.customer_id, row.message_id) for row in await session.execute(queued)]
    due = due[:limit]
    if not due:
        return []
    customers = {customer_id for customer_id, _ in due}
    free = set(
        await session.scalars(
            select(col(Customer.customer_id))
            .where(col(Customer.customer_id).in_(customers))
            .order_by(col(Customer.customer_id))
            .with_for_update(key_share=True, skip_locked=True)
        )
    )
    if free:
        due = [key for key in due if key[0] in free]
    else:
        await lock_customers(session, customers)
    # Read again under the locks: another process may have been here between the two statements.
    found = await session.scalars(
        select(Message)
        .where(tuple_(col(Message.customer_id), col(Message.message_id)).in_(due), _is_due(now))
        .order_by(col(Message.not_before), col(Message.message_id))
        .with_for_update(skip_locked=True)
    )
    claimed = list(found)
    for message in claimed:
        session.expunge(message)  # changes go through `save`, all in one statement
    return claimed


_DELIVERY = (
    ("state", Text()),
    ("not_before", Timestamp),
    ("first_attempt_at", Timestamp),
    ("attempted_at", Timestamp),
    ("attempts", Integer()),
    ("settled_at", Timestamp),
    ("because", Text()),
    ("line_request_id", Text()),
    ("line_message_ids", JSONB()),
    ("reply_token", Text()),
    ("reply_tried_at", Timestamp),
)
"""What delivery writes."""


def _delivery_of(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name, _ in _DELIVERY}


@cache
def _saving() -> Executable:
    """One JSON document a message: half of its fields may be empty, which array text cannot say."""
    incoming = (
        func.unnest(
            arrays.array("customers", Uuid()),
            arrays.array("messages", Uuid()),
            arrays.array("documents", JSONB()),
        )
        .table_valued(column("customer_id", Uuid), column("message_id", Uuid), column("delivery", JSONB))
        .render_derived("incoming")
    )
    delivery = incoming.c.delivery
    return (
        update(Message)
        .where(
            col(Message.customer_id) == incoming.c.customer_id,
            col(Message.message_id) == incoming.c.message_id,
        )
        .values(
            {
                name: delivery[name] if isinstance(kind, JSONB) else cast(delivery[name].astext, kind)
                for name, kind in _DELIVERY
            }
        )
        .returning(col(Message.message_id))
    )


async def save(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Write the delivery fields of these messages, in one statement.

    Finds each where it is now: a message may have moved to the customer its LINE user was linked to.
    """
    if not messages:
        return
    written = set(
        await session.scalars(
            _saving(),
            {
                "customers": arrays.uuids([message.customer_id for message in messages]),
                "messages": arrays.uuids([message.message_id for message in messages]),
                "documents": arrays.documents([_delivery_of(message) for message in messages]),
            },
            execution_options={"synchronize_session": False},
        )
    )
    moved = [message for message in messages if message.message_id not in written]
    for message in moved:
        customer_id = await session.scalar(
            select(col(LineUser.customer_id)).where(col(LineUser.line_user_id) == message.line_user_id)
        )
        if customer_id is None or customer_id == message.customer_id:
            continue
        message.customer_id = customer_id
        await session.execute(
            update(Message)
            .where(col(Message.customer_id) == customer_id, col(Message.message_id) == message.message_id)
            .values(_delivery_of(message))
            .execution_options(synchronize_session=False)
        )

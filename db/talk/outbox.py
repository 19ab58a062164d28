"""Which promised messages are due, and how is what delivery learnt about them written down?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    CTE,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement, Executable
from sqlmodel import col

from db import arrays
from db.columns import UUID, Json, Timestamp, datetime
from db.people.customers import Customer, LineUser, lock_customers
from db.talk.messages import LEASE, Message, MessageState


@dataclass(slots=True, kw_only=True)
class Outgoing:
    """What delivery reads and writes of a `Message`, which costs many times more to load and to change."""

    customer_id: UUID
    message_id: UUID
    kind: str
    line_user_id: str
    rule_id: str | None
    rule_version: int | None
    occasion: int | None
    step: str | None
    bubbles: list[Json]
    unit: str | None
    promised_at: datetime
    reply_token_until: datetime | None
    state: str
    not_before: datetime
    first_attempt_at: datetime | None
    attempted_at: datetime | None
    attempts: int
    settled_at: datetime | None
    because: str | None
    line_request_id: str | None
    line_message_ids: list[str]
    reply_token: str | None
    reply_tried_at: datetime | None


_FIELDS = tuple([each.name for each in fields(Outgoing)])
_NOW: ColumnElement[datetime] = bindparam("now", type_=Timestamp)
_LEASED: ColumnElement[datetime] = bindparam("leased", type_=Timestamp)
_MOST: ColumnElement[int] = bindparam("most", type_=Integer())


def _queued() -> ColumnElement[bool]:
    return and_(col(Message.state) == MessageState.QUEUED.value, col(Message.not_before) <= _NOW)


def _stuck() -> ColumnElement[bool]:
    """`sending`, by a process that must have died."""
    return and_(col(Message.state) == MessageState.SENDING.value, col(Message.attempted_at) <= _LEASED)


def _due() -> CTE:
    """The keys of up to `most` due messages: first what got stuck, then by time."""
    of, one = col(Message.customer_id), col(Message.message_id)
    stuck = (
        select(of, one, col(Message.attempted_at).label("at"), literal(0).label("turn"))
        .where(_stuck())
        .order_by(col(Message.attempted_at), one)
        .limit(_MOST)
        .subquery("stuck")
    )
    queued = (
        select(of, one, col(Message.not_before).label("at"), literal(1).label("turn"))
        .where(_queued())
        .order_by(col(Message.not_before), one)
        .limit(_MOST)
        .subquery("queued")
    )
    both = union_all(select(stuck), select(queued)).subquery("both")
    return (
        select(both.c.customer_id, both.c.message_id)
        .order_by(both.c.turn, both.c.at, both.c.message_id)
        .limit(_MOST)
        .cte("due")
    )


@cache
def _finding() -> Executable:
    due = _due()
    return select(due.c.customer_id, due.c.message_id)


@cache
def _locking() -> Executable:
    """The due messages of customers whom nobody holds; these customers are held then."""
    due, of = _due(), col(Customer.customer_id)
    return (
        select(of, due.c.message_id)
        .join(due, due.c.customer_id == of)
        .order_by(of)
        .with_for_update(key_share=True, skip_locked=True, of=Customer)
    )


@cache
def _reading() -> Executable:
    given = arrays.rows("given", customers=Uuid(), messages=Uuid())
    return (
        select(*[col(getattr(Message, name)) for name in _FIELDS])
        .join(
            given,
            and_(
                col(Message.customer_id) == given.c.customers,
                col(Message.message_id) == given.c.messages,
            ),
        )
        .where(or_(_queued(), _stuck()))
        .order_by(col(Message.not_before), col(Message.message_id))
        .with_for_update(skip_locked=True, of=Message)
    )


async def claim_due(session: AsyncSession, *, limit: int, now: datetime) -> list[Outgoing]:
    """The due messages with their customers locked, by time; empty: nothing is due.

    Customers that another transaction holds are left for later, unless nothing else is due: then this
    waits for them.
    """
    moments = {"now": now, "leased": now - LEASE}
    asked = {**moments, "most": limit}
    due = (await session.execute(_locking(), asked)).all()
    if not due:
        due = (await session.execute(_finding(), asked)).all()
        if not due:
            return []
        await lock_customers(session, {customer_id for customer_id, _ in due})
    # Read under the locks: another process may have been here between the two statements.
    found = await session.execute(
        _reading(),
        {
            **moments,
            "customers": arrays.uuids([customer_id for customer_id, _ in due]),
            "messages": arrays.uuids([message_id for _, message_id in due]),
        },
    )
    return [Outgoing(**dict(zip(_FIELDS, row, strict=True))) for row in found]


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


_WRITTEN = ("customer_id", "message_id", *[name for name, _ in _DELIVERY])
_written_of = attrgetter(*_WRITTEN)


def _delivery_of(message: Outgoing) -> dict[str, Any]:
    return {name: getattr(message, name) for name, _ in _DELIVERY}


@cache
def _saving() -> Executable:
    """One JSON document for all: half of the fields may be empty, which array text cannot say."""
    named = [column("customer_id", Uuid), column("message_id", Uuid)]
    incoming = (
        func.jsonb_to_recordset(cast(bindparam("rows", type_=Text()), JSONB))
        .table_valued(*named, *[column(name, kind) for name, kind in _DELIVERY], name="incoming")
        .render_derived(with_types=True)
    )
    return (
        update(Message)
        .where(
            col(Message.customer_id) == incoming.c.customer_id,
            col(Message.message_id) == incoming.c.message_id,
        )
        .values({name: incoming.c[name] for name, _ in _DELIVERY})
        .returning(col(Message.message_id))
    )


async def save(session: AsyncSession, messages: Sequence[Outgoing]) -> None:
    """Write the delivery fields of these messages, in one statement.

    Finds each where it is now: a message may have moved to the customer its LINE user was linked to.
    """
    if not messages:
        return
    rows = [dict(zip(_WRITTEN, _written_of(message), strict=True)) for message in messages]
    written = set(
        await session.scalars(
            _saving(),
            {"rows": to_json(rows).decode()},
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


async def behind_others(session: AsyncSession, messages: Sequence[Outgoing]) -> set[UUID]:
    """Which of these rule messages have an earlier one of the same passage that is not settled yet.

    A step that a kill left in `sending` is tried again after its lease; the next step must not overtake it.
    """
    if not messages:
        return set()
    rows = await session.execute(
        select(
            col(Message.customer_id),
            col(Message.rule_id),
            col(Message.occasion),
            func.min(col(Message.promised_at)),
        )
        .where(
            col(Message.customer_id).in_([message.customer_id for message in messages]),
            col(Message.rule_id).is_not(None),
            col(Message.state).in_([MessageState.QUEUED.value, MessageState.SENDING.value]),
        )
        .group_by(col(Message.customer_id), col(Message.rule_id), col(Message.occasion))
    )
    first = {(customer_id, rule_id, occasion): at for customer_id, rule_id, occasion, at in rows}
    return {
        message.message_id
        for message in messages
        if first[message.customer_id, message.rule_id, message.occasion] < message.promised_at
    }

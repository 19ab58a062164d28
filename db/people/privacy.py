"""What is kept about one customer, in every table, and how is it erased?

Tables are found by their column `customer_id`, so that a new one is exported and erased without being named
here. Those that are named keep a row without anything personal in it: counters, and the tombstone.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from db.columns import UUID, Json
from db.desk.audit import AuditEntry
from db.desk.leads import Lead
from db.desk.posts import Post, revived
from db.intake.inbox import InboxRow
from db.people.consents import EVERYTHING, ConsentEntry, record
from db.people.consents import current as consents_of
from db.people.customers import Customer, LineUser, add_customers, customer_id_of_line_user, lock_customers
from db.people.line_users import user_of_customer
from db.talk.conversations import InboundLine
from db.talk.messages import Message, cancel_queued

ERASED_TEXT = "（消去済み / erased）"
SOURCE = "privacy:erase"
_COUNTERS = ("follow_up", "outcome")
"""Passages and outcomes: arms, times and truths, which figures are counted from; no texts, no attributes."""


def tables() -> list[Table]:
    """Every table with something of one customer."""
    return [table for table in SQLModel.metadata.sorted_tables if "customer_id" in table.columns]


async def customer_named(session: AsyncSession, name: str) -> Customer | None:
    """The customer of this `external_id`, LINE user id or customer_id."""
    found: Customer | None = await session.scalar(select(Customer).where(col(Customer.external_id) == name))
    if found is None:
        linked = await session.scalar(
            select(col(LineUser.customer_id)).where(col(LineUser.line_user_id) == name)
        )
        found = await session.get(Customer, linked) if linked is not None else None
    if found is None:
        try:
            found = await session.get(Customer, UUID(name))
        except ValueError:
            return None
    return found


async def rows_of_customer(session: AsyncSession, customer_id: UUID) -> dict[str, list[Json]]:
    """Everything kept about a customer, by table, as JSON takes it; bytes in Base64, times as ISO text."""
    kept: dict[str, list[Json]] = {}
    for table in tables():
        found = await session.execute(select(table).where(table.c.customer_id == customer_id))
        rows = [{name: _plain(value) for name, value in row._mapping.items()} for row in found]
        if rows:
            kept[table.name] = rows
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


async def erase(session: AsyncSession, customer_id: UUID, *, purposes: Iterable[str], now: datetime) -> bool:
    """Remove what is kept about a customer; False: already done, or unknown.

    What stays: the tombstone (the row of `customer` without attributes, `erased_at`), one refusal for every
    purpose, counters without texts, audit entries (ids only), and, where a LINE user was linked, that this
    LINE user refused. What we wrote in Slack is rewritten from what is left.
    """
    await lock_customers(session, {customer_id})
    customer = await session.get(Customer, customer_id, populate_existing=True)
    if customer is None or customer.erased_at is not None:
        return False
    user = await user_of_customer(session, customer_id)
    refused = {EVERYTHING, *purposes, *(await consents_of(session, [customer_id])).get(customer_id, {})}
    await cancel_queued(session, customer_id, because="erased: 個人データの消去", now=now)
    kept = {
        table.__tablename__
        for table in (Customer, ConsentEntry, AuditEntry, Lead, Message, Post, InboundLine, LineUser)
    }
    for table in tables():
        if table.name not in kept and table.name not in _COUNTERS:
            await session.execute(delete(table).where(table.c.customer_id == customer_id))
    await session.execute(delete(ConsentEntry).where(col(ConsentEntry.customer_id) == customer_id))
    await _scrub(session, customer_id, now=now)
    whose = [customer_id]
    if user is not None:
        whose.append(await _forget_line_user(session, user, now=now))
    for each in whose:
        await record(
            session,
            customer_id=each,
            purposes=refused,
            is_granted=False,
            event_id=f"erase:{customer_id}",
            at=now,
            source=SOURCE,
            now=now,
        )
    return True


async def _forget_line_user(session: AsyncSession, user: LineUser, *, now: datetime) -> UUID:
    """The LINE user without name, apart from the customer; who they are in our tables then."""
    placeholder = customer_id_of_line_user(user.line_user_id)
    await add_customers(session, {placeholder: None}, now=now)
    await session.execute(
        update(LineUser)
        .where(col(LineUser.line_user_id) == user.line_user_id)
        .values(customer_id=placeholder, display_name=None, language=None)
        .execution_options(synchronize_session=False)
    )
    await session.execute(
        update(InboxRow)
        .where(col(InboxRow.source) == f"line:{user.line_user_id}", col(InboxRow.done_at).is_not(None))
        .values(raw=b"")
        .execution_options(synchronize_session=False)
    )
    return placeholder


async def _scrub(session: AsyncSession, customer_id: UUID, *, now: datetime) -> None:
    changes: list[tuple[type[SQLModel], dict[str, Any]]] = [
        (
            Customer,
            {
                "external_id": None,
                "account": None,
                "attributes": {},
                "attribute_times": {},
                "timezone": None,
                "language": None,
                "line_user_id": None,
                "erased_at": now,
            },
        ),
        (Message, {"plain_text": ERASED_TEXT, "bubbles": [], "line_user_id": "", "reply_token": None}),
        (InboundLine, {"text": None, "details": {}, "unsent_at": func.coalesce(InboundLine.unsent_at, now)}),
        (Lead, {"reasons": [], "draft_wish": None, "state": "dismissed", "disposition": "erased"}),
        (Post, {"wanted": col(Post.wanted) + 1, "state": revived()}),
    ]
    for table, values in changes:
        whose = col(table.customer_id) == customer_id  # type: ignore[attr-defined]
        statement = update(table).where(whose)
        if table is Post:
            statement = statement.where(col(Post.ts).is_not(None))
        await session.execute(statement.values(**values).execution_options(synchronize_session=False))

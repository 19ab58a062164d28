"""What happened to whom in the own past, customer by customer? For looking back; nothing here writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.intake.events import Event
from db.intake.signals import SignalRow, WatchRow
from db.people.customers import Customer
from db.rulebook.candidates import use_custom_plans
from db.talk.messages import Message, MessageKind, MessageState
from followups.signals import Watch, attribute_key, unfiltered

Times = Mapping[str, tuple[datetime, ...]]


async def known_since(session: AsyncSession, *, above: UUID, limit: int) -> dict[UUID, datetime]:
    """The next customers by id above `above`, each with the moment since which they are one.

    That is when they were made known, or their first event where that is earlier (imported histories).
    Whoever was erased is left out.
    """
    of = col(Customer.customer_id)
    first = (
        select(func.min(col(SignalRow.first_at)))
        .where(
            col(SignalRow.customer_id) == of,
            col(SignalRow.key).not_like(f"{attribute_key('')}%"),
        )
        .correlate(Customer)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(of, func.least(col(Customer.created_at), first))  # `least` skips NULL
        .where(of > above, col(Customer.erased_at).is_(None))
        .order_by(of)
        .limit(limit)
    )
    return {row[0]: row[1] for row in rows}


async def number_of_customers(session: AsyncSession) -> int:
    """How many there are, without the erased ones."""
    return (
        await session.execute(
            select(func.count()).select_from(Customer).where(col(Customer.erased_at).is_(None))
        )
    ).scalar_one()


async def times_of(
    session: AsyncSession, customer_ids: Collection[UUID], names: Collection[str], *, until: datetime
) -> dict[UUID, Times]:
    """When these events happened to these customers before `until`, oldest first; one statement.

    A `filtered_key` among the names asks for the events that have its properties. Asked as a range of ids,
    which every partition answers from its key: give neighbours.
    """
    if not customer_ids or not names:
        return {}
    wanted = set(customer_ids)
    at, of = col(Event.at), col(Event.customer_id)
    await use_custom_plans(session)
    within = and_(of >= min(wanted), of <= max(wanted), at < until)
    plain = [name for name in sorted(names) if not unfiltered(name)[1]]
    queries = [
        select(of, col(Event.name), func.array_agg(at))
        .where(within, col(Event.name).in_(plain))
        .group_by(of, col(Event.name))
    ]
    for name in sorted(set(names) - set(plain)):
        source, where = unfiltered(name)
        queries.append(
            select(of, literal(name), func.array_agg(at))
            .where(within, col(Event.name) == source, col(Event.properties).contains(dict(where)))
            .group_by(of)
        )
    rows = await session.execute(union_all(*queries))
    times: dict[UUID, dict[str, tuple[datetime, ...]]] = {}
    for customer_id, name, moments in rows:
        if customer_id in wanted:
            times.setdefault(customer_id, {})[name] = tuple(sorted(moments))
    return dict(times)


async def latest_of(session: AsyncSession, names: Collection[str]) -> datetime | None:
    """The latest of these events that is known; None: there is none."""
    return (
        await session.execute(
            select(func.max(col(SignalRow.last_at))).where(col(SignalRow.key).in_(sorted(names)))
        )
    ).scalar_one()


async def unkept(session: AsyncSession, watches: Collection[Watch]) -> frozenset[str]:
    """The events (or `@attribute`) of which less is kept than these watches need.

    What no published rule watches is not kept in `signal`; SQL cannot find by it, and events have to be read.
    """
    rows = await session.execute(
        select(WatchRow).where(col(WatchRow.event).in_(sorted({watch.event for watch in watches})))
    )
    kept = {row.event: row for (row,) in rows}
    lacking = set()
    for watch in watches:
        row = kept.get(watch.event)
        is_date = watch.event.startswith(attribute_key(""))
        needs_row = is_date or watch.depth > 1 or bool(watch.ranks or watch.where)
        if needs_row and (row is None or row.depth < watch.depth or not watch.ranks <= frozenset(row.ranks)):
            lacking.add(watch.event)
    return frozenset(lacking)


async def messages_sent(session: AsyncSession, *, start: datetime, end: datetime) -> int:
    """How many follow-ups LINE really accepted in this span: a past with messages is no base rate."""
    return (
        await session.execute(
            select(func.count())
            .select_from(Message)
            .where(
                and_(
                    col(Message.kind) == MessageKind.RULE.value,
                    col(Message.state) == MessageState.ACCEPTED.value,
                    col(Message.promised_at) >= start,
                    col(Message.promised_at) < end,
                )
            )
        )
    ).scalar_one()

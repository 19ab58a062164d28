"""Who bought when, and what? For looking back; nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, cast, func, null, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.intake.events import Event
from db.people.customers import Customer
from db.rulebook.candidates import use_custom_plans


@dataclass(frozen=True, slots=True)
class Buyer:
    """One customer's purchases, oldest first; `products` beside `times`, None where none was named."""

    customer_id: UUID
    external_id: str | None
    timezone: str | None
    times: tuple[datetime, ...]
    products: tuple[str | None, ...]


async def buyers(
    session: AsyncSession, event: str, *, product: str | None, above: UUID, limit: int, until: datetime
) -> tuple[list[Buyer], UUID | None]:
    """The buyers among the next `limit` customers by id, and the id they end at; None: there are no more.

    Args:
        event: what counts as a purchase.
        product: the property that names what was bought.
        until: purchases before this moment.
    """
    of = col(Customer.customer_id)
    people = (
        await session.execute(
            select(of, col(Customer.external_id), col(Customer.timezone))
            .where(of > above, col(Customer.erased_at).is_(None))
            .order_by(of)
            .limit(limit)
        )
    ).all()
    if not people:
        return [], None
    at, buyer = col(Event.at), col(Event.customer_id)
    named = cast(col(Event.properties)[product or ""].astext, Text())
    await use_custom_plans(session)
    rows = await session.execute(  # as a range of ids, which every partition answers from its key
        select(
            buyer,
            func.array_agg(aggregate_order_by(at, at)),
            func.array_agg(aggregate_order_by(named, at)) if product is not None else null(),
        )
        .where(buyer > above, buyer <= people[-1][0], col(Event.name) == event, at < until)
        .group_by(buyer)
    )
    bought = {of_customer: (times, products) for of_customer, times, products in rows}
    found = []
    for customer_id, external_id, timezone in people:
        times, products = bought.get(customer_id, ((), None))
        if times:
            names = tuple(products) if products is not None else (None,) * len(times)
            found.append(Buyer(customer_id, external_id, timezone, tuple(times), names))
    return found, people[-1][0]

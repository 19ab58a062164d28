"""How many customers may a condition hold for, counted by SQL alone, and who are some of them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID, datetime
from db.people.customers import Customer
from db.rulebook.candidates import read, use_custom_plans
from db.talk.messages import Message, MessageState
from followups.rules.conditions import Condition

_SLACK = timedelta(days=3)
"""A message rarely waits for longer than this between its promise and LINE's taking it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom SQL finds.

    Attributes:
        may: for how many it could hold; `must`: for how many it surely does. Equal: so many there are.
        ids: of those for whom it could, all or the first ones by id. Ids are hashes of the product's ids: the
            first ones are as good as any drawn at random, and the same every time.
    """

    may: int
    must: int
    ids: Sequence[UUID]


async def reach(session: AsyncSession, condition: Condition | None, *, limit: int, now: datetime) -> Reach:
    """Count, and name up to `limit` of them.

    Args:
        condition: None: everybody.
    """
    await use_custom_plans(session)
    is_there = col(Customer.erased_at).is_(None)
    reading = read(condition, now=now) if condition is not None else None
    found = select(col(Customer.customer_id)).where(is_there)
    if reading is not None:
        found = found.where(reading.may)
    ids = list(await session.scalars(found.order_by(col(Customer.customer_id)).limit(limit + 1)))
    if len(ids) <= limit:
        may = len(ids)
    else:
        may = await session.scalar(select(func.count()).select_from(found.order_by(None).subquery())) or 0
    must = may
    if reading is not None and str(reading.may) != str(reading.must):
        surely = select(func.count()).select_from(Customer).where(is_there, reading.must)
        must = await session.scalar(surely) or 0
    return Reach(may=may, must=must, ids=ids[:limit])


async def counted_since(session: AsyncSession, since: datetime) -> int:
    """Messages that LINE took since then and counts: pushes of any kind, not free replies."""
    return (
        await session.execute(
            select(func.count())
            .select_from(Message)
            .where(
                col(Message.state) == MessageState.ACCEPTED,
                col(Message.reply_tried_at).is_(None),
                col(Message.promised_at) >= since - _SLACK,
                col(Message.settled_at) >= since,
            )
        )
    ).scalar_one()

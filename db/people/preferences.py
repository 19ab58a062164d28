"""How does each customer wish to be written to: how often, when, about what, from when on?

A ledger like the one of consents: what somebody wished, at the event's time, is never changed. Of each aspect
the newest wish counts that was not taken back; so no order of arrival makes a difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from hashlib import blake2b
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, Json, customer_key, document, moment
from followups.facts import Preferences

PAUSE, HOURS, OFTEN, TOPIC = "pause", "hours", "often", "topic:"
"""The aspects; a topic's name follows `topic:`."""


class Wish(SQLModel, table=True):
    """One wish of a customer about one aspect. `wished` is empty where they want the usual again.

    `{"until": ISO text}`, `{"from": "18:00", "to": "21:00"}`, `{"per_30_days": 1}`, `{"is_off": true}`.
    `undoes`: the event whose wishes this one takes back; then it wishes nothing itself.
    """

    __tablename__ = "wish"

    customer_id: UUID = customer_key()
    aspect: str = Field(primary_key=True)
    wish_id: UUID = Field(primary_key=True)
    wished: Json = document(default_factory=dict)
    at: datetime = moment()
    source: str
    undoes: UUID | None = None
    recorded_at: datetime = moment()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWish:
    """One aspect and what is wished of it, as `Wish` keeps it."""

    aspect: str
    wished: Mapping[str, Any]


def wish_id_of(event_id: str) -> UUID:
    """The ledger id of what one event asked for: taken in twice, it is one entry."""
    return UUID(bytes=blake2b(event_id.encode(), digest_size=16, person=b"wish").digest())


async def wish(
    session: AsyncSession,
    *,
    customer_id: UUID,
    wishes: Iterable[NewWish],
    event_id: str,
    at: datetime,
    source: str,
    now: datetime,
) -> None:
    """Write down what was asked for at `at`; the same event twice is one entry for each aspect.

    Args:
        source: `line:word`, `line:button`, `product`, `staff`.
    """
    rows = [
        _row(
            customer_id,
            each.aspect,
            event_id=event_id,
            at=at,
            source=source,
            now=now,
            wished=dict(each.wished),
        )
        for each in wishes
    ]
    if rows:
        await session.execute(insert(Wish).values(rows).on_conflict_do_nothing())


async def take_back(
    session: AsyncSession, *, customer_id: UUID, wish_id: UUID, event_id: str, at: datetime, now: datetime
) -> None:
    """What one event asked for counts no more; what was wished before it counts again."""
    row = _row(customer_id, "undo", event_id=event_id, at=at, source="line:button", now=now, undoes=wish_id)
    await session.execute(insert(Wish).values([row]).on_conflict_do_nothing())


def _row(
    customer_id: UUID,
    aspect: str,
    *,
    event_id: str,
    at: datetime,
    source: str,
    now: datetime,
    wished: Json | None = None,
    undoes: UUID | None = None,
) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "aspect": aspect,
        "wish_id": wish_id_of(event_id),
        "wished": wished or {},
        "at": at,
        "source": source,
        "undoes": undoes,
        "recorded_at": now,
    }


async def preferences_of(session: AsyncSession, customer_ids: Iterable[UUID]) -> dict[UUID, Preferences]:
    """What counts now, by customer; whoever wished nothing is missing."""
    undone = aliased(Wish)
    newest = (
        select(col(Wish.customer_id), col(Wish.aspect), col(Wish.wished))
        .outerjoin(
            undone,
            and_(
                col(undone.customer_id) == col(Wish.customer_id),
                col(undone.aspect) == "undo",
                col(undone.undoes) == col(Wish.wish_id),
            ),
        )
        .where(
            col(Wish.customer_id).in_(set(customer_ids)),
            col(Wish.aspect) != "undo",
            col(undone.wish_id).is_(None),
        )
        .ext(distinct_on(col(Wish.customer_id), col(Wish.aspect)))
        .order_by(col(Wish.customer_id), col(Wish.aspect), col(Wish.at).desc(), col(Wish.wish_id).desc())
    )
    by_customer: dict[UUID, dict[str, Json]] = {}
    for customer_id, aspect, wished in await session.execute(newest):
        if wished:
            by_customer.setdefault(customer_id, {})[aspect] = wished
    return {customer_id: _read(aspects) for customer_id, aspects in by_customer.items()}


async def wishes_of(session: AsyncSession, customer_id: UUID) -> list[Wish]:
    """Everything a customer ever wished, oldest first."""
    found = await session.scalars(
        select(Wish)
        .where(col(Wish.customer_id) == customer_id)
        .order_by(col(Wish.at), col(Wish.wish_id), col(Wish.aspect))
    )
    return list(found)


def _read(aspects: Mapping[str, Json]) -> Preferences:
    until = aspects.get(PAUSE, {}).get("until")
    hours = aspects.get(HOURS)
    often = aspects.get(OFTEN, {}).get("per_30_days")
    return Preferences(
        paused_until=datetime.fromisoformat(until) if until else None,
        hours=(time.fromisoformat(hours["from"]), time.fromisoformat(hours["to"])) if hours else None,
        per_30_days=int(often) if often is not None else None,
        topics_off=frozenset(
            aspect.removeprefix(TOPIC)
            for aspect, wished in aspects.items()
            if aspect.startswith(TOPIC) and wished.get("is_off")
        ),
    )

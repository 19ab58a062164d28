"""Whom do staff mean by a name, an id or a mail address?"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID
from db.people.customers import Customer, LineUser

NAMED = ("name", "email", "mail", "e_mail")
"""Attributes that say who somebody is."""
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCustomer:
    """A customer somebody may mean. `name`: as the product knows them, else as they call themselves."""

    customer_id: UUID
    external_id: str | None
    name: str | None


async def find_customers(session: AsyncSession, asked: str, *, limit: int = 20) -> list[FoundCustomer]:
    """Those who are called exactly so; where nobody is, those whose names, ids or mails begin so.

    Upper and lower case and spaces in names make no difference. Erased customers are never found.
    """
    wanted = asked.replace("\0", "").strip()[:MOST_CHARACTERS]
    if not wanted:
        return []
    short = _squeezed(wanted)
    exact = [col(Customer.external_id) == wanted, col(LineUser.line_user_id) == wanted]
    with contextlib.suppress(ValueError):
        exact.append(col(Customer.customer_id) == UUID(wanted))
    exact += [_squeezed_column(each) == short for each in _named()]
    if found := await _found(session, exact, limit=limit):
        return found
    return await _found(
        session,
        [
            col(Customer.external_id).istartswith(wanted, autoescape=True),
            *(_squeezed_column(each).startswith(short, autoescape=True) for each in _named()),
        ],
        limit=limit,
    )


def _named() -> list[ColumnElement[str]]:
    attributes = [col(Customer.attributes)[key].astext for key in NAMED]
    return [*attributes, col(LineUser.display_name)]


def _squeezed(text: str) -> str:
    return "".join(text.lower().split())


def _squeezed_column(column: ColumnElement[str]) -> ColumnElement[str]:
    return func.regexp_replace(func.lower(column), r"[\s　]+", "", "g")


async def _found(
    session: AsyncSession, terms: Sequence[ColumnElement[bool]], *, limit: int
) -> list[FoundCustomer]:
    rows = await session.execute(
        select(
            col(Customer.customer_id),
            col(Customer.external_id),
            func.coalesce(col(Customer.attributes)["name"].astext, col(LineUser.display_name)),
        )
        .outerjoin(LineUser, col(LineUser.customer_id) == col(Customer.customer_id))
        .where(col(Customer.erased_at).is_(None), or_(*terms))
        .order_by(col(Customer.external_id), col(Customer.customer_id))
        .limit(limit * 2)
    )
    found: dict[UUID, FoundCustomer] = {}
    for customer_id, external_id, name in rows:
        found.setdefault(
            customer_id, FoundCustomer(customer_id=customer_id, external_id=external_id, name=name)
        )
    return list(found.values())[:limit]

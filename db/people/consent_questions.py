"""Whose rules wait for nothing but a consent that was never asked for?"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from db.columns import UUID, datetime
from db.deciding.followups import DecisionRow
from db.people.consents import ConsentEntry, ConsentQuestion


async def waiting_for_consent(
    session: AsyncSession, purposes: Mapping[str, str], *, since: datetime, asked_before: datetime, limit: int
) -> dict[UUID, set[str]]:
    """For whom rules last answered that consent is missing: rule ids by customer.

    Args:
        purposes: the purpose by rule; whoever was asked about it since `asked_before` is left out.
        since: answers before that are not looked at.
    """
    found: dict[UUID, set[str]] = {}
    for rule_id, purpose in purposes.items():
        later = aliased(DecisionRow)
        rows = await session.scalars(
            select(col(DecisionRow.customer_id))
            .where(
                col(DecisionRow.rule_id) == rule_id,
                col(DecisionRow.gate) == "consent",
                col(DecisionRow.verdict) == "wait",
                col(DecisionRow.is_shadow).is_(False),
                col(DecisionRow.at) >= since,
                ~exists(
                    select(1).where(
                        col(later.customer_id) == col(DecisionRow.customer_id),
                        col(later.rule_id) == rule_id,
                        col(later.at) > col(DecisionRow.at),
                    )
                ),
                ~exists(
                    select(1).where(
                        col(ConsentEntry.customer_id) == col(DecisionRow.customer_id),
                        col(ConsentEntry.purpose) == purpose,
                    )
                ),
                ~exists(
                    select(1).where(
                        col(ConsentQuestion.customer_id) == col(DecisionRow.customer_id),
                        col(ConsentQuestion.purpose) == purpose,
                        col(ConsentQuestion.asked_at) > asked_before,
                    )
                ),
            )
            .order_by(col(DecisionRow.at))
            .limit(limit)
        )
        for customer_id in rows:
            found.setdefault(customer_id, set()).add(rule_id)
    return found

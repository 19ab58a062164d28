"""Which leads still need somebody, who was asked, and what do our people have on their hands?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID, datetime
from db.desk.leads import OPEN_STATES, Lead, LeadState, change

ASKED, ASKED_AGAIN, ESCALATED = 1, 2, 3
"""Values of `Lead.reminders`: somebody was asked, the next one was, the support leads were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one person has: leads not closed, leads of today, and when they were last asked."""

    open: int = 0
    today: int = 0
    last_at: datetime | None = None


async def leads_to_route(session: AsyncSession, *, limit: int) -> list[UUID]:
    """New leads for which nobody was asked yet, the longest open first."""
    query = (
        select(col(Lead.lead_id))
        .where(col(Lead.state) == LeadState.NEW, col(Lead.reminders) == 0)
        .order_by(col(Lead.opened_at), col(Lead.lead_id))
        .limit(limit)
    )
    return list(await session.scalars(query))


async def leads_to_remind(session: AsyncSession, *, now: datetime, limit: int) -> list[UUID]:
    """New leads whose time to be claimed is over, the longest overdue first."""
    query = (
        select(col(Lead.lead_id))
        .where(col(Lead.state) == LeadState.NEW, col(Lead.remind_at) <= now)
        .order_by(col(Lead.remind_at), col(Lead.lead_id))
        .limit(limit)
    )
    return list(await session.scalars(query))


async def loads(
    session: AsyncSession, slack_user_ids: Collection[str], *, since: datetime
) -> dict[str, Load]:
    """What these people have on their hands, by Slack user id.

    Args:
        since: when the day began.
    """
    people = sorted(set(slack_user_ids))
    holder = func.coalesce(col(Lead.owner), col(Lead.offered_to))
    at = func.coalesce(col(Lead.claimed_at), col(Lead.offered_at))
    query = (
        select(
            holder,
            func.count().filter(col(Lead.state).in_(OPEN_STATES)),
            func.count().filter(at >= since),
            func.max(col(Lead.offered_at)),
        )
        .where(
            or_(col(Lead.state).in_(OPEN_STATES), at >= since),
            or_(
                col(Lead.owner).in_(people),
                and_(col(Lead.owner).is_(None), col(Lead.offered_to).in_(people)),
            ),
        )
        .group_by(holder)
    )
    found = (await session.execute(query)).all()
    return {who: Load(open=open_, today=today, last_at=last_at) for who, open_, today, last_at in found}


async def offer(
    session: AsyncSession,
    lead: Lead,
    *,
    to: Sequence[str],
    step: int,
    remind_at: datetime | None,
    now: datetime,
) -> bool:
    """Note who was asked (nobody, or one person), and when the next step is due.

    Returns:
        False when the lead changed since it was read. Its `revision` stays: buttons keep working.
    """
    offered = {"offered_to": to[0], "offered_at": now} if to else {}
    return await change(
        session,
        lead,
        reminders=step,
        remind_at=remind_at,
        routed_at=lead.routed_at or now,
        asked=[*lead.asked, *to],
        **offered,
    )

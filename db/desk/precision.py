"""How were the leads of each rule closed, week by week, and with which score did they open?"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import datetime
from db.desk.leads import Lead, LeadState
from followups.measure.precision import Ending, ScoredEnding

_ENDS = (LeadState.SENT.value, LeadState.WON.value, LeadState.LOST.value, LeadState.DISMISSED.value)


async def endings(session: AsyncSession, *, since: datetime, now: datetime, timezone: str) -> list[Ending]:
    """The leads that people closed from then on, counted by rule, local week, state and reason."""
    local = func.timezone(timezone, col(Lead.closed_at))
    week = cast(func.date_trunc("week", local), Date).label("week")
    reason = func.coalesce(col(Lead.disposition), "").label("reason")
    rows = await session.execute(
        select(col(Lead.rule_id), week, col(Lead.state), reason, func.count())
        .where(col(Lead.state).in_(_ENDS), col(Lead.closed_at) >= since, col(Lead.closed_at) < now)
        .group_by(col(Lead.rule_id), week, col(Lead.state), reason)
        .order_by(col(Lead.rule_id), week, col(Lead.state), reason)
    )
    found: list[Ending] = []
    for rule_id, of, state, because, number in rows:
        assert isinstance(of, date)
        found.append(Ending(rule_id=rule_id, week=of, state=state, reason=because or None, number=number))
    return found


async def scored_endings(session: AsyncSession, *, since: datetime, now: datetime) -> list[ScoredEnding]:
    """The same leads with the score they opened with, where they had one, counted."""
    rows = await session.execute(
        select(col(Lead.rule_id), col(Lead.score), col(Lead.state), func.count())
        .where(
            col(Lead.state).in_(_ENDS),
            col(Lead.closed_at) >= since,
            col(Lead.closed_at) < now,
            col(Lead.score).is_not(None),
            col(Lead.rule_id).is_not(None),
        )
        .group_by(col(Lead.rule_id), col(Lead.score), col(Lead.state))
        .order_by(col(Lead.rule_id), col(Lead.score), col(Lead.state))
    )
    return [
        ScoredEnding(rule_id=rule_id, score=score, state=state, number=number)
        for rule_id, score, state, number in rows
        if rule_id is not None and score is not None
    ]

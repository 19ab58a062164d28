"""How many people does each rule hold now, and how many did it lose?"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.deciding.followups import FollowUpRow
from db.deciding.outcomes import OutcomeRow
from db.talk.messages import Message, MessageState
from followups.facts import FollowUpState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`under_way`: customers in it. `waiting`: messages not yet gone out. `opted_out`: as last reckoned."""

    under_way: int = 0
    waiting: int = 0
    opted_out: int = 0


async def standing_by_rule(session: AsyncSession) -> dict[str, Standing]:
    """By rule id; rules with nothing at all are left out."""
    under_way = await session.execute(
        select(col(FollowUpRow.rule_id), func.count())
        .where(col(FollowUpRow.state) == FollowUpState.ACTIVE)
        .group_by(col(FollowUpRow.rule_id))
    )
    waiting = await session.execute(
        select(col(Message.rule_id), func.count())
        .where(col(Message.state) == MessageState.QUEUED.value, col(Message.rule_id).is_not(None))
        .group_by(col(Message.rule_id))
    )
    opted_out = await session.execute(
        select(col(OutcomeRow.rule_id), func.count())
        .where(col(OutcomeRow.opted_out_at).is_not(None), col(OutcomeRow.arm) == "treated")
        .group_by(col(OutcomeRow.rule_id))
    )
    counts = [{str(rule_id): number for rule_id, number in rows} for rows in (under_way, waiting, opted_out)]
    return {
        rule_id: Standing(
            under_way=counts[0].get(rule_id, 0),
            waiting=counts[1].get(rule_id, 0),
            opted_out=counts[2].get(rule_id, 0),
        )
        for rule_id in sorted({*counts[0], *counts[1], *counts[2]})
    }

"""Which passages through rules are over, since when and why?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ARRAY, ColumnElement, Integer, String, Uuid, and_, case, func, literal, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import arrays
from db.columns import UUID, Timestamp, datetime
from db.events import Event
from db.followups import (
    GOAL,
    NEVER_SENT,
    WINDOW_OVER,
    WITHDRAWN,
    FollowUpRow,
    given,
    its_message,
)
from db.messages import Message
from db.signals import SignalRow
from followups.facts import FollowUpState
from followups.rules.model import Rule


async def end_finished(
    session: AsyncSession, customer_ids: Collection[UUID], rules: Mapping[str, Rule], *, now: datetime
) -> int:
    """End the passages of these customers whose goal was reached, whose window is over or that never began.

    Args:
        rules: by id, for their goals; passages of rules that are not among them stay as they are.
    """
    rows = (
        await session.execute(
            select(FollowUpRow, col(Message.state))
            .outerjoin(Message, its_message())
            .where(
                col(FollowUpRow.customer_id).in_(given("ids", Uuid())),
                col(FollowUpRow.state) == FollowUpState.ACTIVE.value,
            ),
            {"ids": arrays.uuids(customer_ids)},
        )
    ).all()
    if not rows:
        return 0
    ended = 0
    goals = await _goals_reached(session, [row for row, _ in rows], rules)
    for row, message_state in rows:
        rule = rules.get(row.rule_id)
        reached_at = goals.get((row.customer_id, row.rule_id, row.occasion))
        if message_state in NEVER_SENT:
            because = WITHDRAWN
        elif rule is None:
            continue
        elif reached_at is not None:
            because = GOAL
        elif now >= row.entered_at + rule.goal.within:
            because = WINDOW_OVER
        else:
            continue
        row.state, row.ended_because, row.goal_reached_at = FollowUpState.ENDED.value, because, reached_at
        over_at = row.entered_at + rule.goal.within if rule is not None and because == WINDOW_OVER else now
        row.ended_at = reached_at or over_at
        ended += 1
    await session.flush()
    return ended


Passage = tuple[UUID, str, int]


async def _goals_reached(
    session: AsyncSession, rows: Sequence[FollowUpRow], rules: Mapping[str, Rule]
) -> dict[Passage, datetime]:
    """When the goal of each of these passages happened first within its window, where it did.

    From the events; where those were dropped already, from the latest time the signal knows.
    """
    known = [(row, rules[row.rule_id].goal) for row in rows if row.rule_id in rules]
    if not known:
        return {}
    asked = (
        func.unnest(
            literal([row.customer_id for row, _ in known], ARRAY(Uuid)),
            literal([row.rule_id for row, _ in known], ARRAY(String)),
            literal([row.occasion for row, _ in known], ARRAY(Integer)),
            literal([goal.event for _, goal in known], ARRAY(String)),
            literal([row.entered_at for row, _ in known], ARRAY(Timestamp)),
            literal([row.entered_at + goal.within for row, goal in known], ARRAY(Timestamp)),
        )
        .table_valued("customer_id", "rule_id", "occasion", "event", "opens", "closes", name="asked")
        .render_derived()
    )
    latest = col(SignalRow.last_at)
    first = (
        select(func.min(col(Event.at)).label("at"))
        .where(
            col(Event.customer_id) == asked.c.customer_id,
            col(Event.name) == asked.c.event,
            col(Event.at) >= asked.c.opens,
            col(Event.at) < asked.c.closes,
            col(Event.is_folded),
        )
        .lateral("first")
    )
    reached: ColumnElement[datetime | None] = func.coalesce(
        first.c.at, case((latest < asked.c.closes, latest))
    )
    found = await session.execute(
        select(asked.c.customer_id, asked.c.rule_id, asked.c.occasion, reached)
        .select_from(asked)
        .join(
            SignalRow,
            and_(
                col(SignalRow.customer_id) == asked.c.customer_id,
                col(SignalRow.key) == asked.c.event,
                latest >= asked.c.opens,
            ),
        )
        .join(first, true())
    )
    return {
        (customer_id, rule_id, occasion): at for customer_id, rule_id, occasion, at in found if at is not None
    }

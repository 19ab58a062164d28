"""Which passages through rules are over, since when and why?"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    String,
    Uuid,
    and_,
    case,
    cast,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import arrays
from db.columns import UUID, Timestamp, datetime
from db.deciding.followups import (
    NEVER_SENT,
    WITHDRAWN,
    FollowUpRow,
    given,
    its_message,
)
from db.intake.events import Event
from db.intake.signals import SignalRow
from db.talk.messages import Message, MessageKind, cancel_queued
from followups.facts import FollowUpState
from followups.rules.model import Goal, Rule
from followups.scenario import GOAL, WINDOW_OVER
from followups.signals import unfiltered

_NO_PROPERTIES = cast(literal("{}", String()), JSONB)


async def end_finished(
    session: AsyncSession,
    customer_ids: Collection[UUID],
    rules: Mapping[str, Rule],
    *,
    now: datetime,
    rule_at: Callable[[str, int], Rule | None] = lambda rule_id, version: None,
) -> int:
    """End the passages of these customers whose goal was reached, whose window is over or that never began.

    Args:
        rules: by id, for their goals; passages of rules that are not among them stay as they are.
        rule_at: (rule id, version) → the rule as it was, for those who are in an older version.
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
    of_row = {
        id(row): rule
        for row, _ in rows
        if (rule := rule_at(row.rule_id, row.rule_version) or rules.get(row.rule_id)) is not None
    }
    known = [(row, of_row[id(row)].goal) for row, _ in rows if id(row) in of_row]
    goals = await _goals_reached(session, known)
    over: list[FollowUpRow] = []
    for row, message_state in rows:
        rule = of_row.get(id(row))
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
        if because != WITHDRAWN:
            over.append(row)
    await session.flush()
    for row in over:  # what a scenario had promised and LINE does not have yet
        await cancel_queued(
            session,
            row.customer_id,
            because=OVER,
            now=now,
            kinds=[MessageKind.RULE],
            rule_id=row.rule_id,
            after=row.entered_at,
        )
    return ended


OVER = "superseded: この対応は終わった"
Passage = tuple[UUID, str, int]


async def _goals_reached(
    session: AsyncSession, known: Sequence[tuple[FollowUpRow, Goal]]
) -> dict[Passage, datetime]:
    """When the goal of each of these passages happened first within its window, where it did.

    From the events; where those were dropped already, from the latest time the signal knows.
    """
    if not known:
        return {}
    asked = (
        func.unnest(
            literal([row.customer_id for row, _ in known], ARRAY(Uuid)),
            literal([row.rule_id for row, _ in known], ARRAY(String)),
            literal([row.occasion for row, _ in known], ARRAY(Integer)),
            literal([goal.event for _, goal in known], ARRAY(String)),
            literal([unfiltered(goal.event)[0] for _, goal in known], ARRAY(String)),
            cast(
                literal([json.dumps(dict(unfiltered(goal.event)[1])) for _, goal in known], ARRAY(String)),
                ARRAY(JSONB),
            ),
            literal([row.entered_at for row, _ in known], ARRAY(Timestamp)),
            literal([row.entered_at + goal.within for row, goal in known], ARRAY(Timestamp)),
        )
        .table_valued(
            column("customer_id"),
            column("rule_id"),
            column("occasion"),
            column("event"),
            column("source"),
            column("filter", JSONB),
            column("opens"),
            column("closes"),
            name="asked",
        )
        .render_derived()
    )
    latest = col(SignalRow.last_at)
    first = (
        select(func.min(col(Event.at)).label("at"))
        .where(
            col(Event.customer_id) == asked.c.customer_id,
            col(Event.name) == asked.c.source,
            func.coalesce(col(Event.properties), _NO_PROPERTIES).contains(asked.c.filter),
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

"""How many customers met each rule, in which arm, and what became of them? What a report asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Date, case, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import datetime
from db.deciding.outcomes import BLOCKED, outcome
from db.people.consents import ConsentEntry
from db.talk.messages import Message, MessageState
from followups.measure.figures import Counts, Day, Exposure

_COUNTED = {
    "sent": "sent_at",
    "accepted": "accepted_at",
    "clicked": "clicked_at",
    "tapped": "tapped_at",
    "replied": "replied_at",
    "reached": "goal_at",
    "opted_out": "opted_out_at",
    "blocked": "blocked_at",
    "by_person": "person_at",
    "won": "won_at",
    "lost": "lost_at",
}


class Counted(NamedTuple):
    """The passages of one rule, arm and variant, counted."""

    rule_id: str
    arm: str
    variant: str | None
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Passages that began from `start` on (None: ever) and before `end`, of one rule or of all."""

    start: datetime | None
    end: datetime
    rule_id: str | None = None

    def where(self) -> list[ColumnElement[bool]]:
        """The terms that find them."""
        terms = [outcome.c.entered_at < self.end]
        if self.start is not None:
            terms.append(outcome.c.entered_at >= self.start)
        if self.rule_id is not None:
            terms.append(outcome.c.rule_id == self.rule_id)
        return terms


async def counted(session: AsyncSession, span: Span, *, now: datetime) -> list[Counted]:
    """All passages of a span by rule, arm and variant; one statement."""
    of = (outcome.c.rule_id, outcome.c.arm, outcome.c.variant)
    is_written = outcome.c.accepted_at.is_not(None)
    numbers: dict[str, Any] = {
        "eligible": func.count(),
        "judged": func.count().filter(outcome.c.closes_at <= now),
        **{name: func.count(outcome.c[column]) for name, column in _COUNTED.items()},
        "counted": func.count().filter(outcome.c.is_counted),
        "attributed": func.count().filter(outcome.c.is_counted, is_written),
        "clicked_through": func.count().filter(outcome.c.is_clicked_through),
    }
    rows = await session.execute(
        select(*of, *(number.label(name) for name, number in numbers.items()))
        .where(*span.where())
        .group_by(*of)
        .order_by(*of)
    )
    return [
        Counted(
            rule_id=row.rule_id,
            arm=row.arm,
            variant=row.variant,
            counts=Counts(**{name: getattr(row, name) for name in numbers}),
        )
        for row in rows
    ]


async def exposures(session: AsyncSession, span: Span, *, now: datetime) -> dict[str, list[Exposure]]:
    """Every customer's first passage through each rule, by rule, in the order in which the windows close.

    Only the first: whether somebody comes back is a consequence of how they were treated, so that later
    passages of both arms are not alike any more.
    """
    rows = await session.execute(
        select(
            outcome.c.rule_id,
            outcome.c.unit,
            outcome.c.arm == "held_out",
            outcome.c.variant,
            outcome.c.entered_at,
            outcome.c.closes_at,
            outcome.c.closes_at <= now,
            outcome.c.goal_at.is_not(None),
            outcome.c.is_counted,
            outcome.c.opted_out_at.is_not(None),
            outcome.c.blocked_at.is_not(None),
            outcome.c.goal_n,
            outcome.c.before_n,
            outcome.c.share,
        )
        .where(*span.where(), outcome.c.occasion == 1)
        .order_by(outcome.c.rule_id, outcome.c.closes_at, outcome.c.customer_id)
    )
    found: dict[str, list[Exposure]] = {}
    for rule_id, *rest in rows:
        found.setdefault(rule_id, []).append(Exposure(*rest))
    return found


async def days(session: AsyncSession, span: Span, *, timezone: str) -> list[Day]:
    """By local day: messages that LINE accepted by kind, and customers who opted out or blocked.

    Days on which nothing happened are left out. With a rule, only its messages; refusals are everybody's.
    """

    def local(at: Any) -> Any:
        return cast(func.timezone(timezone, at), Date)

    settled, refused = col(Message.settled_at), col(ConsentEntry.at)
    sent: Sequence[ColumnElement[bool]] = [
        col(Message.state) == MessageState.ACCEPTED.value,
        settled < span.end,
        *([settled >= span.start] if span.start is not None else []),
        *([col(Message.rule_id) == span.rule_id] if span.rule_id is not None else []),
    ]
    day, refused_on = local(settled), local(refused)
    # Each expression once: its parameters are named anew wherever it is built.
    kind = case(
        (col(ConsentEntry.source) == BLOCKED, literal_column("'blocked'")), else_=literal_column("'out'")
    )
    messages = select(day, col(Message.kind), func.count()).where(*sent).group_by(day, col(Message.kind))
    refusals = (
        select(refused_on, kind, func.count(func.distinct(col(ConsentEntry.customer_id))))
        .where(
            ~col(ConsentEntry.is_granted),
            refused < span.end,
            *([refused >= span.start] if span.start is not None else []),
        )
        .group_by(refused_on, kind)
    )
    by_day: dict[Any, dict[str, int]] = {}
    for on, kind_of, number in (*await session.execute(messages), *await session.execute(refusals)):
        by_day.setdefault(on, {})[kind_of] = number
    return [
        Day(
            on=on,
            by_rule=numbers.get("rule", 0),
            by_person=numbers.get("person", 0),
            by_program=sum(n for k, n in numbers.items() if k in {"answer", "system"}),
            opted_out=numbers.get("out", 0),
            blocked=numbers.get("blocked", 0),
        )
        for on, numbers in sorted(by_day.items())
    ]

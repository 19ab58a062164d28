"""Where does each customer stand in each rule, and what was decided about them?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import to_json
from sqlalchemy import (
    ColumnElement,
    Index,
    Select,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Executable
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel, col

from db import arrays
from db.columns import UUID, Json, customer_key, datetime, document, moment
from db.talk.messages import Message, MessageState
from followups.facts import Arm, FollowUp, FollowUpState


class FollowUpRow(SQLModel, table=True):
    """One passage of a customer through a rule: the record of who was exposed to what, and when.

    `occasion` counts from 1. `arm`, `variant` and `unit` (account, else customer) are assigned on entering
    and never change. `step` is the path of the step the customer stands at, since `step_at`; empty: nothing
    is left to do.
    """

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_entered_at", "entered_at"),
        Index("ix_follow_up_active", "rule_id", "rule_version", postgresql_where=text("state = 'active'")),
    )

    customer_id: UUID = customer_key()
    rule_id: str = Field(primary_key=True)
    occasion: int = Field(primary_key=True)
    rule_version: int
    state: str
    entered_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    ended_because: str | None = None
    goal_reached_at: datetime | None = moment(default=None)
    arm: str = Arm.TREATED.value
    variant: str | None = None
    unit: str | None = None
    step: str | None = None
    step_at: datetime | None = moment(default=None)


class DecisionRow(SQLModel, table=True):
    """What one rule decided for one customer, with its trace. Repeats of the same answer are not stored."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("ix_decision_customer_id_at", "customer_id", "at"),
        Index("ix_decision_customer_id_rule_id", "customer_id", "rule_id", "at"),
    )

    customer_id: UUID = customer_key()
    decision_id: UUID = Field(primary_key=True)
    rule_id: str
    rule_version: int
    at: datetime = moment()
    verdict: str
    gate: str | None = None
    until: datetime | None = moment(default=None)
    is_shadow: bool = False
    message_id: UUID | None = None
    lead_id: UUID | None = None
    trace: Json = document(default_factory=dict)


WITHDRAWN = "withdrawn"
"""The message was cancelled before LINE got it: this passage counts as if it had never been."""

NEVER_SENT = (MessageState.CANCELLED, MessageState.SUPERSEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastAnswer:
    """What a rule answered last for a customer."""

    verdict: str
    gate: str | None
    until: datetime | None


def given(name: str, of: TypeEngine[Any]) -> Select[Any]:
    """The values of the parameter `name` (array text), to look among.

    As a subquery, which is read once: `= any(cast(…))` is read again for every row of a scan.
    """
    return select(func.unnest(arrays.array(name, of)).column_valued("given"))


def _of_these(table: type[FollowUpRow | DecisionRow]) -> ColumnElement[bool]:
    """Is it one of the parameter `ids`?"""
    return col(table.customer_id).in_(given("ids", Uuid()))


def its_message() -> ColumnElement[bool]:
    """Joins the message with which somebody entered to their passage."""
    return and_(
        or_(col(Message.step).is_(None), col(Message.promised_at) <= col(FollowUpRow.entered_at)),
        col(Message.customer_id) == col(FollowUpRow.customer_id),
        col(Message.rule_id) == col(FollowUpRow.rule_id),
        col(Message.occasion) == col(FollowUpRow.occasion),
    )


async def last_occasions(
    session: AsyncSession, customer_ids: Collection[UUID]
) -> dict[tuple[UUID, str], int]:
    """The number of the last passage by (customer, rule); withdrawn ones keep theirs."""
    rows = await session.execute(_finding_occasions(), {"ids": arrays.uuids(customer_ids)})
    return {(customer_id, rule_id): occasion for customer_id, rule_id, occasion in rows}


@cache
def _finding_occasions() -> Executable:
    return (
        select(col(FollowUpRow.customer_id), col(FollowUpRow.rule_id), func.max(col(FollowUpRow.occasion)))
        .where(_of_these(FollowUpRow))
        .group_by(col(FollowUpRow.customer_id), col(FollowUpRow.rule_id))
    )


async def last_answers(
    session: AsyncSession, customer_ids: Collection[UUID]
) -> dict[tuple[UUID, str], LastAnswer]:
    """What each rule answered last, by (customer, rule)."""
    rows = await session.execute(_finding_answers(), {"ids": arrays.uuids(customer_ids)})
    return {
        (customer_id, rule_id): LastAnswer(verdict=verdict, gate=gate, until=until)
        for customer_id, rule_id, verdict, gate, until in rows
    }


@cache
def _finding_answers() -> Executable:
    return (
        select(
            col(DecisionRow.customer_id),
            col(DecisionRow.rule_id),
            col(DecisionRow.verdict),
            col(DecisionRow.gate),
            col(DecisionRow.until),
        )
        .where(_of_these(DecisionRow))
        .ext(distinct_on(col(DecisionRow.customer_id), col(DecisionRow.rule_id)))
        .order_by(
            col(DecisionRow.customer_id),
            col(DecisionRow.rule_id),
            col(DecisionRow.at).desc(),
            col(DecisionRow.decision_id).desc(),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a passage under way goes, or why it ends."""

    customer_id: UUID
    rule_id: str
    occasion: int
    step: str | None
    step_at: datetime
    ended_at: datetime | None = None
    ended_because: str | None = None


async def take_steps(session: AsyncSession, steps: Sequence[Step]) -> None:
    """Have these passages stand at another step, or end; one statement."""
    if steps:
        rows = {"rows": to_json(steps).decode()}
        await session.execute(_taking_steps(), rows, execution_options={"synchronize_session": False})


@cache
def _taking_steps() -> Executable:
    table: Table = FollowUpRow.__table__  # type: ignore[attr-defined]
    names = ("customer_id", "rule_id", "occasion", "step", "step_at", "ended_at", "ended_because")
    given = (
        func.jsonb_to_recordset(cast(bindparam("rows", type_=Text()), JSONB))
        .table_valued(*[column(name, table.c[name].type) for name in names], name="given")
        .render_derived(with_types=True)
    )
    is_over = given.c.ended_at.is_not(None)
    return (
        update(FollowUpRow)
        .where(
            col(FollowUpRow.customer_id) == given.c.customer_id,
            col(FollowUpRow.rule_id) == given.c.rule_id,
            col(FollowUpRow.occasion) == given.c.occasion,
        )
        .values(
            step=given.c.step,
            step_at=given.c.step_at,
            ended_at=given.c.ended_at,
            ended_because=given.c.ended_because,
            state=case((is_over, FollowUpState.ENDED.value), else_=FollowUpState.ACTIVE.value),
        )
    )


@dataclass(slots=True, kw_only=True)
class NewDecision:
    """A decision to store; as `DecisionRow`, which costs many times more to make."""

    customer_id: UUID
    decision_id: UUID
    rule_id: str
    rule_version: int
    at: datetime
    verdict: str
    gate: str | None = None
    until: datetime | None = None
    is_shadow: bool = False
    message_id: UUID | None = None
    lead_id: UUID | None = None
    trace: Json


async def add_decisions(session: AsyncSession, rows: Sequence[NewDecision]) -> None:
    """Store what was decided: one statement, one JSON document."""
    if rows:
        await session.execute(_storing_decisions(), {"rows": to_json(rows).decode()})


@cache
def _storing_decisions() -> Executable:
    table: Table = DecisionRow.__table__  # type: ignore[attr-defined]
    names = [column(each.name, each.type) for each in table.columns]
    given = (
        func.jsonb_to_recordset(cast(bindparam("rows", type_=Text()), JSONB))
        .table_valued(*names, name="given")
        .render_derived(with_types=True)
    )
    return insert(table).from_select([each.name for each in names], select(given))


async def add_follow_ups(session: AsyncSession, rows: Sequence[FollowUpRow]) -> None:
    """Store that these customers entered a rule."""
    if rows:
        await session.execute(insert(FollowUpRow), [row.model_dump() for row in rows])


async def latest_passages(
    session: AsyncSession, customer_ids: Collection[UUID]
) -> dict[UUID, dict[str, FollowUp]]:
    """The latest passage by customer and rule, as stored; those whose message was withdrawn do not count."""
    rows = await session.execute(_finding_passages(), {"ids": arrays.uuids(customer_ids)})
    passages: dict[UUID, dict[str, FollowUp]] = {}
    for row in rows:
        passages.setdefault(row.customer_id, {})[row.rule_id] = FollowUp(
            rule_id=row.rule_id,
            rule_version=row.rule_version,
            occasion=row.occasion,
            state=FollowUpState(row.state),
            entered_at=row.entered_at,
            ended_at=row.ended_at,
            ended_because=row.ended_because,
            arm=Arm(row.arm),
            variant=row.variant,
            unit=row.unit,
            step=row.step,
            step_at=row.step_at,
        )
    return passages


@cache
def _finding_passages() -> Executable:
    never_sent = its_message() & col(Message.state).in_([state.value for state in NEVER_SENT])
    table: Table = FollowUpRow.__table__  # type: ignore[attr-defined]
    return (
        select(table)
        .where(
            _of_these(FollowUpRow),
            col(FollowUpRow.ended_because).is_distinct_from(WITHDRAWN),
            ~select(literal(1)).where(never_sent).exists(),
        )
        .ext(distinct_on(col(FollowUpRow.customer_id), col(FollowUpRow.rule_id)))
        .order_by(col(FollowUpRow.customer_id), col(FollowUpRow.rule_id), col(FollowUpRow.occasion).desc())
    )


async def latest_shadow_passages(
    session: AsyncSession, customer_ids: Collection[UUID], versions: Mapping[str, int]
) -> dict[UUID, dict[str, FollowUp]]:
    """What would be the latest passages through shadow rules, had they been live.

    They exist as decisions only, so that a rule that goes live begins with nobody in it.

    Args:
        versions: the shadow rules with their versions; an edited rule begins anew.
    """
    if not versions:
        return {}
    position = col(DecisionRow.trace)["position"]
    rows = await session.execute(
        select(
            col(DecisionRow.customer_id),
            col(DecisionRow.rule_id),
            col(DecisionRow.rule_version),
            col(DecisionRow.at),
            position,
        )
        .where(
            _of_these(DecisionRow),
            col(DecisionRow.rule_id).in_(given("rules", Text())),
            col(DecisionRow.is_shadow),
            or_(
                col(DecisionRow.verdict).in_(["send", "escalate"]),
                func.jsonb_typeof(position) == "object",
            ),
        )
        .ext(distinct_on(col(DecisionRow.customer_id), col(DecisionRow.rule_id)))
        .order_by(
            col(DecisionRow.customer_id),
            col(DecisionRow.rule_id),
            col(DecisionRow.at).desc(),
            func.coalesce(
                func.jsonb_array_length(position["past"]), 0
            ).desc(),  # of one moment, the later step
            col(DecisionRow.decision_id).desc(),
        ),
        {"ids": arrays.uuids(customer_ids), "rules": arrays.texts(list(versions))},
    )
    passages: dict[UUID, dict[str, FollowUp]] = {}
    for customer_id, rule_id, version, at, stood in rows:
        if versions[rule_id] == version:
            passages.setdefault(customer_id, {})[rule_id] = _rehearsed(rule_id, version, at, stood or {})
    return passages


def _rehearsed(rule_id: str, version: int, at: datetime, position: Mapping[str, Any]) -> FollowUp:
    """A passage as the trace of its latest decision tells it."""

    def moment_of(name: str) -> datetime:
        written = position.get(name)
        return datetime.fromisoformat(written) if written is not None else at

    ended = position.get("ended")
    return FollowUp(
        rule_id=rule_id,
        rule_version=version,
        occasion=0,
        state=FollowUpState.ACTIVE if ended is None else FollowUpState.ENDED,
        entered_at=moment_of("entered_at"),
        ended_at=at if ended is not None else None,
        ended_because=ended,
        arm=Arm(position.get("arm", Arm.TREATED)),
        variant=position.get("variant"),
        unit=position.get("unit"),
        step=position.get("next"),
        step_at=moment_of("next_at"),
    )


async def counts_by_rule(session: AsyncSession) -> dict[str, tuple[int, int]]:
    """By rule: (customers it had something to say about, messages LINE accepted)."""
    matched = await session.execute(
        select(col(DecisionRow.rule_id), func.count(func.distinct(col(DecisionRow.customer_id))))
        .where(col(DecisionRow.verdict) != "not_due")
        .group_by(col(DecisionRow.rule_id))
    )
    counts = {rule_id: (number, 0) for rule_id, number in matched}
    sent = await session.execute(
        select(col(Message.rule_id), func.count())
        .where(col(Message.rule_id).is_not(None), col(Message.state) == MessageState.ACCEPTED.value)
        .group_by(col(Message.rule_id))
    )
    for rule_id, number in sent:
        assert rule_id is not None
        counts[rule_id] = (counts.get(rule_id, (0, 0))[0], number)
    return counts

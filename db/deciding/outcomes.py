"""What became of each customer's passage through a rule, in either arm of the comparison?

A passage is looked at again until its window has been closed for `SETTLED_AFTER`, and never after that: what
bringing the table up to date costs grows with the passages under way, not with those of the past.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Float,
    Index,
    Integer,
    Interval,
    Label,
    ScalarSelect,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement
from sqlmodel import Field, SQLModel, col

from db import arrays
from db.columns import UUID, Json, customer_key, datetime, document, moment
from db.deciding.followups import FollowUpRow
from db.desk.leads import Lead, LeadState
from db.intake.events import Event
from db.people.consents import ConsentEntry
from db.rulebook.rules import RuleBook, Setting
from db.talk.conversations import InboundLine
from db.talk.messages import Click, Message, MessageKind, MessageState
from followups.experiments import share_held_out
from followups.signals import unfiltered

SETTLED_AFTER = timedelta(days=2)
"""How long after its window a passage is still looked at, for events that arrive late."""
LEAD_SETTLED_AFTER = timedelta(days=180)
"""How long after a passage its lead may still be won or lost on its account."""
CLICK_THROUGH = timedelta(days=7)
"""A goal within this long after a click is attributed to it."""
BLOCKED = "line:unfollow"
RECKONED = "reckoned"
_OVERLAP = timedelta(hours=1)
"""Rows dated before the last reckoning may have been committed after it, by up to this long."""


class OutcomeRow(SQLModel, table=True):
    """What became of one passage (`follow_up`); times are None where it did not happen.

    `goal_name` and `goal_filter`: the event that `goal_event` stands for. `share`: of all units, those that
    the rule and the policy held out when the passage began. `goal_n`, `before_n`: events of the goal in the
    window, and in as long a time before it. `is_counted`: of all passages that claim this conversion, it
    counts here. `is_clicked_through`: the goal came within seven days after a click. `person_at`: a member of
    staff wrote to the customer meanwhile.
    """

    __tablename__ = "outcome"
    __table_args__ = (
        Index("ix_outcome_open", "closes_at", postgresql_where=text("NOT is_settled")),
        Index("ix_outcome_rule_id_entered_at", "rule_id", "entered_at"),
    )

    customer_id: UUID = customer_key()
    rule_id: str = Field(primary_key=True)
    occasion: int = Field(primary_key=True)
    rule_version: int
    arm: str
    variant: str | None = None
    unit: str
    share: float = 0.0
    entered_at: datetime = moment()
    closes_at: datetime = moment()
    goal_event: str
    goal_name: str
    goal_filter: Json = document(default_factory=dict)
    sent_at: datetime | None = moment(default=None)
    accepted_at: datetime | None = moment(default=None)
    clicked_at: datetime | None = moment(default=None)
    replied_at: datetime | None = moment(default=None)
    tapped_at: datetime | None = moment(default=None)
    goal_at: datetime | None = moment(default=None)
    goal_n: int = 0
    before_n: int = 0
    is_counted: bool = False
    is_clicked_through: bool = False
    opted_out_at: datetime | None = moment(default=None)
    blocked_at: datetime | None = moment(default=None)
    person_at: datetime | None = moment(default=None)
    won_at: datetime | None = moment(default=None)
    lost_at: datetime | None = moment(default=None)
    worked_at: datetime | None = moment(default=None)
    is_settled: bool = False


outcome: Table = OutcomeRow.__table__  # type: ignore[attr-defined]


async def work_out(session: AsyncSession, book: RuleBook, *, now: datetime) -> int:
    """Bring the outcomes up to date; returns how many passages were looked at.

    Once at a time: whoever comes meanwhile waits for the first one's commit, and finds little left to do.
    """
    since = await _last_reckoned(session, now=now)
    await _begin(session, book, since=since)
    looked_at = await _look(session, now=now)
    await _count_once(session, now=now)
    await _settle_leads(session, since=since, now=now)
    return looked_at


async def _last_reckoned(session: AsyncSession, *, now: datetime) -> datetime:
    """When this was last done, holding the mark until the transaction ends; sets it to now."""
    setting: Table = Setting.__table__  # type: ignore[attr-defined]
    await session.execute(
        insert(setting)
        .values(name=RECKONED, content={"at": datetime.min.isoformat() + "+00:00"}, changed_at=now)
        .on_conflict_do_nothing()
    )
    content = await session.scalar(
        select(setting.c.content).where(setting.c.name == RECKONED).with_for_update()
    )
    assert content is not None
    last = datetime.fromisoformat(content["at"])
    await session.execute(
        update(setting)
        .where(setting.c.name == RECKONED)
        .values(content={"at": max(now, last).isoformat()}, changed_at=now)
    )
    return last - _OVERLAP if last.year > 1 else last


async def _begin(session: AsyncSession, book: RuleBook, *, since: datetime) -> None:
    """A row for every passage that began since then; its goal and window stay as they are now."""
    of = col(FollowUpRow.rule_id), col(FollowUpRow.rule_version)
    begun = await session.execute(select(*of).where(col(FollowUpRow.entered_at) > since).distinct())
    rules = [
        (rule_id, version, rule)
        for rule_id, version in begun
        if (rule := book.rule_at(rule_id, version) or book.by_id.get(rule_id)) is not None
    ]
    if not rules:
        return
    given = arrays.rows(
        "given",
        rules=String(),
        versions=Integer(),
        events=String(),
        names=String(),
        filters=JSONB(),
        spans=Interval(),
        shares=Float(),
    )
    goals = [rule.goal.event for _, _, rule in rules]
    passage = [
        col(getattr(FollowUpRow, name))
        for name in ("customer_id", "rule_id", "occasion", "rule_version", "arm", "variant", "entered_at")
    ]
    found = (
        select(
            *passage,
            func.coalesce(col(FollowUpRow.unit), cast(col(FollowUpRow.customer_id), String)).label("unit"),
            (col(FollowUpRow.entered_at) + given.c.spans).label("closes_at"),
            given.c.events.label("goal_event"),
            given.c.names.label("goal_name"),
            given.c.filters.label("goal_filter"),
            given.c.shares.label("share"),
            *(literal(0).label(name) for name in ("goal_n", "before_n")),
            *(literal(False).label(name) for name in ("is_counted", "is_clicked_through", "is_settled")),
        )
        .join(given, and_(of[0] == given.c.rules, of[1] == given.c.versions))
        .where(col(FollowUpRow.entered_at) > since)
    )
    await session.execute(
        insert(outcome)
        .from_select([each.name for each in found.selected_columns], found)
        .on_conflict_do_nothing(),
        {
            "rules": arrays.texts([rule_id for rule_id, _, _ in rules]),
            "versions": arrays.numbers([version for _, version, _ in rules]),
            "events": arrays.texts(goals),
            "names": arrays.texts([unfiltered(goal)[0] for goal in goals]),
            "filters": arrays.documents([dict(unfiltered(goal)[1]) for goal in goals]),
            "spans": arrays.texts([f"{rule.goal.within.total_seconds()} seconds" for _, _, rule in rules]),
            "shares": arrays.texts([str(share_held_out(book.policy, rule)) for _, _, rule in rules]),
        },
    )


def _first(at: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
    """The first such moment of this customer within the passage's window."""
    return (
        select(func.min(at))
        .where(at >= outcome.c.entered_at, at < outcome.c.closes_at, *where)
        .correlate(outcome)
        .scalar_subquery()
    )


def _goals(value: Any, opens: Any, closes: Any) -> ScalarSelect[Any]:
    of = col(Event.at)
    is_goal = and_(
        col(Event.customer_id) == outcome.c.customer_id,
        col(Event.name) == outcome.c.goal_name,
        func.coalesce(col(Event.properties), cast(literal("{}", String()), JSONB)).contains(
            outcome.c.goal_filter
        ),
        col(Event.is_folded),
    )
    return select(value).where(is_goal, of >= opens, of < closes).correlate(outcome).scalar_subquery()


async def _look(session: AsyncSession, *, now: datetime) -> int:
    """Read anew what became of every passage that is not settled."""
    opens, closes = outcome.c.entered_at, outcome.c.closes_at
    is_own = and_(
        col(Message.customer_id) == outcome.c.customer_id,
        col(Message.rule_id) == outcome.c.rule_id,
        col(Message.occasion) == outcome.c.occasion,
    )

    def of_message(value: Any, *where: ColumnElement[bool]) -> ScalarSelect[Any]:
        return select(func.min(value)).where(is_own, *where).correlate(outcome).scalar_subquery()

    is_accepted = col(Message.state) == MessageState.ACCEPTED.value
    line_of, entry_of = col(InboundLine.customer_id), col(ConsentEntry.customer_id)
    is_refusal = and_(entry_of == outcome.c.customer_id, ~col(ConsentEntry.is_granted))
    is_block = col(ConsentEntry.source) == BLOCKED
    is_tap = col(InboundLine.kind) == "tap"
    is_persons = and_(
        col(Message.customer_id) == outcome.c.customer_id,
        col(Message.kind) == MessageKind.PERSON.value,
        is_accepted,
    )
    clicked = _first(
        col(Click.at),
        col(Click.customer_id) == outcome.c.customer_id,
        col(Click.message_id).in_(select(col(Message.message_id)).where(is_own).correlate(outcome)),
    )
    looked_at = await session.scalars(
        update(outcome)
        .where(~outcome.c.is_settled)
        .values(
            sent_at=of_message(
                func.coalesce(col(Message.first_attempt_at), case((is_accepted, col(Message.settled_at))))
            ),
            accepted_at=of_message(col(Message.settled_at), is_accepted),
            clicked_at=clicked,
            replied_at=_first(col(InboundLine.at), line_of == outcome.c.customer_id, ~is_tap),
            tapped_at=_first(col(InboundLine.at), line_of == outcome.c.customer_id, is_tap),
            goal_at=_goals(func.min(col(Event.at)), opens, closes),
            goal_n=_goals(func.count(), opens, closes),
            before_n=_goals(func.count(), opens - (closes - opens), opens),
            opted_out_at=_first(col(ConsentEntry.at), is_refusal, ~is_block),
            blocked_at=_first(col(ConsentEntry.at), is_refusal, is_block),
            person_at=_first(col(Message.settled_at), is_persons),
            worked_at=now,
            is_settled=closes + SETTLED_AFTER <= now,
        )
        .returning(outcome.c.occasion)
    )
    number = len(list(looked_at))
    await session.execute(
        update(outcome)
        .where(outcome.c.worked_at == now)
        .values(
            is_clicked_through=func.coalesce(
                and_(
                    outcome.c.goal_at >= outcome.c.clicked_at,
                    outcome.c.goal_at < outcome.c.clicked_at + CLICK_THROUGH,
                ),
                False,
            )
        )
    )
    return number


async def _count_once(session: AsyncSession, *, now: datetime) -> None:
    """Let each conversion count for the passage that began last before it, whatever its rule and arm."""
    keys = (outcome.c.customer_id, outcome.c.rule_id, outcome.c.occasion)
    looked_at = outcome.alias("looked_at")
    rank: Label[int] = (
        func.row_number()
        .over(
            partition_by=(outcome.c.customer_id, outcome.c.goal_event, outcome.c.goal_at),
            order_by=(outcome.c.entered_at.desc(), outcome.c.rule_id, outcome.c.occasion.desc()),
        )
        .label("rank")
    )
    ranked = (
        select(*keys, (and_(outcome.c.goal_at.is_not(None), rank.element == 1)).label("is_counted"))
        .where(
            outcome.c.customer_id.in_(select(looked_at.c.customer_id).where(looked_at.c.worked_at == now)),
        )
        .subquery("ranked")
    )
    await session.execute(
        update(outcome)
        .where(
            *(key == ranked.c[key.name] for key in keys),
            outcome.c.is_counted.is_distinct_from(ranked.c.is_counted),
        )
        .values(is_counted=ranked.c.is_counted)
    )


async def _settle_leads(session: AsyncSession, *, since: datetime, now: datetime) -> None:
    """Note which leads opened during a passage were won or lost since then, also long after its window."""
    for state, column in ((LeadState.WON, outcome.c.won_at), (LeadState.LOST, outcome.c.lost_at)):
        closed = (
            select(col(Lead.customer_id), col(Lead.opened_at), col(Lead.closed_at))
            .where(col(Lead.state) == state.value, col(Lead.closed_at) > since, col(Lead.closed_at) <= now)
            .subquery("closed")
        )
        await session.execute(
            update(outcome)
            .where(
                outcome.c.customer_id == closed.c.customer_id,
                closed.c.opened_at >= outcome.c.entered_at,
                closed.c.opened_at < outcome.c.closes_at,
                closed.c.closed_at < outcome.c.closes_at + LEAD_SETTLED_AFTER,
            )
            .values({column: closed.c.closed_at})
        )

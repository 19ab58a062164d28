"""How much of LINE's month is left for rules, as last read from LINE and spent since?

Reading LINE takes a network call, deciding does not: what LINE told is kept with the counts as they stood
when it was asked, and everything that rules promise afterwards is counted where it is promised. So what is
left is known exactly on our side at any moment, by any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Date, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, datetime
from db.deciding.followups import DecisionRow
from db.engine import Again
from db.rulebook.rules import Setting, put_setting, setting
from db.talk.messages import Message, MessageKind, MessageState
from followups.budget import left_for_rules, limit_of
from followups.rules.model import Policy
from followups.times.zones import JAPAN, month_begins

READING = "line_quota_reading"
_ASKED = "line_quota_asked"
ALL = ""
PROACTIVE = (MessageKind.RULE.value, MessageKind.QUESTION.value)
_SLACK = timedelta(days=3)
"""A message rarely waits for longer than this between its promise and LINE's taking it."""


class QuotaUse(SQLModel, table=True):
    """How many messages each rule promised in one month of Japan's; rule id `""`: all of them together."""

    __tablename__ = "quota_use"

    month: date = Field(primary_key=True, sa_type=Date)
    rule_id: str = Field(primary_key=True)
    n: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What LINE told, and what was made of it.

    Attributes:
        limit: of the month; None: LINE knows none.
        used: what LINE has counted in the month; `by_people` of these were no rule's.
        outstanding: rules' messages that were promised and not sent when LINE was asked.
        spent: what rules had promised in the month by then, by rule id (`""`: all).
        floor, capped: as in `followups.budget.Allotment`.
    """

    at: datetime
    limit: int | None
    used: int
    by_people: int
    outstanding: int
    spent: Mapping[str, int] = field(default_factory=dict)
    floor: tuple[int, float] | None = None
    capped: Mapping[str, int] = field(default_factory=dict)

    def left(self, policy: Policy, *, is_new_month: bool = False) -> int | None:
        """For rules, when it was read, by the policy of today; None: no limit.

        Args:
            is_new_month: another month has begun since: nothing of it is used.
        """
        limit = limit_of(self.limit, monthly=policy.quota_monthly, yen_per_extra=policy.yen_per_extra)
        if limit is None:
            return None
        share = policy.reserve_for_people
        if is_new_month:
            return left_for_rules(limit, used=0, by_people=0, share=share)
        used = self.used + self.outstanding
        return left_for_rules(limit, used=used, by_people=self.by_people, share=share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What rules may use now: `followups.room.Room` has the same."""

    messages: int | None = None
    opens_at: datetime | None = None
    floor: tuple[int, float] | None = None
    capped: Mapping[str, int] = field(default_factory=dict)


def month_of(at: datetime) -> date:
    """The month LINE counts in: Japan's, named by its first day."""
    return month_begins(at).astimezone(JAPAN).date()


def next_month(at: datetime) -> datetime:
    """When LINE begins to count anew."""
    return month_begins(month_begins(at) + timedelta(days=32))


async def keep_reading(session: AsyncSession, reading: Reading, *, now: datetime) -> None:
    """Keep it until the next one."""
    content: dict[str, Any] = {
        "at": reading.at.isoformat(),
        "limit": reading.limit,
        "used": reading.used,
        "by_people": reading.by_people,
        "outstanding": reading.outstanding,
        "spent": dict(reading.spent),
        "floor": list(reading.floor) if reading.floor is not None else None,
        "capped": dict(reading.capped),
    }
    await put_setting(session, READING, content, now=now)


async def last_reading(session: AsyncSession) -> Reading | None:
    """What LINE told last."""
    content = await setting(session, READING)
    if content is None:
        return None
    floor = content.pop("floor")
    at = datetime.fromisoformat(content.pop("at"))
    return Reading(at=at, floor=(int(floor[0]), float(floor[1])) if floor is not None else None, **content)


async def quota_left(session: AsyncSession, policy: Policy, *, now: datetime) -> Left:
    """What rules may use now, all processes together."""
    reading = await last_reading(session)
    if reading is None:
        return Left()
    is_new_month = month_of(reading.at) != month_of(now)  # and LINE was not asked yet
    left = reading.left(policy, is_new_month=is_new_month)
    if left is None:
        return Left()
    since = await _spent_since(session, reading, month_of(now))
    return Left(
        messages=max(0, left - since.get(ALL, 0)),
        opens_at=next_month(now),
        floor=None if is_new_month else reading.floor,
        capped={}
        if is_new_month
        else {rule_id: max(0, n - since.get(rule_id, 0)) for rule_id, n in reading.capped.items()},
    )


async def _spent_since(session: AsyncSession, reading: Reading, month: date) -> dict[str, int]:
    """What rules promised in this month since then."""
    spent = await spent_in(session, month)
    if month_of(reading.at) != month:
        return spent
    return {rule_id: n - reading.spent.get(rule_id, 0) for rule_id, n in spent.items()}


async def spent_in(session: AsyncSession, month: date) -> dict[str, int]:
    """What rules promised in a month, by rule id (`""`: all)."""
    rows = await session.execute(
        select(col(QuotaUse.rule_id), col(QuotaUse.n)).where(col(QuotaUse.month) == month)
    )
    return {row.rule_id: row.n for row in rows.all()}


async def spend_quota(
    session: AsyncSession, messages: Mapping[str, int], policy: Policy, *, now: datetime
) -> None:
    """Count these messages, by rule id, in the transaction that promises them.

    Raises:
        Again: another transaction took what was left meanwhile; nothing of this one may be kept.
    """
    counts = {rule_id: n for rule_id, n in messages.items() if n > 0}
    reading = await last_reading(session) if counts else None
    month = month_of(now)
    left = reading.left(policy, is_new_month=month_of(reading.at) != month) if reading is not None else None
    if reading is None or left is None:
        return
    rows = [(ALL, sum(counts.values())), *sorted(counts.items())]  # the common row first: no ring of waits
    for rule_id, n in rows:
        adding = insert(QuotaUse).values(month=month, rule_id=rule_id, n=n)
        await session.execute(
            adding.on_conflict_do_update(
                index_elements=["month", "rule_id"], set_={"n": col(QuotaUse.n) + adding.excluded.n}
            )
        )
        if rule_id == ALL and (await _spent_since(session, reading, month))[ALL] > left:
            raise Again("LINE's quota")


# --- what the forecast is drawn from ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Messages LINE took and counts, the first of them at `since`. `rule_id` None: no rule's."""

    rule_id: str | None
    messages: int
    since: datetime
    this_month: int


async def sent_since(session: AsyncSession, since: datetime, *, now: datetime) -> list[Sent]:
    """What was pushed since then, by rule; free replies are left out."""
    begins = month_begins(now)
    rows = await session.execute(
        select(
            col(Message.rule_id),
            func.count(),
            func.min(func.coalesce(col(Message.settled_at), col(Message.promised_at))),
            func.count().filter(col(Message.settled_at) >= begins),
        )
        .where(
            col(Message.promised_at) >= min(since, begins) - _SLACK,
            col(Message.settled_at) >= min(since, begins),
            col(Message.state) == MessageState.ACCEPTED,
            col(Message.reply_tried_at).is_(None),
        )
        .group_by(col(Message.rule_id))
    )
    return [
        Sent(rule_id=rule_id, messages=number, since=first, this_month=this_month)
        for rule_id, number, first, this_month in rows
    ]


async def outstanding(session: AsyncSession) -> dict[str | None, int]:
    """Promised proactive messages that LINE has not taken yet, by rule."""
    rows = await session.execute(
        select(col(Message.rule_id), func.count().label("number"))
        .where(
            col(Message.state).in_([MessageState.QUEUED.value, MessageState.SENDING.value]),
            col(Message.kind).in_(PROACTIVE),
        )
        .group_by(col(Message.rule_id))
    )
    return {row.rule_id: row.number for row in rows}


async def held_by_quota(session: AsyncSession, *, now: datetime) -> list[UUID]:
    """Customers for whom a rule waited for messages this month; some of them may not wait any more."""
    rows = await session.scalars(
        select(col(DecisionRow.customer_id))
        .where(
            col(DecisionRow.gate) == "quota",
            col(DecisionRow.verdict) == "wait",
            col(DecisionRow.at) >= month_begins(now),
            ~col(DecisionRow.is_shadow),
        )
        .distinct()
    )
    return sorted(rows)


async def claim_reading(session: AsyncSession, *, every: timedelta, again: timedelta, now: datetime) -> bool:
    """Is LINE to be asked now, and by this process? Asked for once per `again`, until it has told.

    Args:
        every: the age at which a reading is taken anew; one of another month always is.
    """
    reading = await last_reading(session)
    if reading is not None and now - reading.at < every and month_of(reading.at) == month_of(now):
        return False
    content = {"at": now.isoformat()}
    asked = insert(Setting).values(name=_ASKED, content=content, changed_at=now)
    taken = await session.scalar(
        asked.on_conflict_do_update(
            index_elements=["name"],
            set_={"content": content, "changed_at": now},
            where=or_(col(Setting.changed_at) <= now - again, col(Setting.changed_at) > now),
        ).returning(col(Setting.name))
    )
    return taken is not None


__all__ = [
    "ALL",
    "Left",
    "QuotaUse",
    "Reading",
    "Sent",
    "claim_reading",
    "held_by_quota",
    "keep_reading",
    "last_reading",
    "month_of",
    "next_month",
    "outstanding",
    "quota_left",
    "sent_since",
    "spend_quota",
    "spent_in",
]

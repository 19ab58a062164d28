"""Who might be due? The SQL reading of every condition; Python decides, SQL must never miss anyone.

Two ways to find people. *Crossings*: whose signal crossed a threshold of some rule between two ticks, by an
index range. *Full*: who may match a rule at all, asked once when the rule is new, edited or enabled.

A condition is read as a pair: `may` holds for everyone for whom it could hold (a superset), `must` only for
those for whom it surely does; `none` groups turn the pair around. Where SQL reads exactly, both are one.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from db.columns import Timestamp
from db.deciding.ticks import SHARD, dirty
from db.intake.signals import SignalRow
from db.people.customers import Customer, LineUser
from db.rulebook.readings.attributes import read_attribute, read_date
from db.rulebook.readings.customers import may_match
from db.rulebook.readings.reading import Holds, Reading, exactly, grouped, has
from followups.rules.conditions import (
    Answered,
    AttributeDate,
    AttributeIs,
    Condition,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    Idle,
    LineIs,
    Stalled,
    Threshold,
    Trend,
    Used,
)
from followups.signals import nth_key

# --- crossings --------------------------------------------------------------------------------------------


async def mark_crossings(
    session: AsyncSession, thresholds: Iterable[Threshold], *, previous: datetime, now: datetime
) -> int:
    """Mark dirty whoever's `signal(key).last_at + after` lies in (previous, now]; how many customers.

    All thresholds go into one statement, each an index range of its own: the cost grows with who crossed,
    not with how many customers there are.
    """
    wanted = sorted({(each.key, each.after) for each in thresholds})
    if not wanted:
        return 0
    ranges = (
        func.unnest(
            literal([key for key, _ in wanted], ARRAY(String)),
            literal([previous - after for _, after in wanted], ARRAY(Timestamp)),
            literal([now - after for _, after in wanted], ARRAY(Timestamp)),
        )
        .table_valued("key", "above", "upto", name="range")
        .render_derived()
    )
    crossed = (
        select(col(SignalRow.customer_id))
        .where(
            col(SignalRow.key) == ranges.c.key,
            col(SignalRow.last_at) > ranges.c.above,
            col(SignalRow.last_at) <= ranges.c.upto,
        )
        .offset(literal_column("0"))  # keeps the planner from turning the ranges into one big join
        .lateral("crossed")
    )
    found = (
        select(literal(SHARD), crossed.c.customer_id, literal(now, Timestamp))
        .select_from(ranges.join(crossed, true()))
        .distinct()
    )
    await use_custom_plans(session)
    marked = await session.execute(
        dirty.insert().from_select(["shard", "customer_id", "at"], found).returning(dirty.c.customer_id)
    )
    return len(marked.all())


async def use_custom_plans(session: AsyncSession) -> None:
    """Plan for the bound values until the transaction ends: ranges here are far from average."""
    await session.execute(select(func.set_config("plan_cache_mode", "force_custom_plan", True)))


# --- full -------------------------------------------------------------------------------------------------


def full(condition: Condition, *, now: datetime) -> Select[UUID]:
    """The ids of a superset of everyone for whom `condition` holds at `now`.

    Conditions that come true by an alarm (anniversaries) count for everyone who could ever have one, so that
    the alarm gets set.
    """
    return select(col(Customer.customer_id)).where(
        col(Customer.erased_at).is_(None), read(condition, now=now).may
    )


async def range_end(session: AsyncSession, *, above: UUID, size: int) -> UUID | None:
    """The id of the `size`-th customer above `above`; None: there are fewer."""
    found: UUID | None = await session.scalar(
        select(col(Customer.customer_id))
        .where(col(Customer.customer_id) > above)
        .order_by(col(Customer.customer_id))
        .offset(size - 1)
        .limit(1)
    )
    return found


async def mark_matching(
    session: AsyncSession, condition: Condition, *, above: UUID, upto: UUID | None, now: datetime
) -> int:
    """Mark dirty who may match among the customers with an id above `above`, up to `upto`; how many."""
    matching = full(condition, now=now).where(col(Customer.customer_id) > above)
    if upto is not None:
        matching = matching.where(col(Customer.customer_id) <= upto)
    some = matching.subquery()
    await use_custom_plans(session)
    marked = await session.execute(
        dirty.insert()
        .from_select(
            ["shard", "customer_id", "at"],
            select(literal(SHARD), some.c.customer_id, literal(now, Timestamp)),
        )
        .returning(dirty.c.customer_id)
    )
    return len(marked.all())


def read(condition: Condition, *, now: datetime) -> Reading:
    """Both readings of one condition, as predicates on the `customer` table."""
    match condition:
        case Group():
            return grouped([read(member, now=now) for member in condition.members], condition.kind)
        case EventLast():
            signal = aliased(SignalRow)
            since = _since(col(signal.last_at), condition.more_than, condition.less_than, now=now)
            return exactly(has(signal, condition.event, *since))
        case EventFirst():
            signal = aliased(SignalRow)
            since = _since(col(signal.first_at), condition.more_than, condition.less_than, now=now)
            return exactly(has(signal, condition.event, *since))
        case EventCount():
            return exactly(_count(condition, now=now))
        case EventNever():
            happened = has(aliased(SignalRow), condition.event)
            return exactly(not_(happened) if condition.is_never else happened)
        case Stalled():
            return exactly(_stalled(condition, now=now))
        case Used():
            return exactly(_used(condition, now=now))
        case Trend():  # who could ever have one without a new event: they get an alarm
            signal = aliased(SignalRow)
            both = now - 2 * condition.over
            enough = col(signal.n) >= condition.at_least
            return Reading(has(signal, condition.event, enough, col(signal.last_at) > both), false())
        case Idle():
            signal, longest = aliased(SignalRow), aliased(SignalRow)
            return Reading(
                has(signal, condition.event, col(signal.last_at) <= now - condition.shortest),
                has(longest, condition.event, col(longest.last_at) <= now - condition.longest),
            )
        case Answered():
            signal = aliased(SignalRow)
            within = _since(col(signal.last_at), None, condition.within, now=now)
            happened = has(signal, condition.key, *within)
            return exactly(happened if condition.is_wanted else not_(happened))
        case AttributeIs():
            return read_attribute(condition)
        case AttributeDate():
            return read_date(condition, now=now)
        case LineIs():
            linked = (
                exists()
                .where(col(LineUser.customer_id) == col(Customer.customer_id))
                .correlate_except(LineUser)
            )
            return exactly(linked if condition.is_linked else not_(linked))
        case _:  # what a customer is worth: Python alone knows surely
            return Reading(may_match(condition, now=now), false())


def _since(
    at: Mapped[datetime], more_than: timedelta | None, less_than: timedelta | None, *, now: datetime
) -> list[Holds]:
    bounds: list[Holds] = []
    if more_than is not None:
        bounds.append(at <= now - more_than)
    if less_than is not None:
        bounds.append(at > now - less_than)
    return bounds


def _count(condition: EventCount, *, now: datetime) -> Holds:
    event, within = condition.event, condition.within
    if within is None:
        return _count_ever(condition)
    holds: list[Holds] = []
    if condition.at_least:
        signal = aliased(SignalRow)
        at = _nth_at(signal, event, condition.at_least)
        holds.append(has(signal, event, col(signal.n) >= condition.at_least, at > now - within))
    if condition.at_most is not None:
        above = condition.at_most + 1
        more, old = aliased(SignalRow), aliased(SignalRow)
        holds.append(
            or_(
                not_(has(more, event, col(more.n) >= above)),
                has(old, event, _nth_at(old, event, above) <= now - within),
            )
        )
    return and_(true(), *holds)


def _count_ever(condition: EventCount) -> Holds:
    holds: list[Holds] = []
    if condition.at_least:
        signal = aliased(SignalRow)
        holds.append(has(signal, condition.event, col(signal.n) >= condition.at_least))
    if condition.at_most is not None:
        signal = aliased(SignalRow)
        holds.append(not_(has(signal, condition.event, col(signal.n) > condition.at_most)))
    return and_(true(), *holds)


def _nth_at(signal: type[SignalRow], event: str, n: int) -> ColumnElement[datetime] | Mapped[datetime]:
    """The n-th most recent time of the event whose own row is `signal`; NULL where it was not kept."""
    if n == 1:
        return col(signal.last_at)
    derived = aliased(SignalRow)
    row = (
        select(col(derived.last_at))
        .where(col(derived.customer_id) == col(signal.customer_id), col(derived.key) == nth_key(event, n))
        .correlate_except(derived)
        .scalar_subquery()
    )
    at: ColumnElement[datetime] = func.coalesce(
        col(signal.recent)[n], case((col(signal.n) == n, col(signal.first_at))), row
    )
    return at


def _stalled(condition: Stalled, *, now: datetime) -> Holds:
    began, done = aliased(SignalRow), aliased(SignalRow)
    followed = has(done, condition.without, col(done.last_at) >= col(began.last_at))
    return has(began, condition.since, col(began.last_at) <= now - condition.span, not_(followed))


def _used(condition: Used, *, now: datetime) -> Holds:
    signal = aliased(SignalRow)
    query = select(func.count()).where(
        col(signal.customer_id) == col(Customer.customer_id),
        col(signal.key).in_(list(dict.fromkeys(condition.of))),
        col(signal.n) > 0,
    )
    if condition.within is not None:
        query = query.where(col(signal.last_at) > now - condition.within)
    number = query.correlate_except(signal).scalar_subquery()
    holds: list[Holds] = []
    if condition.at_least is not None:
        holds.append(number >= condition.at_least)
    if condition.fewer_than is not None:
        holds.append(number < condition.fewer_than)
    return and_(true(), *holds)

"""How often do customers come back, all together? What a customer's own rhythm is drawn towards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, Text, cast, column, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID, Timestamp, datetime
from db.intake.signals import signal
from db.rulebook.rules import PUBLISHED_STATES, RuleBook, RuleRow, Setting, setting
from followups.rules.conditions import Condition, Group, Idle
from followups.rules.model import Rule
from followups.times.rhythm import KEPT_TIMES, VISIT

RHYTHMS = "rhythms"
SAMPLE = 20_000
"""From so many customers, picked by a hash of their id, the population's figure is measured."""
FEWEST_GAPS = 2
FEWEST_CUSTOMERS = 20
"""With fewer who came back often enough there is no figure."""
WORTH_CHANGING = 0.1
"""A figure that moved by less stays as it is, and with it every alarm that was set by it."""
_LOWEST = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The kept figures: `measured_on` is the local day; None stands for too few customers to tell."""

    measured_on: date | None = None
    gaps: Mapping[str, timedelta | None]


async def rhythms_of(session: AsyncSession) -> dict[str, timedelta]:
    """By event, the population's median gap between visits, where it is known (`Facts.rhythms`)."""
    return {event: gap for event, gap in (await figures(session)).gaps.items() if gap is not None}


async def figures(session: AsyncSession, *, is_held: bool = False) -> Figures:
    """What is kept; `is_held` lets nobody else change it until the transaction ends."""
    if is_held:
        held = select(col(Setting.content)).where(col(Setting.name) == RHYTHMS).with_for_update()
        content = (await session.execute(held)).scalar_one_or_none()
    else:
        content = await setting(session, RHYTHMS)
    if content is None:
        return Figures(gaps={})
    gaps = {
        event: timedelta(seconds=seconds) if seconds is not None else None
        for event, seconds in content["gaps"].items()
    }
    return Figures(measured_on=date.fromisoformat(content["measured_on"]), gaps=gaps)


async def begin_figures(session: AsyncSession, *, now: datetime) -> None:
    """Make the row that holds them, where there is none."""
    content = {"measured_on": date.min.isoformat(), "gaps": {}}
    await session.execute(
        insert(Setting).values(name=RHYTHMS, content=content, changed_at=now).on_conflict_do_nothing()
    )


async def put_figures(session: AsyncSession, kept: Figures, *, now: datetime) -> None:
    """Keep new figures."""
    assert kept.measured_on is not None
    gaps = {event: gap.total_seconds() if gap is not None else None for event, gap in kept.gaps.items()}
    content = {"measured_on": kept.measured_on.isoformat(), "gaps": gaps}
    await session.execute(
        update(Setting).where(col(Setting.name) == RHYTHMS).values(content=content, changed_at=now)
    )


def rhythm_events(rules: Iterable[Rule]) -> frozenset[str]:
    """The events whose rhythm some condition of these rules asks for."""
    asked = [condition for rule in rules for condition in rule.conditions]
    return frozenset(event for condition in asked for event in _idle_events(condition))


def running(book: RuleBook) -> tuple[Rule, ...]:
    """The published rules, and the older versions that still have customers in them."""
    return (*book.rules, *book.versions.values())


def _idle_events(condition: Condition) -> Iterable[str]:
    if isinstance(condition, Group):
        for member in condition.members:
            yield from _idle_events(member)
    elif isinstance(condition, Idle):
        yield condition.event


async def measure(session: AsyncSession, event: str) -> timedelta | None:
    """The median of customers' median gaps between visits; None: too few came back.

    As `followups.times.rhythm.own_gaps` counts gaps, from the times that are kept of the event, each
    customer with at least two gaps once.
    """
    row = (await session.execute(_measuring(event))).one()
    median, customers = row[0], row[1]
    return timedelta(seconds=round(median)) if customers >= FEWEST_CUSTOMERS else None


def _measuring(event: str) -> Select[Any]:
    sample = (
        select(signal.c.customer_id, signal.c.recent[1:KEPT_TIMES].label("recent"))
        .where(signal.c.key == event, func.cardinality(signal.c.recent) > FEWEST_GAPS)
        .order_by(func.hashtext(cast(signal.c.customer_id, Text)), signal.c.customer_id)
        .limit(SAMPLE)
        .subquery("sample")
    )
    each = func.unnest(sample.c.recent).table_valued(column("at", Timestamp), name="each").render_derived()
    before = func.lag(each.c.at).over(partition_by=sample.c.customer_id, order_by=each.c.at)
    times = (
        select(sample.c.customer_id, each.c.at, before.label("before"))
        .select_from(sample.join(each, true()))
        .subquery("times")
    )
    gap = func.extract("epoch", times.c.at - times.c.before)
    own = (
        select(func.percentile_cont(0.5).within_group(gap).label("median"))
        .where(times.c.at - times.c.before >= VISIT)
        .group_by(times.c.customer_id)
        .having(func.count() >= FEWEST_GAPS)
        .subquery("own")
    )
    return select(func.percentile_cont(0.5).within_group(own.c.median), func.count()).select_from(own)


async def look_again(session: AsyncSession, book: RuleBook, events: Collection[str]) -> int:
    """Have every published rule that asks for the rhythm of these events look through everyone; how many."""
    ids = {rule.id for rule in running(book) if rhythm_events([rule]) & set(events)}
    states = [state.value for state in PUBLISHED_STATES]
    found = await session.execute(
        update(RuleRow)
        .where(col(RuleRow.rule_id).in_(sorted(ids)), col(RuleRow.state).in_(states))
        .values(scan_from=_LOWEST)
        .returning(col(RuleRow.rule_id))
        .execution_options(synchronize_session=False)
    )
    return len(found.all())

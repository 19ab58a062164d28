"""Has time or a change made somebody due without anyone noticing? Asked once a night of everybody.

Ticks look only at what changed; here the full statements of all rules are run, and everyone they find is
decided about again. An answer that differs from the stored one, with nothing waiting that would renew it, is
a fault: staff hear of it with the rule and the number, and those customers are decided about at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.deps import Deps
from db.deciding.facts import load_facts
from db.deciding.followups import LastAnswer, last_answers
from db.deciding.nights import take_night
from db.deciding.rooms import room_of
from db.deciding.ticks import dirty, mark_dirty, watermark
from db.desk import audit
from db.desk.audit import PROGRAM
from db.desk.posts import add_alert
from db.people.customers import Customer, lock_customers
from db.rulebook.candidates import range_end, read, use_custom_plans
from db.rulebook.rules import RuleBook, current_rulebook
from followups.decide import decide
from followups.facts import Facts, FollowUpState
from followups.room import Room
from followups.verdicts import Drop, Escalate, NotDue, RuleDecision, Send, Wait

log = structlog.get_logger()

AT = time(3, 30)
"""Local time from which the night's audit may run."""
CUSTOMERS_AT_ONCE = 20_000
_FACTS_AT_ONCE = 1000
_LOWEST = UUID(int=0)


async def audit_rules(deps: Deps) -> int:
    """Audit, if tonight's is due; how many answers differed. One process does it."""
    now = deps.clock.now()

    async def claim(session: AsyncSession) -> bool:
        has_rules = bool((await current_rulebook(session)).rules)
        return has_rules and await take_night(session, "audit", now=now, after=AT)

    if not await deps.db.run(claim):
        return 0
    return sum((await look_through(deps)).values())


async def look_through(deps: Deps) -> Counter[str]:
    """Decide about everyone the full statements find; how many answers differ, by rule."""
    found: Counter[str] = Counter()
    above: UUID | None = _LOWEST
    while above is not None:

        async def some(session: AsyncSession, above: UUID = above) -> tuple[UUID | None, list[UUID]]:
            upto = await range_end(session, above=above, size=CUSTOMERS_AT_ONCE)
            return upto, await _differing(session, above=above, upto=upto, now=deps.clock.now())

        above, suspects = await deps.db.run(some)
        if suspects:
            found += await deps.db.run(lambda session, ids=suspects: _confirm(deps, session, ids))  # type: ignore[misc]
        await asyncio.sleep(0)
    if found:
        await _tell(deps, found)
    log.info("rules.audited", differences=sum(found.values()))
    return found


async def _differing(session: AsyncSession, *, above: UUID, upto: UUID | None, now: datetime) -> list[UUID]:
    """Customers of a range of ids for whom some rule answers otherwise than is stored."""
    book = await current_rulebook(session)
    if not book.rules:
        return []
    await use_custom_plans(session)
    matching = (
        select(col(Customer.customer_id))
        .where(
            col(Customer.erased_at).is_(None),
            col(Customer.customer_id) > above,
            or_(*(read(rule.when, now=now).may for rule in book.rules)),
        )
        .order_by(col(Customer.customer_id))
    )
    if upto is not None:
        matching = matching.where(col(Customer.customer_id) <= upto)
    ids = list(await session.scalars(matching))
    suspects: list[UUID] = []
    for start in range(0, len(ids), _FACTS_AT_ONCE):
        suspects += sorted(await _compared(session, book, ids[start : start + _FACTS_AT_ONCE], now=now))
        await asyncio.sleep(0)
    return suspects


async def _compared(
    session: AsyncSession, book: RuleBook, ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, list[str]]:
    """The rules that answer otherwise than stored, by customer; those about to be decided are left out.

    Asked as of the last tick and of now: what differs only in between, the next tick will find.
    """
    waiting = set(await session.scalars(select(dirty.c.customer_id).where(dirty.c.customer_id.in_(ids))))
    known = [each for each in ids if each not in waiting]
    if not known:
        return {}
    room = await room_of(session, book, now=now)
    stored = await last_answers(session, known)
    ticked = await watermark(session)
    found: dict[UUID, set[str]] | None = None
    for at in {ticked or now, now}:
        facts = await load_facts(session, known, now=at)
        at_this = {
            customer_id: rules
            for customer_id, each in facts.items()
            if (rules := _otherwise(each, book, stored, room, now=at))
        }
        found = at_this if found is None else _both(found, at_this)
    return {customer_id: sorted(rules) for customer_id, rules in (found or {}).items() if rules}


def _both(one: Mapping[UUID, set[str]], other: Mapping[UUID, set[str]]) -> dict[UUID, set[str]]:
    return {each: one[each] & other[each] for each in one if each in other}


def _otherwise(
    facts: Facts,
    book: RuleBook,
    stored: Mapping[tuple[UUID, str], LastAnswer],
    room: Room,
    *,
    now: datetime,
) -> set[str]:
    decision = decide(facts, book.rules, book.policy, now=now, room=room)
    return {
        answer.rule_id
        for answer in decision.rules
        if _is_other(facts, answer, stored.get((facts.customer_id, answer.rule_id)))
    }


def _is_other(facts: Facts, answer: RuleDecision, last: LastAnswer | None) -> bool:
    """Would deciding now do, or say, something that a tick should have found?

    Which of several closed gates is told may lag behind; that somebody is due, or no longer, may not.
    """
    passage = facts.follow_ups.get(answer.rule_id)
    if passage is not None and passage.state is FollowUpState.ACTIVE:
        return False
    word = last.verdict if last is not None else "not_due"
    match answer.verdict:
        case Send() | Escalate():
            return True
        case NotDue():
            return word == "wait" and not answer.check.holds
        case Wait() | Drop():
            return word == "not_due"


async def _confirm(deps: Deps, session: AsyncSession, suspects: Sequence[UUID]) -> Counter[str]:
    """Ask again with nobody else deciding about them; have those that still differ decided about."""
    now = deps.clock.now()
    ids = sorted(suspects)
    await lock_customers(session, ids)
    differing = await _compared(session, await current_rulebook(session), ids, now=now)
    await mark_dirty(session, differing, now=now)
    return Counter(rule_id for rules in differing.values() for rule_id in rules)


async def _tell(deps: Deps, found: Counter[str]) -> None:
    now = deps.clock.now()

    async def write(session: AsyncSession) -> None:
        for rule_id, number in sorted(found.items()):
            log.error("rule.audit_failed", rule_id=rule_id, customers=number)
            await audit.record(
                session,
                actor=PROGRAM,
                action="rule.audit_failed",
                ids=deps.ids,
                now=now,
                rule_id=rule_id,
                customers=number,
            )
            await add_alert(
                session,
                key=f"audit:{rule_id}:{now:%Y-%m-%d}",
                ja=f"夜間の確認で、規則 {rule_id} の判定が抜けていたお客様が {number} 人見つかりました。"
                "いま判定し直しています。続くようなら不具合です。お知らせください。",
                en=f"The nightly audit found {number} customers about whom the rule {rule_id} should have"
                " decided otherwise. They are decided about now. If this goes on, please report it as a bug.",
                ids=deps.ids,
                now=now,
            )

    await deps.db.run(write)
    await deps.waker.wake("decide")
    await deps.waker.wake("post")

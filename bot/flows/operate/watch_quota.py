"""How much of LINE's month is used, what will it come to, and who may still write? Asked once an hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from bot.ports import LineQuota
from db.deciding.expected import expected_values
from db.deciding.quota import (
    ALL,
    Reading,
    Sent,
    claim_reading,
    held_by_quota,
    keep_reading,
    last_reading,
    month_of,
    next_month,
    outstanding,
    sent_since,
    spent_in,
)
from db.deciding.ticks import mark_dirty
from db.desk.posts import add_alert
from db.rulebook.rules import RuleBook, current_rulebook
from followups.budget import (
    LOOK_BACK,
    Allotment,
    Demand,
    alert_due,
    allot,
    extra_of,
    limit_of,
    reserve_of,
    to_month_end,
)
from followups.rules.model import Policy, RuleState

log = structlog.get_logger()

EVERY = timedelta(hours=1)
AGAIN = timedelta(minutes=5)
"""How soon LINE is asked again where it did not answer, or the process died meanwhile."""
_WRITING = frozenset({RuleState.LIVE, RuleState.CANARY})
_FLOORS_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The month as it stands.

    Attributes:
        at: when it was reckoned; `ends`: when LINE counts anew.
        limit: messages the month may have; None: no limit is known. `monthly`: those of the plan.
        used: so far, by LINE's count or ours; `by_people`: of these no rule's.
        reserve: kept for people, of `limit`; `left`: what rules may still send.
        forecast: of the whole month, by what was sent in four weeks and what is promised; `people_ahead`
            of it by people from now on.
        extra: of the forecast beyond the plan; `yen`: its price, where one is known.
        allotment: who gets what of the rest.
    """

    at: datetime
    ends: datetime
    limit: int | None
    monthly: int | None
    used: int
    by_people: int
    reserve: int
    left: int | None
    forecast: int
    people_ahead: int
    extra: int
    yen: float | None
    allotment: Allotment
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Our side, as it stood before LINE was asked."""

    at: datetime
    sent: list[Sent]
    waiting: Mapping[str | None, int]
    spent: Mapping[str, int]


async def watch_quota(deps: Deps) -> int:
    """Read LINE's month once an hour, share out the rest, and tell staff at 50, 80 and 95 %; 1: it was read.

    Any number of processes may ask at once: one does it. Where LINE does not answer it is asked again in five
    minutes, and what was known holds.
    """
    line = deps.line
    if line is None:
        return 0
    now = deps.clock.now()

    async def claim(session: AsyncSession) -> bool:
        return await claim_reading(session, every=EVERY, again=AGAIN, now=now)

    if not await deps.db.run(claim):
        return 0
    return 1 if await read_quota(deps) is not None else 0


async def read_quota(deps: Deps) -> Standing | None:
    """Ask LINE now, keep what it tells, and what follows from it; None: LINE did not answer."""
    if deps.line is None:
        return None
    counted = await deps.db.run(lambda session: _counted(session, now=deps.clock.now()))
    try:
        told = await deps.line.quota()
    except Unavailable as error:
        log.warning("quota.unavailable", because=str(error))
        return None

    async def write(session: AsyncSession) -> tuple[Standing, bool]:
        return await _keep(deps, session, counted, told)

    standing, has_more = await deps.db.run(write)
    log.info("quota.read", used=standing.used, limit=standing.limit, forecast=standing.forecast)
    if has_more:
        await deps.waker.wake("decide")
    await deps.waker.wake("post")
    return standing


async def standing(deps: Deps) -> Standing:
    """The month by our own count alone: what to say where LINE is not configured or does not answer."""

    async def read(session: AsyncSession) -> Standing:
        now = deps.clock.now()
        counted = await _counted(session, now=now)
        reading = await last_reading(session)
        used = sum(each.this_month for each in counted.sent)
        limit = None
        if reading is not None and month_of(reading.at) == month_of(now):
            used, limit = max(used, reading.used), reading.limit
        return await _standing(session, counted, LineQuota(limit=limit, used=used))

    return await deps.db.run(read)


async def _counted(session: AsyncSession, *, now: datetime) -> _Counted:
    return _Counted(
        at=now,
        sent=await sent_since(session, now - LOOK_BACK, now=now),
        waiting=await outstanding(session),
        spent=await spent_in(session, month_of(now)),
    )


async def _standing(session: AsyncSession, counted: _Counted, told: LineQuota) -> Standing:
    book = await current_rulebook(session)
    policy, now, ends = book.policy, counted.at, next_month(counted.at)
    limit = limit_of(told.limit, monthly=policy.quota_monthly, yen_per_extra=policy.yen_per_extra)
    by_people = sum(each.this_month for each in counted.sent if each.rule_id is None)
    waiting = sum(counted.waiting.values())
    demands = await _demands(session, book, counted, ends=ends)
    people_ahead = sum(
        to_month_end(each.messages, since=each.since, queued=0, now=now, ends=ends)
        for each in counted.sent
        if each.rule_id is None
    )
    forecast = told.used + sum(each.messages for each in demands) + people_ahead
    extra = extra_of(forecast, monthly=policy.quota_monthly)
    allotment = allot(sum(each.messages for each in demands), demands)
    reading = Reading(at=now, limit=told.limit, used=told.used, by_people=by_people, outstanding=waiting)
    left = reading.left(policy)
    if left is not None:
        allotment = allot(left, [_less_waiting(each, counted.waiting) for each in demands])
    return Standing(
        at=now,
        ends=ends,
        limit=limit,
        monthly=policy.quota_monthly,
        used=told.used,
        by_people=by_people,
        reserve=reserve_of(limit, share=policy.reserve_for_people) if limit is not None else 0,
        left=left,
        forecast=forecast,
        people_ahead=people_ahead,
        extra=extra,
        yen=extra * policy.yen_per_extra if policy.yen_per_extra is not None else None,
        allotment=allotment,
        names={rule.id: rule.name for rule in book.rules},
    )


def _less_waiting(demand: Demand, waiting: Mapping[str | None, int]) -> Demand:
    """What is promised already has its messages: it is counted as used."""
    return Demand(
        rule_id=demand.rule_id,
        priority=demand.priority,
        expected=demand.expected,
        messages=max(0, demand.messages - waiting.get(demand.rule_id, 0)),
    )


async def _demands(
    session: AsyncSession, book: RuleBook, counted: _Counted, *, ends: datetime
) -> list[Demand]:
    expected = await expected_values(session, now=counted.at)
    sent = {each.rule_id: each for each in counted.sent}
    demands = []
    for rule in book.rules:
        if rule.state not in _WRITING:
            continue
        past = sent.get(rule.id)
        messages = to_month_end(
            past.messages if past is not None else 0,
            since=past.since if past is not None else None,
            queued=counted.waiting.get(rule.id, 0),
            now=counted.at,
            ends=ends,
        )
        demands.append(
            Demand(
                rule_id=rule.id,
                priority=rule.priority,
                expected=expected.get(rule.id, 0.0),
                messages=messages,
            )
        )
    return demands


async def _keep(
    deps: Deps, session: AsyncSession, counted: _Counted, told: LineQuota
) -> tuple[Standing, bool]:
    """Keep the reading; the month as it stands, and whether some who waited may write now."""
    now = deps.clock.now()
    before = await last_reading(session)
    known = await _standing(session, counted, told)
    reading = Reading(
        at=counted.at,
        limit=told.limit,
        used=told.used,
        by_people=known.by_people,
        outstanding=sum(counted.waiting.values()),
        spent=counted.spent or {ALL: 0},
        floor=known.allotment.floor,
        capped=known.allotment.capped,
    )
    await keep_reading(session, reading, now=now)
    await _alert(deps, session, known, now=now)
    held = (
        await held_by_quota(session, now=now)
        if _gives_more(before, reading, (await current_rulebook(session)).policy)
        else []
    )
    await mark_dirty(session, held, now=now)
    return known, bool(held)


def _gives_more(before: Reading | None, now: Reading, policy: Policy) -> bool:
    """May somebody write who could not?"""
    if before is None:
        return False
    left = now.left(policy)
    if left is None or left > (before.left(policy) or 0):
        return True
    if before.floor is None:
        return False
    is_lower = now.floor is None or now.floor < before.floor
    return is_lower or any(n > 0 and not before.capped.get(rule_id, 1) for rule_id, n in now.capped.items())


async def _alert(deps: Deps, session: AsyncSession, known: Standing, *, now: datetime) -> None:
    share = alert_due(known.used, known.limit)
    if share is None or known.limit is None:
        return
    percent = round(share * 100)
    ja, en = _said(known)
    await add_alert(
        session,
        key=f"line_quota:{month_of(known.at):%Y-%m}:{percent}",
        ja=f"LINE の今月の通数の {percent}% を使いました（{known.used:,} / {known.limit:,} 通）。{ja}",
        en=f"{percent} % of this month's LINE messages are used ({known.used:,} of {known.limit:,}). {en}",
        ids=deps.ids,
        now=now,
    )


def _said(known: Standing) -> tuple[str, str]:
    """What it comes to, and what to do."""
    assert known.limit is not None
    cost_ja = f"、追加 {known.extra:,} 通" if known.extra else ""
    cost_en = f", {known.extra:,} of them beyond the plan" if known.extra else ""
    if known.extra and known.yen is not None:
        cost_ja += f"（約 {round(known.yen):,} 円）"
        cost_en += f" (about {round(known.yen):,} yen)"
    ja = f"このままの見込みは月末までに {known.forecast:,} 通{cost_ja}です。"
    en = f"At this pace the month comes to {known.forecast:,}{cost_en}."
    short = [each.rule_id for each in known.allotment.shares if each.given < each.wanted]
    if short:
        listed = ", ".join(short[:_FLOORS_SHOWN]) + (" …" if len(short) > _FLOORS_SHOWN else "")
        ja += f"優先度の低い規則から待たせます: {listed}。"
        en += f" Rules of low priority wait first: {listed}."
    if known.forecast > known.limit:
        ja += (
            "LINE Official Account Manager でプランか追加メッセージの上限を上げるか、"
            "規則を減らしてください（yorisoi quota で内訳）。"
        )
        en += (
            " Raise the plan or the cap of extra messages in LINE Official Account Manager, or pause rules"
            " (`yorisoi quota` shows who uses what)."
        )
    else:
        ja += "足りる見込みです。内訳は yorisoi quota で確かめられます。"
        en += " That is enough; `yorisoi quota` shows who uses what."
    return ja, en

"""How many more people may each rule write to now: its canary's, and those of a day that nobody approved?

Counts are rows, spent in the transaction that promises the messages. Reading takes no lock: where two
transactions would spend the same room, the later one fails and begins again (`db.engine.Again`), so the count
is exact after any crash and with any number of processes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Date, and_, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import datetime, moment
from db.deciding.approvals import ApprovalState, ask_for_day, days_answered
from db.deciding.expected import expected_values
from db.deciding.quota import quota_left, spend_quota
from db.engine import Again
from db.people.consents import ConsentEntry
from db.people.customers import LineUser
from db.rulebook.rules import RuleBook, current_rulebook
from db.talk.messages import Message, MessageKind, MessageState
from followups.room import Room, RuleRoom
from followups.rules.conditions import Text
from followups.rules.model import Rule, RuleState
from followups.times.zones import local_day, next_midnight, zone_of
from followups.words.wording import moment_en, moment_ja

_WRITING = frozenset({RuleState.LIVE, RuleState.CANARY})


class CanaryState(StrEnum):
    """`counting`: the first recipients; `pausing`: nobody; `stopped`: a guardrail broke, people decide."""

    COUNTING = "counting"
    PAUSING = "pausing"
    STOPPED = "stopped"


class Canary(SQLModel, table=True):
    """The trial of one rule with few recipients. `left`: how many more; `until`: the end of the pause."""

    __tablename__ = "canary"

    rule_id: str = Field(primary_key=True)
    state: str = CanaryState.COUNTING.value
    size: int
    left: int
    started_at: datetime = moment()
    until: datetime | None = moment(default=None)


class Recipients(SQLModel, table=True):
    """How many people one rule wrote to first on one local day of the policy's."""

    __tablename__ = "recipients"

    rule_id: str = Field(primary_key=True)
    day: date = Field(primary_key=True, sa_type=Date)
    n: int = 0


async def room_of(session: AsyncSession, book: RuleBook, *, now: datetime) -> Room:
    """What each rule that writes may still do now; rules that nothing holds back are left out."""
    writing = [rule for rule in book.rules if rule.state in _WRITING]
    if not writing:
        return Room()
    zone = zone_of(book.policy.timezone)
    today, midnight = local_day(now, zone), next_midnight(now, zone)
    names = [rule.id for rule in writing]
    counted = {
        row.rule_id: row.n
        for row in await session.scalars(
            select(Recipients)
            .where(col(Recipients.rule_id).in_(names), col(Recipients.day) == today)
            .execution_options(populate_existing=True)
        )
    }
    answers = await days_answered(session, {rule.id: (rule.version, today) for rule in writing})
    rules: dict[str, RuleRoom] = {}
    for rule in writing:
        if answers.get(rule.id) is not ApprovalState.APPROVED:
            left = max(0, book.policy.approval_above - counted.get(rule.id, 0))
            rules[rule.id] = RuleRoom(
                left=left,
                gate="approval",
                until=midnight,
                because=_waits_for_approval(
                    book.policy.approval_above, is_refused=answers.get(rule.id) is ApprovalState.REFUSED
                ),
            )
    trying = [rule.id for rule in writing if rule.state is RuleState.CANARY]
    trials = await _canaries(session, trying)
    for rule_id in trying:
        room, canary = rules.get(rule_id), trials.get(rule_id)
        if canary is None:  # the row went missing: nobody, rather than everybody
            rules[rule_id] = RuleRoom(left=0)
        elif room is None or room.left is None or canary.left <= room.left:
            rules[rule_id] = RuleRoom(
                left=canary.left if canary.state == CanaryState.COUNTING else 0,
                gate="canary",
                until=canary.until if canary.state == CanaryState.PAUSING else None,
                because=_tries(canary, timezone=book.policy.timezone),
            )
    quota = await quota_left(session, book.policy, now=now)
    return Room(
        quota_left=quota.messages,
        quota_opens_at=quota.opens_at,
        floor=quota.floor,
        shares=quota.capped,
        rules=rules,
        expected=await expected_values(session, now=now),
    )


def _waits_for_approval(above: int, *, is_refused: bool) -> Text:
    if is_refused:
        return Text(
            ja=f"今日 {above} 人を超える送信は承認されなかった（明日また送れます）",
            en=f"writing to more than {above} people today was refused (tomorrow it may again)",
        )
    return Text(
        ja=f"1日 {above} 人を超える送信には承認が必要（承認されるか日が変わるまで待つ）",
        en=f"more than {above} people a day need a support lead's approval (waits for it, or for tomorrow)",
    )


def _tries(canary: Canary, *, timezone: str) -> Text:
    zone = zone_of(timezone)
    match CanaryState(canary.state):
        case CanaryState.COUNTING:
            return Text(
                ja=f"試し送り中（はじめの {canary.size} 人まで）",
                en=f"in canary: only the first {canary.size} recipients",
            )
        case CanaryState.PAUSING:
            assert canary.until is not None
            return Text(
                ja=f"試し送りの様子見（{moment_ja(canary.until, zone)} まで）",
                en=f"in canary: watching the first {canary.size} until {moment_en(canary.until, zone)}",
            )
        case CanaryState.STOPPED:
            return Text(
                ja="試し送りで問題があり止まっている（担当者の判断待ち）",
                en="in canary: stopped after a problem, a person decides",
            )


async def _canaries(session: AsyncSession, rule_ids: Collection[str]) -> dict[str, Canary]:
    if not rule_ids:
        return {}
    rows = await session.scalars(
        select(Canary).where(col(Canary.rule_id).in_(rule_ids)).execution_options(populate_existing=True)
    )
    return {row.rule_id: row for row in rows}


async def spend(
    session: AsyncSession,
    used: Mapping[str, int],
    *,
    now: datetime,
    waiting: Collection[str] = (),
    messages: Mapping[str, int] | None = None,
    ids: Ids | None = None,
) -> None:
    """Take these recipients off the rooms, in the transaction that promises their messages.

    Args:
        used: by rule id, customers who enter with a message now.
        waiting: rules for which the gate `approval` held somebody back; a support lead is asked (by `ids`).
        messages: by rule id, all messages promised now, later ones of a scenario too: LINE counts those.

    Raises:
        Again: another transaction took the room meanwhile; nothing of this one may be kept.
    """
    used = {rule_id: number for rule_id, number in sorted(used.items()) if number > 0}
    book = await current_rulebook(session)
    policy = book.policy
    await spend_quota(session, messages or {}, policy, now=now)
    if not used and not waiting:
        return
    today = local_day(now, zone_of(policy.timezone))
    days = {
        rule_id: (book.by_id[rule_id].version, today)
        for rule_id in {*used, *waiting}
        if rule_id in book.by_id
    }
    answers = await days_answered(session, days)
    counts = await _count(session, used, today)
    for rule_id, number in used.items():
        is_approved = answers.get(rule_id) is ApprovalState.APPROVED
        if not is_approved and counts[rule_id] > policy.approval_above:
            raise Again(f"room of {rule_id}")
        rule = book.by_id.get(rule_id)
        if rule is not None and rule.state is RuleState.CANARY:
            await _spend_canary(session, rule, number, pause=policy.canary_for, now=now)
    if ids is None:
        return
    for rule_id in sorted(waiting):
        if rule_id not in days or answers.get(rule_id) is not None:
            continue
        recipients = await _counted(session, rule_id, today)
        if recipients >= policy.approval_above:  # else it is a text that waits
            await ask_for_day(
                session,
                rule_id=rule_id,
                version=book.by_id[rule_id].version,
                day=today,
                recipients=recipients,
                ids=ids,
                now=now,
            )


async def _counted(session: AsyncSession, rule_id: str, day: date) -> int:
    n = await session.scalar(
        select(col(Recipients.n)).where(col(Recipients.rule_id) == rule_id, col(Recipients.day) == day)
    )
    return n or 0


async def _count(session: AsyncSession, used: Mapping[str, int], day: date) -> dict[str, int]:
    """The day's counts with these added; rows in order of id, so that transactions cannot wait in a ring."""
    if not used:
        return {}
    adding = insert(Recipients).values(
        [{"rule_id": rule_id, "day": day, "n": number} for rule_id, number in used.items()]
    )
    rows = await session.execute(
        adding.on_conflict_do_update(
            index_elements=["rule_id", "day"],
            set_={"n": col(Recipients.n) + adding.excluded.n},
        ).returning(col(Recipients.rule_id), col(Recipients.n))
    )
    return {row.rule_id: row.n for row in rows}


async def _spend_canary(
    session: AsyncSession, rule: Rule, number: int, *, pause: timedelta, now: datetime
) -> None:
    left = await session.scalar(
        update(Canary)
        .where(
            col(Canary.rule_id) == rule.id,
            col(Canary.state) == CanaryState.COUNTING,
            col(Canary.left) >= number,
        )
        .values(left=col(Canary.left) - number)
        .returning(col(Canary.left))
        .execution_options(synchronize_session=False)
    )
    if left is None:
        raise Again(f"canary of {rule.id}")
    if left == 0:
        await session.execute(
            update(Canary)
            .where(col(Canary.rule_id) == rule.id)
            .values(state=CanaryState.PAUSING.value, until=now + pause)
            .execution_options(synchronize_session=False)
        )


# --- the canary's life ------------------------------------------------------------------------------------


async def begin_canary(session: AsyncSession, rule_id: str, *, size: int, now: datetime) -> None:
    """A trial begins, or begins anew."""
    values = {
        "state": CanaryState.COUNTING.value,
        "size": size,
        "left": size,
        "started_at": now,
        "until": None,
    }
    await session.execute(
        insert(Canary)
        .values(rule_id=rule_id, **values)
        .on_conflict_do_update(index_elements=["rule_id"], set_=values)
    )


async def end_canary(session: AsyncSession, rule_id: str) -> None:
    """The rule is in another state now."""
    await session.execute(delete(Canary).where(col(Canary.rule_id) == rule_id))


async def canaries(session: AsyncSession, *, is_held: bool = False) -> list[Canary]:
    """The trials under way; `is_held`: nobody else looks at them until the transaction ends."""
    query = select(Canary).where(col(Canary.state) != CanaryState.STOPPED).order_by(col(Canary.rule_id))
    if is_held:
        query = query.with_for_update(skip_locked=True)
    return list(await session.scalars(query.execution_options(populate_existing=True)))


async def stop_canary(session: AsyncSession, rule_id: str) -> None:
    """Nobody more is written to until a person decides."""
    await session.execute(
        update(Canary)
        .where(col(Canary.rule_id) == rule_id)
        .values(state=CanaryState.STOPPED.value, left=0)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What went wrong among a trial's recipients: failed sends, and people who stopped or blocked."""

    failed: int
    left: int

    def __bool__(self) -> bool:
        return bool(self.failed or self.left)


async def harm_of(session: AsyncSession, canary: Canary) -> Harm:
    """Count it, from the messages promised since the trial began."""
    ours = and_(
        col(Message.rule_id) == canary.rule_id,
        col(Message.kind) == MessageKind.RULE,
        col(Message.promised_at) >= canary.started_at,
    )
    failed = await session.scalar(
        select(func.count())
        .select_from(Message)
        .where(ours, col(Message.state).in_([MessageState.DEAD.value, MessageState.UNKNOWN.value]))
    )
    left = await session.scalar(
        select(func.count(func.distinct(col(Message.customer_id)))).where(ours, or_(_stopped(), _blocked()))
    )
    return Harm(failed=failed or 0, left=left or 0)


def _stopped() -> ColumnElement[bool]:
    return exists().where(
        col(ConsentEntry.customer_id) == col(Message.customer_id),
        ~col(ConsentEntry.is_granted),
        col(ConsentEntry.at) >= col(Message.promised_at),
    )


def _blocked() -> ColumnElement[bool]:
    return exists().where(
        col(LineUser.customer_id) == col(Message.customer_id),
        col(LineUser.is_blocked),
        col(LineUser.state_at) >= col(Message.promised_at),
    )


__all__ = [
    "Canary",
    "CanaryState",
    "Harm",
    "Recipients",
    "begin_canary",
    "canaries",
    "end_canary",
    "harm_of",
    "room_of",
    "spend",
    "stop_canary",
]

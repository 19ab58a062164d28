"""Which promised messages go out now, and how is LINE's answer kept?

Claim, commit, send, record. A message is `sending`, with its attempt counted, before any request is
started; the request carries the row's id as LINE's retry key; so whatever dies where, the same key with the
same body is all that is ever sent again, and not after the key's life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import metrics
from bot.deps import Deps
from bot.flows.customers.outcome import (
    QUOTA,
    REPLY_PAUSE,
    Attempt,
    NotTried,
    Told,
    expire,
    expiry,
    note,
    queue,
    quota_pause,
    start,
    stop,
    token_for,
)
from bot.line.answers import is_unauthorized
from bot.ports import Line, QuotaExceeded, Rejected, SendOutcome, TryLater
from db.deciding.facts import load_facts
from db.deciding.pauses import current_pause
from db.deciding.ticks import mark_dirty
from db.desk.posts import add_alert, touch_card
from db.people.customers import lock_customers
from db.people.line_users import unreachable
from db.rulebook.rules import RuleBook, current_rulebook, put_setting, setting
from db.talk.conversations import spoke
from db.talk.messages import LEASE, MessageKind, MessageState
from db.talk.outbox import Outgoing, behind_others, claim_due, save
from followups.facts import Facts
from followups.recheck import recheck
from followups.rules.conditions import Text
from followups.rules.model import Rule
from followups.times.hours import next_allowed
from followups.times.zones import zone_of
from followups.verdicts import Cancel, Go, Hold, Recheck

log = structlog.get_logger()

BATCH = 400
AT_ONCE = 32
PER_SECOND = 2000
"""LINE's limit for push and for reply, per channel (Rate limits)."""
HELD_FOR = timedelta(minutes=10)
"""How soon a message is looked at again when only a change, not time, can open its gate."""
START_WITHIN = (LEASE - timedelta(seconds=15)).total_seconds()
"""A request takes 10 s at most: what has not started by then might end after others took the row up."""

_BLOCKED = Cancel(gate="blocked", because=Text(ja="LINE でブロックされている", en="blocked on LINE"))
_GONE = Cancel(gate="not_linked", because=Text(ja="LINE との連携がない", en="no longer linked on LINE"))
IN_ORDER_FOR = timedelta(seconds=5)
"""How soon a later step is looked at again while an earlier one is still on its way."""

_IN_ORDER = Hold(
    gate="order", because=Text(ja="前のメッセージを送信中", en="an earlier message is on its way")
)
_PAUSED = Hold(gate="paused", because=Text(ja="すべての配信を一時停止中", en="all follow-ups are paused"))
_NO_RULE = Cancel(gate="superseded", because=Text(ja="この規則はもうない", en="this rule is gone"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claimed:
    """`looked_at`: how many messages were due. `start_until`: on the loop's clock, for the requests."""

    attempts: Sequence[Attempt] = ()
    looked_at: int = 0
    has_posts: bool = False
    start_until: float = 0.0


Outcomes = Sequence[tuple[Attempt, SendOutcome | NotTried]]


async def deliver(deps: Deps) -> int:
    """Send everything that is due; returns how many messages were tried. Any number may run at once.

    While a batch is on its way, the one before is recorded and the next one claimed; no further ahead, for a
    claim is a lease.
    """
    line = deps.line
    if line is None:
        return 0
    pace = _Pace()
    tried = 0
    sending: asyncio.Task[Outcomes] | None = None
    recording: asyncio.Task[int] | None = None
    try:
        while True:
            claimed = await _claim_some(deps)
            if not claimed.looked_at and sending is None and recording is None:
                return tried
            if recording is not None:
                tried += await recording
                recording = None
            if sending is not None:
                recording = asyncio.create_task(_record(deps, await sending))
                sending = None
            if claimed.attempts:
                sending = asyncio.create_task(_send_all(line, claimed, pace))
    finally:
        try:
            if sending is not None:
                await _record(deps, await sending)
        finally:
            if recording is not None:
                await recording


async def _claim_some(deps: Deps) -> _Claimed:
    claimed_at = asyncio.get_running_loop().time()
    claimed = await deps.db.run(lambda session: _claim(deps, session))
    if claimed.has_posts:
        await deps.waker.wake("post")
    return replace(claimed, start_until=claimed_at + START_WITHIN)


# --- claiming -----------------------------------------------------------------------------------------


async def _claim(deps: Deps, session: AsyncSession) -> _Claimed:
    """Decide about a batch of due messages under their customers' locks."""
    now = deps.clock.now()
    due = await claim_due(session, limit=BATCH, now=now)
    if not due:
        return _Claimed()
    verdicts = await _verdicts(session, due, now=now)
    content = await setting(session, QUOTA)
    quota_until = datetime.fromisoformat(content["until"]) if content else now
    attempts: list[Attempt] = []
    told: list[Told] = []
    decided = [message for message in due if message.message_id in verdicts]
    for message in decided:
        verdict = verdicts[message.message_id]
        if (state := expiry(message, now=now)) is not None:
            told += expire(message, state, now=now)
            continue
        match verdict:
            case Go() if quota_until > now and token_for(message, now=now) is None:
                queue(message, not_before=quota_until)
            case Go():
                attempts.append(start(message, now=now))
            case Hold():
                until = verdict.until or now + HELD_FOR
                queue(message, not_before=max(until, now + REPLY_PAUSE))
                message.because = f"{verdict.gate}: {verdict.because.ja}"
            case Cancel():
                stop(message, verdict, now=now)
            case _:
                assert_never(verdict)
    await save(session, decided)
    has_posts = await _tell(deps, session, decided, told, now=now)
    return _Claimed(attempts=attempts, looked_at=len(due), has_posts=has_posts)


async def _verdicts(session: AsyncSession, due: Sequence[Outgoing], *, now: datetime) -> dict[UUID, Recheck]:
    """May each go out now? At most one proactive message per customer is asked about at a time.

    The others are left out and asked about in the next round, when the first one counts as begun.
    """
    firsts: dict[UUID, Outgoing] = {}
    for message in due:
        if message.kind == MessageKind.RULE:
            firsts.setdefault(message.customer_id, message)
    facts = await load_facts(session, firsts, now=now) if firsts else {}
    book = await current_rulebook(session)
    blocked = await unreachable(session, [each.line_user_id for each in due])
    is_paused = await current_pause(session) is not None
    early = await behind_others(session, [each for each in firsts.values() if each.step is not None])
    verdicts: dict[UUID, Recheck] = {}
    for message in due:
        if message.kind != MessageKind.RULE:
            verdicts[message.message_id] = _BLOCKED if message.line_user_id in blocked else Go()
        if message.kind == MessageKind.QUESTION and isinstance(verdicts[message.message_id], Go):
            verdicts[message.message_id] = _PAUSED if is_paused else _in_daytime(book, now=now)
    for customer_id, message in firsts.items():
        known, rule = facts.get(customer_id), book.by_id.get(message.rule_id or "")
        if known is None or known.line is None or known.line.line_user_id != message.line_user_id:
            verdicts[message.message_id] = _GONE
        elif rule is None:
            verdicts[message.message_id] = _NO_RULE
        elif is_paused:
            verdicts[message.message_id] = _PAUSED
        elif message.message_id in early:
            verdicts[message.message_id] = replace(_IN_ORDER, until=now + IN_ORDER_FOR)
        else:
            verdicts[message.message_id] = _recheck(message, known, rule, book, now=now)
    return verdicts


def _in_daytime(book: RuleBook, *, now: datetime) -> Recheck:
    """A question is asked within minutes of its promise, or waits for the morning after an outage."""
    until = next_allowed(now, book.policy.quiet_hours, zone_of(None, book.policy.timezone))
    if until <= now:
        return Go()
    return Hold(gate="quiet_hours", because=Text(ja="送信を控える時間帯", en="quiet hours"), until=until)


def _recheck(message: Outgoing, known: Facts, rule: Rule, book: RuleBook, *, now: datetime) -> Recheck:
    """As the rule was when it was promised, where that is known, and in the state the rule is in now."""
    passage = known.follow_ups.get(rule.id)
    is_entry = (
        message.step is None
        or passage is None
        or passage.occasion != message.occasion
        or message.promised_at <= passage.entered_at
    )
    before = book.rule_at(rule.id, message.rule_version) if message.rule_version is not None else None
    if before is not None and not is_entry:
        rule = replace(before, state=rule.state)
    return recheck(
        known,
        rule,
        book.policy,
        message_id=message.message_id,
        now=now,
        step=message.step,
        occasion=message.occasion,
        is_later=not is_entry,
    )


# --- sending ------------------------------------------------------------------------------------------


class _Pace:
    """Keeps requests at most `PER_SECOND` a second, and slower after LINE asked for that."""

    def __init__(self) -> None:
        self._gap = 1 / PER_SECOND
        self._next = 0.0

    async def wait(self) -> None:
        """Until the next request may start."""
        loop = asyncio.get_running_loop()
        at = max(self._next, loop.time())
        self._next = at + self._gap
        if (pause := at - loop.time()) > 0.001:
            await asyncio.sleep(pause)

    def slow_down(self) -> None:
        """LINE answered that there were too many."""
        self._gap = min(self._gap * 2, 0.1)


async def _send_all(line: Line, claimed: _Claimed, pace: _Pace) -> Outcomes:
    """Hand the messages to LINE, `AT_ONCE` at a time; no transaction is open meanwhile."""
    loop = asyncio.get_running_loop()
    waiting = iter(claimed.attempts)
    outcomes: list[tuple[Attempt, SendOutcome | NotTried]] = []
    stopped: NotTried | None = None

    async def send_some() -> None:
        nonlocal stopped
        for attempt in waiting:
            await pace.wait()
            if loop.time() > claimed.start_until:
                outcomes.append((attempt, NotTried.LATE))
                continue
            if stopped is not None and attempt.reply_token is None:
                outcomes.append((attempt, stopped))
                continue
            outcome = await _send(line, attempt)
            if isinstance(outcome, QuotaExceeded):
                stopped = NotTried.QUOTA
            elif isinstance(outcome, Rejected) and is_unauthorized(outcome):
                stopped = NotTried.UNAUTHORIZED
            elif isinstance(outcome, TryLater) and outcome.is_rate_limit:
                pace.slow_down()
            outcomes.append((attempt, outcome))

    await asyncio.gather(*(send_some() for _ in range(min(AT_ONCE, len(claimed.attempts)))))
    return outcomes


async def _send(line: Line, attempt: Attempt) -> SendOutcome:
    message = attempt.message
    try:
        if attempt.reply_token is not None:
            return await line.reply(reply_token=attempt.reply_token, bubbles=message.bubbles)
        return await line.push(
            line_user_id=message.line_user_id,
            bubbles=message.bubbles,
            retry_key=message.message_id,
            unit=message.unit,
        )
    except Exception as error:  # a bug of ours must not cost the others of the batch their record
        log.exception("message.send_failed", message_id=str(message.message_id))
        return TryLater(because=type(error).__name__)


# --- recording ----------------------------------------------------------------------------------------


async def _record(deps: Deps, outcomes: Outcomes) -> int:
    """Keep what LINE answered; returns to how many messages."""
    now = deps.clock.now()
    told = [
        each
        for attempt, outcome in outcomes
        for each in note(attempt, outcome, jitter=deps.rng.random(), now=now)
    ]
    messages = [attempt.message for attempt, _ in outcomes]
    is_over_quota = any(isinstance(outcome, QuotaExceeded) for _, outcome in outcomes)

    async def write(session: AsyncSession) -> bool:
        await lock_customers(session, {message.customer_id for message in messages})
        await save(session, messages)
        if is_over_quota:
            await put_setting(session, QUOTA, {"until": quota_pause(now).isoformat()}, now=now)
        for kind in (MessageKind.RULE, MessageKind.PERSON):
            spoken = _customers(m for m in messages if m.kind == kind and m.state == MessageState.ACCEPTED)
            await spoke(session, spoken, now=now, opens=kind is MessageKind.PERSON)
        return await _tell(deps, session, messages, told, now=now)

    has_posts = await deps.db.run(write)
    for message in messages:
        if message.settled_at is not None:
            metrics.MESSAGES.labels(message.kind, message.state).inc()
    accepted = sum(message.state == MessageState.ACCEPTED for message in messages)
    log.info("messages.delivered", tried=len(messages), accepted=accepted)
    if has_posts:
        await deps.waker.wake("post")
    return len(messages)


async def _tell(
    deps: Deps, session: AsyncSession, messages: Sequence[Outgoing], told: Sequence[Told], *, now: datetime
) -> bool:
    """Let staff see what became of what they wrote, and have customers whose message failed looked at."""
    settled = [message for message in messages if message.settled_at is not None]
    written = _customers(each for each in settled if each.kind == MessageKind.PERSON)
    for customer_id in written:
        await touch_card(session, customer_id, now=now)
    for each in {each.key: each for each in told}.values():
        await add_alert(session, key=each.key, ja=each.ja, en=each.en, ids=deps.ids, now=now)
    failed = _customers(
        each for each in settled if each.kind == MessageKind.RULE and each.state != MessageState.ACCEPTED
    )
    await mark_dirty(session, failed, now=now)
    return bool(written or told)


def _customers(messages: Iterable[Outgoing]) -> list[UUID]:
    return sorted({message.customer_id for message in messages})

"""What is done now about the customers who are worth another look? The deciding half of a tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Ids
from bot.deps import Deps
from bot.errors import Unavailable
from bot.line.bubbles import bubbles_of
from db.customers import lock_customers
from db.endings import end_finished
from db.facts import load_facts
from db.followups import (
    FollowUpRow,
    LastAnswer,
    NewDecision,
    add_decisions,
    add_follow_ups,
    last_answers,
    last_occasions,
)
from db.leads import open_lead
from db.messages import Link, Message, MessageKind, MessageState, add_links, promise_all
from db.rules import RuleBook, current_rulebook
from db.ticks import forget_undecided, keep_undecided, set_alarms, take_dirty, take_dirty_of
from followups.decide import decide
from followups.explain import rule_trace_of
from followups.facts import Facts, FollowUp, FollowUpState
from followups.rules.model import Rule
from followups.text import MissingValue, render_message
from followups.verdicts import Drop, Escalate, NotDue, RuleDecision, Send, Verdict, Wait

log = structlog.get_logger()

CUSTOMERS_AT_ONCE = 400
BATCHES_AT_ONCE = 1000
_CLOCKS_DIFFER = timedelta(minutes=5)
"""A dirty row marked by a machine whose clock is up to this far ahead is decided about at its own moment."""
_ASKED_AGAIN_AFTER = timedelta(hours=6)
"""Who waits for a conversation to end is looked at again, even where nobody says that it did."""


async def decide_due(deps: Deps) -> int:
    """Decide about every customer who is marked dirty; how many were decided about.

    Batches of customers, each batch one transaction: their marks are deleted, they are locked, decided about,
    and what follows is written. A kill anywhere loses nothing; any number of processes may do this at once. A
    customer about whom deciding fails (a bug) holds up nobody and is tried again some minutes later.
    """
    total = 0
    for _ in range(BATCHES_AT_ONCE):
        held: list[UUID] = []
        try:
            batch = await deps.db.run(partial(_decide_some, deps, held))
        except Unavailable:
            raise
        except Exception as error:  # storing failed for one of them, and so for all: find out for whom
            if not held:
                raise
            log.warning("decide.batch_failed", customers=len(held), error=type(error).__name__)
            batch = await _one_by_one(deps, tuple(held))
        total += batch.decided
        for story in sorted(batch.wakes):
            await deps.waker.wake(story)
        if batch.taken == 0:
            return total
    await deps.waker.wake("decide")
    return total


@dataclass(slots=True)
class _Batch:
    """What came of one transaction."""

    taken: int = 0
    decided: int = 0
    wakes: set[str] = field(default_factory=set)


async def _one_by_one(deps: Deps, customer_ids: Sequence[UUID]) -> _Batch:
    """Decide about each of these in a transaction of its own; those for whom it fails are kept for later."""
    together = _Batch()
    for customer_id in customer_ids:
        try:
            one = await deps.db.run(partial(_decide_some, deps, [], only=customer_id))
        except Unavailable:
            raise
        except Exception as error:
            await _keep(deps, customer_id, error)
            one = _Batch(taken=1)
        together.taken += one.taken
        together.decided += one.decided
        together.wakes |= one.wakes
    return together


async def _keep(deps: Deps, customer_id: UUID, error: Exception) -> None:
    ref, now = _ref(deps.ids), deps.clock.now()
    log.error("decide.failed", customer_id=str(customer_id), ref=ref, exc_info=error)

    async def write(session: AsyncSession) -> None:
        await take_dirty_of(session, customer_id, latest=now + _CLOCKS_DIFFER)
        await keep_undecided(session, customer_id, ref=ref, now=now)

    await deps.db.run(write)


def _ref(ids: Ids) -> str:
    return ids.token()[:8]


async def _decide_some(
    deps: Deps, held: list[UUID], session: AsyncSession, *, only: UUID | None = None
) -> _Batch:
    """One transaction. `held` is filled with who was taken, for when it fails."""
    now = deps.clock.now()
    latest = now + _CLOCKS_DIFFER
    if only is None:
        start = UUID(int=deps.rng.getrandbits(128))
        taken = await take_dirty(session, latest=latest, limit=CUSTOMERS_AT_ONCE, start=start)
    else:
        taken = await take_dirty_of(session, only, latest=latest)
    held[:] = taken
    if not taken:
        return _Batch()
    now = max(now, *taken.values())
    ids = sorted(taken)
    await lock_customers(session, ids)
    book = await current_rulebook(session)
    await end_finished(session, ids, book.by_id, now=now)
    facts = await load_facts(session, ids, now=now)
    effects = _Effects(
        deps=deps,
        book=book,
        now=now,
        answers=await last_answers(session, ids),
        occasions=await last_occasions(session, ids),
    )
    for customer_id in ids:
        if customer_id in facts:
            effects.about(facts[customer_id])
    await effects.write(session, [each for each in ids if each not in effects.failed])
    return _Batch(taken=len(ids), decided=len(ids) - len(effects.failed), wakes=effects.wakes)


@dataclass(slots=True)
class _Outcome:
    """What follows from deciding about one customer."""

    decisions: list[NewDecision] = field(default_factory=list)
    follow_ups: list[FollowUpRow] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    leads: list[tuple[NewDecision, Escalate, Rule]] = field(default_factory=list)
    alarms: dict[tuple[UUID, str], datetime] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Effects:
    """What follows from deciding about a batch of customers, collected first and written in sets."""

    deps: Deps
    book: RuleBook
    now: datetime
    answers: dict[tuple[UUID, str], LastAnswer]
    occasions: dict[tuple[UUID, str], int]
    outcomes: list[_Outcome] = field(default_factory=list)
    failed: dict[UUID, str] = field(default_factory=dict)
    wakes: set[str] = field(default_factory=set)

    def about(self, facts: Facts) -> None:
        """Decide about one customer; a failure is noted and concerns nobody else."""
        try:
            self.outcomes.append(self._outcome(facts))
        except Exception:
            ref = _ref(self.deps.ids)
            self.failed[facts.customer_id] = ref
            log.exception("decide.failed", customer_id=str(facts.customer_id), ref=ref)

    def _outcome(self, facts: Facts) -> _Outcome:
        outcome = _Outcome()
        decision = decide(facts, self.book.rules, self.book.policy, now=self.now)
        for answer in decision.rules:
            self._follow(outcome, facts, self.book.by_id[answer.rule_id], answer)
        return outcome

    def _follow(self, outcome: _Outcome, facts: Facts, rule: Rule, answer: RuleDecision) -> None:
        message: Message | None = None
        if isinstance(answer.verdict, Send) and not answer.is_shadow:
            answer, message, links = self._written(facts, rule, answer, answer.verdict)
            outcome.links += links
        row = self._decision_row(facts.customer_id, answer, message)
        if row is not None:
            outcome.decisions.append(row)
        passage = facts.follow_ups.get(rule.id)
        match answer.verdict:
            case Send() | Escalate():
                passage = self._entered(facts.customer_id, rule)
                if not answer.is_shadow:
                    outcome.follow_ups.append(_stored(facts.customer_id, passage))
                    if message is not None:
                        outcome.messages.append(message)
                    if isinstance(answer.verdict, Escalate) and row is not None:
                        outcome.leads.append((row, answer.verdict, rule))
            case _:
                pass
        for key, at in _moments(rule, answer, passage, now=self.now):
            outcome.alarms[facts.customer_id, f"{key}:{rule.id}"] = at

    def _written(
        self, facts: Facts, rule: Rule, answer: RuleDecision, send: Send
    ) -> tuple[RuleDecision, Message | None, list[Link]]:
        """The message with its tracked links; without a value that its text needs, a drop instead."""
        rendered = render_message(send.message, facts)
        if isinstance(rendered, MissingValue):
            return replace(answer, verdict=Drop(gate="text", because=rendered.because)), None, []
        assert facts.line is not None
        message_id, links = self.deps.ids.uuid(), list[Link]()

        def link_of(url: str) -> str:
            token = self.deps.ids.token()
            links.append(
                Link(
                    token=token,
                    customer_id=facts.customer_id,
                    message_id=message_id,
                    url=url,
                    created_at=self.now,
                )
            )
            return f"{self.deps.settings.base_url}/r/{token}"

        occasion = self._occasion(facts.customer_id, rule.id)
        message = Message(
            customer_id=facts.customer_id,
            message_id=message_id,
            kind=MessageKind.RULE.value,
            state=MessageState.QUEUED.value,
            dedupe_key=f"rule:{rule.id}:{occasion}",
            line_user_id=facts.line.line_user_id,
            purpose=send.purpose,
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=occasion,
            template=send.message.name,
            bubbles=bubbles_of(rendered, link_of=link_of, message_id=message_id),
            plain_text=rendered.text,
            priority=rule.priority,
            promised_at=self.now,
            not_before=self.now,
        )
        return answer, message, links

    def _occasion(self, customer_id: UUID, rule_id: str) -> int:
        return self.occasions.get((customer_id, rule_id), 0) + 1

    def _entered(self, customer_id: UUID, rule: Rule) -> FollowUp:
        return FollowUp(
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=self._occasion(customer_id, rule.id),
            state=FollowUpState.ACTIVE,
            entered_at=self.now,
        )

    def _decision_row(
        self, customer_id: UUID, answer: RuleDecision, message: Message | None
    ) -> NewDecision | None:
        """The row to store; None where it would repeat the last one, or say that nothing has begun yet."""
        verdict, gate, until = _in_words(answer.verdict)
        last = self.answers.get((customer_id, answer.rule_id))
        if verdict not in {"send", "escalate"}:
            if last is None and verdict == "not_due":
                return None
            if last == LastAnswer(verdict=verdict, gate=gate, until=until):
                return None
        return NewDecision(
            customer_id=customer_id,
            decision_id=self.deps.ids.uuid(),
            rule_id=answer.rule_id,
            rule_version=answer.rule_version,
            at=self.now,
            verdict=verdict,
            gate=gate,
            until=until,
            is_shadow=answer.is_shadow,
            message_id=message.message_id if message is not None else None,
            trace=rule_trace_of(answer),
        )

    async def write(self, session: AsyncSession, decided: Sequence[UUID]) -> None:
        """Store everything, in sets."""
        promised = await promise_all(session, [each for one in self.outcomes for each in one.messages])
        links = [each for one in self.outcomes for each in one.links]
        await add_links(session, [link for link in links if link.message_id in promised])
        await add_follow_ups(session, [each for one in self.outcomes for each in one.follow_ups])
        for outcome in self.outcomes:
            for row, escalate, rule in outcome.leads:
                row.lead_id = await open_lead(
                    session,
                    customer_id=row.customer_id,
                    source="rule",
                    reason_ja=escalate.reason,
                    reason_en=escalate.reason,
                    ids=self.deps.ids,
                    now=self.now,
                    rule_id=rule.id,
                )
                self.wakes |= {"post", "draft"}
        await add_decisions(session, [each for one in self.outcomes for each in one.decisions])
        await set_alarms(
            session, decided, {key: at for one in self.outcomes for key, at in one.alarms.items()}
        )
        await forget_undecided(session, decided)
        for customer_id, ref in self.failed.items():
            await keep_undecided(session, customer_id, ref=ref, now=self.now)
        if promised:
            self.wakes.add("deliver")


def _stored(customer_id: UUID, passage: FollowUp) -> FollowUpRow:
    return FollowUpRow(
        customer_id=customer_id,
        rule_id=passage.rule_id,
        occasion=passage.occasion,
        rule_version=passage.rule_version,
        state=passage.state.value,
        entered_at=passage.entered_at,
    )


Word = Literal["send", "escalate", "wait", "drop", "not_due"]


def _in_words(verdict: Verdict) -> tuple[Word, str | None, datetime | None]:
    """(verdict, gate, until) as stored. A condition's next flip is not stored: it moves with every event."""
    match verdict:
        case Send():
            return "send", None, None
        case Escalate():
            return "escalate", None, None
        case Wait(gate=gate, until=until):
            return "wait", gate, until
        case Drop(gate=gate):
            return "drop", gate, None
        case NotDue():
            return "not_due", None, None


def _moments(
    rule: Rule, answer: RuleDecision, passage: FollowUp | None, *, now: datetime
) -> list[tuple[str, datetime]]:
    """When this customer has to be decided about again though nothing else happens, by what for."""
    moments: list[tuple[str, datetime | None]] = []
    verdict = answer.verdict
    if isinstance(verdict, Wait):
        fallback = now + _ASKED_AGAIN_AFTER if verdict.gate == "conversation" else None
        moments.append(("wait", verdict.until or fallback))
    flips_at = verdict.flips_at if isinstance(verdict, NotDue) else answer.check.flips_at
    if flips_at is not None and rule.when.needs_alarm():
        moments.append(("flip", flips_at))
    if passage is not None:
        if passage.state is FollowUpState.ACTIVE:
            moments.append(("goal", passage.entered_at + rule.goal.within))
        if rule.again_after is not None:
            moments.append(("again", passage.entered_at + rule.again_after))
    return [(key, at) for key, at in moments if at is not None and at > now]

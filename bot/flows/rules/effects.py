"""What follows from deciding about a batch of customers, and how is it written in one go?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Ids
from bot.deps import Deps
from bot.line.account import unit_name
from bot.line.bubbles import bubbles_of
from db.deciding.approvals import TextToReview, ask_for_texts
from db.deciding.followups import (
    FollowUpRow,
    LastAnswer,
    NewDecision,
    Step,
    add_decisions,
    add_follow_ups,
    take_steps,
)
from db.deciding.rooms import spend
from db.deciding.ticks import forget_undecided, keep_undecided, mark_dirty, set_alarms
from db.desk.leads import open_lead
from db.rulebook.rules import RuleBook
from db.talk.messages import Link, Message, MessageKind, MessageState, add_links, cancel_queued, promise_all
from followups.decide import at_their_version, decide
from followups.explain import rule_trace_of
from followups.facts import Facts, FollowUp, FollowUpState
from followups.predict.learned import LearnedScore
from followups.reviews import Asked
from followups.room import Room
from followups.rules.hot_lead import HOT_LEAD, LeadWorth, worth_of
from followups.rules.model import Rule
from followups.scenario import after_decision
from followups.verdicts import Drop, Escalate, NotDue, Position, RuleDecision, Send, Verdict, Wait
from followups.words.text import MissingValue, render_message

log = structlog.get_logger()

_ASKED_AGAIN_AFTER = timedelta(hours=6)
"""Who waits for a conversation to end is looked at again, even where nobody says that it did."""


def reference(ids: Ids) -> str:
    """What a failure is called, in the log and to people."""
    return ids.token()[:8]


@dataclass(slots=True)
class _Outcome:
    """What follows from deciding about one customer."""

    decisions: list[NewDecision] = field(default_factory=list)
    follow_ups: list[FollowUpRow] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    leads: list[tuple[NewDecision, LeadWorth, Rule]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    over: list[tuple[UUID, str, Position]] = field(default_factory=list)
    alarms: dict[tuple[UUID, str], datetime] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    has_more: bool = False
    waiting: set[str] = field(default_factory=set)
    reviews: list[TextToReview] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Effects:
    """What follows from deciding about a batch of customers, collected first and written in sets."""

    deps: Deps
    book: RuleBook
    now: datetime
    answers: dict[tuple[UUID, str], LastAnswer]
    occasions: dict[tuple[UUID, str], int]
    room: Room
    learned: LearnedScore | None = None
    outcomes: list[_Outcome] = field(default_factory=list)
    failed: dict[UUID, str] = field(default_factory=dict)
    wakes: set[str] = field(default_factory=set)

    def about(self, facts: Facts) -> None:
        """Decide about one customer; a failure is noted and concerns nobody else."""
        try:
            self.outcomes.append(self._outcome(facts))
        except Exception:
            ref = reference(self.deps.ids)
            self.failed[facts.customer_id] = ref
            log.exception("decide.failed", customer_id=str(facts.customer_id), ref=ref)

    def _outcome(self, facts: Facts) -> _Outcome:
        outcome = _Outcome()
        rules = at_their_version(self.book.rules, facts, self.book.rule_at)
        decision = decide(facts, rules, self.book.policy, now=self.now, room=self.room)
        for rule, answer in zip(rules, decision.rules, strict=True):
            self._follow(outcome, facts, rule, answer)
        for message in outcome.messages:
            assert message.rule_id is not None
            is_entry = message.rule_id in outcome.used
            self.room = self.room.after(message.rule_id, is_entry=is_entry)
        return outcome

    def _follow(self, outcome: _Outcome, facts: Facts, rule: Rule, answer: RuleDecision) -> None:
        message: Message | None = None
        if isinstance(answer.verdict, Send) and not answer.is_shadow:
            answer, message, links = self._written(facts, rule, answer, answer.verdict)
            outcome.links += links
        row = self._decision_row(facts.customer_id, answer, message)
        if row is not None:
            outcome.decisions.append(row)
        if message is not None:
            outcome.messages.append(message)
        if isinstance(answer.verdict, Wait) and answer.verdict.gate == "approval" and not answer.is_shadow:
            outcome.waiting.add(rule.id)
        if answer.to_review is not None and not answer.is_shadow:
            outcome.reviews.append(self._to_review(facts, rule, answer.to_review))
        passage = self._stands(outcome, facts, rule, answer, is_written=message is not None)
        if isinstance(answer.verdict, Escalate) and not answer.is_shadow and row is not None:
            worth = worth_of(
                facts,
                self.book.scoring,
                rule.id,
                answer.verdict.reason,
                now=self.now,
                learned=self.learned,
            )
            outcome.leads.append((row, worth, rule))
        for key, at in _moments(rule, answer, passage, now=self.now):
            outcome.alarms[facts.customer_id, f"{key}:{rule.id}"] = at

    def _to_review(self, facts: Facts, rule: Rule, asked: Asked) -> TextToReview:
        passage = facts.follow_ups.get(rule.id)
        is_under_way = passage is not None and passage.state is FollowUpState.ACTIVE
        return TextToReview(
            customer_id=facts.customer_id,
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=passage.occasion
            if passage is not None and is_under_way
            else self._occasion(facts.customer_id, rule.id),
            step=asked.step,
            text=asked.text,
            text_hash=asked.text_hash,
            revision=asked.revision,
        )

    def _stands(
        self, outcome: _Outcome, facts: Facts, rule: Rule, answer: RuleDecision, *, is_written: bool
    ) -> FollowUp | None:
        """The passage as it stands after this answer, and what has to be stored of that."""
        customer_id, position = facts.customer_id, answer.position
        passage = facts.follow_ups.get(rule.id)
        if position is None:
            return passage
        before = (passage.step, passage.step_at) if passage is not None else None
        passage = after_decision(passage, rule, position, now=self.now)
        if position.is_entry:
            passage = replace(passage, occasion=self._occasion(customer_id, rule.id))
        acted = isinstance(answer.verdict, Send | Escalate)
        if acted and position.ended is None and position.next is not None:
            outcome.has_more = True
        if answer.is_shadow:
            return passage
        if position.is_entry:
            outcome.follow_ups.append(_stored(customer_id, passage))
            outcome.used[rule.id] += is_written
        elif position.ended is not None or before != (passage.step, passage.step_at):
            outcome.steps.append(
                Step(
                    customer_id=customer_id,
                    rule_id=rule.id,
                    occasion=passage.occasion,
                    step=passage.step,
                    step_at=passage.step_at or self.now,
                    ended_at=passage.ended_at,
                    ended_because=passage.ended_because,
                )
            )
        if position.ended is not None:
            outcome.over.append((customer_id, rule.id, position))
        return passage

    def _written(
        self, facts: Facts, rule: Rule, answer: RuleDecision, send: Send
    ) -> tuple[RuleDecision, Message | None, list[Link]]:
        """The message with its tracked links; without a value that its text needs, a drop instead."""
        rendered = render_message(send.message, facts)
        if isinstance(rendered, MissingValue):
            drop = Drop(gate="text", because=rendered.because)
            return replace(answer, verdict=drop, position=None), None, []
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

        step = answer.position.step if answer.position is not None else None
        passage = facts.follow_ups.get(rule.id)
        is_entry = answer.position is None or answer.position.is_entry or passage is None
        occasion = (
            self._occasion(facts.customer_id, rule.id) if is_entry or passage is None else passage.occasion
        )
        message = Message(
            customer_id=facts.customer_id,
            message_id=message_id,
            kind=MessageKind.RULE.value,
            state=MessageState.QUEUED.value,
            dedupe_key=f"rule:{rule.id}:{occasion}:{step}",
            line_user_id=facts.line.line_user_id,
            purpose=send.purpose,
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=occasion,
            step=step,
            template=send.message.name,
            bubbles=bubbles_of(
                rendered, link_of=link_of, message_id=message_id, sender=self.book.policy.senders.bot
            ),
            unit=unit_name(rule.id, answer.position.variant if answer.position is not None else None),
            plain_text=rendered.text,
            priority=rule.priority,
            promised_at=self.now,
            not_before=self.now,
        )
        return answer, message, links

    def _occasion(self, customer_id: UUID, rule_id: str) -> int:
        return self.occasions.get((customer_id, rule_id), 0) + 1

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
        await take_steps(session, [each for one in self.outcomes for each in one.steps])
        for customer_id, rule_id, position in [each for one in self.outcomes for each in one.over]:
            await cancel_queued(
                session,
                customer_id,
                because=f"superseded: {position.ended}",
                now=self.now,
                kinds=[MessageKind.RULE],
                rule_id=rule_id,
                after=position.entered_at,
            )
        for outcome in self.outcomes:
            for row, worth, rule in outcome.leads:
                row.lead_id = await open_lead(
                    session,
                    customer_id=row.customer_id,
                    source="score" if rule.id == HOT_LEAD else "rule",
                    reason_ja=worth.reason.ja,
                    reason_en=worth.reason.en,
                    ids=self.deps.ids,
                    now=self.now,
                    rule_id=rule.id,
                    score=worth.points,
                )
                self.wakes |= {"post", "draft"}
        await add_decisions(session, [each for one in self.outcomes for each in one.decisions])
        await set_alarms(
            session, decided, {key: at for one in self.outcomes for key, at in one.alarms.items()}
        )
        await forget_undecided(session, decided)
        onward = [each.customer_id for one in self.outcomes if one.has_more for each in one.decisions]
        await mark_dirty(session, onward, now=self.now)
        used = sum((one.used for one in self.outcomes), Counter[str]())
        waiting = {rule_id for one in self.outcomes for rule_id in one.waiting}
        reviews = [each for one in self.outcomes for each in one.reviews]
        if await ask_for_texts(session, reviews, ids=self.deps.ids, now=self.now):
            self.wakes.add("post")
        counted = Counter(
            each.rule_id
            for one in self.outcomes
            for each in one.messages
            if each.message_id in promised and each.rule_id is not None
        )
        if used or waiting or counted:
            await spend(session, used, now=self.now, waiting=waiting, messages=counted, ids=self.deps.ids)
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
        arm=passage.arm.value,
        variant=passage.variant,
        unit=passage.unit,
        step=passage.step,
        step_at=passage.step_at,
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
    if rule.when.needs_alarm():  # also while a passage is under way, which a flip may end
        moments.append(("flip", answer.check.flips_at))
    if passage is not None:
        if passage.state is FollowUpState.ACTIVE:
            moments.append(("goal", passage.entered_at + rule.goal.within))
        if rule.again_after is not None:
            moments.append(("again", passage.entered_at + rule.again_after))
    return [(key, at) for key, at in moments if at is not None and at > now]

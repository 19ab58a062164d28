"""How does one customer go through a known history, from each moment that matters to the next?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from followups.backtest.past import Entry, Held, Past, Replayed
from followups.decide import decide
from followups.facts import Contact, Facts, FollowUp, FollowUpState, Signal
from followups.room import Room
from followups.rules.model import Rule
from followups.scenario import STEP, after_decision
from followups.signals import fold
from followups.times.zones import zone_of
from followups.verdicts import Decision, Drop, Escalate, NotDue, RuleDecision, Send, Wait

if TYPE_CHECKING:
    from followups.backtest.replay import Replay

CONTACTS_FOR = timedelta(days=60)
"""How long a message counts for caps and silence, as for real ones."""
MAX_AT_ONCE = 50
"""More steps than that cannot follow one another at one moment."""


class Passage:
    """One customer's way through the history. `at`: the next moment to look at; None: it is over."""

    def __init__(self, replay: Replay, past: Past) -> None:
        self.replay = replay
        self.past = past
        self.events = sorted((at, name) for name in replay.names for at in past.events.get(name, ()))
        self.taken_in = 0
        zone = zone_of(past.facts.timezone, replay.policy.timezone)
        self.facts = replace(past.facts, timezone=zone.key)
        self.attribute_moments = replay.attribute_moments(self.facts)
        self.signals: dict[str, Signal] = {}
        self.contacts: list[Contact] = []
        self.passages: dict[str, FollowUp] = {}
        self.begun: set[tuple[str, int]] = set()
        self.lead_until: datetime | None = None
        self.occasions: dict[str, dict[str, Held]] = {}
        self.alarms: list[datetime] = []
        self.entries: list[Entry] = []
        self.held: list[Held] = []
        self.matched: set[str] = set()
        self.moments = 0
        self.at: datetime | None = None
        self._move_on(max(replay.start, past.known_from))

    def step(self, room: Room) -> list[str]:
        """Everything that happens at the next moment; the rules that sent a message, one for each."""
        at = self.at
        assert at is not None
        self._take_in(at)
        self._end_passages(at)
        self.moments += 1
        before = len(self.entries)
        for _ in range(MAX_AT_ONCE):
            facts = self._facts_at(at)
            if not self._follow(decide(facts, self.replay.rules, self.replay.policy, now=at, room=room), at):
                break
        self._move_on(self._next_moment(at))
        return [each.rule_id for each in self.entries[before:] if not each.is_escalation]

    def _move_on(self, at: datetime | None) -> None:
        self.at = at if at is not None and at < self.replay.end else None

    def replayed(self) -> Replayed:
        """What came of it."""
        held = list(self.held)
        for rule_id in sorted(self.occasions):
            held += self.occasions[rule_id].values()
        return Replayed(
            customer_id=self.facts.customer_id,
            moments=self.moments,
            entries=tuple(self.entries),
            held=tuple(held),
            matched=frozenset(self.matched),
        )

    def _take_in(self, at: datetime) -> None:
        events, watches = self.events, self.replay.watches
        while self.taken_in < len(events) and events[self.taken_in][0] <= at:
            happened_at, name = events[self.taken_in]
            self.taken_in += 1
            self.signals[name] = fold(
                self.signals.get(name), happened_at, key=name, depth=watches[name].depth
            )
            for rule_id, passage in self.passages.items():
                goal = self.replay.by_id[rule_id].goal
                is_open = passage.state is FollowUpState.ACTIVE and goal.event == name
                if is_open and passage.entered_at < happened_at < passage.entered_at + goal.within:
                    self._end(passage, "goal", happened_at)

    def _end_passages(self, at: datetime) -> None:
        for passage in list(self.passages.values()):
            closes_at = passage.entered_at + self.replay.by_id[passage.rule_id].goal.within
            if passage.state is FollowUpState.ACTIVE and closes_at <= at:
                self._end(passage, "window_over", closes_at)

    def _end(self, passage: FollowUp, because: str, at: datetime) -> None:
        self.passages[passage.rule_id] = replace(
            passage, state=FollowUpState.ENDED, ended_at=at, ended_because=because
        )

    def _facts_at(self, at: datetime) -> Facts:
        self.contacts = [each for each in self.contacts if each.at > at - CONTACTS_FOR]
        is_led = self.lead_until is not None and at < self.lead_until
        return Facts(
            customer_id=self.facts.customer_id,
            external_id=self.facts.external_id,
            attributes=self.facts.attributes,
            account=self.facts.account,
            timezone=self.facts.timezone,
            language=self.facts.language,
            signals=self.signals,
            line=self.facts.line,
            consents=self.facts.consents,
            contacts=tuple(self.contacts),
            follow_ups=self.passages,
            has_open_lead=is_led,
            rhythms=self.facts.rhythms,
        )

    def _follow(self, decision: Decision, at: datetime) -> bool:
        """Let what was decided happen; True: more follows at the same moment."""
        has_more = False
        self.alarms = [self.lead_until] if self.lead_until is not None else []
        winner = next((each.rule_id for each in decision.rules if isinstance(each.verdict, Send)), None)
        for answer in decision.rules:
            rule = self.replay.by_id[answer.rule_id]
            if answer.check.holds:
                self.matched.add(rule.id)
            position = answer.position
            if position is not None:
                passage = after_decision(self.passages.get(rule.id), rule, position, now=at)
                self.passages = {**self.passages, rule.id: passage}
            match answer.verdict:
                case Send(purpose=purpose):
                    self._act(rule, at, purpose=purpose)
                    has_more |= position is not None and position.next is not None
                case Escalate():
                    self._act(rule, at, purpose=None)
                    has_more |= position is not None and position.next is not None
                case Wait(gate=gate, until=until):
                    if gate != STEP:
                        self._hold(rule.id, gate, at, behind=winner)
                    self._ring(until)
                case Drop(gate=gate):
                    if position is None or position.ended is None:
                        self._hold(rule.id, gate, at)
                case NotDue():
                    self.held += self.occasions.pop(rule.id, {}).values()
            self._ring_for(rule, answer)
        return has_more

    def _ring(self, at: datetime | None) -> None:
        if at is not None:
            self.alarms.append(at)

    def _ring_for(self, rule: Rule, answer: RuleDecision) -> None:
        if rule.when.needs_alarm():
            self._ring(answer.check.flips_at)
        passage = self.passages.get(rule.id)
        if passage is not None and rule.again_after is not None:  # it may return once both are over
            over_at = passage.entered_at + rule.goal.within
            free_at = passage.entered_at + rule.again_after
            self._ring(free_at)
            if passage.state is FollowUpState.ACTIVE and over_at > free_at:
                self._ring(over_at)

    def _hold(self, rule_id: str, gate: str, at: datetime, *, behind: str | None = None) -> None:
        behind = behind if gate == "arbitration" else None
        known = self.occasions.setdefault(rule_id, {})
        known.setdefault(gate, Held(rule_id=rule_id, gate=gate, at=at, behind=behind))

    def _act(self, rule: Rule, at: datetime, *, purpose: str | None) -> None:
        """A message with this purpose, or, without one, a lead."""
        met = self.occasions.pop(rule.id, {})
        self.held += [replace(each, is_sent_later=True) for each in met.values()]
        passage = self.passages[rule.id]
        is_first = (rule.id, passage.occasion) not in self.begun
        self.begun.add((rule.id, passage.occasion))
        self.entries.append(
            Entry(
                rule_id=rule.id,
                at=at,
                is_escalation=purpose is None,
                held_by=frozenset(met),
                is_goal_reached=self._is_goal_reached(rule, passage.entered_at) if is_first else None,
                is_first=is_first,
            )
        )
        if purpose is None:
            self.lead_until = at + self.replay.lead_open_for
            self.alarms.append(self.lead_until)
            return
        self.contacts.append(
            Contact(
                message_id=UUID(int=len(self.entries)),
                rule_id=rule.id,
                purpose=purpose,
                at=at,
                is_started=True,
            )
        )

    def _is_goal_reached(self, rule: Rule, at: datetime) -> bool | None:
        closes_at = at + rule.goal.within
        if closes_at > self.replay.known_until:
            return None
        return any(at < happened_at < closes_at for happened_at in self.past.events.get(rule.goal.event, ()))

    def _next_moment(self, at: datetime) -> datetime | None:
        moments = [alarm for alarm in self.alarms if alarm > at]
        if self.taken_in < len(self.events):
            moments.append(self.events[self.taken_in][0])
        moments += [moment for moment in self.attribute_moments if moment > at]
        for event, signal in self.signals.items():
            for rank, after in self.replay.crossings_of(event):
                begun = _moment_of(signal, rank)
                if begun is not None and begun + after > at:
                    moments.append(begun + after)
        return min(moments, default=None)


def _moment_of(signal: Signal, rank: int) -> datetime | None:
    if rank == 0:
        return signal.first_at
    if rank == 1:
        return signal.last_at
    return signal.recent[rank - 1] if rank <= len(signal.recent) else None

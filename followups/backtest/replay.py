"""What would these rules have done with one customer, moment by moment?

The moments are exactly those at which an answer can change: an event, a threshold that time crosses, a gate
that opens, a cool-down or a goal's window that ends, a lead that is settled. Between two of them `decide`
would only repeat itself. What it decides becomes a contact and a passage, so that caps, cool-downs and
arbitration act on what follows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from followups.decide import decide
from followups.facts import Consent, Contact, Facts, FollowUp, FollowUpState, LineContact, Signal
from followups.rules.model import Policy, Rule, RuleState
from followups.scenario import STEP, after_decision
from followups.signals import CLICKED, Watch, attribute_key, first_key, fold, merge, nth_key
from followups.times.zones import attribute_moment, zone_of
from followups.verdicts import Decision, Drop, Escalate, NotDue, RuleDecision, Send, Wait

CONTACTS_FOR = timedelta(days=60)
"""How long a message counts for caps and silence, as for real ones."""
LEAD_OPEN_FOR = timedelta(days=1)
MAX_AT_ONCE = 50
"""More steps than that cannot follow one another at one moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One customer and what happened to them.

    Attributes:
        facts: as they are today: attributes, account, language, reachability. Signals, messages, passages
            and conversations in it are not looked at: they begin empty.
        known_from: since when the customer is one.
        events: times by name, in any order.
    """

    facts: Facts
    known_from: datetime
    events: Mapping[str, Sequence[datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message to a customer, or a lead.

    Attributes:
        is_first: the first of this passage, with which the goal is judged; later steps of a scenario are not.
        held_by: the gates that had made this occasion wait before.
        is_goal_reached: the goal's event came within its window anyway; None: the history ends before that.
    """

    rule_id: str
    at: datetime
    is_escalation: bool
    held_by: frozenset[str] = frozenset()
    is_goal_reached: bool | None = None
    is_first: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An occasion on which a rule was due and a gate was closed, told once per gate.

    Attributes:
        at: when the gate was first found closed on this occasion.
        behind: of `arbitration`, the rule that went first.
        is_sent_later: the occasion ended in an entry after all.
    """

    rule_id: str
    gate: str
    at: datetime
    behind: str | None = None
    is_sent_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of one customer. `matched`: the rules whose conditions held at some moment looked at."""

    customer_id: UUID
    moments: int
    entries: tuple[Entry, ...]
    held: tuple[Held, ...]
    matched: frozenset[str]


def reachable(facts: Facts, purposes: Collection[str], *, at: datetime) -> Facts:
    """The same customer, as if linked, a friend and agreed to everything since `at`."""
    return replace(
        facts,
        line=LineContact(line_user_id="U" + "0" * 32, is_friend=True, is_blocked=False),
        consents={purpose: Consent(purpose=purpose, is_granted=True, at=at) for purpose in purposes},
    )


class Replay:
    """The rules, the policy and the span, made ready for many customers."""

    def __init__(
        self,
        rules: Sequence[Rule],
        policy: Policy,
        *,
        start: datetime,
        end: datetime,
        known_until: datetime | None = None,
        lead_open_for: timedelta = LEAD_OPEN_FOR,
    ) -> None:
        """Every rule is decided as if it were live; their order does not matter.

        Args:
            start: the moment the rules are enabled: everybody known then is looked at.
            end: the moment after the last one.
            known_until: up to when events are known, for goals; not given: up to `end`.
            lead_open_for: how long people take to settle a lead.
        """
        self.rules = tuple(
            replace(rule, state=RuleState.LIVE) for rule in sorted(rules, key=lambda rule: rule.id)
        )
        self.policy = policy
        self.start, self.end = start, end
        self.known_until = known_until or end
        self.lead_open_for = lead_open_for
        self.by_id = {rule.id: rule for rule in self.rules}
        self.watches = merge(
            chain(
                (each for rule in self.rules for asked in rule.conditions for each in asked.watches()),
                (Watch(event=rule.goal.event) for rule in self.rules),
                (Watch(event=CLICKED),),
            )
        )
        self._crossings = _crossings(self.rules, self.watches)
        self._attributes = _attribute_spans(self.rules)

    @property
    def names(self) -> frozenset[str]:
        """The events that matter."""
        return frozenset(self.watches)

    @property
    def purposes(self) -> frozenset[str]:
        """The purposes of all messages that may be sent."""
        messages = [message for rule in self.rules for message in rule.messages]
        return frozenset({self.policy.default_purpose, *(m.purpose for m in messages if m.purpose)})

    def of(self, past: Past) -> Replayed:
        """Go through one customer's history."""
        return _Passage(self, past).run()

    def crossings_of(self, event: str) -> Sequence[tuple[int, timedelta]]:
        """The thresholds on one event: (rank, 0 for the earliest; span)."""
        return self._crossings.get(event, ())

    def attribute_moments(self, facts: Facts) -> list[datetime]:
        """The moments at which a date attribute makes a condition change."""
        zone = zone_of(facts.timezone, self.policy.timezone)
        moments = []
        for attribute, after in self._attributes:
            begins = attribute_moment(facts.attributes.get(attribute), zone)
            if begins is not None:
                moments.append(begins + after)
        return sorted(set(moments))


def _crossings(
    rules: Sequence[Rule], watches: Mapping[str, Watch]
) -> dict[str, tuple[tuple[int, timedelta], ...]]:
    """By event: which of its moments (rank; 0: the earliest), after which span, changes some condition."""
    places: dict[str, tuple[str, int]] = {}
    for event, watch in watches.items():
        places[event] = (event, 1)
        places[first_key(event)] = (event, 0)
        places.update({nth_key(event, rank): (event, rank) for rank in watch.ranks})
    found: dict[str, set[tuple[int, timedelta]]] = {}
    for threshold in (each for rule in rules for asked in rule.conditions for each in asked.thresholds()):
        if threshold.key in places:
            event, rank = places[threshold.key]
            found.setdefault(event, set()).add((rank, threshold.after))
    return {event: tuple(sorted(spans)) for event, spans in found.items()}


def _attribute_spans(rules: Sequence[Rule]) -> tuple[tuple[str, timedelta], ...]:
    prefix = attribute_key("")
    spans = {
        (threshold.key.removeprefix(prefix), threshold.after)
        for rule in rules
        for asked in rule.conditions
        for threshold in asked.thresholds()
        if threshold.key.startswith(prefix)
    }
    return tuple(sorted(spans))


class _Passage:
    """One customer's way through the history."""

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

    def run(self) -> Replayed:
        moments = 0
        at: datetime | None = max(self.replay.start, self.past.known_from)
        while at is not None and at < self.replay.end:
            self._take_in(at)
            self._end_passages(at)
            moments += 1
            for _ in range(MAX_AT_ONCE):
                answer = decide(self._facts_at(at), self.replay.rules, self.replay.policy, now=at)
                if not self._follow(answer, at):
                    break
            at = self._next_moment(at)
        for rule_id in sorted(self.occasions):
            self.held += self.occasions[rule_id].values()
        return Replayed(
            customer_id=self.facts.customer_id,
            moments=moments,
            entries=tuple(self.entries),
            held=tuple(self.held),
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

"""What happens now with one customer, for every rule, and why?

The one evaluator: live, shadow, rule tests and `why` all come here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from followups import gates, scenario
from followups.experiments import unit_of, variant_of
from followups.facts import Arm, Facts, FollowUp, FollowUpState
from followups.reviews import REVIEW, Asked, review
from followups.room import Room
from followups.rules.conditions import Check, Text, flip_of
from followups.rules.model import (
    EscalateStep,
    MessageTemplate,
    Policy,
    Rule,
    RuleState,
    SendStep,
    WaitStep,
)
from followups.scenario import STEP, GoalProgress, GoalState, advance, goal_state
from followups.times.zones import is_zone, next_midnight, zone_of
from followups.verdicts import (
    Decision,
    Drop,
    Escalate,
    GateResult,
    NotDue,
    Position,
    RuleDecision,
    Send,
    Verdict,
    Wait,
)
from followups.words.text import missing_value
from followups.words.wording import moment_en, moment_ja

__all__ = [
    "Decision",
    "Drop",
    "Escalate",
    "GateResult",
    "GoalProgress",
    "GoalState",
    "NotDue",
    "RuleDecision",
    "Send",
    "Verdict",
    "Wait",
    "at_their_version",
    "decide",
    "goal_state",
]


_ANY_ROOM = Room()


def decide(
    facts: Facts, rules: Sequence[Rule], policy: Policy, *, now: datetime, room: Room = _ANY_ROOM
) -> Decision:
    """Decide for one customer over all published rules.

    Rules in draft or paused are left out by the caller, who also gives a rule in the version in which this
    customer is in it (`at_their_version`). Order within a rule: conditions, follow-up under way or cooling
    down, gates cheapest first. Then arbitration among the live rules that would send (priority, expected
    value, id): a rule whose own gates are closed takes nobody's turn. Shadow rules are decided as if they
    were alone; escalations go to people and compete with nothing.

    Args:
        room: what is left to give now for all customers together.
    """
    facts = located(facts, policy)
    alone = [_decide_alone(facts, rule, policy, room, now=now) for rule in rules]
    ranked = [
        (rule, decision) for rule, decision in zip(rules, alone, strict=True) if _competes(rule, decision)
    ]
    if len(ranked) > 1:
        ranked.sort(key=lambda pair: _rank(pair[0], room))
        first = next((n for n, (_, each) in enumerate(ranked) if isinstance(each.verdict, Send)), None)
        if first is not None:
            losing = {id(decision) for _, decision in ranked[first + 1 :]}
            winner = ranked[first][0]
            alone = [
                _lost(each, winner, facts, policy, now=now) if id(each) in losing else each for each in alone
            ]
    timezone = facts.timezone or policy.timezone
    return Decision(customer_id=facts.customer_id, at=now, rules=tuple(alone), timezone=timezone)


def at_their_version(
    rules: Sequence[Rule], facts: Facts, rule_at: Callable[[str, int], Rule | None]
) -> Sequence[Rule]:
    """The rules for `decide`: where a customer is on the way through an older version, that one.

    Args:
        rule_at: (rule id, version) → the rule as it was; None: not known any more, then the present one is
            taken.
    """
    older: dict[str, Rule] = {}
    for rule in rules:
        passage = facts.follow_ups.get(rule.id)
        if passage is None or not _is_on_the_way(passage) or passage.rule_version == rule.version:
            continue
        known = rule_at(rule.id, passage.rule_version)
        if known is not None:
            older[rule.id] = replace(known, state=rule.state)
    return [older.get(rule.id, rule) for rule in rules] if older else rules


def _is_on_the_way(passage: FollowUp) -> bool:
    return passage.state is FollowUpState.ACTIVE and passage.step is not None and passage.arm is Arm.TREATED


def _rank(rule: Rule, room: Room) -> tuple[int, float, str]:
    priority, expected = room.worth(rule)
    return -priority, -expected, rule.id


def _competes(rule: Rule, decision: RuleDecision) -> bool:
    """Would it write now, or would it but for being kept as comparison? Both arms take part alike.

    One held out takes nobody's turn.
    """
    if decision.is_shadow:
        return False
    if isinstance(decision.verdict, Send):
        return True
    position = decision.position
    return (
        position is not None
        and position.is_entry
        and position.arm is Arm.HELD_OUT
        and position.step is not None
        and isinstance(scenario.step_in(rule, position.step), SendStep)
    )


def located(facts: Facts, policy: Policy) -> Facts:
    """The same facts, with the policy's time zone where the customer has none that exists."""
    if facts.timezone is not None and is_zone(facts.timezone):
        return facts
    return replace(facts, timezone=policy.timezone)


def _decide_alone(facts: Facts, rule: Rule, policy: Policy, room: Room, *, now: datetime) -> RuleDecision:
    check = rule.when.check(facts, now=now)
    asking = _Asking(facts=facts, rule=rule, policy=policy, room=room, now=now)
    latest = facts.follow_ups.get(rule.id)
    verdict: Verdict | None
    if latest is not None and _is_on_the_way(latest):
        verdict = asking.go_on(latest)
    else:
        verdict = _not_due(facts, rule, check, now=now)
        if verdict is None:
            verdict = asking.enter(latest)
    return RuleDecision(
        rule_id=rule.id,
        rule_version=rule.version,
        is_shadow=rule.state in {RuleState.SHADOW, RuleState.DRAFT},
        verdict=verdict,
        check=check,
        gates=tuple(asking.asked),
        rule_name=rule.name,
        position=asking.position,
        to_review=asking.to_review,
    )


def _not_due(facts: Facts, rule: Rule, check: Check, *, now: datetime) -> NotDue | None:
    """Why the rule has nothing to say; None: it has."""
    under_way, free_at = _cooling(facts.follow_ups.get(rule.id), rule, facts, now=now)
    if not check.holds:
        flips_at = flip_of(rule.when, facts, check)
        if under_way is not None:  # both must change
            flips_at = max(flips_at, free_at) if flips_at is not None and free_at is not None else None
        return NotDue(because=check.because, flips_at=flips_at)
    if under_way is not None:
        return NotDue(because=under_way, flips_at=free_at)
    return None


def _cooling(
    latest: FollowUp | None, rule: Rule, facts: Facts, *, now: datetime
) -> tuple[Text | None, datetime | None]:
    """(what the latest passage stands against, when time alone ends that)."""
    if latest is None:
        return None, None
    if latest.state is FollowUpState.ACTIVE:
        return Text(ja="この規則の対応が進行中", en="a follow-up of this rule is under way"), None
    if rule.again_after is None:
        return Text(ja="この規則は一度きりで、もう終わっている", en="this rule runs once, and has run"), None
    free_at = latest.entered_at + rule.again_after
    if now >= free_at:
        return None, None
    zone = zone_of(facts.timezone)

    def said() -> Text:
        return Text(
            ja=f"前回から間もない（次は {moment_ja(free_at, zone)} 以降）",
            en=f"ran recently (again from {moment_en(free_at, zone)})",
        )

    return Text.later(said), free_at


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One rule asked about one customer for whom it is due, or who is on the way through it."""

    facts: Facts
    rule: Rule
    policy: Policy
    room: Room
    now: datetime
    asked: list[GateResult] = field(default_factory=list)
    position: Position | None = None
    to_review: Asked | None = None

    def enter(self, latest: FollowUp | None) -> Verdict:
        """The first step: whoever gets through its gates enters, treated or held out."""
        unit = unit_of(self.facts)
        keys = self.rule.variants
        passage = FollowUp(
            rule_id=self.rule.id,
            rule_version=self.rule.version,
            occasion=latest.occasion + 1 if latest is not None else 1,
            state=FollowUpState.ACTIVE,
            entered_at=self.now,
            variant=variant_of(self.rule.id, unit, keys) if keys else None,
            unit=unit,
            step=scenario.FIRST,
            step_at=self.now,
        )
        verdict = self._act(passage, is_entry=True)
        match verdict:
            case Wait(gate=gate) if gate != STEP:
                self.position = None
            case Drop(gate=gate):
                if gate != "holdout":
                    self.position = None
                elif self.position is not None:  # nothing is done with them: there is no next step
                    self.position = replace(
                        self.position, arm=Arm.HELD_OUT, next=None, next_at=self.now, ended=None
                    )
            case _:
                pass
        return verdict

    def go_on(self, passage: FollowUp) -> Verdict:
        """What comes next in a passage that has steps left, or what ends it."""
        leaving = scenario.exit_of(self.rule, passage, self.facts, self.policy, now=self.now)
        if leaving is not None:
            self._stand(passage, passage.step, is_entry=False, at=passage.step_at, ended=leaving.gate)
            return Drop(gate=leaving.gate, because=leaving.because)
        return self._act(passage, is_entry=False)

    def _act(self, passage: FollowUp, *, is_entry: bool) -> Verdict:
        reached = advance(self.rule, passage, self.facts, now=self.now)
        path, step = reached.path, reached.step
        self._stand(passage, path, is_entry=is_entry, at=reached.at, asked=reached.asked)
        match step:
            case None:
                if is_entry:
                    self.position = None
                return NotDue(because=_NOTHING_LEFT)
            case WaitStep():
                assert reached.because is not None
                passed: Verdict = Wait(gate=STEP, because=reached.because, until=reached.until)
                results: Iterator[GateResult] = iter(self._holdout() if is_entry else ())
            case SendStep():
                message = step.wording(passage.variant)
                purpose = message.purpose or self.policy.default_purpose
                passed = Send(message=message, purpose=purpose)
                results = self._send_gates(message, path or scenario.FIRST, is_entry=is_entry)
            case EscalateStep():
                lead = gates.open_lead(self.facts)
                if not lead.passes and not is_entry and path is not None:  # people have them: go on
                    self.asked.append(lead)
                    following = scenario.after(self.rule, path)
                    return self._act(replace(passage, step=following, step_at=self.now), is_entry=False)
                passed = Escalate(reason=step.reason)
                results = iter((lead, *(self._holdout() if is_entry else ())))
            case _:
                assert_never(step)
        for result in results:
            self.asked.append(result)
            if not result.passes:
                if not result.is_final:
                    return Wait(gate=result.gate, because=result.because, until=result.until)
                if self.position is not None and not is_entry:
                    self.position = replace(self.position, ended=result.gate)
                return Drop(gate=result.gate, because=result.because)
        if self.position is not None and path is not None and not isinstance(step, WaitStep):
            following = scenario.after(self.rule, path)
            self.position = replace(self.position, next=following, next_at=self.now)
        return passed

    def _stand(
        self,
        passage: FollowUp,
        path: str | None,
        *,
        is_entry: bool,
        at: datetime | None,
        ended: str | None = None,
        asked: tuple[tuple[str, Check], ...] = (),
    ) -> None:
        self.position = Position(
            is_entry=is_entry,
            entered_at=passage.entered_at,
            step=path,
            at=at or passage.entered_at,
            next=path,
            next_at=at or passage.entered_at,
            arm=passage.arm,
            variant=passage.variant,
            unit=passage.unit,
            ended=ended,
            asked=asked,
            past=scenario.past_of(self.rule, path),
        )

    def _send_gates(self, message: MessageTemplate, path: str, *, is_entry: bool) -> Iterator[GateResult]:
        """Room and holdout come last, so that treated and held out are counted at the same point."""
        yield from send_gates(self.facts, self.rule, self.policy, message, now=self.now)
        if self.rule.approval == REVIEW:
            approved, self.to_review = review(self.facts, self.rule, message, step=path)
            yield approved
        if is_entry:
            own = gates.room_of_rule(self.rule, self.room)
            if own is not None:
                yield own
        if self.room.quota_left is not None:
            yield gates.quota(self.rule, self.room)
        if is_entry:
            yield from self._holdout()

    def _holdout(self) -> Iterator[GateResult]:
        yield gates.holdout(self.facts, self.rule, self.policy)


_NOTHING_LEFT = Text(ja="手順はすべて済んでいる", en="all steps are done")


def send_gates(
    facts: Facts, rule: Rule, policy: Policy, message: MessageTemplate, *, now: datetime
) -> Iterator[GateResult]:
    """What every message to a customer has to pass, cheapest first."""
    purpose = message.purpose or policy.default_purpose
    yield gates.not_linked(facts)
    yield gates.blocked(facts)
    yield gates.consent(facts, purpose)
    yield gates.preferences(facts, policy, purpose, now=now)
    yield gates.conversation(facts, rule)
    yield gates.quiet_hours(facts, policy, now=now)
    yield gates.caps(facts, policy, now=now)
    yield gates.silence(facts, policy, purpose, now=now)
    missing = missing_value(message, facts)
    if missing is not None:
        yield GateResult(gate="missing_value", passes=False, because=missing.because)


def _lost(
    decision: RuleDecision, winner: Rule, facts: Facts, policy: Policy, *, now: datetime
) -> RuleDecision:
    """The decision of a rule that would have sent, had another not come first.

    It may when the caps, with the winner's message counted, open again; without caps at the next midnight.
    """
    counted = gates.count_one_more(facts, winner.id, now=now)
    result = gates.caps(counted, policy, now=now)
    zone = zone_of(facts.timezone, policy.timezone)
    until = next_midnight(now, zone) if result.passes else result.until
    because = Text(
        ja=f"今回は「{winner.name}」（{winner.id}、優先度 {winner.priority}）を優先",
        en=f"“{winner.name}” ({winner.id}, priority {winner.priority}) goes first",
    )
    gate = GateResult(gate="arbitration", passes=False, because=because, until=until)
    verdict = Wait(gate="arbitration", because=because, until=until)
    position = decision.position
    if position is not None:  # whoever would have entered does not; others stay where they are
        position = None if position.is_entry else replace(position, next=position.step, next_at=position.at)
    return replace(decision, verdict=verdict, gates=(*decision.gates, gate), position=position)

"""What happens now with one customer, for every rule, and why?

The one evaluator: live, shadow, rule tests and `why` all come here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from followups import gates
from followups.facts import Facts, FollowUp, FollowUpState
from followups.rules.conditions import Check, Text, flip_of
from followups.rules.model import EscalateStep, Policy, Rule, RuleState, SendStep
from followups.text import missing_value
from followups.verdicts import (
    Cancel,
    Decision,
    Drop,
    Escalate,
    GateResult,
    Go,
    Hold,
    NotDue,
    Recheck,
    RuleDecision,
    Send,
    Verdict,
    Wait,
)
from followups.wording import moment_en, moment_ja
from followups.zones import is_zone, next_midnight, zone_of

__all__ = [
    "Cancel",
    "Decision",
    "Drop",
    "Escalate",
    "GateResult",
    "Go",
    "GoalProgress",
    "GoalState",
    "Hold",
    "NotDue",
    "Recheck",
    "RuleDecision",
    "Send",
    "Verdict",
    "Wait",
    "decide",
    "goal_state",
    "recheck",
]


def decide(facts: Facts, rules: Sequence[Rule], policy: Policy, *, now: datetime) -> Decision:
    """Decide for one customer over all published rules.

    Rules in draft or paused are left out by the caller. Order within a rule: conditions, follow-up under
    way or cooling down, gates cheapest first. Then arbitration among the live rules that would send
    (priority, then id): a rule whose own gates are closed takes nobody's turn. Shadow rules are decided as
    if they were alone; escalations go to people and compete with nothing.
    """
    facts = _located(facts, policy)
    alone = [_decide_alone(facts, rule, policy, now=now) for rule in rules]
    ranked = sorted(
        (
            (rule, decision)
            for rule, decision in zip(rules, alone, strict=True)
            if isinstance(decision.verdict, Send) and not decision.is_shadow
        ),
        key=lambda pair: (-pair[0].priority, pair[0].id),
    )
    if ranked:
        winner = ranked[0][0]
        losing = {id(decision) for _, decision in ranked[1:]}
        alone = [
            _lost(each, winner, facts, policy, now=now) if id(each) in losing else each for each in alone
        ]
    timezone = facts.timezone or policy.timezone
    return Decision(customer_id=facts.customer_id, at=now, rules=tuple(alone), timezone=timezone)


def _located(facts: Facts, policy: Policy) -> Facts:
    """The same facts, with the policy's time zone where the customer has none that exists."""
    if facts.timezone is not None and is_zone(facts.timezone):
        return facts
    return replace(facts, timezone=policy.timezone)


def _decide_alone(facts: Facts, rule: Rule, policy: Policy, *, now: datetime) -> RuleDecision:
    check = rule.when.check(facts, now=now)
    asked: list[GateResult] = []
    verdict: Verdict = _not_due(facts, rule, check, now=now) or _through_gates(
        facts, rule, policy, asked, now=now
    )
    return RuleDecision(
        rule_id=rule.id,
        rule_version=rule.version,
        is_shadow=rule.state in {RuleState.SHADOW, RuleState.DRAFT},
        verdict=verdict,
        check=check,
        gates=tuple(asked),
        rule_name=rule.name,
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


def _send_gates(
    facts: Facts, rule: Rule, policy: Policy, step: SendStep, *, now: datetime
) -> Iterator[GateResult]:
    """Cheapest first; holdout last, so that treated and held out are counted at the same point."""
    purpose = step.message.purpose or policy.default_purpose
    yield gates.not_linked(facts)
    yield gates.blocked(facts)
    yield gates.consent(facts, purpose)
    yield gates.conversation(facts, rule)
    yield gates.quiet_hours(facts, policy, now=now)
    yield gates.caps(facts, policy, now=now)
    yield gates.silence(facts, policy, purpose, now=now)
    missing = missing_value(step.message, facts)
    if missing is not None:
        yield GateResult(gate="missing_value", passes=False, because=missing.because)
    yield gates.holdout(facts, rule, policy)


def _through_gates(
    facts: Facts, rule: Rule, policy: Policy, asked: list[GateResult], *, now: datetime
) -> Verdict:
    step = rule.steps[0]
    match step:
        case SendStep():
            results = _send_gates(facts, rule, policy, step, now=now)
            passed: Verdict = Send(
                message=step.message, purpose=step.message.purpose or policy.default_purpose
            )
        case EscalateStep():
            results = iter((gates.open_lead(facts), gates.holdout(facts, rule, policy)))
            passed = Escalate(reason=step.reason)
        case _:
            assert_never(step)
    for result in results:
        asked.append(result)
        if not result.passes:
            if result.is_final:
                return Drop(gate=result.gate, because=result.because)
            return Wait(gate=result.gate, because=result.because, until=result.until)
    return passed


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
    return replace(decision, verdict=verdict, gates=(*decision.gates, gate))


def recheck(facts: Facts, rule: Rule, policy: Policy, *, message_id: UUID, now: datetime) -> Recheck:
    """Ask again just before a promised message is handed to LINE.

    The conditions must still hold and every gate is asked of the present. The message itself is not
    counted, and of the others only those whose sending has begun: two promised messages must not wait for
    each other.
    """
    started = tuple(c for c in facts.contacts if c.message_id != message_id and c.is_started)
    facts = replace(_located(facts, policy), contacts=started)
    if rule.state is RuleState.PAUSED:
        return Hold(gate="paused", because=Text(ja="この規則は一時停止中", en="this rule is paused"))
    if rule.state in {RuleState.SHADOW, RuleState.DRAFT}:
        return Cancel(
            gate="shadow", because=Text(ja="この規則は送信しない状態", en="this rule does not send")
        )
    step = rule.steps[0]
    if not isinstance(step, SendStep):
        return Cancel(
            gate="superseded", because=Text(ja="この規則は送信しなくなった", en="this rule no longer writes")
        )
    check = rule.when.check(facts, now=now)
    if not check.holds:
        return Cancel(gate="superseded", because=check.because)
    for result in _send_gates(facts, rule, policy, step, now=now):
        if result.passes:
            continue
        if result.is_final or result.gate in _CANCELLING:
            return Cancel(gate=result.gate, because=result.because)
        return Hold(gate=result.gate, because=result.because, until=result.until)
    return Go()


_CANCELLING = frozenset({"not_linked", "blocked", "consent", "silence", "missing_value"})
"""Gates that end a promised message when closed, also where an unwritten one would wait for them."""


class GoalState(StrEnum):
    """What became of a follow-up's goal."""

    REACHED = "reached"
    OPEN = "open"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """Where a goal stands.

    Attributes:
        reached_at: the earliest known moment inside the window at which it was reached.
        closes_at: the end of the window, itself outside.
    """

    state: GoalState
    closes_at: datetime
    reached_at: datetime | None = None


def goal_state(follow_up: FollowUp, facts: Facts, rule: Rule, *, now: datetime) -> GoalProgress:
    """Has the goal's event happened from `entered_at` on and before `entered_at + goal.within`?

    Late events count by their own time. When only events after the window are known in full (the recent
    times do not reach back), the goal is taken as missed.
    """
    closes_at = follow_up.entered_at + rule.goal.within
    signal = facts.signals.get(rule.goal.event)
    known = (signal.first_at, signal.last_at, *signal.recent) if signal is not None and signal.count else ()
    inside = [at for at in known if follow_up.entered_at <= at < closes_at]
    if inside:
        return GoalProgress(state=GoalState.REACHED, closes_at=closes_at, reached_at=min(inside))
    state = GoalState.OPEN if now < closes_at else GoalState.MISSED
    return GoalProgress(state=state, closes_at=closes_at)

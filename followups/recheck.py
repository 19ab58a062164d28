"""May a message that was promised still be handed to LINE?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from followups import gates, scenario
from followups.decide import located, send_gates
from followups.facts import Facts, FollowUp, FollowUpState
from followups.rules.conditions import Text
from followups.rules.model import Policy, Rule, RuleState, SendStep
from followups.verdicts import Cancel, Go, Hold, Recheck


def recheck(
    facts: Facts,
    rule: Rule,
    policy: Policy,
    *,
    message_id: UUID,
    now: datetime,
    step: str | None = None,
    occasion: int | None = None,
    is_later: bool = False,
) -> Recheck:
    """Ask again just before a promised message is handed to LINE.

    The conditions must still hold (of a later step: the passage must still go on) and every gate is asked of
    the present. The message itself is not counted, and of the others only those whose sending has begun: two
    promised messages must not wait for each other. Quota, canary and approval were settled when it was
    promised; so was who is held out, where the passage is known.

    Args:
        rule: as it was when the message was promised.
        step: the path of the step it belongs to; None: the first.
        occasion: of the passage it belongs to.
        is_later: it is not the message with which they entered.
    """
    started = tuple(c for c in facts.contacts if c.message_id != message_id and c.is_started)
    facts = replace(located(facts, policy), contacts=started)
    if rule.state is RuleState.PAUSED:
        return Hold(gate="paused", because=Text(ja="この規則は一時停止中", en="this rule is paused"))
    if rule.state in {RuleState.SHADOW, RuleState.DRAFT}:
        return Cancel(
            gate="shadow", because=Text(ja="この規則は送信しない状態", en="this rule does not send")
        )
    passage = facts.follow_ups.get(rule.id)
    if passage is not None and occasion is not None and passage.occasion != occasion:
        passage = None
    sends = scenario.step_in(rule, step or scenario.FIRST)
    if not isinstance(sends, SendStep):
        return Cancel(
            gate="superseded", because=Text(ja="この規則は送信しなくなった", en="this rule no longer writes")
        )
    gone = _gone(facts, rule, policy, passage, is_later=is_later, now=now)
    if gone is not None:
        return gone
    message = sends.wording(passage.variant if passage is not None else None)
    results = [send_gates(facts, rule, policy, message, now=now)]
    if passage is None:
        results.append(iter((gates.holdout(facts, rule, policy),)))
    for result in (each for some in results for each in some):
        if result.passes:
            continue
        if result.is_final or result.gate in _CANCELLING:
            return Cancel(gate=result.gate, because=result.because)
        return Hold(gate=result.gate, because=result.because, until=result.until)
    return Go()


def _gone(
    facts: Facts,
    rule: Rule,
    policy: Policy,
    passage: FollowUp | None,
    *,
    is_later: bool,
    now: datetime,
) -> Cancel | None:
    """Why there is no reason to write any more; None: there is."""
    is_reached = passage is not None and passage.ended_because == scenario.GOAL
    if not is_later and not is_reached:
        check = rule.when.check(facts, now=now)
        return None if check.holds else Cancel(gate="superseded", because=check.because)
    if passage is None:
        return Cancel(
            gate="superseded", because=Text(ja="この対応はもう終わっている", en="this follow-up is over")
        )
    if passage.state is FollowUpState.ENDED:
        leaving: scenario.Exit | None = scenario.ended_exit(passage.ended_because)
    else:
        leaving = scenario.exit_of(rule, passage, facts, policy, now=now)
    return Cancel(gate="superseded", because=leaving.because) if leaving is not None else None


_CANCELLING = frozenset({"not_linked", "blocked", "consent", "silence", "missing_value"})
"""Gates that end a promised message when closed, also where an unwritten one would wait for them."""

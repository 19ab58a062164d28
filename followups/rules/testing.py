"""Do the rules decide what their tests say they must?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from followups.decide import Drop, Escalate, NotDue, RuleDecision, Send, Wait, decide
from followups.facts import (
    Consent,
    Contact,
    Conversation,
    Facts,
    FollowUp,
    FollowUpState,
    LineContact,
    Signal,
)
from followups.rules.conditions import Check, Text
from followups.rules.model import Policy, Rule, RuleState, SendStep
from followups.rules.parsing import RuleSet, RuleSource, RuleTests
from followups.rules.yaml.problems import Problem
from followups.rules.yaml.tests import Case, Customer, Expectation, Moment
from followups.signals import fold_all, merge
from followups.zones import zone_of

_CUSTOMER = UUID(int=1)
_LONG_AGO = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of all tests.

    Attributes:
        moments: how many moments were asked about.
        rules: how many rules were tested.
        failures: what was decided otherwise, what no test covers; each at its file, line and column.
    """

    rules: int
    moments: int
    failures: tuple[Problem, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Nothing failed."""
        return not self.failures


def run_rule_tests(rule_set: RuleSet, policy: Policy) -> Report:
    """Run every rule's tests through `decide`, alone, as if live, and without any holdout.

    Every single condition must be seen to hold and not to hold, and every rule needs tests.
    """
    moments = 0
    failures: list[Problem] = []
    for source in rule_set.sources:
        tests = rule_set.tests.get(source.rule.id)
        if tests is None:
            name = f"{source.rule.id}.test.yaml"
            ja, en = f"テストがありません（{name} を書いてください）", f"has no tests (write {name})"
            failures.append(Problem(source.path, 1, 1, ja, en))
            continue
        seen: list[set[bool]] = [set() for _ in source.leaves]
        for case in tests.cases:
            for expected in case.moments:
                moments += 1
                failures += _run(source.rule, tests, case, expected, policy, seen=seen)
        failures += _uncovered(source, seen)
    return Report(rules=len(rule_set.sources), moments=moments, failures=tuple(failures))


def _run(
    rule: Rule, tests: RuleTests, case: Case, expected: Expectation, policy: Policy, *, seen: list[set[bool]]
) -> list[Problem]:
    zone = zone_of(case.customer.timezone, policy.timezone)
    now = expected.at.on(tests.start, zone)
    facts = facts_of(case, rule, policy, start=tests.start, zone=zone, now=now)
    tested = replace(rule, state=RuleState.LIVE, holdout=None)
    decision = decide(facts, [tested], replace(policy, holdout=None), now=now).rules[0]
    for leaf, holds in zip(seen, (check.holds for check in _leaves(decision.check)), strict=True):
        leaf.add(holds)
    outcome, gate, because = _outcome(decision)
    wrong = _wrong(decision, expected, outcome, gate, because)
    if wrong is None:
        return []
    ja = f"{case.name}: {wrong.ja}（実際は {outcome}: {because.ja}）"
    en = f"{case.name}: {wrong.en} (it was {outcome}: {because.en})"
    return [Problem(tests.path, expected.spot.line, expected.spot.column, ja, en)]


def _wrong(
    decision: RuleDecision, expected: Expectation, outcome: str, gate: str | None, because: Text
) -> Text | None:
    if outcome != expected.expect:
        return Text(ja=f"{expected.expect} のはず", en=f"expected {expected.expect}")
    if expected.gate is not None and gate != expected.gate:
        return Text(
            ja=f"ゲートは {expected.gate} のはずが {gate or 'なし'}",
            en=f"expected the gate {expected.gate}, not {gate or 'none'}",
        )
    if expected.because is not None and not any(
        expected.because in said for said in (because.ja, because.en)
    ):
        return Text(
            ja=f"理由に「{expected.because}」があるはず", en=f"expected “{expected.because}” in the reason"
        )
    sent = decision.verdict.message.name if isinstance(decision.verdict, Send) else None
    if expected.message is not None and sent != expected.message:
        return Text(
            ja=f"メッセージは {expected.message} のはずが {sent or 'なし'}",
            en=f"expected the message {expected.message}, not {sent or 'none'}",
        )
    return None


def _outcome(decision: RuleDecision) -> tuple[str, str | None, Text]:
    match decision.verdict:
        case Send(message=message):
            return "send", None, Text(ja=message.name, en=message.name)
        case Escalate(reason=reason):
            return "escalate", None, Text(ja=reason, en=reason)
        case Wait(gate=gate, because=because):
            return "wait", gate, because
        case Drop(gate=gate, because=because):
            return "drop", gate, because
        case NotDue(because=because):
            return "not_due", None, because


def _leaves(check: Check) -> Iterator[Check]:
    if not check.kind:
        yield check
    for part in check.parts:
        yield from _leaves(part)


def _uncovered(source: RuleSource, seen: list[set[bool]]) -> list[Problem]:
    beside = f"{source.rule.id}.test.yaml"
    failures = []
    for spot, values in zip(source.leaves, seen, strict=True):
        for value, ja, en in ((True, "成立する", "hold"), (False, "成立しない", "fail to hold")):
            if value not in values:
                said_ja = f"この条件が{ja}場合のテストがありません（{beside} に足してください）"
                said_en = f"no test sees this condition {en} (add one to {beside})"
                failures.append(Problem(source.path, spot.line, spot.column, said_ja, said_en))
    return failures


def _contact(customer: Customer) -> LineContact | None:
    if not customer.is_linked:
        return None
    blocked = customer.is_blocked
    return LineContact(line_user_id="U" + "0" * 32, is_friend=not blocked, is_blocked=blocked)


def facts_of(
    case: Case, rule: Rule, policy: Policy, *, start: datetime, zone: ZoneInfo, now: datetime
) -> Facts:
    """What is known of a test's customer at a moment: of its events, those that have happened."""

    def past(moments: tuple[Moment, ...]) -> list[datetime]:
        return [at for at in (moment.on(start, zone) for moment in moments) if at <= now]

    watches = merge(rule.when.watches())
    signals: dict[str, Signal] = {}
    for event, moments in case.events.items():
        depth = watches[event].depth if event in watches else 0
        signal = fold_all(event, past(moments), depth=depth)
        if signal is not None:
            signals[event] = signal
    step = rule.steps[0]
    purpose = (step.message.purpose if isinstance(step, SendStep) else None) or policy.default_purpose
    customer = case.customer
    answers = {purpose: True} if customer.consents is None else customer.consents
    passage = case.follow_up
    follow_ups = {}
    if passage is not None:
        follow_ups[rule.id] = FollowUp(
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=1,
            state=FollowUpState.ACTIVE if passage.is_active else FollowUpState.ENDED,
            entered_at=passage.entered.on(start, zone),
        )
    return Facts(
        customer_id=_CUSTOMER,
        external_id="test",
        attributes=customer.attributes,
        timezone=customer.timezone,
        language=customer.language,
        signals=signals,
        line=_contact(customer),
        consents={
            each: Consent(purpose=each, is_granted=answer, at=now - _LONG_AGO)
            for each, answer in answers.items()
        },
        contacts=tuple(
            Contact(message_id=UUID(int=number), rule_id=None, purpose=purpose, at=at, is_started=True)
            for number, at in enumerate(past(case.sent), start=2)
        ),
        follow_ups=follow_ups,
        conversation=Conversation(is_open=True, revision=1, is_unanswered=True)
        if customer.is_talking
        else None,
        has_open_lead=customer.has_lead,
    )

"""Do the rules decide what their tests say they must?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from followups.decide import decide
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
from followups.rules.model import IfStep, Policy, Rule, RuleState, WaitStep
from followups.rules.parsing import RuleSet, RuleSource, RuleTests
from followups.rules.yaml.problems import Problem
from followups.rules.yaml.tests import Case, Customer, Expectation, Moment
from followups.rules.yaml.tree import Spot
from followups.scenario import after_decision
from followups.signals import Watch, fold_all, has_properties, merge
from followups.times.zones import zone_of
from followups.verdicts import Drop, Escalate, NotDue, RuleDecision, Send, Wait

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
        seen = _Seen(source)
        for case in tests.cases:
            moments += len(case.moments)
            failures += _Story(source.rule, tests, case, policy, seen).run()
        failures += seen.uncovered()
    return Report(rules=len(rule_set.sources), moments=moments, failures=tuple(failures))


class _Seen:
    """Which conditions were seen to hold, and which not to."""

    def __init__(self, source: RuleSource) -> None:
        self._source = source
        self._when: list[set[bool]] = [set() for _ in source.leaves]
        self._steps = {path: [set[bool]() for _ in spots] for path, spots in source.step_leaves.items()}

    def note(self, decision: RuleDecision) -> None:
        """What one decision saw."""
        _note(self._when, decision.check)
        if decision.position is not None:
            for path, check in decision.position.asked:
                _note(self._steps[path], check)

    def uncovered(self) -> list[Problem]:
        """What no test saw."""
        failures = _uncovered(self._source, self._source.leaves, self._when)
        for path, spots in self._source.step_leaves.items():
            failures += _uncovered(self._source, spots, self._steps[path])
        return failures


def _note(seen: list[set[bool]], check: Check) -> None:
    for leaf, holds in zip(seen, (each.holds for each in _leaves(check)), strict=True):
        leaf.add(holds)


class _Story:
    """One case: its moments in the order of time.

    Each moment of a rule of one step stands for itself. Through several steps the moments are one story:
    what was decided has happened, also when a wait ended in between.
    """

    def __init__(self, rule: Rule, tests: RuleTests, case: Case, policy: Policy, seen: _Seen) -> None:
        self._rule = replace(rule, state=RuleState.LIVE, holdout=None, approval="auto")
        self._policy = replace(policy, holdout=None)
        self._tests, self._case, self._seen = tests, case, seen
        self._zone = zone_of(case.customer.timezone, policy.timezone)
        self._is_one = len(rule.steps) > 1 or isinstance(rule.steps[0], WaitStep | IfStep)
        self._passage = self._begun() if self._is_one else None
        self._sent: list[Contact] = []
        self._next: datetime | None = None

    def run(self) -> list[Problem]:
        failures: list[Problem] = []
        asked = [(each.at.on(self._tests.start, self._zone), each) for each in self._case.moments]
        for now, expected in sorted(asked, key=lambda pair: pair[0]) if self._is_one else asked:
            while self._is_one and self._next is not None and self._next < now:
                self._happen(self._decide(self._next), self._next)
            decision = self._decide(now)
            failures += self._judge(decision, expected)
            if self._is_one:
                self._happen(decision, now)
        return failures

    def _begun(self) -> FollowUp | None:
        start = Moment().on(self._tests.start, self._zone)
        facts = facts_of(
            self._case, self._rule, self._policy, start=self._tests.start, zone=self._zone, now=start
        )
        return facts.follow_ups.get(self._rule.id)

    def _decide(self, now: datetime) -> RuleDecision:
        facts = facts_of(
            self._case, self._rule, self._policy, start=self._tests.start, zone=self._zone, now=now
        )
        if self._passage is not None:
            facts = replace(
                facts,
                follow_ups={self._rule.id: self._passage},
                contacts=(*facts.contacts, *self._sent),
            )
        decision = decide(facts, [self._rule], self._policy, now=now).rules[0]
        self._seen.note(decision)
        return decision

    def _happen(self, decision: RuleDecision, now: datetime) -> None:
        """What is decided takes place, with what follows at the same moment."""
        before, self._next = self._next, None
        for _ in range(MAX_AT_ONCE):
            self._take(decision, now)
            has_acted = isinstance(decision.verdict, Send | Escalate)
            if not has_acted or decision.position is None or decision.position.next is None:
                break
            decision = self._decide(now)
        if isinstance(decision.verdict, Wait) and self._passage is not None:
            until = decision.verdict.until
            self._next = until if until is not None and until > now and until != before else None

    def _take(self, decision: RuleDecision, now: datetime) -> None:
        position = decision.position
        if position is None:
            return
        self._passage = after_decision(self._passage, self._rule, position, now=now)
        if isinstance(decision.verdict, Send):
            purpose = decision.verdict.purpose
            number = UUID(int=1000 + len(self._sent))
            self._sent.append(
                Contact(message_id=number, rule_id=self._rule.id, purpose=purpose, at=now, is_started=True)
            )

    def _judge(self, decision: RuleDecision, expected: Expectation) -> list[Problem]:
        outcome, gate, because = _outcome(decision)
        wrong = _wrong(decision, expected, outcome, gate, because)
        if wrong is None:
            return []
        at = expected.spot
        ja = f"{self._case.name}: {wrong.ja}（実際は {outcome}: {because.ja}）"
        en = f"{self._case.name}: {wrong.en} (it was {outcome}: {because.en})"
        return [Problem(self._tests.path, at.line, at.column, ja, en)]


MAX_AT_ONCE = 50
"""More steps than that cannot follow one another at one moment."""


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
            is_over = decision.position is not None and decision.position.ended is not None
            return "ended" if is_over else "drop", gate, because
        case NotDue(because=because):
            return "not_due", None, because


def _leaves(check: Check) -> Iterator[Check]:
    if not check.kind:
        yield check
    for part in check.parts:
        yield from _leaves(part)


def _uncovered(source: RuleSource, spots: Sequence[Spot], seen: list[set[bool]]) -> list[Problem]:
    beside = f"{source.rule.id}.test.yaml"
    failures = []
    for spot, values in zip(spots, seen, strict=True):
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


def _signals_of(
    case: Case, rule: Rule, *, start: datetime, zone: ZoneInfo, now: datetime
) -> dict[str, Signal]:
    """The test's events folded by name, and as the filtered ones that the rule asks for."""
    watches = merge(watch for condition in rule.conditions for watch in condition.watches())
    asked = [*(Watch(event=event) for event in case.events if event not in watches), *watches.values()]
    signals: dict[str, Signal] = {}
    for watch in asked:
        times = [
            at
            for each in case.events.get(watch.source, ())
            if has_properties(each.properties, watch.where) and (at := each.at.on(start, zone)) <= now
        ]
        signal = fold_all(watch.event, times, depth=watch.depth)
        if signal is not None:
            signals[watch.event] = signal
    return signals


def facts_of(
    case: Case, rule: Rule, policy: Policy, *, start: datetime, zone: ZoneInfo, now: datetime
) -> Facts:
    """What is known of a test's customer at a moment: of its events, those that have happened."""

    def past(moments: tuple[Moment, ...]) -> list[datetime]:
        return [at for at in (moment.on(start, zone) for moment in moments) if at <= now]

    signals = _signals_of(case, rule, start=start, zone=zone, now=now)
    purposes = {message.purpose or policy.default_purpose for message in rule.messages}
    purpose = next(iter(sorted(purposes)), policy.default_purpose)
    customer = case.customer
    answers = dict.fromkeys(purposes | {purpose}, True) if customer.consents is None else customer.consents
    passage = case.follow_up
    follow_ups = {}
    if passage is not None:
        follow_ups[rule.id] = FollowUp(
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=1,
            state=FollowUpState.ACTIVE if passage.is_active else FollowUpState.ENDED,
            entered_at=passage.entered.on(start, zone),
            step=passage.step,
            step_at=passage.entered.on(start, zone),
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
        rhythms=case.rhythms,
    )

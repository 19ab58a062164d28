"""Whom would a rule reach if it were enabled now, with which words, and what would keep it from whom?

Nothing is written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.intake.named_rules import rule_named
from db.deciding.expected import expected_values
from db.deciding.facts import load_facts
from db.deciding.quota import last_reading, month_of, quota_left
from db.intake.histories import times_of, unkept
from db.rulebook.reach import Reach, counted_since, reach
from db.rulebook.rules import RuleBook, current_rulebook, watched
from followups.decide import at_their_version, decide
from followups.experiments import unit_of, variant_of
from followups.facts import Facts
from followups.room import Room
from followups.rules.conditions import Text
from followups.rules.model import EscalateStep, MessageTemplate, Policy, Rule, RuleState, SendStep, every_step
from followups.signals import Watch, fold_all
from followups.times.zones import month_begins, zone_of
from followups.verdicts import Drop, Escalate, NotDue, RuleDecision, Send, Wait
from followups.words.gates import UNDER_WAY, gate_said
from followups.words.text import MAX_TEXT, MissingValue, render_message, utf16_length
from followups.words.wording import moment_en, moment_ja

__all__ = ["UNDER_WAY", "Preview", "Sample", "gate_said", "preview", "told"]

CUSTOMERS_AT_ONCE = 1000
SAMPLES = 5
MOST_DECIDED = 1000
"""Enough for shares within about three points of the truth (95 %); more are counted by SQL alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One customer and what they would read.

    Attributes:
        said: the message in their language; what is missing for it; or the reason of a lead.
        length: of the message in UTF-16 units, as LINE counts; None: there is no message.
        withheld: why nothing goes out now; None: it would.
    """

    customer: str
    said: Text
    length: int | None
    withheld: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What enabling a rule now would do.

    Attributes:
        looked_at: customers whom SQL could not rule out.
        decided: how many of those were decided about; where that is less, `sends`, `escalations` and
            `withheld` are scaled from them, and so is `matched` unless `is_exact`.
        matched: customers for whom the conditions hold now.
        sends: messages that would go out now; `escalations`: leads that would be opened now.
        withheld: by gate (and `under_way`): how many matched customers it keeps from it, most first.
        is_history_read: what the rule looks at is not kept yet, so events were read.
        sent_this_month: messages LINE has counted since the month began in Japan.
        quota: messages a month that the plan holds, or LINE takes; None: neither the policy nor LINE says.
            `yen_per_extra` by the policy.
        left: what rules may send this month without touching people's part; None: no limit is known.
    """

    rule: Rule
    at: datetime
    timezone: str
    looked_at: int
    decided: int
    is_exact: bool
    matched: int
    sends: int
    escalations: int
    withheld: Mapping[str, int]
    samples: tuple[Sample, ...]
    is_history_read: bool
    sent_this_month: int = 0
    quota: int | None = None
    yen_per_extra: float | None = None
    left: int | None = None

    @property
    def is_sampled(self) -> bool:
        """Some were not decided about."""
        return self.decided < self.looked_at

    @property
    def extra(self) -> int:
        """Messages beyond the plan that sending now would cause, with what is beyond it already left out."""
        if self.quota is None:
            return 0
        return max(0, min(self.sends, self.sent_this_month + self.sends - self.quota))


async def preview(
    deps: Deps,
    name: str,
    *,
    on_customers: Callable[[int, int], None] = lambda done, total: None,
    instead: Rule | None = None,
) -> Preview:
    """Decide about who matches a rule, as if it were live now beside the ones that are.

    Where SQL finds more than `MOST_DECIDED`, that many are decided about and the rest is counted.

    Args:
        name: the id of a stored rule in any state, or the path of a rule file.
        on_customers: told (done, of all) as it goes on.
        instead: this wording of the rule, not stored yet, in place of the stored one.

    Raises:
        Refused: no such rule.
        RuleError: the rule's file has mistakes.
        Misconfigured: no such file.
    """
    now = deps.clock.now()
    async with deps.db.begin() as session:
        book = await current_rulebook(session)
        rule = replace(instead or rule_named(name, book), state=RuleState.LIVE)
        watches = watched([rule])
        lacking = await unkept(session, watches.values())
        found = await reach(session, None if lacking else rule.when, limit=MOST_DECIDED, now=now)
        sent = await counted_since(session, month_begins(now))
        reading = await last_reading(session)
        quota, left = book.policy.quota_monthly, await quota_left(session, book.policy, now=now)
        # As if enabled: no trial on a few, no day to approve; what the month still holds is told beside.
        room = Room(expected=await expected_values(session, now=now))
        if reading is not None and month_of(reading.at) == month_of(now):  # sent from elsewhere counts, too
            sent, quota = max(sent, reading.used), quota if quota is not None else reading.limit
    ids = found.ids
    rivals = [
        each for each in book.rules if each.id != rule.id and each.state in {RuleState.LIVE, RuleState.CANARY}
    ]
    counted = _Counted(rule=rule, at=now)
    events = [name for name in lacking if not name.startswith("@")]
    for start in range(0, len(ids), CUSTOMERS_AT_ONCE):
        some = ids[start : start + CUSTOMERS_AT_ONCE]
        async with deps.db.begin() as session:
            facts = await load_facts(session, some, now=now, with_all_signals=True)
            if events:
                facts = await _with_events(session, facts, events, watches, now=now)
        for customer_id in some:
            if customer_id in facts:
                counted.add(
                    facts[customer_id], _answer(facts[customer_id], rule, rivals, book, room, now=now)
                )
        on_customers(start + len(some), len(ids))
        await asyncio.sleep(0)
    seen = counted.preview(
        book.policy, found, sent_this_month=sent, is_everybody=bool(lacking), is_history_read=bool(events)
    )
    return replace(seen, quota=quota, left=left.messages)


async def _with_events(
    session: AsyncSession,
    facts: Mapping[UUID, Facts],
    names: Sequence[str],
    watches: Mapping[str, Watch],
    *,
    now: datetime,
) -> dict[UUID, Facts]:
    """The same facts with these events' signals folded anew, as deep as the rule needs."""
    times = await times_of(session, list(facts), names, until=now)
    known: dict[UUID, Facts] = {}
    for customer_id, each in facts.items():
        signals = dict(each.signals)
        for name, moments in times.get(customer_id, {}).items():
            signal = fold_all(name, moments, depth=watches[name].depth)
            if signal is not None:
                signals[name] = signal
        known[customer_id] = replace(each, signals=signals)
    return known


def _answer(
    facts: Facts, rule: Rule, rivals: Sequence[Rule], book: RuleBook, room: Room, *, now: datetime
) -> RuleDecision:
    """The rule is asked alone first: most who look due to SQL are kept by a gate of its own."""
    rules = at_their_version([rule, *rivals], facts, book.rule_at)
    alone = decide(facts, rules[:1], book.policy, now=now, room=room).rules[0]
    has_a_turn = isinstance(alone.verdict, Send) or alone.position is not None  # held out: takes part too
    if not rivals or not has_a_turn:
        return alone
    decision = decide(facts, rules, book.policy, now=now, room=room)
    return next(each for each in decision.rules if each.rule_id == rule.id)


class _Counted:
    """Customer after customer, in the order of their ids."""

    def __init__(self, *, rule: Rule, at: datetime) -> None:
        self.rule, self.at = rule, at
        self.matched = self.sends = self.escalations = 0
        self.withheld: Counter[str] = Counter()
        self.reached: list[Sample] = []
        self.others: list[Sample] = []

    def add(self, facts: Facts, answer: RuleDecision) -> None:
        """One customer; whose conditions do not hold was only a guess of SQL's."""
        if not answer.check.holds:
            return
        self.matched += 1
        match answer.verdict:
            case Send():
                self.sends += 1
            case Escalate():
                self.escalations += 1
            case Wait(gate=gate) | Drop(gate=gate):
                self.withheld[gate] += 1
            case NotDue():
                self.withheld[UNDER_WAY] += 1
        is_reached = isinstance(answer.verdict, Send | Escalate)
        samples = self.reached if is_reached else self.others
        if len(samples) < SAMPLES:
            samples.append(_sample(facts, self.rule, answer))

    def preview(
        self,
        policy: Policy,
        found: Reach,
        *,
        sent_this_month: int,
        is_everybody: bool,
        is_history_read: bool,
    ) -> Preview:
        """What it came to, scaled to all where only some were decided about."""
        decided = len(found.ids)
        scale = found.may / decided if decided else 1.0
        is_exact = decided == found.may or (found.may == found.must and not is_everybody)
        withheld = {gate: round(number * scale) for gate, number in self.withheld.items()}
        return Preview(
            rule=self.rule,
            at=self.at,
            timezone=policy.timezone,
            looked_at=found.may,
            decided=decided,
            is_exact=is_exact,
            matched=found.may if is_exact and decided < found.may else round(self.matched * scale),
            sends=round(self.sends * scale),
            escalations=round(self.escalations * scale),
            sent_this_month=sent_this_month,
            quota=policy.quota_monthly,
            yen_per_extra=policy.yen_per_extra,
            withheld=dict(sorted(withheld.items(), key=lambda pair: (-pair[1], pair[0]))),
            samples=tuple(chain(self.reached, self.others))[:SAMPLES],
            is_history_read=is_history_read,
        )


def _sample(facts: Facts, rule: Rule, answer: RuleDecision) -> Sample:
    verdict = answer.verdict
    withheld = verdict.because if isinstance(verdict, Wait | Drop | NotDue) else None
    customer = facts.external_id or str(facts.customer_id)
    message = verdict.message if isinstance(verdict, Send) else _first_message(facts, rule)
    if message is None:
        reasons = [step.reason for step in every_step(rule.steps) if isinstance(step, EscalateStep)]
        said = Text(ja=reasons[0], en=reasons[0]) if reasons else Text(ja="", en="")
        return Sample(customer=customer, said=said, length=None, withheld=withheld)
    rendered = render_message(message, facts)
    if isinstance(rendered, MissingValue):
        return Sample(customer=customer, said=rendered.because, length=None, withheld=withheld)
    return Sample(
        customer=customer,
        said=Text(ja=rendered.text, en=rendered.text),
        length=utf16_length(rendered.text),
        withheld=withheld,
    )


def _first_message(facts: Facts, rule: Rule) -> MessageTemplate | None:
    """What they would read first; None: the rule writes nothing."""
    variant = variant_of(rule.id, unit_of(facts), rule.variants) if rule.variants else None
    for step in every_step(rule.steps):
        if isinstance(step, SendStep):
            return step.wording(variant)
    return None


def told(answer: Preview, language: str) -> list[str]:
    """The answer as lines for people.

    Args:
        language: `ja`; anything else is English.
    """
    is_ja = language == "ja"
    zone = zone_of(answer.timezone)
    moment = moment_ja(answer.at, zone) if is_ja else moment_en(answer.at, zone)
    rule = answer.rule
    lines = [f"{rule.id}: {rule.name} ({moment})"]
    if is_ja:
        lines += [
            f"条件に合うお客様 {answer.matched:,} 人",
            f"いま有効にすると: 送信 {answer.sends:,} 通、営業への引き継ぎ {answer.escalations:,} 件",
        ]
    else:
        lines += [
            f"{answer.matched:,} customers match",
            f"enabled now: {answer.sends:,} messages, {answer.escalations:,} leads",
        ]
    lines += _cost(answer, is_ja=is_ja)
    if answer.is_sampled:
        number, of = f"{answer.decided:,}", f"{answer.looked_at:,}"
        exact_ja = "一致する人数は正確な値、" if answer.is_exact else ""
        exact_en = "the match count is exact; " if answer.is_exact else ""
        lines.append(
            f"（{exact_ja}そのほかは {of} 人のうち {number} 人の判定から推定）"
            if is_ja
            else f"({exact_en}the rest is estimated from {number} of {of} customers)"
        )
    if answer.withheld:
        lines += ["", "送られない理由" if is_ja else "Why not the others"]
        lines += _bars(answer.withheld, language)
    if answer.samples:
        lines += ["", "例" if is_ja else "Samples"]
        lines += chain.from_iterable(_shown(sample, language) for sample in answer.samples)
    return lines


def _cost(answer: Preview, *, is_ja: bool) -> list[str]:
    """The month's messages after sending, and what those beyond the plan cost."""
    after = answer.sent_this_month + answer.sends
    plan = f" / {answer.quota:,}" if answer.quota is not None else ""
    said = f"今月の通数: {after:,}{plan}" if is_ja else f"messages this month, after it: {after:,}{plan}"
    if answer.extra:
        said += f"、追加 {answer.extra:,} 通" if is_ja else f", {answer.extra:,} beyond the plan"
        if answer.yen_per_extra is not None:
            yen = round(answer.extra * answer.yen_per_extra)
            said += f"（約 {yen:,} 円）" if is_ja else f" (about {yen:,} yen)"
    if answer.left is None:
        return [said]
    waits = max(0, answer.sends - answer.left)
    left = (
        f"規則が今月送れる残り: {answer.left:,}" if is_ja else f"left for rules this month: {answer.left:,}"
    )
    if waits:
        left += f"（{waits:,} 通は待つ）" if is_ja else f" ({waits:,} would wait)"
    return [said, left]


def _bars(counts: Mapping[str, int], language: str, *, width: int = 30) -> list[str]:
    most = max(counts.values())
    return [
        f"  {number:>8,}  {'█' * max(1, round(number / most * width)):{width}}  {gate}:"
        f" {gate_said(gate, language)}"
        for gate, number in counts.items()
    ]


def _shown(sample: Sample, language: str) -> list[str]:
    is_ja = language == "ja"
    head = f"  {sample.customer}"
    if sample.length is not None:
        unit = "文字（UTF-16）" if is_ja else "UTF-16 units"
        head += f"  {sample.length}/{MAX_TEXT:,} {unit}"
    if sample.withheld is not None:
        head += f"  ✗ {sample.withheld.ja if is_ja else sample.withheld.en}"
    said = sample.said.ja if is_ja else sample.said.en
    return [head, *(f"    │ {line}" for line in said.splitlines() or [""])]

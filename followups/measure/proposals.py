"""Which one change would help most now, by what came of messages and leads so far?

Pure. Every proposal carries its evidence in numbers, and there is none on thin data: the least that is asked
for stands in the constants below.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from followups.measure.checks import GuardrailState
from followups.measure.effect import EffectState
from followups.measure.figures import Figures, RuleFigures
from followups.measure.precision import WASTED, Precision, ScoredEnding
from followups.measure.proportions import Interval, wilson
from followups.measure.wording import points, span_of
from followups.rules.checks import Text

LEAST_CLOSED, LEAST_GOOD, LEAST_DISMISSED = 30, 10, 10
"""Closed leads that a threshold is judged by: all of them, those worth a person's time, and the others."""
KEPT, SURELY_KEPT = 0.9, 0.6
"""Of the leads worth it, the share a higher threshold must keep; and the low end of that share's interval."""
FEWER = 0.2
"""The least share of leads it must save: less is not worth a change."""
STEP = 5
LEAST_JUDGED, IMPRECISE = 20, 0.2
"""Closed leads that a rule's precision is judged by, and the share below which it surely is too low."""
LONG = timedelta(weeks=8)
LITTLE = 0.03
"""A rule that surely adds less than three points in so long adds about nothing."""
REMEMBERED = timedelta(weeks=4)
"""For so long a proposal that somebody declined is not made again."""


class ProposalKind(StrEnum):
    """`harm`, `nothing`, `imprecise` propose to stop a rule; `threshold` to raise the score it asks for."""

    HARM = "harm"
    THRESHOLD = "threshold"
    IMPRECISE = "imprecise"
    NOTHING = "nothing"


_RANKS = tuple(ProposalKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One change with its evidence.

    Attributes:
        before, after: the threshold; None where the rule is to be stopped.
        said: what to do and why, in one or two sentences.
        worth: leads or messages a week it saves; ranks proposals of one kind.
    """

    kind: ProposalKind
    rule_id: str
    said: Text
    worth: float
    before: int | None = None
    after: int | None = None

    @property
    def key(self) -> str:
        """What is remembered when it is declined."""
        return f"{'threshold' if self.after is not None else 'stop'}:{self.rule_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRule:
    """A rule that opens leads from a score on, and how those leads were closed over so many weeks."""

    rule_id: str
    name: str
    threshold: float
    endings: Sequence[ScoredEnding]
    weeks: float


def proposals(
    figures: Figures,
    scored: Iterable[ScoredRule],
    precision: Iterable[Precision],
    *,
    running: Collection[str],
    declined: Collection[str] = (),
) -> tuple[Proposal, ...]:
    """Everything worth proposing, the best first.

    Args:
        figures: over all time, so that effects are what they are.
        running: ids of rules that write or open leads now; nothing is proposed about others.
        declined: keys of proposals that somebody did not want lately.
    """
    found = [_about_effect(rule, figures) for rule in figures.rules if rule.rule_id in running]
    found += [higher_threshold(rule) for rule in scored]
    found += [_too_imprecise(one) for one in precision if one.rule_id in running]
    best: dict[str, Proposal] = {}
    for each in sorted((one for one in found if one is not None), key=_rank):
        best.setdefault(each.key, each)
    return tuple(each for each in best.values() if each.key not in declined)


def _rank(proposal: Proposal) -> tuple[int, float, str]:
    return _RANKS.index(proposal.kind), -proposal.worth, proposal.rule_id


def higher_threshold(rule: ScoredRule) -> Proposal | None:
    """The threshold that saves most leads and still keeps nine of ten that were worth it; None: none does."""
    closed = [each for each in rule.endings if each.score >= rule.threshold]
    good = sum(each.number for each in closed if each.is_good)
    wasted = sum(each.number for each in closed if each.state == WASTED)
    total = good + wasted
    if total < LEAST_CLOSED or good < LEAST_GOOD or wasted < LEAST_DISMISSED:
        return None
    best: tuple[int, int, int] | None = None
    for after in range(int(rule.threshold) // STEP * STEP + STEP, 101, STEP):
        kept = sum(each.number for each in closed if each.is_good and each.score >= after)
        left = kept + sum(each.number for each in closed if each.state == WASTED and each.score >= after)
        is_fewer = (total - left) / total >= FEWER
        if kept / good >= KEPT and wilson(kept, good).low >= SURELY_KEPT and is_fewer:
            best = (after, kept, left)
    if best is None:
        return None
    after, kept, left = best
    share, fewer = kept / good, (total - left) / total
    before = f"{rule.threshold:g}"
    return Proposal(
        kind=ProposalKind.THRESHOLD,
        rule_id=rule.rule_id,
        before=int(rule.threshold),
        after=after,
        worth=(total - left) / max(rule.weeks, 1.0),
        said=Text(
            ja=f"「{rule.name}」の点数の基準を {before} → {after} に上げると、通知は {fewer:.0%} 減り、"
            f"対応した価値のあった {good} 件のうち {kept} 件（{share:.0%}）は残っていました"
            f"（直近{rule.weeks:.0f}週間に閉じた {total} 件から）。",
            en=f"Raising the score that “{rule.name}” asks for from {before} to {after} would have kept"
            f" {kept} of {good} leads that were worth it ({share:.0%}) with {fewer:.0%} fewer alerts"
            f" ({total} leads closed in {rule.weeks:.0f} weeks).",
        ),
    )


def _about_effect(rule: RuleFigures, figures: Figures) -> Proposal | None:
    effect, interval = rule.effect, rule.effect.interval
    name, weekly = rule.name or rule.rule_id, rule.per_week
    for guard, ja, en in ((rule.opt_outs, "配信停止", "opt-outs"), (rule.blocks, "ブロック", "blocks")):
        if guard.state is GuardrailState.STOP and guard.added is not None:
            span = span_of(guard.added)
            return _stop(
                ProposalKind.HARM,
                rule.rule_id,
                weekly,
                Text(
                    ja=f"「{name}」は{ja}を確かに増やしています（{span.ja}）。止めませんか。",
                    en=f"“{name}” surely brings more {en} ({span.en}). Stop it?",
                ),
            )
    if interval is None:
        return None
    people = f"{effect.treated.people:,}"
    if effect.state is EffectState.HARMS:
        return _stop(
            ProposalKind.HARM, rule.rule_id, weekly, _against(name, interval, people, "逆効果", "harms")
        )
    lasted = figures.end - rule.since if rule.since is not None else timedelta()
    is_little = effect.state in {EffectState.NOTHING, EffectState.WAITING} and interval.high < LITTLE
    if lasted < LONG or not is_little:
        return None
    weeks = lasted // timedelta(weeks=1)
    span = span_of(interval)
    return _stop(
        ProposalKind.NOTHING,
        rule.rule_id,
        weekly,
        Text(
            ja=f"「{name}」は{weeks}週間・{people} 人でも、目標の達成をほとんど増やしていません"
            f"（{span.ja}）。止めませんか。",
            en=f"“{name}” has added about nothing in {weeks} weeks and {people} customers"
            f" ({span.en}). Stop it?",
        ),
    )


def _against(name: str, interval: Interval, people: str, ja: str, en: str) -> Text:
    span = span_of(interval)
    return Text(
        ja=f"「{name}」は{ja}です（{people} 人で {points(interval.estimate)} ポイント、{span.ja}）。"
        "止めませんか。",
        en=f"“{name}” {en}: {points(interval.estimate)} points over {people} customers ({span.en}). Stop it?",
    )


def _too_imprecise(one: Precision) -> Proposal | None:
    if one.rule_id is None or one.judged < LEAST_JUDGED or one.interval is None or one.share is None:
        return None
    if one.interval.high >= IMPRECISE:
        return None
    weekly = one.dismissed / max(len(one.weeks), 1)
    return _stop(
        ProposalKind.IMPRECISE,
        one.rule_id,
        weekly,
        Text(
            ja=f"規則 {one.rule_id} が開いた見込み {one.judged} 件のうち、価値があったのは {one.good} 件"
            f"（{one.share:.0%}）だけでした。止めませんか。",
            en=f"Of {one.judged} leads that the rule {one.rule_id} opened only {one.good} were worth it"
            f" ({one.share:.0%}). Stop it?",
        ),
    )


def _stop(kind: ProposalKind, rule_id: str, worth: float, said: Text) -> Proposal:
    return Proposal(kind=kind, rule_id=rule_id, said=said, worth=worth)

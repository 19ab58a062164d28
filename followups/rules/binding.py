"""What do a rule's conditions about customers rest on, once the policy and the scoring are known?"""

from __future__ import annotations

from dataclasses import replace

from followups.rules.conditions.customers import asks_score, bound
from followups.rules.model import IfStep, Rule, Step, WaitStep
from followups.rules.yaml.problems import Problem, RuleError
from followups.rules.yaml.rules import RuleSource
from followups.standing.scoring import Scoring
from followups.standing.segments import LifeCycle


def bound_source(source: RuleSource, *, life: LifeCycle, scoring: Scoring | None) -> RuleSource:
    """The same rule, its `segment`, `stage` and `score` resting on this life cycle and this scoring.

    Raises:
        RuleError: the rule asks for a score, and there is no scoring.
    """
    if scoring is None and any(asks_score(condition) for condition in source.rule.conditions):
        raise RuleError(
            [
                Problem(
                    source.path,
                    source.id_at.line,
                    source.id_at.column,
                    "条件 score に使う scoring.yaml がありません（規則のフォルダに書いてください）",
                    "asks for a score, but there is no scoring.yaml (write one in the rule folder)",
                )
            ]
        )
    return replace(source, rule=bound_rule(source.rule, life=life, scoring=scoring))


def bound_rule(rule: Rule, *, life: LifeCycle, scoring: Scoring | None) -> Rule:
    """The same rule, resting on this life cycle and this scoring."""
    return replace(
        rule,
        when=bound(rule.when, life=life, scoring=scoring),
        steps=tuple(_bound_step(step, life, scoring) for step in rule.steps),
    )


def _bound_step(step: Step, life: LifeCycle, scoring: Scoring | None) -> Step:
    match step:
        case WaitStep(until=until) if until is not None:
            return replace(step, until=bound(until, life=life, scoring=scoring))
        case IfStep():
            return replace(
                step,
                condition=bound(step.condition, life=life, scoring=scoring),
                then=tuple(_bound_step(each, life, scoring) for each in step.then),
                otherwise=tuple(_bound_step(each, life, scoring) for each in step.otherwise),
            )
        case _:
            return step

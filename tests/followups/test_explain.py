"""Is a decision told to people in full, and kept without loss?"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from followups.decide import Drop, Escalate, NotDue, Send, Wait, decide
from followups.explain import decision_of, explain, explain_rule, rule_decision_of, rule_trace_of, trace_of
from followups.rules.conditions import EventLast, EventNever, Group
from followups.rules.model import EscalateStep, Policy, RuleState
from tests.followups.build import NOW, ago, contact, reachable, rule, signals

POLICY = Policy()
QUIET = {"signals": signals(login=[ago(days=16)])}


def test_nothing_published_is_said():
    assert explain(decide(reachable(), [], POLICY, now=NOW)) == ["公開中の規則がありません"]


def test_explanations_name_conditions_gates_and_the_next_chance():
    when = Group(
        kind="all",
        members=(EventLast(event="login", more_than=timedelta(days=14)), EventNever(event="paid")),
    )
    facts = replace(reachable(**QUIET), contacts=(contact(ago(hours=1)),))
    decision = decide(facts, [rule(when=when, state=RuleState.SHADOW)], POLICY, now=NOW)
    told = "\n".join(explain(decision, "ja"))
    assert "✓ すべて成立" in told
    assert "✓ 最後の login は 16日前" in told
    assert "✗ 配信上限" in told
    assert "次の機会: 12月4日(金) 0:00" in told
    assert "試運転" in told
    english = "\n".join(explain(decision, "en"))
    assert "next chance: Fri 4 Dec 0:00" in english


def test_every_verdict_can_be_told():
    steps = (EscalateStep(reason="お声がけ"),)
    rules = [rule("a"), rule("b"), rule("c", steps=steps), rule("d", holdout=1.0, priority=99)]
    rules.append(rule("e", when=EventLast(event="login", more_than=timedelta(days=20))))
    decision = decide(reachable(**QUIET), rules, POLICY, now=NOW)
    japanese, english = explain(decision, "ja"), explain(decision, "en")
    for said in (
        "→ 送る: checkin",
        "→ 待つ: 今回は「規則 a」",
        "→ 担当者へ: お声がけ",
        "→ 見送る: この規則の比較",
    ):
        assert any(said in line for line in japanese)
    for said in (
        "→ send: checkin",
        "→ wait: “規則 a”",
        "→ to people",
        "→ drop: kept",
        "→ not due: last login",
    ):
        assert any(said in line for line in english)
    assert "  次の機会: 12月7日(月) 12:00" in japanese
    nameless = replace(decision.rules[0], rule_name="")
    assert explain_rule(nameless)[0] == "a"
    with pytest.raises(ValueError, match="no verdict"):
        rule_decision_of({**rule_trace_of(nameless), "verdict": {"kind": "perhaps"}})


def test_a_trace_can_be_kept_as_json_and_read_back():
    steps = (EscalateStep(reason="お声がけ"),)
    rules = [rule("a"), rule("b"), rule("c", steps=steps), rule("d", holdout=1.0, priority=99)]
    rules.append(rule("e", when=EventNever(event="login")))
    decision = decide(reachable(**QUIET), rules, POLICY, now=NOW)
    assert {type(d.verdict) for d in decision.rules} == {Send, Wait, Escalate, Drop, NotDue}
    assert decision_of(json.loads(json.dumps(trace_of(decision)))) == decision

"""What did the program decide about a customer, folded to what matters to somebody who looks?"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from bot.deps import Deps
from bot.flows.rules.why import Why, ask, told
from db.deciding.followups import DecisionRow
from followups.explain import explain_rule, rule_decision_of
from followups.verdicts import Drop, Escalate, NotDue, RuleDecision, Send, Verdict, Wait

Json = dict[str, Any]

_KINDS: dict[type, str] = {
    Send: "send",
    Escalate: "escalate",
    Wait: "wait",
    Drop: "drop",
    NotDue: "not_due",
}
_WEIGHT = ("send", "escalate", "wait", "drop", "not_due")
_MOST = 12
_NUMBERS = ("X-Line-Request-Id", "LINE への要求: 1", "requests to LINE: 1")


async def trace(deps: Deps, customer: str, *, language: str) -> Json:
    """`{now, before, messages}` of one customer, what acts before what does not.

    `now` and `before` hold `{rule_id, title, kind, verdict, lines, at, is_shadow}`, `messages` lines of text.

    Raises:
        Refused: there is no such customer.
    """
    answer = await ask(deps, customer)
    now = [_told(rule, answer, language) for rule in answer.decision.rules]
    return {
        "now": sorted(now, key=lambda each: _WEIGHT.index(each["kind"])),
        "before": [_kept(row, answer, language) for row in answer.history.decisions[:_MOST]],
        "messages": _messages(answer, language),
    }


async def lines_of(deps: Deps, customer: str, rule_id: str, *, language: str, is_kept: bool) -> list[str]:
    """One rule's decision about one customer as lines: the latest that acted, or as it would be now."""
    answer = await ask(deps, customer, rule_id)
    kept = answer.history.decisions
    if is_kept and kept:
        acting = next((row for row in kept if row.verdict in {"send", "escalate"}), kept[0])
        shown = _kept(acting, answer, language)
    else:
        shown = _told(answer.decision.rules[0], answer, language)
    return [shown["title"], shown["verdict"], *shown["lines"]]


def _told(rule: RuleDecision, answer: Why, language: str) -> Json:
    title, verdict, *lines = explain_rule(rule, language, timezone=answer.decision.timezone)
    return {
        "rule_id": rule.rule_id,
        "title": title,
        "kind": _kind(rule.verdict),
        "verdict": verdict.strip(),
        "lines": [line.removeprefix("  ") for line in lines],
        "is_shadow": rule.is_shadow,
        "at": answer.decision.at.isoformat(),
    }


def _kept(row: DecisionRow, answer: Why, language: str) -> Json:
    return {
        **_told(rule_decision_of(row.trace), answer, language),
        "is_shadow": row.is_shadow,
        "at": row.at.astimezone(ZoneInfo(answer.decision.timezone)).isoformat(),
    }


def _kind(verdict: Verdict) -> str:
    return _KINDS[type(verdict)]


def _messages(answer: Why, language: str) -> list[str]:
    """The last part of what `/why` tells, without LINE's own numbers."""
    lines = told(answer, language)
    start = len(lines) - 1 - lines[::-1].index("")
    return [line.removeprefix("  ") for line in lines[start + 2 :] if not any(n in line for n in _NUMBERS)]

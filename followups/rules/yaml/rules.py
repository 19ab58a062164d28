"""What does a rule file say?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from followups.rules.model import DuringConversation, Goal, Rule, RuleState
from followups.rules.yaml import fields as read
from followups.rules.yaml.conditions import Leaves, read_condition
from followups.rules.yaml.events import event_of
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.steps import StepReader, Words, longest
from followups.rules.yaml.tree import Node, ScalarNode, Spot
from followups.words.wording import span_en, span_ja

__all__ = ["KEYS", "MAX_TITLE", "STATES", "RuleSource", "Words", "read_rule", "rule_id"]

KEYS = (
    "id",
    "name",
    "goal",
    "when",
    "priority",
    "again_after",
    "holdout",
    "approval",
    "during_conversation",
    "state",
    "then",
)
STATES = ("draft", "shadow", "canary", "live", "paused")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MAX_TITLE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """A rule and where it was written.

    Attributes:
        leaves: where its single conditions stand, in the order in which they are asked.
        step_leaves: where those of its steps stand, by the path of the step.
    """

    rule: Rule
    path: str
    leaves: tuple[Spot, ...]
    id_at: Spot
    step_leaves: Mapping[str, tuple[Spot, ...]] = field(default_factory=dict)


def rule_id(node: Node, problems: Problems) -> str | None:
    """Lower-case letters, digits, hyphens: `inactive-14d`."""
    found = read.text(node, problems)
    if found is None or _ID.fullmatch(found):
        return found
    read.wrong(
        node,
        problems,
        ja="id ではありません（小文字、数字、ハイフンで64字まで。例: inactive-14d）",
        en="an id (lower-case letters, digits and hyphens, up to 64; for example inactive-14d)",
    )
    return None


def _goal(node: Node, problems: Problems) -> Goal | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("event", "where", "within"))
    event, within = event_of(keys), keys.need("within", read.duration)
    return Goal(event=event, within=within) if event is not None and within is not None else None


def _again_after(node: Node, problems: Problems) -> timedelta | None:
    if isinstance(node, ScalarNode) and node.text == "never":
        return None
    return read.duration(node, problems)


def _approval(node: Node, problems: Problems) -> str | None:
    return read.one_of(("auto", "review"), ja="承認の仕方", en="approval")(node, problems)


def _state(node: Node, problems: Problems) -> RuleState | None:
    word = read.one_of(STATES, ja="状態", en="state")(node, problems)
    return RuleState(word) if word is not None else None


def read_rule(node: Node, problems: Problems, words: Words, *, path: str) -> RuleSource | None:
    """A rule with everything in it; None when something is wrong (noted in `problems`)."""
    found = read.mapping(node, problems)
    if found is None:
        return None
    before = len(problems.found)
    keys = Fields(found, problems, KEYS)
    identity = keys.need("id", rule_id)
    title = keys.get("name", read.short(MAX_TITLE))
    goal = keys.need("goal", _goal)
    leaves = Leaves(messages=words.messages)
    when = keys.need("when", lambda node, problems: read_condition(node, problems, leaves))
    reader = StepReader(problems=problems, words=words, of=identity or "rule")
    steps = keys.need("then", lambda node, _: reader.read(node))
    if goal is not None and steps is not None and longest(steps) >= goal.within:
        waits = longest(steps)
        problems.add(
            found.values["goal"],
            f"待ち時間（最長 {span_ja(waits)}）が目標の期間より短くありません（within を長くしてください）",
            f"the steps wait up to {span_en(waits)}, not less than the goal's window (make within longer)",
        )
    priority = keys.get("priority", read.whole(0, 100))
    again_after = keys.get("again_after", _again_after)
    holdout = keys.get("holdout", read.percent)
    approval = keys.get("approval", _approval)
    during = keys.get(
        "during_conversation",
        read.one_of(tuple(DuringConversation), ja="会話中の扱い", en="way during a conversation"),
    )
    state = keys.get("state", _state)
    if len(problems.found) > before or None in (identity, goal, when, steps):
        return None
    assert identity is not None
    assert goal is not None
    assert when is not None
    assert steps is not None
    at = found.values["id"]
    rule = Rule(
        id=identity,
        name=title or identity,
        goal=goal,
        when=when,
        steps=steps,
        state=state or RuleState.SHADOW,
        priority=50 if priority is None else priority,
        again_after=again_after,
        holdout=holdout,
        approval=approval or "auto",
        during_conversation=DuringConversation(during or "hold"),
    )
    return RuleSource(
        rule=rule,
        path=path,
        leaves=tuple(leaves.spots),
        id_at=Spot(at.line, at.column),
        step_leaves=reader.leaves,
    )

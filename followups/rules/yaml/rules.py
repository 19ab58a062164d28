"""What does a rule file say?"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from followups.rules.model import (
    DuringConversation,
    EscalateStep,
    Goal,
    MessageTemplate,
    Rule,
    RuleState,
    SendStep,
    Step,
)
from followups.rules.yaml import fields as read
from followups.rules.yaml.conditions import Leaves, read_condition
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.messages import KEYS as MESSAGE_KEYS
from followups.rules.yaml.messages import read_message
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import MapNode, Node, ScalarNode, Spot

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
STATES = ("draft", "shadow", "live", "paused")
_STEPS = ("send", "escalate")
_STEPS_LATER = ("wait", "if", "variants")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MAX_TITLE = 80
MAX_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSource:
    """A rule and where it was written.

    Attributes:
        leaves: where its single conditions stand, in the order in which they are asked.
    """

    rule: Rule
    path: str
    leaves: tuple[Spot, ...]
    id_at: Spot


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


def _short(limit: int) -> read.Reader[str]:
    def read_short(node: Node, problems: Problems) -> str | None:
        found = read.text(node, problems)
        if found is None or len(found) <= limit:
            return found
        problems.add(
            node, f"{limit}字を超えています（短くしてください）", f"over {limit} characters (make it shorter)"
        )
        return None

    return read_short


def _goal(node: Node, problems: Problems) -> Goal | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("event", "within"))
    event, within = keys.need("event", read.name), keys.need("within", read.duration)
    return Goal(event=event, within=within) if event is not None and within is not None else None


def _again_after(node: Node, problems: Problems) -> timedelta | None:
    if isinstance(node, ScalarNode) and node.text == "never":
        return None
    return read.duration(node, problems)


def _approval(node: Node, problems: Problems) -> str | None:
    if isinstance(node, ScalarNode) and node.text == "review":
        problems.not_yet(node, "approval: review")
        return None
    return read.one_of(("auto",), ja="承認の仕方", en="approval")(node, problems)


def _state(node: Node, problems: Problems) -> RuleState | None:
    word = read.one_of(STATES, ja="状態", en="state")(node, problems)
    return RuleState(word) if word is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a rule may refer to: message templates by name, and hosts to link to."""

    messages: Mapping[str, MessageTemplate]
    link_hosts: Collection[str] = ()


def _send(node: Node, problems: Problems, words: Words, *, place: str) -> Step | None:
    if isinstance(node, ScalarNode):
        name = read.text(node, problems)
        if name is None:
            return None
        if name not in words.messages:
            problems.unknown(node, name, words.messages, ja="メッセージ", en="message")
            return None
        return SendStep(message=words.messages[name])
    if isinstance(node, MapNode) and "variants" in node.keys:
        problems.not_yet(node.keys["variants"], "variants")
        return None
    if not isinstance(node, MapNode):
        keys = ", ".join(MESSAGE_KEYS)
        read.wrong(
            node,
            problems,
            ja="メッセージの名前ではありません",
            en=f"a message's name (or a mapping of {keys})",
        )
        return None
    message = read_message(node, problems, name=place, link_hosts=words.link_hosts)
    return SendStep(message=message) if message is not None else None


def _escalate(node: Node, problems: Problems) -> Step | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    reason = Fields(found, problems, ["reason"]).need("reason", _short(MAX_REASON))
    return EscalateStep(reason=reason) if reason is not None else None


def _step(node: Node, problems: Problems, words: Words, *, place: str) -> Step | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    later = [key for key in found.keys if key in _STEPS_LATER]
    if later:
        problems.not_yet(found.keys[later[0]], later[0])
        return None
    Fields(found, problems, _STEPS)
    chosen = [key for key in found.keys if key in _STEPS]
    if len(chosen) > 1:
        problems.add(
            found.keys[chosen[1]],
            "一つの手順に send と escalate があります（どちらか一つにしてください）",
            "send and escalate in one step (keep one)",
        )
        return None
    if not chosen:
        if not found.keys:
            problems.add(
                found,
                "手順が空です（send か escalate を書いてください）",
                "the step is empty (write send or escalate)",
            )
        return None
    if chosen[0] == "send":
        return _send(found.values["send"], problems, words, place=place)
    return _escalate(found.values["escalate"], problems)


def _steps(node: Node, problems: Problems, words: Words, *, of: str) -> tuple[Step, ...] | None:
    nodes = read.items(node, problems)
    if nodes is None:
        return None
    found = [_step(each, problems, words, place=f"{of}/{i}") for i, each in enumerate(nodes, start=1)]
    if len(nodes) > 1:
        ja, en = "二つ目以降の手順", "more than one step"
        problems.add(
            nodes[1],
            f"「{ja}」はこのバージョンではまだ使えません（一つにしてください）",
            f"{en} is not available in this version yet (keep one)",
        )
        return None
    steps = tuple(step for step in found if step is not None)
    return steps or None


def read_rule(node: Node, problems: Problems, words: Words, *, path: str) -> RuleSource | None:
    """A rule with everything in it; None when something is wrong (noted in `problems`)."""
    found = read.mapping(node, problems)
    if found is None:
        return None
    before = len(problems.found)
    keys = Fields(found, problems, KEYS)
    identity = keys.need("id", rule_id)
    title = keys.get("name", _short(MAX_TITLE))
    goal = keys.need("goal", _goal)
    leaves = Leaves()
    when = keys.need("when", lambda node, problems: read_condition(node, problems, leaves))
    steps = keys.need("then", lambda node, problems: _steps(node, problems, words, of=identity or "rule"))
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
    return RuleSource(rule=rule, path=path, leaves=tuple(leaves.spots), id_at=Spot(at.line, at.column))

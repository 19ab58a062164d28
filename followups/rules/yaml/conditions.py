"""What does a node of `when` ask?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from followups.facts import AttributeValue
from followups.rules.conditions import Answered, AttributeDate, AttributeIs, Condition, Group, LineIs
from followups.rules.yaml import events
from followups.rules.yaml import fields as read
from followups.rules.yaml.events import MAX_MEMBERS, exactly_one
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.policies.life_cycle import read_score, read_segment, read_stage
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import ListNode, MapNode, Node, Spot
from followups.signals import REPLIED, clicked_key, reacted_key

KINDS = (
    "all",
    "any",
    "none",
    "event",
    "stalled",
    "used",
    "idle",
    "attribute",
    "line",
    "clicked",
    "replied",
    "reacted",
    "segment",
    "stage",
    "score",
)
LATER: tuple[str, ...] = ()


@dataclass(slots=True)
class Leaves:
    """Where the single conditions stand in the file, in the order in which they are asked.

    Attributes:
        messages: the templates that `clicked` may name; None: any.
    """

    spots: list[Spot] = field(default_factory=list)
    messages: Collection[str] | None = None


def read_condition(node: Node, problems: Problems, leaves: Leaves) -> Condition | None:
    """One node of `when` with everything below it; None when something is wrong with it."""
    if isinstance(node, ListNode):
        problems.add(
            node,
            "条件のリストです（all: か any: の下に置いてください）",
            "a list of conditions (put it under all: or any:)",
        )
        return None
    found = read.mapping(node, problems)
    if found is None:
        return None
    kinds = [key for key in found.keys if key in KINDS]
    if not kinds:
        _unknown_kind(found, problems)
        return None
    if len(kinds) > 1:
        at = found.keys[kinds[1]]
        problems.add(
            at,
            f"一つの条件に「{kinds[0]}」と「{kinds[1]}」があります（all: の下で分けてください）",
            f"“{kinds[0]}” and “{kinds[1]}” in one condition (split them under all:)",
        )
        return None
    kind = kinds[0]
    if kind in {"all", "any", "none"}:
        return _group(found, kind, problems, leaves)
    leaves.spots.append(Spot(found.line, found.column))
    if kind == "clicked":
        return _clicked(found, problems, leaves.messages)
    return _SINGLE[kind](found, problems)


def _unknown_kind(node: MapNode, problems: Problems) -> None:
    if not node.keys:
        problems.add(
            node, "条件が空です（例: event: login）", "the condition is empty (for example event: login)"
        )
    for key, at in node.keys.items():
        if key in LATER:
            problems.not_yet(at, key)
            return
    for key, at in node.keys.items():
        problems.unknown(at, key, KINDS, ja="条件", en="condition")
        return


def _group(node: MapNode, kind: str, problems: Problems, leaves: Leaves) -> Condition | None:
    keys = Fields(node, problems, [kind])
    members = keys.need(kind, read.items)
    if members is None:
        return None
    if len(members) > MAX_MEMBERS:
        problems.add(
            members[MAX_MEMBERS],
            f"条件は一つの組に{MAX_MEMBERS}個までです（分けてください）",
            f"more than {MAX_MEMBERS} conditions in one group (split it)",
        )
        return None
    conditions = [read_condition(member, problems, leaves) for member in members]
    sound = tuple(condition for condition in conditions if condition is not None)
    return Group(kind=kind, members=sound) if len(sound) == len(conditions) else None


_OPERATORS = ("equals", "in", "not_in", "at_least", "at_most", "exists", "within", "passed", "anniversary")


def _attribute(node: MapNode, problems: Problems) -> Condition | None:
    keys = Fields(node, problems, ("attribute", *_OPERATORS))
    attribute = keys.need("attribute", read.name)
    operator = _exactly_one_operator(node, problems)
    if operator is None:
        return None
    value: AttributeValue | tuple[AttributeValue, ...] = None
    span: timedelta | None = None
    match operator:
        case "within" | "passed":
            span = keys.get(operator, read.duration)
        case "anniversary" | "exists":
            value = keys.get(operator, read.truth)
        case "in" | "not_in":
            value = tuple(read.value(each, problems) for each in keys.get(operator, read.items) or ())
        case "at_least" | "at_most":
            value = keys.get(operator, read.number)
        case _:
            value = keys.get(operator, read.value)
    if operator == "anniversary" and value is False:
        problems.add(
            keys.key(operator),
            "anniversary は true だけです（外してください）",
            "anniversary can only be true (leave it out)",
        )
    if attribute is None or (span is None and value in (None, ())):
        return None
    match operator:
        case "within":
            return AttributeDate(attribute=attribute, within=span)
        case "passed":
            return AttributeDate(attribute=attribute, passed=span)
        case "anniversary":
            return AttributeDate(attribute=attribute, is_anniversary=True)
        case _:
            return AttributeIs(attribute=attribute, operator=operator, value=value)


def _exactly_one_operator(node: MapNode, problems: Problems) -> str | None:
    chosen = [key for key in node.keys if key in _OPERATORS]
    if len(chosen) == 1:
        return chosen[0]
    return exactly_one(node, "attribute", _OPERATORS, problems)


def _line(node: MapNode, problems: Problems) -> Condition | None:
    inner = Fields(node, problems, ["line"]).need("line", read.mapping)
    if inner is None:
        return None
    is_linked = Fields(inner, problems, ["linked"]).need("linked", read.truth)
    return LineIs(is_linked=is_linked) if is_linked is not None else None


def _clicked(node: MapNode, problems: Problems, messages: Collection[str] | None) -> Condition | None:
    keys = Fields(node, problems, ("clicked", "within"))
    template = keys.need("clicked", read.text)
    within = keys.get("within", read.duration)
    if template is not None and messages is not None and template not in messages:
        problems.unknown(node.values["clicked"], template, messages, ja="メッセージ", en="message")
        return None
    if template is None or (keys.has("within") and within is None):
        return None
    return Answered(key=clicked_key(template), within=within)


def _replied(node: MapNode, problems: Problems) -> Condition | None:
    keys = Fields(node, problems, ("replied", "within"))
    is_wanted = keys.need("replied", read.truth)
    within = keys.get("within", read.duration)
    if is_wanted is None or (keys.has("within") and within is None):
        return None
    return Answered(key=REPLIED, within=within, is_wanted=is_wanted)


def _reacted(node: MapNode, problems: Problems) -> Condition | None:
    keys = Fields(node, problems, ("reacted", "within"))
    signal = keys.need("reacted", read.name)
    within = keys.get("within", read.duration)
    if signal is None or (keys.has("within") and within is None):
        return None
    return Answered(key=reacted_key(signal), within=within)


_SINGLE: dict[str, Callable[[MapNode, Problems], Condition | None]] = {
    "event": events.event_condition,
    "stalled": events.stalled,
    "used": events.used,
    "idle": events.idle,
    "attribute": _attribute,
    "line": _line,
    "replied": _replied,
    "reacted": _reacted,
    "segment": read_segment,
    "stage": read_stage,
    "score": read_score,
}

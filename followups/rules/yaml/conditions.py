"""What does a node of `when` ask?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from followups.facts import AttributeValue
from followups.rules.conditions import (
    AttributeDate,
    AttributeIs,
    Condition,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Group,
    LineIs,
    Stalled,
    Used,
)
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import ListNode, MapNode, Node, ScalarNode, Spot
from followups.signals import MAX_RECENT

KINDS = ("all", "any", "none", "event", "stalled", "used", "attribute", "line")
LATER = ("idle", "segment", "stage", "score", "clicked", "replied", "reacted")
MAX_MEMBERS = 50
_EVENT_LATER = ("where", "trend")
_MOST = 1_000_000


@dataclass(slots=True)
class Leaves:
    """Where the single conditions stand in the file, in the order in which they are asked."""

    spots: list[Spot] = field(default_factory=list)


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
    return _SINGLE[kind](found, problems)


def _unknown_kind(node: MapNode, problems: Problems) -> None:
    if not node.keys:
        problems.add(
            node, "条件が空です（例: event: login）", "the condition is empty (for example event: login)"
        )
    for key, at in node.keys.items():
        if key in LATER or key in _EVENT_LATER:
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


def _exactly_one(node: MapNode, subject: str, choices: tuple[str, ...], problems: Problems) -> str | None:
    chosen = [key for key in node.keys if key in choices]
    listed = " | ".join(choices)
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        problems.add(
            node.keys[chosen[1]],
            f"「{chosen[0]}」と「{chosen[1]}」は同時に書けません（all: の下で分けてください）",
            f"“{chosen[0]}” and “{chosen[1]}” cannot stand together (split them under all:)",
        )
    elif all(key in {subject, *choices, "within"} for key in node.keys):
        problems.add(
            node.keys.get(subject, node),
            f"「{subject}」に条件がありません（{listed} のどれかを足してください）",
            f"“{subject}” says nothing about it (add one of {listed})",
        )
    return None


def _event(node: MapNode, problems: Problems) -> Condition | None:
    choices = ("last", "first", "count", "never")
    keys = Fields(node, problems, ("event", *choices), later=_EVENT_LATER)
    event = keys.need("event", read.name)
    if any(keys.has(key) for key in _EVENT_LATER):
        return None
    choice = _exactly_one(node, "event", choices, problems)
    if choice is None:
        return None
    if choice == "never":
        is_never = keys.get("never", read.truth)
        return EventNever(event=event, is_never=is_never) if event and is_never is not None else None
    inner = keys.get(choice, read.mapping)
    if inner is None:
        return None
    if choice == "count":
        return _count(event, inner, problems)
    asked = Fields(inner, problems, ("more_than", "less_than"))
    more, less = asked.get("more_than", read.duration), asked.get("less_than", read.duration)
    if not inner.keys:
        _say_bounds(inner, "more_than | less_than", problems)
    if more is not None and less is not None and more >= less:
        problems.add(
            asked.key("less_than"),
            "more_than より長くしてください（このままでは成立しません）",
            "never holds (make less_than longer than more_than)",
        )
    if event is None or (more is None and less is None):
        return None
    if choice == "last":
        return EventLast(event=event, more_than=more, less_than=less)
    return EventFirst(event=event, more_than=more, less_than=less)


def _say_bounds(node: MapNode, listed: str, problems: Problems) -> None:
    problems.add(
        node, f"条件が空です（{listed} のどれかを足してください）", f"nothing is asked (add one of {listed})"
    )


def _count(event: str | None, node: MapNode, problems: Problems) -> Condition | None:
    asked = Fields(node, problems, ("at_least", "at_most", "fewer_than", "within"))
    within = asked.get("within", read.duration)
    highest = MAX_RECENT if asked.has("within") else _MOST
    at_least = asked.get("at_least", read.whole(1, highest))
    at_most = asked.get("at_most", read.whole(0, highest - 1))
    fewer_than = asked.get("fewer_than", read.whole(1, highest))
    if asked.has("at_most") and asked.has("fewer_than"):
        problems.add(
            asked.key("fewer_than"),
            "at_most と fewer_than は同時に書けません（どちらか一つにしてください）",
            "at_most and fewer_than cannot stand together (keep one)",
        )
    if not any(asked.has(key) for key in ("at_least", "at_most", "fewer_than")):
        _say_bounds(node, "at_least | at_most | fewer_than", problems)
    most = fewer_than - 1 if fewer_than is not None else at_most
    if at_least is not None and most is not None and at_least > most:
        problems.add(
            asked.key("at_least"),
            "上限より大きく、成立しません（小さくしてください）",
            "never holds (at_least is above the upper bound; make it smaller)",
        )
        return None
    if event is None or (at_least is None and most is None):
        return None
    return EventCount(event=event, at_least=at_least, at_most=most, within=within)


def _stalled(node: MapNode, problems: Problems) -> Condition | None:
    inner = Fields(node, problems, ["stalled"]).need("stalled", read.mapping)
    if inner is None:
        return None
    asked = Fields(inner, problems, ("since", "without", "for"))
    since, without = (_event_of(asked, key, problems) for key in ("since", "without"))
    span = asked.need("for", read.duration)
    if since is None or without is None or span is None:
        return None
    return Stalled(since=since, without=without, span=span)


def _event_of(asked: Fields, key: str, problems: Problems) -> str | None:
    inner = asked.need(key, read.mapping)
    if inner is None:
        return None
    return Fields(inner, problems, ["event"], later=_EVENT_LATER).need("event", read.name)


def _used(node: MapNode, problems: Problems) -> Condition | None:
    inner = Fields(node, problems, ["used"]).need("used", read.mapping)
    if inner is None:
        return None
    asked = Fields(inner, problems, ("fewer_than", "at_least", "of", "within"))
    of = asked.need("of", read.names)
    within = asked.get("within", read.duration)
    highest = len(of) if of else MAX_MEMBERS
    fewer_than = asked.get("fewer_than", read.whole(1, highest))
    at_least = asked.get("at_least", read.whole(1, highest))
    if not asked.has("fewer_than") and not asked.has("at_least"):
        _say_bounds(inner, "fewer_than | at_least", problems)
    if fewer_than is not None and at_least is not None and at_least >= fewer_than:
        problems.add(
            asked.key("at_least"),
            "fewer_than より小さくしてください（このままでは成立しません）",
            "never holds (make at_least smaller than fewer_than)",
        )
        return None
    if of is None or (fewer_than is None and at_least is None):
        return None
    return Used(of=tuple(of), fewer_than=fewer_than, at_least=at_least, within=within)


def _value(node: Node, problems: Problems) -> AttributeValue:
    if isinstance(node, ScalarNode) and node.value is not None:
        return node.value
    read.wrong(
        node,
        problems,
        ja="値ではありません（文字か数値を書いてください）",
        en="a value (write text or a number)",
    )
    return None


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
            value = tuple(_value(each, problems) for each in keys.get(operator, read.items) or ())
        case "at_least" | "at_most":
            value = keys.get(operator, read.number)
        case _:
            value = keys.get(operator, _value)
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
    return _exactly_one(node, "attribute", _OPERATORS, problems)


def _line(node: MapNode, problems: Problems) -> Condition | None:
    inner = Fields(node, problems, ["line"]).need("line", read.mapping)
    if inner is None:
        return None
    is_linked = Fields(inner, problems, ["linked"]).need("linked", read.truth)
    return LineIs(is_linked=is_linked) if is_linked is not None else None


_SINGLE: dict[str, Callable[[MapNode, Problems], Condition | None]] = {
    "event": _event,
    "stalled": _stalled,
    "used": _used,
    "attribute": _attribute,
    "line": _line,
}

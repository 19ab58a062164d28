"""What does a condition on events ask: which events, when, how many?"""

from __future__ import annotations

from math import isfinite

from followups.facts import AttributeValue
from followups.rules.conditions import (
    Condition,
    EventCount,
    EventFirst,
    EventLast,
    EventNever,
    Idle,
    Stalled,
    Trend,
    Used,
)
from followups.rules.conditions.rhythms import FEWEST_IN_TREND
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import MapNode, Node, ScalarNode
from followups.signals import MAX_RECENT, filtered_key, shown

MAX_MEMBERS = 50
MAX_PROPERTIES = 5
MAX_KEY = 500
"""The longest filtered event: its key is part of an index, where a row has to stay under 2,700 bytes."""
MAX_GROWTH = 1000
"""The largest `up_by`, in percent."""
MAX_RHYTHM = 20
_MOST = 1_000_000
_EXAMPLES = {
    "last": "{more_than: 14d}",
    "first": "{less_than: 7d}",
    "count": "{at_least: 3, within: 28d}",
    "trend": "{down_by: 50%, over: 7d}",
    "stalled": "{since: {event: signup}, without: {event: data_connected}, for: 3d}",
    "used": "{fewer_than: 3, of: [chat, export], within: 30d}",
    "idle": "{event: login, rhythm: 3}",
}


def event_of(keys: Fields) -> str | None:
    """The event of a mapping that has `event` and may have `where`: its key (`followups.signals`)."""
    event = keys.need("event", read.name)
    if not keys.has("where"):
        return event
    where = keys.get("where", _where)
    if event is None or where is None:
        return None
    key = filtered_key(event, where)
    if len(key) > MAX_KEY:
        keys.problems.add(
            keys.key("where"),
            f"event と where が長すぎます（合わせて{MAX_KEY}字までにしてください）",
            f"event and where are too long (keep them under {MAX_KEY} characters together)",
        )
        return None
    return key


def _where(node: Node, problems: Problems) -> dict[str, AttributeValue] | None:
    found = read.mapping_like("{plan: pro}")(node, problems)
    if found is None:
        return None
    if not found.keys:
        problems.add(
            node,
            "where が空です（例: {plan: pro}。外してもかまいません）",
            "where is empty (for example {plan: pro}; or leave it out)",
        )
        return None
    if len(found.keys) > MAX_PROPERTIES:
        problems.add(
            list(found.keys.values())[MAX_PROPERTIES],
            f"where は{MAX_PROPERTIES}項目までです（減らしてください）",
            f"more than {MAX_PROPERTIES} properties in where (use fewer)",
        )
        return None
    where: dict[str, AttributeValue] = {}
    for name, each in found.values.items():
        value = read.value(each, problems)
        if isinstance(value, float) and not isfinite(value):
            read.wrong(each, problems, ja="比べられる数値ではありません", en="a number to compare with")
        elif value is not None:
            where[name] = value
    return where if len(where) == len(found.keys) else None


def exactly_one(node: MapNode, subject: str, choices: tuple[str, ...], problems: Problems) -> str | None:
    """Which one of these keys a condition on `subject` has; None when there is not exactly one."""
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
    elif all(key in {subject, *choices, "within", "where"} for key in node.keys):
        problems.add(
            node.keys.get(subject, node),
            f"「{subject}」に条件がありません（{listed} のどれかを足してください）",
            f"“{subject}” says nothing about it (add one of {listed})",
        )
    return None


def event_condition(node: MapNode, problems: Problems) -> Condition | None:
    """`event: login` with one of `last | first | count | never | trend`, and `where`."""
    choices = ("last", "first", "count", "never", "trend")
    keys = Fields(node, problems, ("event", *choices, "where"))
    event = event_of(keys)
    choice = exactly_one(node, "event", choices, problems)
    if choice is None:
        return None
    if choice == "never":
        is_never = keys.get("never", read.truth)
        return EventNever(event=event, is_never=is_never) if event and is_never is not None else None
    inner = keys.get(choice, read.mapping_like(_EXAMPLES[choice]))
    if inner is None:
        return None
    if choice == "count":
        return _count(event, inner, problems)
    if choice == "trend":
        return _trend(event, inner, problems)
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


def stalled(node: MapNode, problems: Problems) -> Condition | None:
    """`stalled: {since: {event: a}, without: {event: b}, for: 3d}`."""
    inner = Fields(node, problems, ["stalled"]).need("stalled", read.mapping_like(_EXAMPLES["stalled"]))
    if inner is None:
        return None
    asked = Fields(inner, problems, ("since", "without", "for"))
    since, without = (_inner_event(asked, key, problems) for key in ("since", "without"))
    span = asked.need("for", read.duration)
    if since is None or without is None or span is None:
        return None
    return Stalled(since=since, without=without, span=span)


def _inner_event(asked: Fields, key: str, problems: Problems) -> str | None:
    inner = asked.need(key, read.mapping)
    if inner is None:
        return None
    return event_of(Fields(inner, problems, ("event", "where")))


def used(node: MapNode, problems: Problems) -> Condition | None:
    """`used: {fewer_than: 3, of: [a, b, c], within: 30d}`."""
    inner = Fields(node, problems, ["used"]).need("used", read.mapping_like(_EXAMPLES["used"]))
    if inner is None:
        return None
    asked = Fields(inner, problems, ("fewer_than", "at_least", "of", "within"))
    of = asked.need("of", _features)
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


def _features(node: Node, problems: Problems) -> list[str] | None:
    """A list of different events, each a name or `{event: a, where: {…}}`."""
    found: list[str] = []
    for each in read.items(node, problems) or ():
        if isinstance(each, MapNode):
            one = event_of(Fields(each, problems, ("event", "where")))
        else:
            one = read.name(each, problems)
        if one is not None and one in found:
            problems.add(
                each,
                f"「{shown(one)}」が重複しています（消してください）",
                f"“{shown(one)}” is there twice (remove one)",
            )
        elif one is not None:
            found.append(one)
    return found or None


def _trend(event: str | None, node: MapNode, problems: Problems) -> Condition | None:
    asked = Fields(node, problems, ("down_by", "up_by", "over", "at_least"))
    over = asked.need("over", read.duration)
    down_by = asked.get("down_by", read.percent_up_to(100))
    up_by = asked.get("up_by", read.percent_up_to(MAX_GROWTH))
    at_least = asked.get("at_least", read.whole(1, MAX_RECENT))
    known = {"down_by", "up_by", "over", "at_least"}
    if asked.has("down_by") == asked.has("up_by") and (asked.has("up_by") or node.keys.keys() <= known):
        problems.add(
            asked.key("up_by"),
            "down_by か up_by のどちらか一つを書いてください（例: down_by: 50%）",
            "needs either down_by or up_by, one of them (for example down_by: 50%)",
        )
        return None
    if event is None or over is None or (down_by is None and up_by is None):
        return None
    least = FEWEST_IN_TREND if at_least is None else at_least
    return Trend(event=event, over=over, down_by=down_by, up_by=up_by, at_least=least)


def idle(node: MapNode, problems: Problems) -> Condition | None:
    """`idle: {event: login, rhythm: 3, min: 7d, max: 60d}`; all but the event have defaults."""
    inner = Fields(node, problems, ["idle"]).need("idle", read.mapping_like(_EXAMPLES["idle"]))
    if inner is None:
        return None
    asked = Fields(inner, problems, ("event", "where", "rhythm", "min", "max"))
    event = event_of(asked)
    rhythm = asked.get("rhythm", _rhythm)
    shortest, longest = asked.get("min", read.duration), asked.get("max", read.duration)
    usual = Idle(event="")
    shortest = shortest if asked.has("min") else min(usual.shortest, longest or usual.shortest)
    longest = longest if asked.has("max") else max(usual.longest, shortest or usual.longest)
    rhythm = rhythm if asked.has("rhythm") else usual.rhythm
    if event is None or rhythm is None or shortest is None or longest is None:
        return None
    if shortest > longest:
        problems.add(
            asked.key("max"), "min より長くしてください", "is shorter than min (make max the longer one)"
        )
        return None
    return Idle(event=event, rhythm=rhythm, shortest=shortest, longest=longest)


def _rhythm(node: Node, problems: Problems) -> float | None:
    value = node.value if isinstance(node, ScalarNode) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= MAX_RHYTHM:
        return float(value)
    read.wrong(
        node,
        problems,
        ja=f"1から{MAX_RHYTHM}までの数値ではありません（例: 3。いつもの間隔の3倍）",
        en=f"a number from 1 to {MAX_RHYTHM} (for example 3: three times the usual gap)",
    )
    return None

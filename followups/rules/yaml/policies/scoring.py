"""What does scoring.yaml say?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from followups.rules.checks import Text
from followups.rules.conditions.attributes import AttributeIs
from followups.rules.yaml import fields as read
from followups.rules.yaml.conditions import Leaves, read_condition
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import ListNode, MapNode, Node
from followups.signals import CLICKED, REPLIED, reacted_key
from followups.standing.scoring import MOST, Fitting, Pointed, Scoring

KEYS = ("events", "clicks", "replies", "quick_replies", "fit", "fit_start", "threshold", "middling")
POINTED_KEYS = ("points", "half_life", "per_day", "label")
MAX_POINTED = 50
MAX_PER_DAY = 100
HALF_LIFE = timedelta(days=7)
"""Where none is written."""
_LABELS = {
    CLICKED: Text(ja="メッセージのリンクを開いた", en="opened a link of ours"),
    REPLIED: Text(ja="LINEで返信", en="wrote on LINE"),
}


def read_scoring(node: Node, problems: Problems) -> Scoring | None:
    """The scoring; None when something is wrong (noted in `problems`)."""
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, KEYS)
    pointed: list[Pointed] = []
    for key, signal_of in (("events", str), ("quick_replies", reacted_key)):
        for name, value, at in _named(keys.get(key, read.mapping)):
            one = _pointed(value, problems, signal_of(name)) if read.name(at, problems) is not None else None
            if one is not None:
                pointed.append(one)
    for key, signal in (("clicks", CLICKED), ("replies", REPLIED)):
        if keys.has(key) and (one := _pointed(found.values[key], problems, signal)) is not None:
            pointed.append(one)
    if len(pointed) > MAX_POINTED:
        problems.add(
            keys.key("events"),
            f"点をつけるのは{MAX_POINTED}種類までです（減らしてください）",
            f"more than {MAX_POINTED} kinds have points (have fewer)",
        )
    fitting = keys.get("fit", _fitting) or ()
    fit_start = keys.get("fit_start", read.whole(0, 100))
    threshold = keys.get("threshold", read.whole(1, 100))
    if threshold is not None and not pointed:
        problems.add(
            keys.key("threshold"),
            "点のつく行動がないので届きません（events: を書いてください）",
            "never reached, since nothing has points (write events:)",
        )
    return Scoring(
        pointed=tuple(pointed),
        fitting=fitting,
        fit_start=50.0 if fit_start is None else float(fit_start),
        threshold=None if threshold is None else float(threshold),
        middling=keys.get("middling", read.percent) or 0.0,
    )


def _named(node: MapNode | None) -> list[tuple[str, Node, Node]]:
    if node is None:
        return []
    return [(name, node.values[name], at) for name, at in node.keys.items()]


def _pointed(node: Node, problems: Problems, key: str) -> Pointed | None:
    """`{points: 15, half_life: 3d, per_day: 2, label: …}`, or the points alone."""
    if not isinstance(node, MapNode):
        points = _positive(node, problems)
        return _of(key, points, HALF_LIFE, None, None) if points is not None else None
    keys = Fields(node, problems, POINTED_KEYS)
    points = keys.need("points", _positive)
    half_life = keys.get("half_life", read.duration)
    per_day = keys.get("per_day", read.whole(1, MAX_PER_DAY))
    label = keys.get("label", _label)
    return _of(key, points, half_life or HALF_LIFE, per_day, label) if points is not None else None


def _of(key: str, points: float, half_life: timedelta, per_day: int | None, label: Text | None) -> Pointed:
    return Pointed(
        key=key, points=points, half_life=half_life, per_day=per_day, label=label or _LABELS.get(key)
    )


def _positive(node: Node, problems: Problems) -> float | None:
    value = read.number(node, problems)
    if value is None or 0 < value <= MOST:
        return value
    problems.add(
        node,
        "行動の点は0より大きく100までです（下げたいときは fit: に属性で書いてください）",
        "points of what happened are above 0, up to 100 (to lower a score, use fit: with an attribute)",
    )
    return None


def _label(node: Node, problems: Problems) -> Text | None:
    found = read.by_language(lambda *_: True)(node, problems)
    return _text(found) if found is not None else None


def _text(found: Mapping[str, str]) -> Text:
    first = next(iter(found.values()))
    return Text(ja=found.get("ja", first), en=found.get("en", first))


def _fitting(node: Node, problems: Problems) -> tuple[Fitting, ...] | None:
    found: list[Fitting] = []
    if isinstance(node, ListNode) and not node.items:
        return ()
    for each in read.items(node, problems) or ():
        one = _one_fitting(each, problems)
        if one is not None:
            found.append(one)
    return tuple(found)


def _one_fitting(node: Node, problems: Problems) -> Fitting | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    own = ("points", "label")
    rest = MapNode(
        found.line,
        found.column,
        keys={key: at for key, at in found.keys.items() if key not in own},
        values={key: value for key, value in found.values.items() if key not in own},
    )
    keys = Fields(found, problems, tuple(found.keys))
    points, label = keys.need("points", _between), keys.get("label", _label)
    condition = read_condition(rest, problems, Leaves())
    if condition is not None and not isinstance(condition, AttributeIs):
        problems.add(
            found,
            "ここに書けるのは属性の値だけです（例: attribute: plan, in: [trial]）",
            "only the value of an attribute can be asked here (for example attribute: plan, in: [trial])",
        )
        return None
    if condition is None or points is None:
        return None
    return Fitting(condition=condition, points=points, label=label)


def _between(node: Node, problems: Problems) -> float | None:
    value = read.number(node, problems)
    if value is None or -MOST <= value <= MOST:
        return value
    read.wrong(node, problems, ja="-100から100までの数ではありません", en="a number from -100 to 100")
    return None

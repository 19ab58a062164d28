"""Which events does policy.yaml take as a purchase, use or joining, and what do conditions ask of them?"""

from __future__ import annotations

from datetime import timedelta

from followups.rules.conditions.customers import ScoreIs, SegmentIs, StageIs
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import ListNode, MapNode, Node
from followups.standing.segments import SEGMENTS, STAGES, LifeCycle

KEYS = (
    "purchase",
    "product",
    "activity",
    "joined",
    "activated",
    "purchase_gap",
    "activity_gap",
)


def read_life_cycle(node: MapNode, problems: Problems, default: LifeCycle) -> LifeCycle:
    """`life_cycle`, every key optional."""
    keys = Fields(node, problems, KEYS)
    gaps: dict[str, timedelta] = {}
    for key, usual in (("purchase_gap", default.purchase_gap), ("activity_gap", default.activity_gap)):
        gaps[key] = keys.get(key, read.duration) or usual
    return LifeCycle(
        purchase=keys.get("purchase", read.name) or default.purchase,
        product=keys.get("product", read.name),
        activity=tuple(keys.get("activity", _names) or default.activity),
        joined=keys.get("joined", read.name) or default.joined,
        activated=keys.get("activated", read.name) or default.activated,
        purchase_gap=gaps["purchase_gap"],
        activity_gap=gaps["activity_gap"],
    )


def _names(node: Node, problems: Problems) -> list[str] | None:
    """One name, or a list of different ones."""
    if isinstance(node, ListNode):
        return read.names(node, problems)
    found = read.name(node, problems)
    return [found] if found is not None else None


def _words(node: MapNode, kind: str, known: tuple[str, ...], problems: Problems) -> tuple[str, ...] | None:
    Fields(node, problems, [kind])
    value = node.values[kind]
    one = read.one_of(known, ja="段階" if kind == "stage" else "区分", en=kind)
    nodes = (read.items(value, problems) or []) if isinstance(value, ListNode) else [value]
    found = [one(each, problems) for each in nodes]
    sound = tuple(dict.fromkeys(each for each in found if each is not None))
    return sound if sound and len(found) == len(nodes) and None not in found else None


def read_segment(node: MapNode, problems: Problems) -> SegmentIs | None:
    """`segment: champions`, or a list."""
    names = _words(node, "segment", SEGMENTS, problems)
    return SegmentIs(names=names) if names is not None else None


def read_stage(node: MapNode, problems: Problems) -> StageIs | None:
    """`stage: onboarding`, or a list."""
    names = _words(node, "stage", STAGES, problems)
    return StageIs(names=names) if names is not None else None


def read_score(node: MapNode, problems: Problems) -> ScoreIs | None:
    """`score: {at_least: 70}`."""
    inner = Fields(node, problems, ["score"]).need("score", read.mapping)
    if inner is None:
        return None
    at_least = Fields(inner, problems, ["at_least"]).need("at_least", read.whole(1, 100))
    return ScoreIs(at_least=float(at_least)) if at_least is not None else None

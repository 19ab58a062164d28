"""Which values does a rule's text hold, by their paths, and does another text know of a change of them?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from followups.rules.yaml.problems import RuleError
from followups.rules.yaml.tree import ListNode, MapNode, Node, ScalarNode, read_tree

Scalar: TypeAlias = str | int | float | bool | None
Value: TypeAlias = Scalar | tuple[Scalar, ...]
Path: TypeAlias = tuple[str | int, ...]
Leaves: TypeAlias = Mapping[Path, Value]


def leaves(text: str) -> dict[Path, Value]:
    """The single values of one YAML text by path; a list of plain values is one value.

    Raises:
        RuleError: it is no YAML of ours.
    """
    found: dict[Path, Value] = {}
    _collect(read_tree(text, path=""), (), found)
    return found


def leaves_of(source: str, messages: Mapping[str, str]) -> dict[Path, Value]:
    """Those of a rule and of its messages, whose paths begin with `messages/<name>.yaml`.

    A text that cannot be read is one value: itself.
    """
    found = _read(source)
    for path, text in messages.items():
        name = message_name(path)
        found |= {(name, *inner): value for inner, value in _read(text).items()}
    return found


def message_name(path: str) -> str:
    """`rules/messages/hello.yaml` → `messages/hello.yaml`, wherever the folder lay."""
    return f"messages/{path.rpartition('/')[2]}"


def _read(text: str) -> dict[Path, Value]:
    try:
        return leaves(text)
    except RuleError:
        return {(): text}


def _collect(node: Node, path: Path, found: dict[Path, Value]) -> None:
    match node:
        case ScalarNode():
            found[path] = node.value
        case ListNode(items=items):
            if all(isinstance(item, ScalarNode) for item in items):
                found[path] = tuple(item.value for item in items if isinstance(item, ScalarNode))
                return
            for number, item in enumerate(items):
                _collect(item, (*path, number), found)
        case MapNode(values=values):
            for key, value in values.items():
                _collect(value, (*path, key), found)


_ABSENT = object()


def changed_paths(before: Leaves, after: Leaves) -> list[Path]:
    """Where they differ, in the order of the later text; what is gone comes last."""
    paths = [*after, *(path for path in before if path not in after)]
    return [path for path in paths if before.get(path, _ABSENT) != after.get(path, _ABSENT)]


def knows(base: Leaves, current: Leaves, incoming: Leaves, *, is_exported: bool) -> bool:
    """Was `incoming` written by somebody who knew of the step from `base` to `current`?

    At every place that step changed, it holds the new value; or, where the current version was exported
    meanwhile, a third one: then somebody changed what they saw.
    """
    for path in changed_paths(base, current):
        theirs = incoming.get(path, _ABSENT)
        if theirs == current.get(path, _ABSENT):
            continue
        if not is_exported or theirs == base.get(path, _ABSENT):
            return False
    return True

"""Which values of a rule can be changed in a form, how are they typed, and what do they mean?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from followups.rules.conditions import Text
from followups.rules.durations import parse_duration, parse_percent
from followups.rules.schema_words import WORDS
from followups.rules.yaml.tree import ListNode, MapNode, Node, ScalarNode, meaning, read_tree
from followups.versions.leaves import Leaves, Path, Scalar, Value, leaves_of

MOST_CHARACTERS = 3_000
"""A longer text does not fit into Slack's input (docs.slack.dev, plain-text input)."""


class Kind(StrEnum):
    """How a value is typed. `value`: one word or number; `values`: several, one a line."""

    SPAN = "span"
    NUMBER = "number"
    SHARE = "share"
    TIME = "time"
    TEXT = "text"
    VALUE = "value"
    VALUES = "values"
    CHOICE = "choice"


CHOICES: Mapping[str, tuple[str, ...]] = {
    "approval": ("auto", "review"),
    "during_conversation": ("hold", "drop", "send"),
}
_BY_KEY: Mapping[str, Kind] = {
    **dict.fromkeys(("more_than", "less_than", "within", "for", "over", "min", "max", "passed"), Kind.SPAN),
    **dict.fromkeys(("at_least", "at_most", "fewer_than", "priority", "rhythm"), Kind.NUMBER),
    **dict.fromkeys(("down_by", "up_by", "holdout"), Kind.SHARE),
    **dict.fromkeys(CHOICES, Kind.CHOICE),
    **dict.fromkeys(("in", "not_in"), Kind.VALUES),
    "again_after": Kind.SPAN,
    "equals": Kind.VALUE,
    "at": Kind.TIME,
}
_WORDING = frozenset({"text", "label", "reason"})
_NEW: tuple[str, ...] = ("priority", "again_after", "holdout", "approval", "during_conversation")
"""Settings that a form offers although the file leaves them out."""
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One value in a form.

    Attributes:
        value: as it stands; None where the file leaves it out.
        label: where it stands, for people; `hint`: what it means.
    """

    path: Path
    kind: Kind
    value: Value
    label: str
    hint: Text

    @property
    def shown(self) -> str:
        """The value as it is typed."""
        if self.value is None:
            return ""
        if isinstance(self.value, tuple):
            return "\n".join(_plain(each) for each in self.value)
        return _plain(self.value)

    @property
    def is_wording(self) -> bool:
        """Customers or staff read it."""
        return self.kind is Kind.TEXT


def fields_of(source: str, messages: Mapping[str, str]) -> list[FormField]:
    """The values of a rule and its messages that a form can change, in the order of the files.

    Texts longer than `MOST_CHARACTERS` and files that cannot be read are left out.
    """
    known = leaves_of(source, messages)
    found = [field for path, value in known.items() if (field := _field(path, value, known)) is not None]
    there = {field.path for field in found}
    missing = [key for key in _NEW if (key,) not in there and (key,) not in known and ("id",) in known]
    added = [
        FormField(path=(key,), kind=_BY_KEY[key], value=None, label=key, hint=_hint((key,)))
        for key in missing
    ]
    at = next((n for n, field in enumerate(found) if field.is_wording), len(found))
    return [*found[:at], *added, *found[at:]]


def _field(path: Path, value: Value, known: Leaves) -> FormField | None:
    kind = _kind(path, value)
    if kind is None or (isinstance(value, str) and len(value) > MOST_CHARACTERS):
        return None
    return FormField(path=path, kind=kind, value=value, label=_label(path, known), hint=_hint(path))


def _kind(path: Path, value: Value) -> Kind | None:
    if not path or isinstance(value, bool):
        return None
    if path == ("name",) or _WORDING & {str(each) for each in path[-2:]}:
        return Kind.TEXT if isinstance(value, str) else None
    if len(path) > 1 and path[-2] == "send" and path[-1] == "text":
        return Kind.TEXT
    key = path[-1]
    kind = _BY_KEY.get(key) if isinstance(key, str) else None
    if kind in {Kind.SPAN, Kind.SHARE, Kind.TIME, Kind.CHOICE} and not isinstance(value, str):
        return None
    if kind is Kind.VALUES and not isinstance(value, tuple):
        return None
    return kind


def _label(path: Path, known: Leaves) -> str:
    """The keys that lead there, positions left out, with the event or attribute it is about."""
    words = [
        str(each) for each in path if isinstance(each, str) and each not in {"when", "then", "all", "any"}
    ]
    for depth in range(len(path) - 1, 0, -1):
        about = next(
            (known[(*path[:depth], key)] for key in ("event", "attribute") if (*path[:depth], key) in known),
            None,
        )
        if isinstance(about, str):
            inner = [str(each) for each in path[depth:] if isinstance(each, str)]
            return " · ".join([about, *inner])
    return " · ".join(words) or str(path[-1])


def _hint(path: Path) -> Text:
    keys = [each for each in path if isinstance(each, str)]
    parents = [f"{parent}.{key}" for parent, key in pairwise(keys)]
    words = WORDS.get(parents[-1]) if parents else None
    words = words or WORDS.get(keys[-1]) or (WORDS.get(keys[-2]) if len(keys) > 1 else None) or ""
    ja, _, en = words.partition(" / ")
    return Text(ja=ja, en=en or ja)


def _plain(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def read_field(field_kind: Kind, typed: str, *, key: str = "", like: Value = None) -> Value | Text:
    """The value that was typed, or what is wrong with it.

    Args:
        key: the last key of its path: `again_after` takes `never`, choices are told apart by it.
        like: the value as it stands: numbers stay numbers, and words that look like numbers words.
    """
    text = typed.strip()
    if not text:
        return _EMPTY
    if (pattern := _PATTERNS.get(field_kind)) is not None:
        is_right, wrong = pattern
        return text if is_right(text) or (key == "again_after" and text == "never") else wrong
    match field_kind:
        case Kind.NUMBER:
            if _NUMBER.fullmatch(text) is None:
                return Text(ja="数を書いてください。", en="Write a number.")
            return float(text) if "." in text else int(text)
        case Kind.CHOICE:
            is_known = text in CHOICES.get(key, (text,))
            return text if is_known else Text(ja="選び直してください。", en="Choose one of them.")
        case Kind.VALUES:
            return _values(text, like)
        case Kind.VALUE:
            return text if isinstance(like, str) else meaning(text)
        case _:
            return typed.rstrip()


def _values(text: str, like: Value) -> Value | Text:
    parts = [each.strip() for line in text.splitlines() for each in re.split("[,、]", line)]
    same = {_plain(each): each for each in like} if isinstance(like, tuple) else {}
    are_words = bool(same) and all(isinstance(each, str) for each in same.values())
    read = [same.get(each, each if are_words else meaning(each)) for each in parts if each]
    return tuple(dict.fromkeys(read)) or _EMPTY


_EMPTY = Text(ja="空にはできません。", en="This cannot be empty.")
_PATTERNS: Mapping[Kind, tuple[Callable[[str], object], Text]] = {
    Kind.SPAN: (
        lambda text: parse_duration(text) is not None,
        Text(ja="「90m」「4h」「3d」「2w」のように書いてください。", en="Write 90m, 4h, 3d or 2w."),
    ),
    Kind.SHARE: (
        lambda text: parse_percent(text) is not None,
        Text(ja="「10%」のように書いてください。", en="Write it like 10%."),
    ),
    Kind.TIME: (
        _TIME.fullmatch,
        Text(ja="「10:00」のように書いてください。", en="Write it like 10:00."),
    ),
}


def changes_of(
    fields: Sequence[FormField], typed: Mapping[int, str]
) -> tuple[list[tuple[Path, Value]], dict[int, Text]]:
    """What was typed, as changes, and what is wrong with it, by the number of the field."""
    changes: list[tuple[Path, Value]] = []
    wrong: dict[int, Text] = {}
    for number, text in sorted(typed.items()):
        if not 0 <= number < len(fields):
            continue
        field = fields[number]
        if text.strip() == field.shown.strip():
            continue
        value = read_field(field.kind, text, key=str(field.path[-1]), like=field.value)
        if isinstance(value, Text):
            wrong[number] = value
        elif value != field.value:
            changes.append((field.path, value))
    return changes, wrong


def path_at(text: str, line: int, column: int) -> Path:
    """The path of the value that stands at this place of a YAML text, or the nearest before it."""
    best: tuple[tuple[int, int], Path] = ((0, 0), ())

    def look(node: Node, path: Path) -> None:
        nonlocal best
        at = (node.line, node.column)
        if best[0] <= at <= (line, column):
            best = (at, path)
        if isinstance(node, MapNode):
            for key, value in node.values.items():
                if best[0] <= (node.keys[key].line, node.keys[key].column) <= (line, column):
                    best = ((node.keys[key].line, node.keys[key].column), (*path, key))
                look(value, (*path, key))
        elif isinstance(node, ListNode) and not all(isinstance(each, ScalarNode) for each in node.items):
            for number, item in enumerate(node.items):
                look(item, (*path, number))

    look(read_tree(text, path=""), ())
    return best[1]

"""What does a YAML text hold, and where does each value stand?

YAML 1.2 without the dangerous or surprising parts: no anchors and aliases, no tags, no duplicate keys, one
document, at most 12 levels, 5,000 values and 256 KiB. Plain scalars follow YAML 1.2's core schema, so `on`,
`no` and `12:30` are text; dates are text too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from followups.rules.yaml.problems import Problem, RuleError
from followups.rules.yaml.slips import slip

MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 5000

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file; line and column count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value: its text as written, and what it means."""

    line: int
    column: int
    text: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping: key, where the key stands, and the value."""

    line: int
    column: int
    keys: dict[str, ScalarNode] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)


Node = ScalarNode | ListNode | MapNode


class _Refused(Exception):
    def __init__(self, at: Spot, ja: str, en: str) -> None:
        super().__init__(en)
        self.at, self.ja, self.en = at, ja, en


def meaning(text: str) -> str | int | float | bool | None:
    """What a plain scalar means in YAML 1.2's core schema (decimal numbers only)."""
    if text in _NULL:
        return None
    if text in _TRUTH:
        return _TRUTH[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _spot(event: Any) -> Spot:
    return Spot(event.start_mark.line + 1, event.start_mark.column + 1)


def _check_event(event: Any) -> None:
    if isinstance(event, AliasEvent):
        raise _Refused(
            _spot(event),
            "別名（*）は使えません（値を書き写してください）",
            "aliases are not allowed (write the value out)",
        )
    if getattr(event, "anchor", None) is not None:
        raise _Refused(
            _spot(event),
            "アンカー（&）は使えません（外してください）",
            "anchors are not allowed (remove the &name)",
        )
    if getattr(event, "ctag", None) is not None or getattr(event, "tag", None) is not None:
        raise _Refused(
            _spot(event), "タグ（!）は使えません（外してください）", "tags are not allowed (remove the !tag)"
        )


def _scalar(event: Any) -> ScalarNode:
    at = _spot(event)
    if match := _UNSTORABLE.search(event.value):
        code = f"U+{ord(match[0]):04X}"
        raise _Refused(
            at,
            f"文字 {code} は使えません（外してください）",
            f"the character {code} is not allowed (remove it)",
        )
    is_plain = not event.style
    return ScalarNode(at.line, at.column, event.value, meaning(event.value) if is_plain else event.value)


class _Builder:
    """Builds the tree from events, refusing what is not allowed as soon as it is met."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[ListNode | MapNode] = []
        self.awaiting: list[ScalarNode | None] = []
        self.count = 0
        self.documents = 0

    def take(self, event: Any) -> None:
        """Add one event."""
        _check_event(event)
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _Refused(
                    _spot(event),
                    "一つのファイルに文書は一つです（--- で分けないでください）",
                    "one document a file (do not separate with ---)",
                )
        elif isinstance(event, ScalarEvent):
            self._place(_scalar(event))
        elif isinstance(event, SequenceStartEvent | MappingStartEvent):
            self._start(event)
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            self.open.pop()
            self.awaiting.pop()

    def _start(self, event: Any) -> None:
        at = _spot(event)
        if len(self.open) >= MAX_DEPTH:
            raise _Refused(
                at,
                f"入れ子は{MAX_DEPTH}段までです（浅くしてください）",
                f"nested deeper than {MAX_DEPTH} (make it flatter)",
            )
        is_list = isinstance(event, SequenceStartEvent)
        node: ListNode | MapNode = ListNode(at.line, at.column) if is_list else MapNode(at.line, at.column)
        self._place(node)
        self.open.append(node)
        self.awaiting.append(None)

    def _place(self, node: Node) -> None:
        self.count += 1
        if self.count > MAX_NODES:
            raise _Refused(
                Spot(node.line, node.column),
                f"値が{MAX_NODES}個を超えています（分けてください）",
                f"more than {MAX_NODES} values (split the file)",
            )
        if not self.open:
            self.root = node
            return
        parent = self.open[-1]
        if isinstance(parent, ListNode):
            parent.items.append(node)
            return
        key = self.awaiting[-1]
        if key is None:
            self.awaiting[-1] = self._key(parent, node)
        else:
            if isinstance(node, ScalarNode) and node.value is None and not node.text:
                node = replace(node, line=key.line, column=key.column)  # nothing written: it has no place
            parent.values[key.text] = node
            self.awaiting[-1] = None

    def _key(self, parent: MapNode, node: Node) -> ScalarNode:
        at = Spot(node.line, node.column)
        if not isinstance(node, ScalarNode):
            raise _Refused(at, "キーは文字で書いてください", "a key must be a word (not a list or mapping)")
        if node.text in parent.keys:
            first = parent.keys[node.text]
            raise _Refused(
                at,
                f"キー「{node.text[:60]}」が重複しています（{first.line}行目にもあります）",
                f"duplicate key “{node.text[:60]}” (also on line {first.line})",
            )
        parent.keys[node.text] = node
        return node


def _spot_of_error(error: YAMLError, text: str) -> tuple[Spot, str]:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(error.problem or error.context or "not valid YAML").split())
        if mark is not None:
            return Spot(mark.line + 1, mark.column + 1), said
        return Spot(1, 1), said
    if isinstance(error, ReaderError):
        return _spot_of_index(text, error.position), f"the character {_named(error.character)} is not allowed"
    return Spot(1, 1), "not valid YAML"


def _named(character: Any) -> str:
    if isinstance(character, str) and len(character) == 1:
        return f"U+{ord(character):04X}"
    return f"U+{character:04X}" if isinstance(character, int) else "here"


def _spot_of_index(text: str, index: int) -> Spot:
    before = text[: max(0, index)]
    return Spot(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _events(text: str) -> Iterator[Any]:
    yaml = YAML(typ="safe", pure=True)  # the round-trip reader marks folds with U+0007 in the text
    yield from yaml.parse(text)


def read_tree(text: str, *, path: str) -> Node:
    """Read one YAML document.

    Raises:
        RuleError: with the one problem that stopped the reading, at its line and column.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    builder = _Builder()
    last = Spot(1, 1)
    try:
        if size > MAX_BYTES:
            raise _Refused(
                last, "ファイルが256 KiBを超えています（分けてください）", "larger than 256 KiB (split it)"
            )
        for event in _events(text):
            last = _spot(event)
            builder.take(event)
    except _Refused as refused:
        raise RuleError([Problem(path, refused.at.line, refused.at.column, refused.ja, refused.en)]) from None
    except YAMLError as error:
        at, said = _spot_of_error(error, text)
        if (known := slip(text, at.line)) is not None and not isinstance(error, ReaderError):
            raise RuleError([Problem(path, *known)]) from None
        raise RuleError(
            [
                Problem(
                    path,
                    at.line,
                    at.column,
                    f"YAML として読めません: {said}（字下げ、引用符、コロンを確かめてください）",
                    f"not valid YAML: {said} (check indentation, quotes and colons)",
                )
            ]
        ) from None
    except (
        RecursionError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        AssertionError,
        OverflowError,
    ):
        # the YAML reader's own slips on odd input
        ja = "YAML として読めません（この前後を書き直してください）"
        en = "not valid YAML (rewrite what is around here)"
        raise RuleError([Problem(path, last.line, last.column, ja, en)]) from None
    if builder.root is None:
        ja, en = "ファイルが空です（内容を書いてください）", "the file is empty (write something)"
        raise RuleError([Problem(path, 1, 1, ja, en)])
    return builder.root

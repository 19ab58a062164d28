"""How is one value of a YAML text changed, with every other byte left as it was?"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from followups.rules.yaml.tree import meaning
from followups.versions.leaves import Path, Scalar, Value, leaves

_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`~=<][^\n:#,\[\]{}]*")
"""What may stand without quotes, in a flow collection too."""


class CannotEdit(ValueError):
    """There is no such place in the text, or the value cannot be written there."""


def edited(text: str, changes: Sequence[tuple[Path, Value]]) -> str:
    """The same text with these values; comments, layout and order stay.

    A path leads over keys and list positions to a single value or a list of plain values. A key that is not
    there yet is added to its mapping.

    Raises:
        CannotEdit: a path leads nowhere.
        RuleError: the text was no YAML of ours.
    """
    for path, value in changes:
        wanted = {**leaves(text)}
        if path in wanted and wanted[path] == value and type(wanted[path]) is type(value):
            continue
        for each in [known for known in wanted if known[: len(path)] == path]:
            del wanted[each]
        wanted[path] = value
        text = _spliced(text, path, value)
        if leaves(text) != wanted:
            raise CannotEdit(f"{_said(path)} cannot be changed in place")
    return text


def _said(path: Path) -> str:
    return ".".join(map(str, path)) or "the file"


def _spliced(text: str, path: Path, value: Value) -> str:
    root: Any = YAML(typ="safe", pure=True).compose(text)
    node, parent = root, None
    for depth, key in enumerate(path):
        parent = node
        node = _child(node, key)
        if node is None:
            if depth + 1 < len(path) or not isinstance(parent, MappingNode):
                raise CannotEdit(f"there is no {_said(path[: depth + 1])}")
            return _added(text, parent, str(key), value)
    if isinstance(node, MappingNode):
        raise CannotEdit(f"{_said(path)} is no single value")
    begin, end = node.start_mark.index, _end(text, node)
    is_literal = isinstance(node, ScalarNode) and node.style in {"|", ">"}
    if is_literal and isinstance(value, str) and "\n" in value and _fits_literal(value):
        assert parent is not None
        column = next(
            (k.start_mark.column for k, v in getattr(parent, "value", []) if v is node),
            parent.start_mark.column,
        )
        return text[:begin] + _literal(value, column + 2) + text[end:]
    quote = node.style if isinstance(node, ScalarNode) and node.style in {"'", '"'} else None
    return text[:begin] + _written(value, quote=quote) + text[end:]


def _child(node: Any, key: str | int) -> Any:
    if isinstance(node, MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, SequenceNode) and isinstance(key, int) and 0 <= key < len(node.value):
        return node.value[key]
    return None


def _added(text: str, parent: Any, key: str, value: Value) -> str:
    """Before the last key: its place is known to the letter, whatever follows it."""
    written = f"{_written(key)}: {_written(value)}"
    if parent.flow_style:
        at = parent.start_mark.index + 1
        return f"{text[:at]}{written}{', ' if parent.value else ''}{text[at:]}"
    if not parent.value:
        raise CannotEdit("the mapping is empty")
    mark = parent.value[-1][0].start_mark
    return f"{text[: mark.index]}{written}{_line_end(text)}{' ' * mark.column}{text[mark.index :]}"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _end(text: str, node: Any) -> int:
    """Where the value ends; the reader's mark of a block lies behind blank lines and comments."""
    end = int(node.end_mark.index)
    is_flow = isinstance(node, SequenceNode) and node.flow_style
    if isinstance(node, ScalarNode) and node.style not in {"|", ">"}:
        return end
    if is_flow:
        return end
    if isinstance(node, SequenceNode):
        return int(_end(text, node.value[-1])) if node.value else end
    begin = node.start_mark.index
    lines = text[begin:end].splitlines(keepends=True)
    indent = next((len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip()), 0)
    length, kept = len(lines[0]), len(lines[0])
    for line in lines[1:]:
        if line.strip() and len(line) - len(line.lstrip(" ")) < indent:
            break
        length += len(line)
        if line.strip():
            kept = length
    return int(begin) + len(text[begin : begin + kept].rstrip("\r\n"))


def _fits_literal(value: str) -> bool:
    return not value.startswith((" ", "\n")) and value.isprintable() is not None and "\r" not in value


def _literal(value: str, indent: int) -> str:
    stripped = value.rstrip("\n")
    trailing = len(value) - len(stripped)
    chomp = {0: "-", 1: ""}.get(trailing, "+")
    lines = [f"{' ' * indent}{line}" if line else "" for line in stripped.split("\n")]
    return "\n".join([f"|{chomp}", *lines, *[""] * max(0, trailing - 1)])


def _written(value: Value, *, quote: str | None = None) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_written(each) for each in value)}]"
    return _scalar(value, quote)


def _scalar(value: Scalar, quote: str | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    is_plain = _PLAIN.fullmatch(value) is not None and value == value.strip() and meaning(value) == value
    if quote is None and is_plain and value.isprintable():
        return value
    if quote == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)

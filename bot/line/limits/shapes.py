"""From which small checks is the description of a LINE object put together?"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import regex

_GRAPHEME = regex.compile(r"\X")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """What LINE would refuse: `property` in its notation (`messages[0].text`), `message` in its words."""

    property: str
    message: str


Check = Callable[[Any, str], Iterator[Problem]]
"""Reads one value found at one property path and yields what is wrong with it."""


def utf16_len(text: str) -> int:
    """Length in UTF-16 code units: how LINE counts most texts (🍎 is 2)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def grapheme_len(text: str) -> int:
    """Length in grapheme clusters: how LINE counts labels and template texts (👨‍👩‍👧 is 1)."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def text(most: int, *, least: int = 1, graphemes: bool = False, pattern: str | None = None) -> Check:
    """A string of `least` to `most` UTF-16 units (or grapheme clusters), without lone surrogates."""
    length = grapheme_len if graphemes else utf16_len
    matches = re.compile(pattern).fullmatch if pattern else None

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "Must be a string")
        elif least and not value:
            yield Problem(at, "May not be empty")
        elif _SURROGATE.search(value):
            yield Problem(at, "Must not contain half of a surrogate pair")
        elif not least <= length(value) <= most:
            yield Problem(at, f"Length must be between {min(least, 0)} and {most}")
        elif matches and not matches(value):
            yield Problem(at, f"Must match the pattern {pattern}")

    return check


def uri(most: int, *schemes: str) -> Check:
    """A percent-encoded URI of at most `most` characters with one of `schemes` (default: https)."""
    allowed = schemes or ("https",)

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(at, "Must be a string")
            return
        if not value:
            yield Problem(at, "May not be empty")
            return
        if utf16_len(value) > most:
            yield Problem(at, f"Length must be between 0 and {most}")
        scheme, colon, rest = value.partition(":")
        if not colon or scheme.lower() not in allowed:
            yield Problem(at, f"invalid uri scheme, must be one of: {', '.join(allowed)}")
        elif not rest.strip("/") or (scheme.lower() in {"http", "https"} and not _has_host(rest)):
            yield Problem(at, "invalid uri")
        if not value.isascii() or any(c <= " " or c in '"<>\\^`{|}\x7f' for c in value):
            yield Problem(at, "invalid uri, must be percent-encoded as UTF-8")

    return check


def _has_host(rest: str) -> bool:
    return rest.startswith("//") and rest[2:3] not in {"", "/", "?", "#", ":"}


def one_of(*values: str) -> Check:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if value not in values:
            yield Problem(at, f"Must be one of the following values: [{', '.join(values)}]")

    return check


def matching(pattern: str, meaning: str, *words: str) -> Check:
    """A keyword among `words`, or a string of the form `pattern`; `meaning` names what is expected."""
    matches = re.compile(pattern).fullmatch
    expected = f"Must be {meaning}" + (f" or one of: {', '.join(words)}" if words else "")

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str) or not (value in words or matches(value)):
            yield Problem(at, expected)

    return check


def integer(least: int, most: int) -> Check:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(at, "Must be an integer")
        elif not least <= value <= most:
            yield Problem(at, f"Must be between {least} and {most}")

    return check


def number(least: float, most: float) -> Check:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, int | float) or isinstance(value, bool):
            yield Problem(at, "Must be a number")
        elif not least <= value <= most:
            yield Problem(at, f"Must be between {least:g} and {most:g}")

    return check


def boolean(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield Problem(at, "Must be a boolean")


def array(item: Check, least: int, most: int) -> Check:
    """A list of `least` to `most` items, each passing `item`."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, list | tuple):
            yield Problem(at, "Must be an array")
            return
        if not least <= len(value) <= most:
            yield Problem(at, f"Size must be between {least} and {most}")
        for index, each in enumerate(value[: most + 1]):
            yield from item(each, f"{at}[{index}]")

    return check


Rule = Callable[[Mapping[str, Any], str], Iterator[Problem]]
"""Reads a whole object for what no single field can show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An object with known fields; calling it checks a value. Unknown fields and nulls are refused."""

    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def __call__(self, value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield Problem(at, "Must be an object")
            return
        prefix = f"{at}." if at else ""
        for name in self.required:
            if value.get(name) is None:
                yield Problem(f"{prefix}{name}", "May not be empty")
        for name, inner in value.items():
            check = self.required.get(name) or self.optional.get(name)
            if check is None:
                yield Problem(f"{prefix}{name}", "unknown field")
            elif inner is None:
                if name in self.optional:
                    yield Problem(f"{prefix}{name}", "Must not be null")
            else:
                yield from check(inner, f"{prefix}{name}")
        for rule in self.rules:
            yield from rule(value, at)

    def plus(self, *rules: Rule, **optional: Check) -> "Shape":
        """The same shape with more optional fields and rules."""
        return Shape(
            required=self.required, optional={**self.optional, **optional}, rules=(*self.rules, *rules)
        )


def tagged(shapes: Mapping[str, Check], *, tag: str = "type") -> Check:
    """An object whose `type` names the shape it must have."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, Mapping):
            yield Problem(at, "Must be an object")
            return
        kind = value.get(tag)
        shape = shapes.get(kind) if isinstance(kind, str) else None
        if shape is None:
            yield Problem(f"{at}.{tag}", f"Must be one of the following values: [{', '.join(shapes)}]")
        else:
            yield from shape(value, at)

    return check


def objects(value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects listed under `name`, whatever else may be there: for rules that look at whole objects."""
    listed = value.get(name)
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list | tuple) else []


def anything(_value: Any, _at: str) -> Iterator[Problem]:
    return iter(())


def found(problems: Iterable[Problem]) -> list[Problem]:
    """The problems without repetition, in the order found."""
    return list(dict.fromkeys(problems))

"""How is a JSON value held against a schema, and how is each fault named?"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Surface: TypeAlias = Literal["message", "modal", "home"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: a JSON pointer as Slack writes it, Slack's wording, and the API error it would raise."""

    pointer: str
    message: str
    error: str = "invalid_blocks"

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


@dataclass(slots=True)
class Walk:
    """One validation under way: the surface it is for, and the problems found so far."""

    surface: Surface
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, pointer: str, message: str, error: str = "invalid_blocks") -> None:
        self.problems.append(Problem(pointer, message, error))


Check: TypeAlias = Callable[[Walk, str, object], None]
Rule: TypeAlias = Callable[[Walk, str, Mapping[str, object]], None]


def anything(walk: Walk, pointer: str, value: object) -> None:
    """Accept any value that is present."""


def string(*, least: int = 1, most: int | None = None, pattern: str | None = None) -> Check:
    """A string of `least` to `most` characters (code points), matching `pattern` from end to end."""
    compiled = re.compile(pattern) if pattern else None

    def check(walk: Walk, pointer: str, value: object) -> None:
        if not isinstance(value, str):
            walk.wrong(pointer, "must be a string")
        elif len(value) < least:
            walk.wrong(pointer, f"must be more than {least - 1} characters")
        elif most is not None and len(value) > most:
            walk.wrong(pointer, f"must be less than {most + 1} characters")
        elif compiled and not compiled.fullmatch(value):
            walk.wrong(pointer, f"must match {compiled.pattern}")

    return check


def boolean(walk: Walk, pointer: str, value: object) -> None:
    if not isinstance(value, bool):
        walk.wrong(pointer, "must be a boolean")


def integer(least: int, most: int) -> Check:
    def check(walk: Walk, pointer: str, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            walk.wrong(pointer, "must be an integer")
        elif not least <= value <= most:
            walk.wrong(pointer, f"must be between {least} and {most}")

    return check


def choice(*allowed: str) -> Check:
    def check(walk: Walk, pointer: str, value: object) -> None:
        if value not in allowed:
            walk.wrong(pointer, f"must be a valid enum value ({', '.join(allowed)})")

    return check


def array(item: Check, *, least: int = 1, most: int) -> Check:
    """A list of `least` to `most` items, each held against `item`."""

    def check(walk: Walk, pointer: str, value: object) -> None:
        if not isinstance(value, list | tuple):
            walk.wrong(pointer, "must be an array")
            return
        if len(value) < least:
            walk.wrong(pointer, f"no fewer than {least} items required")
        if len(value) > most:
            walk.wrong(pointer, f"no more than {most} items allowed")
        for at, element in enumerate(value):
            one(walk, f"{pointer}/{at}", element, item)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, *rules: Rule) -> Check:
    """An object with these keys and no others; `rules` look at it as a whole."""
    known = {**required, **(optional or {})}

    def check(walk: Walk, pointer: str, value: object) -> None:
        if not isinstance(value, Mapping):
            walk.wrong(pointer, "must provide an object")
            return
        for key in required:
            if key not in value:
                walk.wrong(pointer, f"missing required field: {key}")
        for key, item in value.items():
            if key not in known:
                walk.wrong(f"{pointer}/{escaped(str(key))}", f"invalid additional property: {key}")
            else:
                one(walk, f"{pointer}/{key}", item, known[key])
        for rule in rules:
            rule(walk, pointer, value)

    return check


def typed(name: str, required: Mapping[str, Check], optional: Mapping[str, Check], *rules: Rule) -> Check:
    """A record whose `type` is `name`."""
    return record({"type": choice(name), **required}, optional, *rules)


def tagged(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` picks its schema."""

    def check(walk: Walk, pointer: str, value: object) -> None:
        if not isinstance(value, Mapping):
            walk.wrong(pointer, "must provide an object")
        elif "type" not in value:
            walk.wrong(pointer, "missing required field: type")
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            walk.wrong(f"{pointer}/type", f"unsupported type: {value['type']}")
        else:
            kinds[value["type"]](walk, pointer, value)

    return check


def one(walk: Walk, pointer: str, value: object, check: Check) -> None:
    """Check one value that must not be null."""
    if value is None:
        walk.wrong(pointer, "must not be null")
    else:
        check(walk, pointer, value)


def exactly_one_of(*keys: str) -> Rule:
    def rule(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
        if sum(key in value for key in keys) != 1:
            walk.wrong(pointer, f"must provide exactly one of: {', '.join(keys)}")

    return rule


def some_of(*keys: str) -> Rule:
    def rule(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
        if not any(key in value for key in keys):
            walk.wrong(pointer, f"must provide at least one of: {', '.join(keys)}")

    return rule


def listed(value: object) -> Sequence[object]:
    """`value` when it is a list, else nothing; for rules that look across a value already reported."""
    return value if isinstance(value, list | tuple) else ()


def found(
    value: object, key: str, pointer: str, *, outside: frozenset[str] = frozenset()
) -> Iterator[tuple[str, object]]:
    """Every place below `value` that has `key`, with its pointer, not descending into keys of `outside`."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name == key:
                yield f"{pointer}/{name}", item
            elif name not in outside:
                yield from found(item, key, f"{pointer}/{escaped(str(name))}", outside=outside)
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from found(item, key, f"{pointer}/{at}", outside=outside)


def unique(walk: Walk, places: Iterator[tuple[str, object]], message: str) -> None:
    """Report every string seen a second time; `message` has room for it as `{}`."""
    seen: set[str] = set()
    for pointer, value in places:
        if isinstance(value, str):
            if value in seen:
                walk.wrong(pointer, message.format(value))
            seen.add(value)


def escaped(key: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")

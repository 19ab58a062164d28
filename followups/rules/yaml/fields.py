"""What does this key hold, and if it does not hold what it should, what is to be said?

A reader answers None when it has noted a problem, so that reading goes on and every mistake of a file is
found in one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import time, timedelta
from typing import TypeVar

from followups.facts import AttributeValue
from followups.rules.durations import parse_duration, parse_percent
from followups.rules.yaml.problems import Placed, Problems
from followups.rules.yaml.slips import narrow, slip
from followups.rules.yaml.tree import ListNode, MapNode, Node, ScalarNode
from followups.signals import unfiltered
from followups.times.zones import is_zone

T = TypeVar("T")
Reader = Callable[[Node, Problems], T | None]

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_PERCENT = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)\s?%")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_NAME = 100


def _shown(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return node.text if len(node.text) <= 40 else node.text[:37] + "..."
    return "[...]" if isinstance(node, ListNode) else "{...}"


def wrong(node: Node, problems: Problems, *, ja: str, en: str) -> None:
    """Note that a value is not what belongs here: `“fourteen” is not a number (for example 14)`."""
    plain = narrow(_shown(node)) if isinstance(node, ScalarNode) else None
    also_ja = f"（半角で書いてください: {plain}）" if plain else ""
    also_en = f" (write it half-width: {plain})" if plain else ""
    problems.add(node, f"「{_shown(node)}」は{ja}{also_ja}", f"“{_shown(node)}” is not {en}{also_en}")


class Fields:
    """The keys of one mapping: read each with its reader, and unknown ones are noted at once.

    Args:
        known: the keys that may be here.
        later: keys of the language that are not available yet.
    """

    def __init__(
        self, node: MapNode, problems: Problems, known: Collection[str], *, later: Collection[str] = ()
    ) -> None:
        self.node = node
        self.problems = problems
        for key, at in node.keys.items():
            if key in later:
                problems.not_yet(at, key)
            elif key not in known:
                problems.unknown(at, key, known, ja="キー", en="key")

    def has(self, key: str) -> bool:
        """Is the key written?"""
        return key in self.node.keys

    def key(self, key: str) -> Placed:
        """Where the key stands; the mapping itself when it is absent."""
        return self.node.keys.get(key, self.node)

    def get(self, key: str, reader: Reader[T]) -> T | None:
        """The value under a key; None when absent or wrong."""
        value = self.node.values.get(key)
        return reader(value, self.problems) if value is not None else None

    def need(self, key: str, reader: Reader[T]) -> T | None:
        """The value under a key that must be there."""
        if key not in self.node.keys:
            self.problems.add(
                self.node, f"「{key}」がありません（書き足してください）", f"“{key}” is missing (add it)"
            )
        return self.get(key, reader)


def mapping(node: Node, problems: Problems) -> MapNode | None:
    """A mapping."""
    if isinstance(node, MapNode):
        return node
    known = slip(node.text, 1) if isinstance(node, ScalarNode) else None
    if known is not None:
        problems.add(node, known[2], known[3])
    else:
        wrong(node, problems, ja="「キー: 値」の形ではありません", en="a mapping of keys to values")
    return None


def mapping_like(example: str) -> Reader[MapNode]:
    """A reader of a mapping that shows what one looks like here."""

    def read(node: Node, problems: Problems) -> MapNode | None:
        if isinstance(node, MapNode) or (isinstance(node, ScalarNode) and slip(node.text, 1) is not None):
            return mapping(node, problems)
        ja = f"「キー: 値」の形ではありません（例: {example}）"
        wrong(node, problems, ja=ja, en=f"a mapping of keys to values (for example {example})")
        return None

    return read


def items(node: Node, problems: Problems) -> list[Node] | None:
    """A list that is not empty."""
    if isinstance(node, ListNode) and node.items:
        return node.items
    if isinstance(node, ListNode):
        problems.add(
            node, "リストが空です（一つ以上書いてください）", "the list is empty (write at least one)"
        )
    else:
        wrong(node, problems, ja="リストではありません（例: [a, b]）", en="a list (for example [a, b])")
    return None


def text(node: Node, problems: Problems) -> str | None:
    """Text that is not blank; a number written plain is text as well."""
    if isinstance(node, ScalarNode) and node.text.strip() and not isinstance(node.value, bool | None):
        return node.text
    wrong(node, problems, ja="文字ではありません（文字を書いてください）", en="text (write some text)")
    return None


def short(limit: int) -> Reader[str]:
    """A reader of text of at most so many characters."""

    def read_short(node: Node, problems: Problems) -> str | None:
        found = text(node, problems)
        if found is None or len(found) <= limit:
            return found
        problems.add(
            node, f"{limit}字を超えています（短くしてください）", f"over {limit} characters (make it shorter)"
        )
        return None

    return read_short


def name(node: Node, problems: Problems) -> str | None:
    """The name of an event or attribute: up to 100 characters, none of them for our own keys."""
    found = text(node, problems)
    if found is None:
        return None
    if len(found) > MAX_NAME or _CONTROL.search(found) or found != found.strip():
        wrong(
            node,
            problems,
            ja="名前として使えません（100字まで、改行や前後の空白なし）",
            en="a name (up to 100 characters, no line breaks or spaces around it)",
        )
        return None
    if "#" in found or "~" in found or found.startswith("@"):
        wrong(
            node,
            problems,
            ja="名前として使えません（# ~ と先頭の @ は使えません）",
            en="a name (no # or ~, no @ first)",
        )
        return None
    if unfiltered(found)[1]:
        wrong(
            node,
            problems,
            ja="名前として使えません（絞り込みは where: で書いてください）",
            en="a name (write the properties under where:)",
        )
        return None
    return found


def names(node: Node, problems: Problems) -> list[str] | None:
    """A list of different names."""
    found: list[str] = []
    for each in items(node, problems) or ():
        one = name(each, problems)
        if one is not None and one in found:
            problems.add(
                each, f"「{one}」が重複しています（消してください）", f"“{one}” is there twice (remove one)"
            )
        elif one is not None:
            found.append(one)
    return found or None


def truth(node: Node, problems: Problems) -> bool | None:
    """`true` or `false`."""
    if isinstance(node, ScalarNode) and isinstance(node.value, bool):
        return node.value
    wrong(node, problems, ja="true か false ではありません", en="true or false")
    return None


def whole(lowest: int, highest: int) -> Reader[int]:
    """A reader of whole numbers between two bounds."""

    def read(node: Node, problems: Problems) -> int | None:
        value = node.value if isinstance(node, ScalarNode) else None
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        wrong(
            node,
            problems,
            ja=f"{lowest}から{highest}までの整数ではありません",
            en=f"a whole number from {lowest} to {highest}",
        )
        return None

    return read


def number(node: Node, problems: Problems) -> int | float | None:
    """A number."""
    if (
        isinstance(node, ScalarNode)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        return node.value
    wrong(node, problems, ja="数値ではありません（例: 14）", en="a number (for example 14)")
    return None


def value(node: Node, problems: Problems) -> AttributeValue:
    """One value: text, a number, true or false."""
    if isinstance(node, ScalarNode) and node.value is not None:
        return node.value
    wrong(
        node,
        problems,
        ja="値ではありません（文字か数値を書いてください）",
        en="a value (write text or a number)",
    )
    return None


def duration(node: Node, problems: Problems) -> timedelta | None:
    """`90m`, `4h`, `3d`, `2w`."""
    span = parse_duration(node.text) if isinstance(node, ScalarNode) else None
    if span is None:
        wrong(
            node,
            problems,
            ja="期間ではありません（例: 90m 4h 3d 2w）",
            en="a duration (for example 90m, 4h, 3d, 2w)",
        )
    return span


def percent(node: Node, problems: Problems) -> float | None:
    """`10%` as 0.1."""
    share = parse_percent(node.text) if isinstance(node, ScalarNode) else None
    if share is None:
        wrong(node, problems, ja="割合ではありません（例: 10%）", en="a percentage (for example 10%)")
    return share


def percent_up_to(highest: int) -> Reader[float]:
    """A reader of shares above 0 % up to `highest` %: `150%` as 1.5."""

    def read(node: Node, problems: Problems) -> float | None:
        match = _PERCENT.fullmatch(node.text.strip()) if isinstance(node, ScalarNode) else None
        share = float(match[1]) if match is not None else 0.0
        if 0 < share <= highest:
            return round(share / 100, 8)
        wrong(
            node,
            problems,
            ja=f"0%より大きく{highest}%までの割合ではありません（例: 50%）",
            en=f"a percentage above 0% up to {highest}% (for example 50%)",
        )
        return None

    return read


def time_of_day(node: Node, problems: Problems) -> time | None:
    """`"20:00"`."""
    match = _TIME.fullmatch(node.text) if isinstance(node, ScalarNode) else None
    if match is None:
        wrong(
            node, problems, ja='時刻ではありません（例: "20:00"）', en='a time of day (for example "20:00")'
        )
        return None
    return time(int(match[1]), int(match[2]))


def timezone(node: Node, problems: Problems) -> str | None:
    """The name of a time zone that exists."""
    found = text(node, problems)
    if found is None or is_zone(found):
        return found
    wrong(
        node,
        problems,
        ja="時間帯の名前ではありません（例: Asia/Tokyo）",
        en="a time zone (for example Asia/Tokyo)",
    )
    return None


def one_of(words: Collection[str], *, ja: str, en: str) -> Reader[str]:
    """A reader of one word out of several."""

    def read(node: Node, problems: Problems) -> str | None:
        if isinstance(node, ScalarNode) and node.text in words:
            return node.text
        problems.unknown(node, _shown(node), words, ja=ja, en=en)
        return None

    return read


def by_language(check: Callable[[Node, str, Problems], bool]) -> Reader[Mapping[str, str]]:
    """A reader of text that is either plain (then Japanese, and used for everyone) or by language.

    Args:
        check: judges one text and notes what is wrong with it.
    """

    def one(node: Node, problems: Problems) -> str | None:
        found = text(node, problems)
        return found if found is not None and check(node, found, problems) else None

    def read(node: Node, problems: Problems) -> Mapping[str, str] | None:
        if not isinstance(node, MapNode):
            plain = one(node, problems)
            return {"ja": plain} if plain is not None else None
        found: dict[str, str] = {}
        for key, at in node.keys.items():
            if not re.fullmatch(r"[a-z]{2,3}", key):
                problems.add(
                    at,
                    f"「{key[:40]}」は言語ではありません（例: ja, en）",
                    f"“{key[:40]}” is not a language (for example ja, en)",
                )
            value = one(node.values[key], problems)
            if value is not None:
                found[key] = value
        if not node.keys:
            problems.add(node, "文がありません（ja: に続けて書いてください）", "no text (write it after ja:)")
        return found or None

    return read

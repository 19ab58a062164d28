"""Which placeholders may a text hold, and what does it read once they are filled?

The grammar is `{owner.name}` and nothing else: no formats, no attributes of objects, no nesting, no braces
for themselves. Owners are `customer` (`name`, `company`, any attribute), `staff` (only `name`) and `event`
(any property). A value is put in once and never read as a template again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import regex

from followups.facts import AttributeValue
from followups.rules.conditions import Text

MAX_VALUE = 100
"""Characters of one value that are shown; longer ones are cut with an ellipsis."""

_SLOT = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"(customer|staff|event)\.([^\W_][\w-]{0,59})")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSAYABLE = regex.compile(r"[\p{C}\u2028\u2029]+")
_HAS_LINK = re.compile(r"://|\bwww\.|\bhttps?:", re.IGNORECASE)
_HONORIFICS = ("様", "さま", "さん", "殿")

_GREETING = (
    r"(?:(?:Hi|Hello|Hey|Dear|Good\s(?:morning|afternoon|evening))[ ,]+"
    r"|(?:こんにちは|こんばんは|おはようございます|いつもありがとうございます)[、。!！ \u3000]*)?"
)
_SALUTATION = re.compile(
    rf"\A\s*{_GREETING}(?P<slots>(?:\{{(?:customer)\.[^{{}}]*\}}(?:の|[ \u3000])*)+)"
    r"(?:様|さま|さん|殿|-san)?[ \u3000]*(?:[、,，。!！:：]+|(?=\n))\s*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadPlaceholder:
    """Something in braces that is not a placeholder.

    Attributes:
        at: index of the brace in the text.
        written: what stands there.
        known: the owners and names that would be right.
    """

    at: int
    written: str
    known: tuple[str, ...] = ("customer.name", "customer.company", "customer.<attribute>", "staff.name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text with every placeholder filled.

    Attributes:
        is_salutation_dropped: the name was missing, so the text begins after the salutation.
    """

    text: str
    is_salutation_dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A value the text cannot do without is not known; the text must not be sent."""

    name: str

    @property
    def because(self) -> Text:
        """The sentence for people."""
        return Text(
            ja=f"文面に必要な値 {self.name} がない", en=f"the text needs {self.name}, which is not known"
        )


@lru_cache(maxsize=1024)
def slots(template: str) -> tuple[tuple[str, ...], tuple[BadPlaceholder, ...]]:
    """The names of a template's placeholders in order, and what is wrong with any other brace."""
    names: list[str] = []
    bad: list[BadPlaceholder] = []
    end = 0
    for match in _SLOT.finditer(template):
        bad += _stray(template, end, match.start())
        end = match.end()
        name = _NAME.fullmatch(match[1])
        if name is None or (name[1] == "staff" and name[2] != "name"):
            bad.append(BadPlaceholder(at=match.start(), written=match[0][:60]))
        else:
            names.append(match[1])
    bad += _stray(template, end, len(template))
    return tuple(names), tuple(bad)


def _stray(template: str, start: int, end: int) -> list[BadPlaceholder]:
    return [BadPlaceholder(at=i, written=template[i]) for i in range(start, end) if template[i] in "{}"]


def _day_said(text: str, language: str) -> str:
    """`12月3日(木)` / `3 December 2026` for an ISO date; other text as it is."""
    if not _ISO_DATE.fullmatch(text):
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return text
    if language == "ja":
        return f"{day.month}月{day.day}日({'月火水木金土日'[day.weekday()]})"
    months = "January February March April May June July August September October November December"
    return f"{day.day} {months.split()[day.month - 1]} {day.year}"


def said(value: AttributeValue, language: str) -> str | None:
    """A value as it may stand in a text; None where there is nothing to say.

    Blank values, truth values and values that hold a link (a name is no place for one) count as missing.
    Control and invisible characters are removed.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(_UNSAYABLE.sub(" ", str(value)).split())
    if not text or _HAS_LINK.search(text):
        return None
    if len(text) > MAX_VALUE:
        text = text[: MAX_VALUE - 1] + "…"
    return _day_said(text, language)


def _put(template: str, filled: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        value = filled[match[1]]
        for honorific in _HONORIFICS:  # 「田中様」 in a field that the text calls 様 itself
            if value.endswith(honorific) and template.startswith(honorific, match.end()):
                return value.removesuffix(honorific)
        return value

    return _SLOT.sub(one, template)


def render(
    template: str, values: Mapping[str, AttributeValue], *, language: str = "ja"
) -> Rendered | MissingValue:
    """Fill a template's placeholders.

    A missing `customer` value in the salutation that opens the text (`{customer.name}様、`,
    `Hi {customer.name}, `) drops the salutation; any other missing value refuses the text.

    Args:
        values: by placeholder name (`customer.name`).
    """
    names, bad = slots(template)
    if bad:
        return MissingValue(name=bad[0].written)
    filled = {name: text for name in names if (text := said(values.get(name), language)) is not None}
    missing = [name for name in names if name not in filled]
    if not missing:
        return Rendered(text=_put(template, filled))
    salutation = _SALUTATION.match(template)
    if salutation is None:
        return MissingValue(name=missing[0])
    rest = template[salutation.end() :]
    for name in slots(rest)[0]:
        if name not in filled:
            return MissingValue(name=name)
    if not rest.strip():
        return MissingValue(name=missing[0])
    return Rendered(text=_put(rest[0].upper() + rest[1:], filled), is_salutation_dropped=True)

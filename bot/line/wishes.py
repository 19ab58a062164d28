"""Does a customer say, with the whole of what they write, how they wish to be written to?

Only whole utterances count, as with stop words: 夜に送って is a wish,
夜に送ってもらった資料は？ is for a person.
Words that may be about anything (夜がいい) count only where they name our messages (お知らせは夜がいい).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import regex

from bot.line import wish_words as words
from db.people.preferences import HOURS, OFTEN, PAUSE, TOPIC, NewWish

MOST = 60
A_WHILE = timedelta(days=30)
"""What しばらく means."""
LONGEST = timedelta(days=366)
"""A pause longer than this is a person's to understand."""


class Asks(StrEnum):
    """What the customer wants of us."""

    PAUSE = "pause"
    HOURS = "hours"
    OFTEN = "often"
    LESS = "less"
    TOPIC = "topic"
    USUAL = "usual"
    MENU = "menu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One wish, understood. Of the fields only those that belong to `asks` are filled.

    Attributes:
        until: nothing before then.
        hours: (from, to), local.
        per_30_days: at most so many.
        topic: `offers`, `hints` or `news`; a purpose of that name.
    """

    asks: Asks
    until: datetime | None = None
    hours: tuple[time, time] | None = None
    per_30_days: int | None = None
    topic: str | None = None

    def wishes(self) -> tuple[NewWish, ...]:
        """What goes into the ledger; nothing for a menu, and for LESS what `per_30_days` was set to."""
        match self.asks:
            case Asks.PAUSE if self.until is not None:
                return (NewWish(aspect=PAUSE, wished={"until": self.until.isoformat()}),)
            case Asks.HOURS if self.hours is not None:
                spans = {"from": f"{self.hours[0]:%H:%M}", "to": f"{self.hours[1]:%H:%M}"}
                return (NewWish(aspect=HOURS, wished=spans),)
            case Asks.OFTEN | Asks.LESS if self.per_30_days is not None:
                return (NewWish(aspect=OFTEN, wished={"per_30_days": self.per_30_days}),)
            case Asks.TOPIC if self.topic is not None:
                return (NewWish(aspect=TOPIC + self.topic, wished={"is_off": True}),)
            case Asks.USUAL:
                return tuple(NewWish(aspect=aspect, wished={}) for aspect in (PAUSE, HOURS, OFTEN))
            case _:
                return ()


def asked_in(text: str, *, at: datetime, zone: ZoneInfo) -> Asked | None:
    """What they ask of our messages, where that is all they say; None: it is for somebody else to read.

    Args:
        at: when they wrote; spans count from there.
        zone: theirs, for days and months.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    if len(plain) > MOST:
        return None
    plain = words.COLON.sub(r"\1:\2", plain).replace("’", "'")
    bare = words.DROPPED.sub("", regex.sub(r"(\d{1,2}):(\d\d)", r"\1時\2分", plain))
    bare = regex.sub(r"[ヶヵケカ個箇](?=月)", "か", bare)
    spaced = " ".join(words.BETWEEN_WORDS.sub(" ", plain).split())
    is_question = "?" in plain and not regex.search(r"(?:ますか|ませんか|いいですか)$", bare)
    if is_question and not regex.match(r"(?:can|could|would) you", spaced):
        return None
    if regex.search(r"\p{Hiragana}|\p{Katakana}|\p{Han}", bare):
        return _japanese(bare, at=at.astimezone(zone))
    return _english(spaced, at=at.astimezone(zone))


def _japanese(bare: str, *, at: datetime) -> Asked | None:
    if words.MENU_JA.fullmatch(bare):
        return Asked(asks=Asks.MENU)
    if words.USUAL_JA.fullmatch(bare):
        return Asked(asks=Asks.USUAL)
    if (found := words.OFTEN_JA.fullmatch(bare)) is not None:
        return Asked(asks=Asks.OFTEN, per_30_days=_rate_ja(found))
    if (found := words.HOURS_JA.fullmatch(bare)) is not None:
        return _hours(found, words.PARTS)
    if words.LESS_JA.fullmatch(bare):
        return Asked(asks=Asks.LESS)
    if (found := words.PAUSE_JA.fullmatch(bare)) is not None and not words.AMBIGUOUS.fullmatch(bare):
        return _pause(found.groupdict(), at)
    if (found := words.TOPIC_JA.fullmatch(bare)) is not None and not words.TOPIC_NEEDS_THING.fullmatch(bare):
        return _topic(found.groupdict())
    return None


def _english(spaced: str, *, at: datetime) -> Asked | None:
    if words.MENU_EN.fullmatch(spaced):
        return Asked(asks=Asks.MENU)
    if words.USUAL_EN.fullmatch(spaced):
        return Asked(asks=Asks.USUAL)
    if (found := words.OFTEN_EN.fullmatch(spaced)) is not None and _is_about_us(spaced, found):
        number = words.NUMBERS.get((found["times"] or "once").split()[0], 0) or int(found["times"][0])
        return Asked(
            asks=Asks.OFTEN, per_30_days=number * (4 if "week" in (found["per"] or found["adverb"]) else 1)
        )
    if (found := words.HOURS_EN.fullmatch(spaced)) is not None:
        return _hours(found, words.PARTS_EN)
    if words.LESS_EN.fullmatch(spaced):
        return Asked(asks=Asks.LESS)
    if (found := words.PAUSE_EN.fullmatch(spaced)) is not None:
        return _pause(found.groupdict(), at)
    if (found := words.TOPIC_EN.fullmatch(spaced)) is not None:
        return _topic(found.groupdict())
    return None


def _is_about_us(spaced: str, found: Any) -> bool:
    """Bare "once a month" may answer any question: a limit or a word for messages must be there."""
    return bool(found["mark"]) or bool(
        regex.search(r"message|send|text|update|only|more than|at most|contact|notify|write", spaced)
    )


def _topic(named: Mapping[str, str | None]) -> Asked:
    topic = next(name.removeprefix("weak_") for name, words in named.items() if words)
    return Asked(asks=Asks.TOPIC, topic=topic)


def _rate_ja(found: Any) -> int:
    if (one := found["one"]) is not None:
        return 2 if one[0] in "隔2二" else 4 if one[0] == "週" else 1
    count = found["count"]
    number = words.NUMBERS.get(count) or int(count)
    return number * (4 if "週" in found["unit"] else 1)


def _hours(found: Any, parts: Mapping[str, tuple[time, time]]) -> Asked | None:
    named = {name: value for name, value in found.groupdict().items() if value}
    part = named.get("part") or named.get("part_at") or named.get("parts", "").removesuffix("s")
    if part:
        return Asked(asks=Asks.HOURS, hours=parts[part])
    if "side" in named:
        at = _clock(named, 3)
        is_until = named["side"] in {"まで", "以前", "前", "より前", "before"}
        hours = (time(0), at) if is_until else (at, time(0))
        return None if at is None or at == time(0) else Asked(asks=Asks.HOURS, hours=hours)  # type: ignore[arg-type]
    start, end = _clock(named, 1), _clock(named, 2, named.get("half1"))
    if start is None or end is None or start == end:
        return None
    return Asked(asks=Asks.HOURS, hours=(start, end))


def _clock(named: Mapping[str, str], number: int, half: str | None = None) -> time | None:
    """A time of day; None where there is no such time. `half`: of the time before it, where it has none."""
    hour = int(named[f"hour{number}"])
    said = named.get(f"half{number}") or (half if hour < 12 else None)
    minute = named.get(f"min{number}", "0").removesuffix("分")
    if said in {"午後", "pm", "夜", "夕方", "昼"} and 1 <= hour < 12:
        hour += 12
    if said == "am" and hour == 12:
        hour = 0
    minutes = 30 if minute == "半" else int(minute)
    return time(hour % 24, minutes) if hour <= 24 and minutes < 60 else None


# --- until when ---------------------------------------------------------------------------------------


def _pause(named: Mapping[str, str | None], at: datetime) -> Asked | None:
    until = _until(named, at)
    if until is None or not at < until <= at + LONGEST:
        return None
    return Asked(asks=Asks.PAUSE, until=until)


def _until(named: Mapping[str, str | None], at: datetime) -> datetime | None:
    if named.get("while"):
        return _midnight(at.date() + A_WHILE, at)
    if (number := named.get("number")) is not None:
        return _after(number, named["of"] or "", at)
    name = named.get("name") or named.get("this")
    if name is not None:
        return _midnight(_named_day(name, at.date()), at)
    if (day := named.get("only_day")) is not None:
        return _on(at, at.month, int(day), is_included=True)
    month = named["month"] or ""
    number_of = int(month) if month.isdigit() else words.MONTHS.index(month) + 1
    if not 1 <= number_of <= 12:
        return None
    if named.get("day"):
        return _on(at, number_of, int(named["day"] or 0), is_included=month.isdigit())
    first = date(at.year + (number_of < at.month), number_of, 1)
    if named.get("whole") or number_of == at.month:
        first = _next_month(first)
    return _midnight(first, at)


def _after(number: str, unit: str, at: datetime) -> datetime | None:
    if number == "半":
        return _midnight(at.date() + timedelta(days=182), at) if unit == "年" else None
    count = words.NUMBERS.get(number) or int(number)
    if unit == "月":  # 3月 is March, not three months
        return _midnight(date(at.year + (count <= at.month), count, 1), at) if 1 <= count <= 12 else None
    days = {"日": 1, "day": 1, "週間": 7, "week": 7, "か月": 30, "month": 30, "年": 365}[unit]
    return _midnight(at.date() + timedelta(days=min(count, 1000) * days), at)


def _named_day(name: str, today: date) -> date:
    monday = today + timedelta(days=7 - today.weekday())
    first = _next_month(today.replace(day=1))
    if name.startswith(("来月いっぱい", "来月末", "再来月")):
        return _next_month(first)
    if name.startswith(("今月", "来月", "月末")) or name in {
        "next month",
        "this month",
        "the end of the month",
    }:
        return first
    if name.startswith(("来週いっぱい", "再来週")):
        return monday + timedelta(days=7)
    if name.startswith(("今週", "来週", "週")) or name in {"next week", "this week"}:
        return monday
    if name.startswith("年明け"):
        return date(today.year + 1, 1, 4)
    if name.startswith(("年", "来年")) or name == "next year":
        return date(today.year + 1, 1, 1)
    return today + timedelta(days=2 if name.startswith("明後日") else 1)


def _on(at: datetime, month: int, day: int, *, is_included: bool) -> datetime | None:
    """The day named, this year or next; まで includes it, `until` does not."""
    for year in (at.year, at.year + 1):
        try:
            named = date(year, month, day)
        except ValueError:
            return None
        if named >= at.date():
            return _midnight(named + timedelta(days=1 if is_included else 0), at)
    return None


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _midnight(day: date, at: datetime) -> datetime:
    return datetime.combine(day, time(0), tzinfo=at.tzinfo)

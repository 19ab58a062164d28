"""How are spans, moments and numbers said to people, in Japanese and in English?"""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_WEEKDAYS_JA = "月火水木金土日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def plural(number: int, word: str) -> str:
    """`1 day`, `2 days`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _rounded(span: timedelta) -> tuple[int, int]:
    """The size of a span in its largest whole unit: (number, 0 days | 1 hours | 2 minutes)."""
    size = abs(span)
    if size >= _DAY:
        return size // _DAY, 0
    if size >= _HOUR:
        return size // _HOUR, 1
    return size // _MINUTE, 2


def _exact(span: timedelta) -> tuple[int, int]:
    for unit, one in enumerate((_DAY, _HOUR, _MINUTE)):
        if span and not span % one:
            return span // one, unit
    return _rounded(span)


def _say_ja(size: tuple[int, int]) -> str:
    return f"{size[0]}{('日', '時間', '分')[size[1]]}"


def _say_en(size: tuple[int, int]) -> str:
    return plural(size[0], ("day", "hour", "minute")[size[1]])


def age_ja(age: timedelta) -> str:
    """`16日前`; a moment slightly ahead counts as just now."""
    return "たった今" if age < _MINUTE else f"{_say_ja(_rounded(age))}前"


def age_en(age: timedelta) -> str:
    """`16 days ago`."""
    return "just now" if age < _MINUTE else f"{_say_en(_rounded(age))} ago"


def span_ja(span: timedelta) -> str:
    """A span written in a rule, in its own unit: `14日`, `36時間`."""
    return _say_ja(_exact(span))


def span_en(span: timedelta) -> str:
    """A span written in a rule, in its own unit: `14 days`, `36 hours`."""
    return _say_en(_exact(span))


def moment_ja(at: datetime, zone: tzinfo) -> str:
    """`12月3日(木) 9:00`, in local time."""
    local = at.astimezone(zone)
    return f"{local.month}月{local.day}日({_WEEKDAYS_JA[local.weekday()]}) {local.hour}:{local.minute:02}"


def moment_en(at: datetime, zone: tzinfo) -> str:
    """`Thu 3 Dec 9:00`, in local time."""
    local = at.astimezone(zone)
    weekday, month = _WEEKDAYS_EN[local.weekday()], _MONTHS_EN[local.month - 1]
    return f"{weekday} {local.day} {month} {local.hour}:{local.minute:02}"

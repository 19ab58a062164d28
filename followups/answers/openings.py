"""How are the business hours said to a customer?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from followups.rules.model import BusinessHours
from followups.times.hours import next_opening
from followups.words.wording import moment_en, moment_ja

_JA = "月火水木金土日"
_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def hours_said(business: BusinessHours, language: str) -> str:
    """`平日10:00〜18:00（祝日を除く）`, `Mon to Fri, 10:00 to 18:00 (except public holidays)`."""
    start, end = (f"{at.hour}:{at.minute:02}" for at in (business.hours.start, business.hours.end))
    days = sorted(business.days)
    if language.lower().startswith("ja"):
        spans = "・".join(
            _JA[first] if first == last else f"{_JA[first]}〜{_JA[last]}" for first, last in _runs(days)
        )
        said = {(0, 1, 2, 3, 4): "平日", (0, 1, 2, 3, 4, 5, 6): "毎日"}.get(tuple(days), f"{spans}曜日の")
        return f"{said}{start}〜{end}" + ("（祝日を除く）" if business.holidays else "")
    spans = ", ".join(
        _EN[first] if first == last else f"{_EN[first]} to {_EN[last]}" for first, last in _runs(days)
    )
    said = "every day" if len(days) == len(_EN) else spans
    return f"{said}, {start} to {end}" + (" (except public holidays)" if business.holidays else "")


def opening_said(now: datetime, business: BusinessHours, zone: ZoneInfo, language: str) -> str:
    """When people answer next: `12月3日(木) 10:00`."""
    say = moment_ja if language.lower().startswith("ja") else moment_en
    return say(next_opening(now, business, zone), zone)


def _runs(days: Sequence[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for day in days:
        if runs and runs[-1][1] == day - 1:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs

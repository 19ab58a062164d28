"""When may one write, and when do people answer, in local time?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import jpholiday

from followups.rules.model import BusinessHours, Hours

_A_DAY = timedelta(days=1)
_SEARCHED_DAYS = 400
"""How far ahead an opening is looked for: past any run of holidays."""


def _instants(day: date, wall: time, zone: ZoneInfo) -> list[datetime]:
    """The moments (UTC) at which clocks on a day come to read `wall`: one, or two where clocks go back.

    Where clocks jump over `wall`, the moment of the jump.
    """
    first = datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)
    second = datetime.combine(day, wall.replace(fold=1), tzinfo=zone).astimezone(UTC)
    if second == first:
        return [first]
    if second > first:
        return [first, second]
    low, high = second, first  # a gap: the jump lies between the two readings
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return [high.replace(microsecond=0)]


def is_within(now: datetime, hours: Hours, zone: ZoneInfo) -> bool:
    """Does a local clock read a time of this daily span? Start counts, end does not; start = end is empty."""
    wall = now.astimezone(zone).time()
    if hours.start <= hours.end:
        return hours.start <= wall < hours.end
    return wall >= hours.start or wall < hours.end


def next_allowed(now: datetime, hours: Hours | None, zone: ZoneInfo) -> datetime:
    """The first moment from `now` on that is outside quiet hours: `now` itself, or when they next end.

    Args:
        hours: the quiet hours; None: there are none.
        zone: whose clock is read, clock changes included.
    """
    if hours is None or not is_within(now, hours, zone):
        return now
    today = now.astimezone(zone).date()
    ends = [at for ahead in range(-1, 4) for at in _instants(today + ahead * _A_DAY, hours.end, zone)]
    return min(at for at in ends if at > now and not is_within(at, hours, zone))


def is_holiday(day: date, calendar: str | None) -> bool:
    """A public holiday of the named calendar; `JP` is the one there is, None has none."""
    return calendar == "JP" and bool(jpholiday.is_holiday(day))


def is_open(now: datetime, business: BusinessHours, zone: ZoneInfo) -> bool:
    """Do people answer at this moment?"""
    return any(start <= now < end for start, end in _openings(now, business, zone, days=2))


def _openings(
    now: datetime, business: BusinessHours, zone: ZoneInfo, *, days: int = _SEARCHED_DAYS
) -> Iterator[tuple[datetime, datetime]]:
    """The spans in which people answer, from the one that may still run at `now`."""
    today = now.astimezone(zone).date()
    hours = business.hours
    for ahead in range(-1, days):
        day = today + ahead * _A_DAY
        if day.weekday() not in business.days or is_holiday(day, business.holidays):
            continue
        closing_day = day if hours.start < hours.end else day + _A_DAY
        start = _instants(day, hours.start, zone)[0]
        end = _instants(closing_day, hours.end, zone)[-1]
        if end > now and end > start:
            yield start, end


def next_opening(now: datetime, business: BusinessHours, zone: ZoneInfo) -> datetime:
    """The first moment from `now` on at which people answer; `now` for a calendar that never opens."""
    for start, _ in _openings(now, business, zone):
        return max(now, start)
    return now


def add_business_time(now: datetime, span: timedelta, business: BusinessHours, zone: ZoneInfo) -> datetime:
    """The moment at which `span` of opening time has passed since `now`.

    A calendar that never opens counts as always open.
    """
    left = span
    for start, end in _openings(now, business, zone):
        begins = max(now, start)
        if end - begins >= left:
            return begins + left
        left -= end - begins
    return now + span


def business_time_between(
    start: datetime, end: datetime, business: BusinessHours, zone: ZoneInfo
) -> timedelta:
    """How much opening time lies between two moments."""
    total = timedelta()
    for opens, closes in _openings(start, business, zone):
        if opens >= end:
            break
        total += max(timedelta(), min(end, closes) - max(start, opens))
    return total

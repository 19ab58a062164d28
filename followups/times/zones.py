"""Which local day is it for a customer, and when does that day begin?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DEFAULT_TIMEZONE = "Asia/Tokyo"
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
_LARGEST_SECONDS = 10_000_000_000
"""An epoch above this (the year 2286) is read as milliseconds."""


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder of the zone database
        return None


def is_zone(name: str) -> bool:
    """True for a time zone name of the IANA database."""
    return bool(name) and _zone(name) is not None


def zone_of(*names: str | None) -> ZoneInfo:
    """The first of these IANA names that exists; Asia/Tokyo when none does."""
    for name in names:
        if name and (zone := _zone(name)) is not None:
            return zone
    return ZoneInfo(DEFAULT_TIMEZONE)


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """The moment (UTC) a local day begins, also where a clock change skips or repeats midnight."""
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """The customer's calendar day at a moment."""
    return at.astimezone(zone).date()


def next_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which the customer's next calendar day begins."""
    return day_begins(local_day(at, zone) + timedelta(days=1), zone)


def month_begins(at: datetime) -> datetime:
    """The first moment of the month that `at` lies in, in Japan: LINE counts messages by those."""
    return day_begins(at.astimezone(JAPAN).date().replace(day=1), JAPAN)


JAPAN = ZoneInfo("Asia/Tokyo")


def _in_reach(day: date) -> date | None:
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def _day_of_text(text: str, zone: ZoneInfo) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
        return at.date() if at.tzinfo is None else local_day(at, zone)
    except (ValueError, OverflowError):
        return None


def day_of(value: object, zone: ZoneInfo) -> date | None:
    """Read an attribute as the customer's local day.

    Args:
        value: ISO date text (`2026-12-03`), ISO datetime text (without offset: local), or an epoch in
            seconds or milliseconds.

    Returns:
        The day; None for anything else and for years outside 1900 to 2199.
    """
    if isinstance(value, str):
        day = _day_of_text(value.strip(), zone)
        return _in_reach(day) if day is not None else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = value / 1000 if abs(value) > _LARGEST_SECONDS else value
        return _in_reach(local_day(datetime.fromtimestamp(seconds, tz=UTC), zone))
    except (ValueError, OverflowError, OSError):
        return None


def attribute_moment(value: object, zone: ZoneInfo) -> datetime | None:
    """The moment kept under `attribute_key`: when the attribute's local day begins; None: not a date."""
    day = day_of(value, zone)
    return day_begins(day, zone) if day is not None else None

"""Are quiet hours and business time right in every zone, also on the days clocks change?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followups.rules.model import BusinessHours, Hours
from followups.times.hours import (
    add_business_time,
    business_time_between,
    is_holiday,
    is_open,
    is_within,
    next_allowed,
    next_opening,
)
from followups.times.zones import attribute_moment, day_begins, day_of, is_zone, zone_of

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
NIGHT = Hours(start=time(20), end=time(9))


def tokyo(*when):
    return datetime(*when, tzinfo=TOKYO)


ALLOWED = {
    "noon": (tokyo(2026, 12, 3, 12), NIGHT, TOKYO, tokyo(2026, 12, 3, 12)),
    "the start is quiet": (tokyo(2026, 12, 3, 20), NIGHT, TOKYO, tokyo(2026, 12, 4, 9)),
    "the end is not": (tokyo(2026, 12, 4, 9), NIGHT, TOKYO, tokyo(2026, 12, 4, 9)),
    "after midnight": (tokyo(2026, 12, 4, 3), NIGHT, TOKYO, tokyo(2026, 12, 4, 9)),
    "none": (tokyo(2026, 12, 4, 3), None, TOKYO, tokyo(2026, 12, 4, 3)),
    "midday rest": (
        tokyo(2026, 12, 4, 12, 30),
        Hours(start=time(12), end=time(13)),
        TOKYO,
        tokyo(2026, 12, 4, 13),
    ),
    "clocks jump over the end": (
        datetime(2026, 3, 8, 1, 30, tzinfo=NEW_YORK),
        Hours(start=time(20), end=time(2, 30)),
        NEW_YORK,
        datetime(2026, 3, 8, 7, tzinfo=UTC),  # 03:00 EDT, the moment of the jump
    ),
    "clocks repeat the end": (
        datetime(2026, 11, 1, 0, 30, tzinfo=NEW_YORK),
        Hours(start=time(20), end=time(1, 30)),
        NEW_YORK,
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    ),
    "clocks go back into quiet hours": (
        datetime(2026, 11, 1, 6, 10, tzinfo=UTC),  # the second 01:10
        Hours(start=time(20), end=time(1, 30)),
        NEW_YORK,
        datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    ),
}


@pytest.mark.parametrize(("now", "hours", "zone", "expected"), ALLOWED.values(), ids=ALLOWED)
def test_next_allowed(now, hours, zone, expected):
    assert next_allowed(now, hours, zone) == expected


zones = st.sampled_from(
    [
        "Asia/Tokyo",
        "America/New_York",
        "Europe/London",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Asia/Kathmandu",
    ]
)
moments = st.integers(0, 2 * 366 * 48).map(
    lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * timedelta(minutes=30)
)
walls = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))


@settings(max_examples=500, deadline=None)
@given(now=moments, start=walls, end=walls, zone=zones)
def test_the_next_allowed_moment_is_never_quiet_nor_far(now, start, end, zone):
    hours, there = Hours(start=start, end=end), ZoneInfo(zone)
    found = next_allowed(now, hours, there)
    assert not is_within(found, hours, there)
    assert now <= found <= now + timedelta(days=2)
    assert (found == now) == (not is_within(now, hours, there))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Europe/London"])
def test_no_half_hour_of_a_year_is_answered_with_a_quiet_moment(zone):
    there = ZoneInfo(zone)
    for half_hour in range(366 * 48):
        now = datetime(2026, 1, 1, tzinfo=UTC) + half_hour * timedelta(minutes=30)
        assert not is_within(next_allowed(now, NIGHT, there), NIGHT, there)


OPENINGS = {
    "Thursday noon": (tokyo(2026, 12, 3, 12), tokyo(2026, 12, 3, 12)),
    "Thursday evening": (tokyo(2026, 12, 3, 18), tokyo(2026, 12, 4, 10)),
    "Friday evening": (tokyo(2026, 12, 4, 19), tokyo(2026, 12, 7, 10)),
    "before New Year": (tokyo(2026, 12, 31, 19), tokyo(2027, 1, 4, 10)),
    "substitute holiday": (tokyo(2027, 3, 19, 18), tokyo(2027, 3, 23, 10)),
}


@pytest.mark.parametrize(("now", "expected"), OPENINGS.values(), ids=OPENINGS)
def test_next_opening(now, expected):
    assert next_opening(now, BusinessHours(), TOKYO) == expected


ADDED = {
    "within the day": (tokyo(2026, 12, 3, 12), 15, tokyo(2026, 12, 3, 12, 15)),
    "to the very end": (tokyo(2026, 12, 3, 17, 45), 15, tokyo(2026, 12, 3, 18)),
    "into tomorrow": (tokyo(2026, 12, 3, 17, 50), 15, tokyo(2026, 12, 4, 10, 5)),
    "over the weekend": (tokyo(2026, 12, 4, 17, 50), 30, tokyo(2026, 12, 7, 10, 20)),
    "from the night": (tokyo(2026, 12, 3, 3), 30, tokyo(2026, 12, 3, 10, 30)),
    "over several days": (tokyo(2026, 12, 3, 10), 60 * 17, tokyo(2026, 12, 7, 11)),
}


@pytest.mark.parametrize(("now", "minutes", "expected"), ADDED.values(), ids=ADDED)
def test_business_time(now, minutes, expected):
    business = BusinessHours()
    found = add_business_time(now, timedelta(minutes=minutes), business, TOKYO)
    assert found == expected
    assert business_time_between(now, found, business, TOKYO) == timedelta(minutes=minutes)


def test_a_calendar_that_never_opens_counts_as_always_open():
    never, now = BusinessHours(days=frozenset()), tokyo(2026, 12, 3, 12)
    assert next_opening(now, never, TOKYO) == now
    assert add_business_time(now, timedelta(hours=1), never, TOKYO) == now + timedelta(hours=1)
    assert not is_open(now, never, TOKYO)


def test_people_answer_over_midnight_where_the_calendar_says_so():
    night = BusinessHours(hours=Hours(start=time(22), end=time(6)), holidays=None)
    assert is_open(tokyo(2026, 12, 4, 5), night, TOKYO)
    assert is_open(tokyo(2026, 12, 5, 5), night, TOKYO)  # Friday's night
    assert not is_open(tokyo(2026, 12, 6, 5), night, TOKYO)


def test_holidays():
    assert is_holiday(date(2026, 11, 23), "JP")
    assert not is_holiday(date(2026, 11, 23), None)
    assert not is_holiday(date(2026, 12, 3), "JP")


DAYS = {
    "date": ("2026-12-03", date(2026, 12, 3)),
    "instant": ("2026-12-03T18:00:00Z", date(2026, 12, 4)),
    "local time": ("2026-12-03T23:30:00", date(2026, 12, 3)),
    "epoch": (1_796_299_200, date(2026, 12, 3)),
    "epoch in milliseconds": (1_796_299_200_000, date(2026, 12, 3)),
    "text": ("next spring", None),
    "truth": (True, None),
    "nothing": (None, None),
    "not a number": (float("nan"), None),
    "endless": (float("inf"), None),
    "far": ("9999-12-31", None),
    "too far": (1e300, None),
    "at the edge of time": ("0001-01-01T00:00:00+14:00", None),
}


@pytest.mark.parametrize(("value", "expected"), DAYS.values(), ids=DAYS)
def test_dates_in_attributes(value, expected):
    assert day_of(value, TOKYO) == expected
    moment = attribute_moment(value, TOKYO)
    assert moment == (day_begins(expected, TOKYO) if expected else None)


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "Asia", "\x00", "/etc/localtime"])
def test_names_that_are_no_time_zone(name):
    assert not is_zone(name)
    assert zone_of(name, "Europe/London") == ZoneInfo("Europe/London")
    assert zone_of(name, None) == TOKYO

"""Do we and the others agree on what time it is?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from bot.doctor.findings import Finding, error, ok, warning

_GRAIN = timedelta(seconds=1)
"""A Date header leaves fractions out."""
_FIX = (
    "サーバーの時刻合わせを有効にしてください(例: sudo timedatectl set-ntp true)",
    "let the machine keep its time by NTP (for example: sudo timedatectl set-ntp true)",
)


def skew_of(theirs: datetime, *, before: datetime, after: datetime) -> timedelta:
    """How far off a clock is at least, that was read between two moments of ours; positive: it is ahead."""
    if theirs + _GRAIN < before:
        return theirs + _GRAIN - before
    return max(theirs - after, timedelta(0))


def skew_of_header(date: str | None, *, before: datetime, after: datetime) -> timedelta | None:
    """The same for an HTTP Date header; None: there is none to read."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except (ValueError, TypeError, IndexError):
        return None
    known = theirs if theirs.tzinfo is not None else theirs.replace(tzinfo=UTC)
    return skew_of(known, before=before, after=after)


def clock_finding(
    key: str, skew: timedelta, *, ja: str, en: str, tolerated: timedelta, refused: timedelta
) -> Finding:
    """`ja`, `en`: whose clock it was. More than `tolerated` is a warning, more than `refused` an error."""
    seconds = round(abs(skew.total_seconds()))
    if abs(skew) <= tolerated:
        return ok(key, f"時計は{ja}と合っています", f"our clock agrees with {en}")
    ahead_ja, ahead_en = ("遅れて", "behind") if skew > timedelta(0) else ("進んで", "ahead of")
    level = error if abs(skew) > refused else warning
    return level(
        key,
        f"このマシンの時計が{ja}より{seconds}秒{ahead_ja}います",
        f"this machine's clock is {seconds} s {ahead_en} {en}",
        fix=_FIX,
    )

"""How are spans and shares written in rules?"""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=3660)
"""No span in a rule is longer: about ten years."""

_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_DURATION = re.compile(r"([0-9]{1,7})([mhdw])")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)\s?%")


def parse_duration(text: str) -> timedelta | None:
    """`90m`, `4h`, `3d`, `2w` as a span; None for anything else, for zero and beyond ten years."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        return None
    try:
        span = int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        return None
    return span if timedelta() < span <= LONGEST else None


def format_duration(span: timedelta) -> str:
    """The shortest way to write a span of whole minutes: `2w`, `3d`, `36h`, `90m`.

    Raises:
        ValueError: for spans that are not whole minutes or not positive.
    """
    if span <= timedelta() or span % _UNITS["m"]:
        raise ValueError(f"{span} is not a positive number of whole minutes")
    unit = next(u for u in ("w", "d", "h", "m") if not span % _UNITS[u])
    return f"{span // _UNITS[unit]}{unit}"


def parse_percent(text: str) -> float | None:
    """`10%` as 0.1; None for anything else and above 100 %."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        return None
    share = round(float(match[1]) / 100, 8)
    return share if share <= 1 else None


def format_percent(share: float) -> str:
    """0.1 as `10%`, 0.025 as `2.5%`."""
    return f"{round(share * 100, 4):g}%"

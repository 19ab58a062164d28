"""Who may use the messages that are left of LINE's month: people first, then the rules that matter most.

LINE counts one message per recipient of a push, whatever it holds; replies are free. Part of the month is
kept for people's replies; the rest goes to the rules by priority, then by what a message is expected to
bring, as far as their forecast to the month's end asks for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LOOK_BACK = timedelta(days=28)
"""What the forecast is drawn from: four whole weeks, so that every weekday counts the same."""
LEAST_BACK = timedelta(days=7)
"""A rule younger than this is taken to have been writing for so long: its first day is a catching up."""
ALERTS_AT = (0.5, 0.8, 0.95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one rule is going to ask for until the month's end: `messages`."""

    rule_id: str
    priority: int
    expected: float
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one rule asks for, and what it may have of it."""

    rule_id: str
    wanted: int
    given: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """The shares, the most important rule first.

    Attributes:
        floor: the (priority, expected value) below which nobody writes; None: there is enough for all.
        capped: by rule id, what rules of exactly the floor's worth may have at most: the rest is kept for
            those above, even where those write later.
    """

    shares: tuple[Share, ...] = ()
    floor: tuple[int, float] | None = None
    capped: Mapping[str, int] = field(default_factory=dict)


def limit_of(line_limit: int | None, *, monthly: int | None, yen_per_extra: float | None) -> int | None:
    """How many messages the month may have at most; None: no limit is known.

    Args:
        line_limit: what LINE takes: the plan's messages and the additional ones the owner allows.
        monthly: the plan's messages, as the policy has it. Beyond them costs `yen_per_extra` each; where no
            price is given, nothing goes beyond.
    """
    if monthly is None or yen_per_extra is not None:
        return line_limit
    return monthly if line_limit is None else min(line_limit, monthly)


def reserve_of(limit: int, *, share: float) -> int:
    """How many of a month's messages are kept for people, rounded up."""
    return min(limit, math.ceil(limit * share - 1e-9))


def left_for_rules(limit: int, *, used: int, by_people: int, share: float) -> int:
    """How many messages rules may still send: what is unused, less what people have not yet used of theirs.

    Args:
        used: of the month, by anyone; `by_people` of these by people.
    """
    kept = max(0, reserve_of(limit, share=share) - by_people)
    return max(0, limit - used - kept)


def allot(left: int, demands: Iterable[Demand]) -> Allotment:
    """Give out what is left, each rule all it asks for before the next one gets any."""
    ranked = sorted(demands, key=lambda each: (-each.priority, -each.expected, each.rule_id))
    shares: list[Share] = []
    remaining = max(0, left)
    floor: tuple[int, float] | None = None
    for each in ranked:
        given = min(each.messages, remaining)
        shares.append(Share(rule_id=each.rule_id, wanted=each.messages, given=given))
        remaining -= given
        if floor is None and given < each.messages:
            floor = each.priority, each.expected
    given_to = {share.rule_id: share for share in shares}
    capped = {
        each.rule_id: given_to[each.rule_id].given
        for each in ranked
        if (each.priority, each.expected) == floor
    }
    return Allotment(shares=tuple(shares), floor=floor, capped=capped)


def to_month_end(messages: int, *, since: datetime | None, queued: int, now: datetime, ends: datetime) -> int:
    """How many messages are to be expected until the month's end, from those of the last `LOOK_BACK`.

    Args:
        messages: sent in that time, the first of them at `since`.
        queued: promised, and not sent yet.
    """
    if not messages or since is None:
        return queued
    span = min(LOOK_BACK, max(LEAST_BACK, now - since))
    ahead = max(timedelta(0), ends - now)
    return math.ceil(messages * (ahead / span) - 1e-9) + queued


def extra_of(messages: int, *, monthly: int | None) -> int:
    """How many of a month's messages are beyond the plan's."""
    return 0 if monthly is None else max(0, messages - monthly)


def alert_due(used: int, limit: int | None) -> float | None:
    """The highest share of `ALERTS_AT` that is used up; None: less than the lowest, or there is no limit."""
    if not limit:
        return None
    return max((each for each in ALERTS_AT if used >= limit * each), default=None)

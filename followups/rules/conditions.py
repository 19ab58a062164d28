"""Does a condition hold for these facts now, why, and when would time alone change it?

Every condition has two readings: `check` here decides; `db/candidates.py` finds in SQL who *might* have
flipped and must never miss anyone. `thresholds` names the moments that time can cross, as
`signal(key).last_at + after`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from followups.facts import AttributeValue, Facts
from followups.signals import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One sentence for people, in both languages."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What came of one condition.

    Attributes:
        because: a short sentence with the value that decided it ("最後の login は 16日前" / "last login 16 days ago").
        flips_at: the earliest moment at which time alone (no new event) would change `holds`; None: never.
        parts: the checks of a group's members, in order.
    """

    holds: bool
    because: Text
    flips_at: datetime | None = None
    parts: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A moment that time crosses: `signal(key).last_at + after` (after may be negative for dates ahead)."""

    key: str
    after: timedelta


class Condition(Protocol):
    """One node of a rule's `when`."""

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Decide for these facts at this moment."""
        ...

    def thresholds(self) -> tuple[Threshold, ...]:
        """The moments at which time alone can flip this condition, found by index in SQL."""
        ...

    def watches(self) -> tuple[Watch, ...]:
        """What must be kept of which events for `check` and `thresholds` to work."""
        ...

    def needs_alarm(self) -> bool:
        """True when flips are found by a stored alarm at `flips_at` instead of an index range."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLast:
    """`event: login, last: {more_than: 14d}`: time since the latest. Never happened: does not hold."""

    event: str
    more_than: timedelta | None = None
    less_than: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFirst:
    """`event: signup, first: {less_than: 7d}`: time since the earliest. Never happened: does not hold."""

    event: str
    more_than: timedelta | None = None
    less_than: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """`event: login, count: {fewer_than: 3, within: 28d}`; without `within`: ever. No event counts as 0."""

    event: str
    at_least: int | None = None
    at_most: int | None = None
    within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNever:
    """`event: data_connected, never: true`; `never: false`: happened at least once."""

    event: str
    is_never: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """`stalled: {since: {event: signup}, without: {event: data_connected}, for: 3d}`.

    Holds when the latest `since` is at least `span` old and no `without` happened at or after it.
    """

    since: str
    without: str
    span: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """`used: {fewer_than: 3, of: [a, b, c], within: 30d}`: how many of the named events happened in the span."""

    of: tuple[str, ...]
    fewer_than: int | None = None
    at_least: int | None = None
    within: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeIs:
    """`attribute: plan` with exactly one of `equals | in | not_in | at_least | at_most | exists`."""

    attribute: str
    operator: str
    value: AttributeValue | tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDate:
    """`attribute: renewal_date` with exactly one of `within: 30d | passed: 3d | anniversary: true`.

    A date is the customer's local day. `within`: the day begins at most the span ahead and is not over.
    `passed`: the day began at least the span ago. `anniversary`: today has the same month and day
    (29 February falls on 28 February in other years).
    """

    attribute: str
    within: timedelta | None = None
    passed: timedelta | None = None
    is_anniversary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LineIs:
    """`line: {linked: true}`."""

    is_linked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`all` | `any` | `none` of the members."""

    kind: str
    members: tuple[Condition, ...]

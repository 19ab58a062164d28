"""What do all conditions have in common: what they answer, and what they need kept?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from followups.facts import Facts, Signal
from followups.signals import Watch


class Text:
    """One sentence for people, in both languages; immutable.

    Most are never read: `later` puts one into words only when somebody does.
    """

    __slots__ = ("_say", "_words")
    _words: tuple[str, str] | None
    _say: Callable[[], Text] | None

    def __init__(self, *, ja: str, en: str) -> None:
        self._words, self._say = (ja, en), None

    @classmethod
    def later(cls, say: Callable[[], Text]) -> Text:
        """What `say`, a pure function, will say."""
        text = cls.__new__(cls)
        text._words, text._say = None, say
        return text

    def _read(self) -> tuple[str, str]:
        if self._words is None:
            assert self._say is not None
            self._words, self._say = self._say()._read(), None
        return self._words

    @property
    def ja(self) -> str:
        """In Japanese."""
        return self._read()[0]

    @property
    def en(self) -> str:
        """In English."""
        return self._read()[1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and self._read() == other._read()

    def __hash__(self) -> int:
        return hash(self._read())

    def __repr__(self) -> str:
        return f"Text(ja={self.ja!r}, en={self.en!r})"

    def __reduce__(self) -> tuple[Callable[[str, str], Text], tuple[str, str]]:
        return _text, self._read()


def _text(ja: str, en: str) -> Text:
    return Text(ja=ja, en=en)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What came of one condition.

    Attributes:
        because: a short sentence with the value that decided it ("最後の login は 16日前" / "last login 16
            days ago").
        flips_at: the earliest moment at which time alone (no new event) would change `holds`; None: never.
            A group's may be early (asked then, it names the next one), never late.
        parts: the checks of a group's members, in order.
        kind: "all", "any" or "none" for a group, "" for a single condition.
    """

    holds: bool
    because: Text
    flips_at: datetime | None = None
    parts: tuple[Check, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A moment that time crosses: `signal(key).last_at + after` (after may be negative for dates ahead).

    Boundary: the value changes *at* the moment itself, so the crossings of a tick are exactly
    `prev < last_at + after <= now`.
    """

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


def signal_of(facts: Facts, event: str) -> Signal | None:
    """The signal of an event that happened at least once."""
    signal = facts.signals.get(event)
    return signal if signal is not None and signal.count > 0 else None


def settle(
    holds_at: Callable[[datetime], bool], moments: Iterable[datetime], *, now: datetime
) -> tuple[bool, datetime | None]:
    """Evaluate now, and find the first of the only moments that can change the answer where it does."""
    holds = holds_at(now)
    for moment in sorted(moments):
        if moment > now and holds_at(moment) != holds:
            return holds, moment
    return holds, None


def flip_of(condition: Condition, facts: Facts, check: Check, *, limit: int = 24) -> datetime | None:
    """Sharpen a group's `flips_at`, which may be early, to the moment at which the value really changes.

    Args:
        check: what `condition` answered for these facts.
        limit: how many early moments to step over; then the last one is given (early, never late).
    """
    at = check.flips_at
    for _ in range(limit):
        if at is None:
            return None
        later = condition.check(facts, now=at)
        if later.holds != check.holds:
            return at
        if later.flips_at is None:
            return None
        at = later.flips_at
    return at

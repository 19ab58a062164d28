"""How do events fold into signals, and under which keys are those kept?

Keys. `login` is the event itself. `login#3` is the third most recent login: its crossing of
`now - 28d` is the moment "fewer than 3 in 28 days" becomes true. `login~first` is the earliest login.
`order_completed?plan="pro"` is the event with these properties alone, folded as an event of its own (its own
derived rows are `order_completed?plan="pro"#3` and so on). `@renewal_date` is a date attribute, as the moment
its local day begins. `$` begins our own: what customers did with our messages.
Derived and filtered rows exist only for what some published rule watches.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from followups.facts import AttributeValue, Signal

CLICKED = "$clicked"
"""The signal of clicks on tracked links, where it is kept: an answer, for the rest after silence."""
REPLIED = "$replied"
"""The signal of messages that customers wrote to us."""
REACTED = "$reacted"
"""With a quick reply's signal after it: that answer was given in one tap."""

MAX_RECENT = 200
"""The largest k of "k-th most recent" that a rule may watch; bounds one signal row's size."""


def nth_key(event: str, n: int) -> str:
    """The key of the n-th most recent `event` (n >= 1)."""
    return f"{event}#{n}"


def first_key(event: str) -> str:
    """The key of the earliest `event`."""
    return f"{event}~first"


def attribute_key(attribute: str) -> str:
    """The key of a date attribute's day."""
    return f"@{attribute}"


def clicked_key(template: str) -> str:
    """The key of clicks on the links of one message template."""
    return f"{CLICKED}:{template}"


def reacted_key(signal: str) -> str:
    """The key of taps on quick replies with this signal, on whatever message they stood."""
    return f"{REACTED}:{signal}"


def clicked_template(key: str) -> str | None:
    """The template whose clicks this key counts; None for any other key."""
    return key.removeprefix(f"{CLICKED}:") if key.startswith(f"{CLICKED}:") else None


Where = tuple[tuple[str, AttributeValue], ...]
"""Properties and the values they must have exactly, by name."""

_PLAIN_PROPERTY = re.compile(r"[\w.$-]+")


def filtered_key(event: str, where: Mapping[str, AttributeValue]) -> str:
    """The key of the events of this name that have these properties: `order_completed?plan="pro"`.

    The same filter has the same key however it is written; without one, the key is the event's own.
    """
    if not where:
        return event
    parts = []
    for name, value in sorted(where.items()):
        shown = name if _PLAIN_PROPERTY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        parts.append(f"{shown}={json.dumps(whole, ensure_ascii=False)}")
    return f"{event}?{'&'.join(parts)}"


@lru_cache(maxsize=4096)
def unfiltered(key: str) -> tuple[str, Where]:
    """The event and the properties that a key of `filtered_key` stands for; any other key, and none."""
    for at in (at for at, letter in enumerate(key) if letter == "?"):
        where = _read_where(key[at + 1 :])
        if where and filtered_key(key[:at], dict(where)) == key:
            return key[:at], where
    return key, ()


def _read_where(text: str) -> Where | None:
    found: list[tuple[str, AttributeValue]] = []
    read = json.JSONDecoder()
    try:
        while True:
            if text.startswith('"'):
                name, end = read.raw_decode(text)
            else:
                end = text.index("=")
                name = text[:end]
            if text[end] != "=":
                return None
            value, end = read.raw_decode(text, end + 1)
            if not isinstance(value, str | int | float | bool):
                return None
            found.append((name, value))
            if end == len(text):
                return tuple(found)
            if text[end] != "&":
                return None
            text = text[end + 1 :]
    except (ValueError, IndexError, RecursionError):
        return None


def shown(key: str) -> str:
    """An event as people read it: `order_completed (plan: pro)`."""
    event, where = unfiltered(key) if "?" in key else (key, ())
    if not where:
        return key
    said = ", ".join(
        f"{name}: {json.dumps(value) if isinstance(value, bool) else value}" for name, value in where
    )
    return f"{event} ({said})"


def has_properties(properties: Mapping[str, object], where: Where) -> bool:
    """True when each property has exactly this value, of one kind (text, number, truth)."""
    return all(
        name in properties and _kind(properties[name]) == _kind(value) and properties[name] == value
        for name, value in where
    )


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else type(value).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a published rule needs kept of one event.

    Attributes:
        event: the event's name, or its `filtered_key`.
        depth: how many of the most recent times to keep (0: none).
        ranks: the k for which the k-th most recent time gets its own row.
        is_first_watched: the earliest time gets its own row.
    """

    event: str
    depth: int = 0
    ranks: frozenset[int] = frozenset()
    is_first_watched: bool = False

    @property
    def source(self) -> str:
        """The name under which the events come in."""
        return unfiltered(self.event)[0]

    @property
    def where(self) -> Where:
        """The properties that those events must have; none: all of them count."""
        return unfiltered(self.event)[1]


def merge(watches: Iterable[Watch]) -> dict[str, Watch]:
    """What all rules together need kept, one watch per event."""
    merged: dict[str, Watch] = {}
    for watch in watches:
        known = merged.get(watch.event, Watch(event=watch.event))
        merged[watch.event] = Watch(
            event=watch.event,
            depth=max(known.depth, watch.depth),
            ranks=known.ranks | watch.ranks,
            is_first_watched=known.is_first_watched or watch.is_first_watched,
        )
    return merged


def derived(signal: Signal, watch: Watch) -> tuple[Signal, ...]:
    """The rows besides the event's own that `watch` needs, from a signal folded at `watch.depth`.

    A row's `last_at` (and `first_at`) is the moment it stands for; its count is 1.
    """
    rows = [
        Signal(key=nth_key(signal.key, rank), count=1, first_at=at, last_at=at)
        for rank in sorted(watch.ranks)
        if rank <= len(signal.recent)
        for at in (signal.recent[rank - 1],)
    ]
    if watch.is_first_watched:
        at = signal.first_at
        rows.append(Signal(key=first_key(signal.key), count=1, first_at=at, last_at=at))
    return tuple(rows)


def fold(signal: Signal | None, at: datetime, *, key: str, depth: int) -> Signal:
    """Take one new, distinct event into its signal, whatever order events arrive in.

    Args:
        signal: what was known before, or None.
        at: when the event happened.
        depth: how many recent times to keep.
    """
    if signal is None:
        return Signal(key=key, count=1, first_at=at, last_at=at, recent=(at,) if depth else ())
    recent = tuple(sorted((*signal.recent, at), reverse=True)[:depth])
    return Signal(
        key=key,
        count=signal.count + 1,
        first_at=min(signal.first_at, at),
        last_at=max(signal.last_at, at),
        recent=recent,
    )


def fold_all(key: str, times: Iterable[datetime], *, depth: int) -> Signal | None:
    """Fold many distinct events of one name; None when there is none."""
    signal: Signal | None = None
    for at in times:
        signal = fold(signal, at, key=key, depth=depth)
    return signal

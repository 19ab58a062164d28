"""How do events fold into signals, and under which keys are those kept?

Keys. `login` is the event itself. `login#3` is the third most recent login: its crossing of
`now - 28d` is the moment "fewer than 3 in 28 days" becomes true. `login~first` is the earliest login.
`@renewal_date` is a date attribute, as the moment its local day begins. `$consent`-like keys are our own.
Derived rows exist only for what some published rule watches.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from followups.facts import Signal

CLICKED = "$clicked"
"""The signal of clicks on tracked links, where it is kept: an answer, for the rest after silence."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a published rule needs kept of one event.

    Attributes:
        event: the event's name.
        depth: how many of the most recent times to keep (0: none).
        ranks: the k for which the k-th most recent time gets its own row.
        is_first_watched: the earliest time gets its own row.
    """

    event: str
    depth: int = 0
    ranks: frozenset[int] = frozenset()
    is_first_watched: bool = False


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

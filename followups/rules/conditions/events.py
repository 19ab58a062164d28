"""Which conditions ask when, how often and whether events happened?

Boundaries, the same everywhere: a span has passed from the very moment `last_at + span` on, so
`more_than: 14d` holds when `now >= last_at + 14d` and `less_than: 14d` when `now < last_at + 14d`. An event
is inside `within: 28d` while `now < at + 28d`. An event dated slightly ahead of `now` counts as just now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from followups.facts import Facts, Signal
from followups.rules.checks import Check, Text, Threshold, settle, signal_of
from followups.signals import Watch, first_key, nth_key, shown
from followups.words.wording import age_en, age_ja, plural, span_en, span_ja


def _asked(more_than: timedelta | None, less_than: timedelta | None) -> Text:
    ja, en = [], []
    if more_than is not None:
        ja.append(f"{span_ja(more_than)}以上")
        en.append(f"{span_en(more_than)} or more")
    if less_than is not None:
        ja.append(f"{span_ja(less_than)}未満")
        en.append(f"less than {span_en(less_than)}")
    return Text(ja="・".join(ja), en=" and ".join(en))


def _since(
    at: datetime, more_than: timedelta | None, less_than: timedelta | None, *, now: datetime
) -> tuple[bool, datetime | None]:
    if less_than is None and more_than is not None:
        edge = at + more_than
        return now >= edge, edge if now < edge else None
    if more_than is None and less_than is not None:
        edge = at + less_than
        return now < edge, edge if now < edge else None

    def holds_at(moment: datetime) -> bool:
        if more_than is not None and moment < at + more_than:
            return False
        return less_than is None or moment < at + less_than

    return settle(holds_at, [at + span for span in (more_than, less_than) if span is not None], now=now)


def _never(event: str) -> Text:
    return Text(ja=f"{shown(event)} は一度もない", en=f"{shown(event)} never happened")


def _spans(*spans: timedelta | None) -> list[timedelta]:
    return [span for span in spans if span is not None]


_LATEST, _EARLIEST = Text(ja="最後", en="last"), Text(ja="最初", en="first")


def _age(condition: EventLast | EventFirst, at: datetime, which: Text, *, now: datetime) -> Check:
    """How long ago one moment of the event was, against the spans asked for."""
    holds, flips_at = _since(at, condition.more_than, condition.less_than, now=now)

    def said() -> Text:
        age, asked = now - at, _asked(condition.more_than, condition.less_than)
        return Text(
            ja=f"{which.ja}の {shown(condition.event)} は {age_ja(age)}（条件: {asked.ja}）",
            en=f"{which.en} {shown(condition.event)} {age_en(age)} (asked: {asked.en})",
        )

    return Check(holds=holds, because=Text.later(said), flips_at=flips_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLast:
    """`event: login, last: {more_than: 14d}`: time since the latest. Never happened: does not hold."""

    event: str
    more_than: timedelta | None = None
    less_than: timedelta | None = None

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds from `last_at + more_than` on, and until just before `last_at + less_than`."""
        signal = signal_of(facts, self.event)
        if signal is None:
            return Check(holds=False, because=_never(self.event))
        return _age(self, signal.last_at, _LATEST, now=now)

    def thresholds(self) -> tuple[Threshold, ...]:
        """The latest event, after each span."""
        return tuple(Threshold(key=self.event, after=s) for s in _spans(self.more_than, self.less_than))

    def watches(self) -> tuple[Watch, ...]:
        """The event's own row."""
        return (Watch(event=self.event),)

    def needs_alarm(self) -> bool:
        """Found by index."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFirst:
    """`event: signup, first: {less_than: 7d}`: time since the earliest. Never happened: does not hold."""

    event: str
    more_than: timedelta | None = None
    less_than: timedelta | None = None

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds from `first_at + more_than` on, and until just before `first_at + less_than`."""
        signal = signal_of(facts, self.event)
        if signal is None:
            return Check(holds=False, because=_never(self.event))
        return _age(self, signal.first_at, _EARLIEST, now=now)

    def thresholds(self) -> tuple[Threshold, ...]:
        """The earliest event, after each span."""
        key = first_key(self.event)
        return tuple(Threshold(key=key, after=s) for s in _spans(self.more_than, self.less_than))

    def watches(self) -> tuple[Watch, ...]:
        """The event's earliest time as a row."""
        return (Watch(event=self.event, is_first_watched=True),)

    def needs_alarm(self) -> bool:
        """Found by index."""
        return False


def _nth_time(facts: Facts, event: str, n: int) -> tuple[bool, datetime | None]:
    """(known, the n-th most recent time or None when there are fewer)."""
    signal = signal_of(facts, event)
    if signal is None or signal.count < n:
        return True, None
    if n == 1:
        return True, signal.last_at
    if len(signal.recent) >= n:
        return True, signal.recent[n - 1]
    if signal.count == n:
        return True, signal.first_at
    row = facts.signals.get(nth_key(event, n))
    return row is not None, row.last_at if row is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCount:
    """`event: login, count: {fewer_than: 3, within: 28d}`; without `within`: ever. No event counts as 0.

    Needs the n-th (`at_least: n`) or n+1-th (`at_most: n`) most recent time. Where it was not kept and
    cannot be told, the condition does not hold and says so.
    """

    event: str
    at_least: int | None = None
    at_most: int | None = None
    within: timedelta | None = None

    def _ranks(self) -> list[int]:
        """The k whose k-th most recent time leaving the window changes the answer."""
        if self.within is None:
            return []
        ranks = {self.at_least, self.at_most + 1 if self.at_most is not None else None}
        return sorted(rank for rank in ranks if rank is not None and rank >= 1)

    def _holds(self, count: int) -> bool:
        if self.at_least is not None and count < self.at_least:
            return False
        return self.at_most is None or count <= self.at_most

    def _because(self, said: str, seen: str) -> Text:
        ja, en = [], []
        if self.at_least is not None:
            ja.append(f"{self.at_least}回以上")
            en.append(f"{self.at_least} or more")
        if self.at_most is not None:
            ja.append(f"{self.at_most}回以下")
            en.append(f"{self.at_most} or fewer")
        span_j = f"直近{span_ja(self.within)}で " if self.within is not None else ""
        span_e = f" in the last {span_en(self.within)}" if self.within is not None else ""
        return Text(
            ja=f"{shown(self.event)} は{span_j or ' '}{said}（条件: {'・'.join(ja)}）",
            en=f"{shown(self.event)} {seen}{span_e} (asked: {' and '.join(en)})",
        )

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds while the number of events inside the window lies within the bounds."""
        signal = signal_of(facts, self.event)
        if self.within is None:
            count = signal.count if signal is not None else 0
            because = Text.later(lambda: self._because(f"{count}回", plural(count, "time")))
            return Check(holds=self._holds(count), because=because)
        span = self.within
        times: dict[int, datetime] = {}
        for rank in self._ranks():
            is_known, at = _nth_time(facts, self.event, rank)
            if not is_known:
                return Check(
                    holds=False, because=self._because("記録が足りず不明", "not known: too little kept")
                )
            if at is not None:
                times[rank] = at

        def holds_at(moment: datetime) -> bool:
            if self.at_least and not (self.at_least in times and moment < times[self.at_least] + span):
                return False
            if self.at_most is None:
                return True
            above = self.at_most + 1
            return not (above in times and moment < times[above] + span)

        holds, flips_at = settle(holds_at, [at + span for at in times.values()], now=now)
        because = Text.later(lambda: self._because(*self._count_said(facts, times, span, now=now)))
        return Check(holds=holds, because=because, flips_at=flips_at)

    def _count_said(
        self, facts: Facts, times: dict[int, datetime], span: timedelta, *, now: datetime
    ) -> tuple[str, str]:
        signal = signal_of(facts, self.event)
        if signal is None:
            return "0回", "0 times"
        known = signal.recent or (signal.last_at,)
        count = sum(1 for at in known if now < at + span)
        count = max([count, *(rank for rank, at in times.items() if now < at + span)])
        if count >= len(known) and signal.count > count:  # older ones were not kept
            return f"{count}回以上", f"at least {plural(count, 'time')}"
        return f"{count}回", plural(count, "time")

    def thresholds(self) -> tuple[Threshold, ...]:
        """The k-th most recent event leaving the window (the first most recent is the event's own row)."""
        if self.within is None:
            return ()
        return tuple(
            Threshold(key=self.event if rank == 1 else nth_key(self.event, rank), after=self.within)
            for rank in self._ranks()
        )

    def watches(self) -> tuple[Watch, ...]:
        """As many recent times as the highest k, and a row for each k above 1."""
        ranks = self._ranks()
        return (
            Watch(
                event=self.event,
                depth=max(ranks, default=0),
                ranks=frozenset(rank for rank in ranks if rank > 1),
            ),
        )

    def needs_alarm(self) -> bool:
        """Found by index."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNever:
    """`event: data_connected, never: true`; `never: false`: happened at least once."""

    event: str
    is_never: bool = True

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Time alone never changes this."""
        signal = signal_of(facts, self.event)
        because = Text.later(lambda: self._said(signal, now=now))
        return Check(holds=(signal is None) == self.is_never, because=because)

    def _said(self, signal: Signal | None, *, now: datetime) -> Text:
        if signal is None:
            return _never(self.event)
        age = now - signal.last_at
        return Text(
            ja=f"{shown(self.event)} は {signal.count}回（最後は {age_ja(age)}）",
            en=f"{shown(self.event)} {plural(signal.count, 'time')} (last {age_en(age)})",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """None."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """The event's own row."""
        return (Watch(event=self.event),)

    def needs_alarm(self) -> bool:
        """Time never changes it."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """`stalled: {since: {event: signup}, without: {event: data_connected}, for: 3d}`.

    Holds when the latest `since` is at least `span` old and no `without` happened at or after it.
    """

    since: str
    without: str
    span: timedelta

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds from `last_at of since + span` on, as long as `without` stays older than `since`."""
        began, done = signal_of(facts, self.since), signal_of(facts, self.without)
        if began is None:
            return Check(holds=False, because=_never(self.since))
        if done is not None and done.last_at >= began.last_at:
            since_done = now - done.last_at
            return Check(holds=False, because=Text.later(lambda: self._said_followed(since_done)))
        flips_at, age = began.last_at + self.span, now - began.last_at
        because = Text.later(lambda: self._said_stalled(age))
        return Check(holds=now >= flips_at, because=because, flips_at=flips_at if flips_at > now else None)

    def _said_followed(self, age: timedelta) -> Text:
        return Text(
            ja=f"{shown(self.since)} のあとに {shown(self.without)} がある（{age_ja(age)}）",
            en=f"{shown(self.without)} followed {shown(self.since)} ({age_en(age)})",
        )

    def _said_stalled(self, age: timedelta) -> Text:
        return Text(
            ja=f"{shown(self.since)} は {age_ja(age)}、その後 {shown(self.without)} はない"
            f"（条件: {span_ja(self.span)}以上）",
            en=f"{shown(self.since)} {age_en(age)}, no {shown(self.without)} since"
            f" (asked: {span_en(self.span)} or more)",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """The latest `since`, after the span."""
        return (Threshold(key=self.since, after=self.span),)

    def watches(self) -> tuple[Watch, ...]:
        """Both events' own rows."""
        return (Watch(event=self.since), Watch(event=self.without))

    def needs_alarm(self) -> bool:
        """Found by index."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """`used: {fewer_than: 3, of: [a, b, c], within: 30d}`: how many of the named events happened in it."""

    of: tuple[str, ...]
    fewer_than: int | None = None
    at_least: int | None = None
    within: timedelta | None = None

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds while the number of different events inside the window lies within the bounds."""
        latest = {
            event: signal.last_at for event in self.of if (signal := signal_of(facts, event)) is not None
        }

        def used_at(moment: datetime) -> list[str]:
            return [e for e, at in latest.items() if self.within is None or moment < at + self.within]

        def holds_at(moment: datetime) -> bool:
            number = len(used_at(moment))
            if self.at_least is not None and number < self.at_least:
                return False
            return self.fewer_than is None or number < self.fewer_than

        leaving = [at + self.within for at in latest.values()] if self.within is not None else []
        holds, flips_at = settle(holds_at, leaving, now=now)
        return Check(holds=holds, because=Text.later(lambda: self._said(used_at(now))), flips_at=flips_at)

    def _said(self, used: list[str]) -> Text:
        total = len(set(self.of))
        ja, en = [], []
        if self.at_least is not None:
            ja.append(f"{self.at_least}個以上")
            en.append(f"{self.at_least} or more")
        if self.fewer_than is not None:
            ja.append(f"{self.fewer_than}個未満")
            en.append(f"fewer than {self.fewer_than}")
        names = f" ({', '.join(shown(each) for each in used)})" if used else ""
        return Text(
            ja=f"使っている機能は {total}個中 {len(used)}個{names}（条件: {'・'.join(ja)}）",
            en=f"{len(used)} of {total} features used{names} (asked: {' and '.join(en)})",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """The latest of each event, leaving the window."""
        if self.within is None:
            return ()
        return tuple(Threshold(key=event, after=self.within) for event in dict.fromkeys(self.of))

    def watches(self) -> tuple[Watch, ...]:
        """Each event's own row."""
        return tuple(Watch(event=event) for event in dict.fromkeys(self.of))

    def needs_alarm(self) -> bool:
        """Found by index."""
        return False

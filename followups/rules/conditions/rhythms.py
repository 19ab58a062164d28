"""Which conditions compare a customer with their own past: less than before, quiet for unusually long?

Both are found by an alarm: the moment at which time changes them depends on all recent times at once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from followups.facts import Facts, Signal
from followups.rules.checks import Check, Text, Threshold, settle, signal_of
from followups.signals import MAX_RECENT, Watch, shown
from followups.times.rhythm import KEPT_TIMES, own_gaps, rhythm_of
from followups.words.wording import age_en, age_ja, span_en, span_ja

FEWEST_IN_TREND = 5
"""The default of `at_least`: with fewer events in the larger window, half as many is often chance (a steady 5
a week falls to 2 in one week of eight, a steady 3 to 1 in one of five: Poisson)."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """`event: login, trend: {down_by: 50%, over: 7d}`: the last 7 days against the 7 days before.

    `down_by`: the latest window holds at most that share less than the one before; `up_by`: at least that
    share more (from nothing, any number is). The larger of the two must hold `at_least` events. No more than
    `MAX_RECENT` times are kept: where those do not reach back over both windows, what is missing is not
    counted, so `down_by` is never claimed too early, and `up_by` does not hold.
    """

    event: str
    over: timedelta
    down_by: float | None = None
    up_by: float | None = None
    at_least: int = FEWEST_IN_TREND

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """May change whenever an event leaves a window."""
        signal = signal_of(facts, self.event)
        times = sorted(_kept(signal)) if signal is not None else []
        is_all = signal is None or len(times) == signal.count

        def counts_at(moment: datetime) -> tuple[int, int, bool]:
            middle = bisect_right(times, moment - self.over)
            begin = bisect_right(times, moment - 2 * self.over)
            return len(times) - middle, middle - begin, is_all or begin > 0

        def holds_at(moment: datetime) -> bool:
            return self._holds(*counts_at(moment))

        moments = [at + span for at in times for span in (self.over, 2 * self.over)]
        holds, flips_at = settle(holds_at, moments, now=now)
        because = Text.later(lambda: self._said(*counts_at(now)))
        return Check(holds=holds, because=because, flips_at=flips_at)

    def _holds(self, latest: int, before: int, is_known: bool) -> bool:
        if self.down_by is not None:
            return before >= self.at_least and latest <= before * (1 - self.down_by) + _ROUNDING
        return (
            is_known
            and latest >= self.at_least
            and latest > before
            and latest >= before * (1 + (self.up_by or 0.0)) - _ROUNDING
        )

    def _said(self, latest: int, before: int, is_known: bool) -> Text:
        share = f"{round(100 * (self.down_by or self.up_by or 0.0), 4):g}%"
        ja, en = ("減", "down by") if self.down_by is not None else ("増", "up by")
        or_more = ("", "") if is_known else ("以上", " or more")
        event, span_j, span_e = shown(self.event), span_ja(self.over), span_en(self.over)
        return Text(
            ja=f"{event} は直近{span_j}で {latest}回、その前は {before}回{or_more[0]}"
            f"（条件: {share}以上{ja}、多い方が{self.at_least}回以上）",
            en=f"{event} {latest} in the last {span_e}, {before}{or_more[1]} in the {span_e} before"
            f" (asked: {en} {share} or more, {self.at_least} or more in the larger)",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """None: any of the kept times may matter."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """As many recent times as can be kept."""
        return (Watch(event=self.event, depth=MAX_RECENT),)

    def needs_alarm(self) -> bool:
        """At the next moment at which an event that matters leaves a window."""
        return True


def _kept(signal: Signal) -> Sequence[datetime]:
    """The recent times that are known: all of them where one or two events are all there is."""
    if len(signal.recent) >= min(signal.count, 2):
        return signal.recent
    return (signal.last_at, signal.first_at)[: signal.count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """`idle: {event: login, rhythm: 3, min: 7d, max: 60d}`: quiet for 3 times the own median gap.

    The span is `rhythm` times `followups.times.rhythm.rhythm_of` the customer's gaps and `Facts.rhythms`,
    within [shortest, longest]; where nothing is known of any rhythm, the longest. Never happened: does not
    hold.
    """

    event: str
    rhythm: float = 3.0
    shortest: timedelta = timedelta(days=7)
    longest: timedelta = timedelta(days=60)

    def _span(self, facts: Facts, signal: Signal) -> tuple[timedelta, timedelta | None, int]:
        """(how long is too long, the rhythm it comes from, how many own gaps it rests on)."""
        gaps = own_gaps(_kept(signal)[:KEPT_TIMES])
        rhythm = rhythm_of(gaps, facts.rhythms.get(self.event))
        if rhythm is None:
            return self.longest, None, 0
        span = timedelta(seconds=round(min(rhythm.total_seconds() * self.rhythm, 1e9)))
        return min(max(span, self.shortest), self.longest), rhythm, len(gaps)

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds from `last_at + span` on."""
        signal = signal_of(facts, self.event)
        if signal is None:
            never = f"{shown(self.event)}"
            return Check(holds=False, because=Text(ja=f"{never} は一度もない", en=f"{never} never happened"))
        span, rhythm, gaps = self._span(facts, signal)
        flips_at, age = signal.last_at + span, now - signal.last_at
        because = Text.later(lambda: self._said(age, span, rhythm, gaps))
        return Check(holds=now >= flips_at, because=because, flips_at=flips_at if flips_at > now else None)

    def _said(self, age: timedelta, span: timedelta, rhythm: timedelta | None, gaps: int) -> Text:
        event, ja, en = shown(self.event), _about_ja(span), _about_en(span)
        if rhythm is None:
            habit = Text(ja="いつもの間隔は不明", en="usual gap not known")
        elif gaps == 0:
            habit = Text(ja=f"みなさんの間隔は{_about_ja(rhythm)}", en=f"everybody's gap {_about_en(rhythm)}")
        else:
            habit = Text(ja=f"いつもの間隔は{_about_ja(rhythm)}", en=f"usual gap {_about_en(rhythm)}")
        return Text(
            ja=f"最後の {event} は {age_ja(age)}、{habit.ja}（条件: {ja}以上）",
            en=f"last {event} {age_en(age)}, {habit.en} (asked: {en} or more)",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """The shortest span: nobody holds before; whoever crosses it is looked at and gets an alarm."""
        return (Threshold(key=self.event, after=self.shortest),)

    def watches(self) -> tuple[Watch, ...]:
        """The recent times that tell the rhythm."""
        return (Watch(event=self.event, depth=KEPT_TIMES),)

    def needs_alarm(self) -> bool:
        """At the end of the customer's own span."""
        return True


def _about_ja(span: timedelta) -> str:
    return span_ja(_rounded(span))


def _about_en(span: timedelta) -> str:
    return span_en(_rounded(span))


def _rounded(span: timedelta) -> timedelta:
    """To whole days, hours under three days."""
    unit = timedelta(days=1) if span >= timedelta(days=3) else timedelta(hours=1)
    return max(round(span / unit), 1) * unit

"""What do the replays of all customers come to: who, when, how many a day, held back by what?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import combinations
from statistics import median

from followups.backtest.months import Month
from followups.backtest.past import Past, Replayed
from followups.backtest.replay import Replay
from followups.backtest.rhythm import Rhythm, Rhythms, quiet_spans, share
from followups.rules.model import Rule
from followups.times.zones import day_begins, local_day, zone_of

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How often a gate was closed for a rule that was due: occasions, and how many were sent later."""

    occasions: int
    sent_later: int

    @property
    def dropped(self) -> int:
        """Occasions that came to nothing."""
        return self.occasions - self.sent_later


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleForecast:
    """What one rule would have done.

    Attributes:
        matched: customers for whom the conditions held at some moment.
        entered: customers who got a message or became a lead.
        sends: messages by day of the forecast; `escalations` likewise.
        held: by gate.
        judged: entries whose goal's window lies wholly in the known history; of them `reached` reached the
            goal although nothing was sent.
        all_rate: the share of all customers known then who did the goal's event within a window of the same
            length beginning on the same days; None without judged entries.
        rhythm: for an inactivity rule, fixed days against the own rhythm.
    """

    rule_id: str
    name: str
    goal_event: str
    goal_within: timedelta
    matched: int
    entered: int
    sends: tuple[int, ...]
    escalations: tuple[int, ...]
    held: Mapping[str, Counted]
    judged: int
    reached: int
    all_rate: float | None
    rhythm: Rhythm | None = None

    @property
    def rate(self) -> float | None:
        """The base rate of those who entered."""
        return share(self.reached, self.judged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What the rules together would have done.

    Attributes:
        days: the local days (of the policy's time zone) of all lists by day.
        customers: all that were looked at; `entered`: those of them whom any rule reached.
        moments: how often `decide` was asked.
        overlaps: by two rules' ids: customers who entered both.
        behind: by (rule, rule that went first): occasions on which arbitration made the first one wait.
        months: what LINE's plan allowed; none: the policy names none.
    """

    start: datetime
    end: datetime
    days: tuple[date, ...]
    customers: int
    events: int
    moments: int
    entered: int
    sends: tuple[int, ...]
    escalations: tuple[int, ...]
    rules: tuple[RuleForecast, ...]
    overlaps: Mapping[tuple[str, str], int]
    behind: Mapping[tuple[str, str], int]
    months: tuple[Month, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the middle and the most of a day."""

    total: int
    least: int
    middle: float
    most: int


def spread(by_day: Sequence[int]) -> Spread:
    """Over all days, those without anything too."""
    if not by_day:
        return Spread(0, 0, 0.0, 0)
    return Spread(sum(by_day), min(by_day), float(median(by_day)), max(by_day))


@dataclass(slots=True)
class _OfRule:
    rule: Rule
    sends: list[int]
    escalations: list[int]
    judged_by_day: list[int]
    covering: list[int]
    """By day, as differences: customers who do the goal's event in the window that begins with the day."""
    matched: int = 0
    entered: int = 0
    reached: int = 0
    held: Counter[str] = field(default_factory=Counter)
    sent_later: Counter[str] = field(default_factory=Counter)
    rhythms: Rhythms | None = None


class Tally:
    """Takes in customer after customer, in any order, and holds none of them."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self._zone = zone_of(replay.policy.timezone)
        first, last = local_day(replay.start, self._zone), local_day(replay.end, self._zone)
        if day_begins(last, self._zone) == replay.end:
            last -= _A_DAY
        self._days = tuple(first + n * _A_DAY for n in range((last - first).days + 1))
        self._begins = [day_begins(day, self._zone) for day in self._days]
        number = len(self._days)
        self._known = [0] * (number + 1)
        self._rules = {
            rule.id: _OfRule(
                rule=rule,
                sends=[0] * number,
                escalations=[0] * number,
                judged_by_day=[0] * number,
                covering=[0] * (number + 1),
                rhythms=self._rhythms(rule),
            )
            for rule in replay.rules
        }
        self._customers = self._events = self._moments = self._entered = 0
        self._overlaps: Counter[tuple[str, str]] = Counter()
        self._behind: Counter[tuple[str, str]] = Counter()

    def _rhythms(self, rule: Rule) -> Rhythms | None:
        start, end = self._replay.start, self._replay.end
        for event, span in quiet_spans(rule.when):
            return Rhythms(event, span, zone=self._zone, cut=start + (end - start) / 2, end=end)
        return None

    def add(self, past: Past, replayed: Replayed) -> None:
        """One customer."""
        self._customers += 1
        self._events += sum(len(times) for times in past.events.values())
        self._moments += replayed.moments
        self._add_base(past)
        for rule_id in replayed.matched:
            self._rules[rule_id].matched += 1
        entered = sorted({entry.rule_id for entry in replayed.entries})
        self._entered += bool(entered)
        for rule_id in entered:
            self._rules[rule_id].entered += 1
        self._overlaps.update(combinations(entered, 2))
        for entry in replayed.entries:
            of, day = self._rules[entry.rule_id], self._day_of(entry.at)
            (of.escalations if entry.is_escalation else of.sends)[day] += 1
            if entry.is_goal_reached is not None:
                of.judged_by_day[day] += 1
                of.reached += entry.is_goal_reached
        for held in replayed.held:
            of = self._rules[held.rule_id]
            of.held[held.gate] += 1
            of.sent_later[held.gate] += held.is_sent_later
            if held.behind is not None:
                self._behind[held.rule_id, held.behind] += 1

    def _day_of(self, at: datetime) -> int:
        return bisect_right(self._begins, at) - 1 if at >= self._begins[0] else 0

    def _add_base(self, past: Past) -> None:
        self._known[bisect_left(self._begins, past.known_from)] += 1
        for of in self._rules.values():
            if of.rhythms is not None:
                of.rhythms.add(past.events.get(of.rhythms.event, ()))
            upto = bisect_left(self._begins, past.known_from)
            for at in sorted(past.events.get(of.rule.goal.event, ())):
                first = max(upto, bisect_right(self._begins, at - of.rule.goal.within))
                last = bisect_right(self._begins, at)
                if first < last:
                    of.covering[first] += 1
                    of.covering[last] -= 1
                    upto = last

    def forecast(self, *, months: Sequence[Month] = ()) -> Forecast:
        """What it came to."""
        known, number = [], 0
        for change in self._known[:-1]:
            number += change
            known.append(number)
        rules = tuple(self._rule(of, known) for of in self._rules.values())
        return Forecast(
            start=self._replay.start,
            end=self._replay.end,
            days=self._days,
            customers=self._customers,
            events=self._events,
            moments=self._moments,
            entered=self._entered,
            sends=_sum(rule.sends for rule in rules),
            escalations=_sum(rule.escalations for rule in rules),
            rules=rules,
            overlaps=dict(sorted(self._overlaps.items())),
            behind=dict(sorted(self._behind.items())),
            months=tuple(months),
        )

    def _rule(self, of: _OfRule, known: Sequence[int]) -> RuleForecast:
        weighted, number = 0.0, 0
        for judged, change, there in zip(of.judged_by_day, of.covering, known, strict=False):
            number += change
            if there:
                weighted += judged * number / there
        judged = sum(of.judged_by_day)
        return RuleForecast(
            rule_id=of.rule.id,
            name=of.rule.name,
            goal_event=of.rule.goal.event,
            goal_within=of.rule.goal.within,
            matched=of.matched,
            entered=of.entered,
            sends=tuple(of.sends),
            escalations=tuple(of.escalations),
            held={
                gate: Counted(occasions=of.held[gate], sent_later=of.sent_later[gate])
                for gate in sorted(of.held, key=lambda gate: (-of.held[gate], gate))
            },
            judged=judged,
            reached=of.reached,
            all_rate=share(weighted, judged),
            rhythm=of.rhythms.compare() if of.rhythms is not None else None,
        )


def _sum(lists: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(sum(each) for each in zip(*lists, strict=True))

"""How much is a customer worth a person's time now, and for which reasons?

Fit says whom we are looking for (attributes, standing still), intent what they are up to (events, fading):

    intent = Σ points · 0.5 ^ (age / half-life), at most 100        points = intent · fit / 100

Of one customer's day an event counts at most `per_day` times (the latest ones), and of all its times the
latest `DEPTH`. Points of events are positive, so time alone only lowers a score: whatever raises it is an
event, or an attribute told anew. A score is made from events alone, and so the same whenever it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, log2

from followups.experiments import is_held_out, unit_of
from followups.facts import Facts
from followups.rules.checks import Text
from followups.rules.conditions.attributes import AttributeIs
from followups.signals import Watch
from followups.times.zones import local_day, zone_of
from followups.words.wording import age_en, age_ja, plural

DEPTH = 100
"""How many of the latest times of one event count."""
MOST = 100.0
MIDDLING_FROM = 0.6
_MIDDLING = "middling"
CLOCKS_DIFFER = timedelta(minutes=5)
"""An event dated up to this far ahead counts as just now; what is dated later is not known yet."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointed:
    """What one kind of event is worth.

    Attributes:
        key: the event's name, or one of our own signals (`$clicked`, `$replied`, `$reacted:NAME`).
        points: when it just happened; above 0.
        half_life: how long it takes to lose half of that.
        per_day: how many of one local day count; None: all.
        label: what people call it; None: its name.
    """

    key: str
    points: float
    half_life: timedelta
    per_day: int | None = None
    label: Text | None = None

    def said(self) -> Text:
        """What people call it."""
        return self.label or Text(ja=self.key, en=self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """What one attribute adds to the fit, or takes from it."""

    condition: AttributeIs
    points: float
    label: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """scoring.yaml.

    Attributes:
        pointed: what events are worth, each key once.
        fitting: what attributes add; with none of them everybody fits (100).
        fit_start: the fit of whom no attribute says anything.
        threshold: from these points on a customer is a hot lead; None: nobody is by points alone.
        middling: the share of customers who are one from `MIDDLING_FROM` of it on: only leads that were shown
            get an outcome, and from high scores alone nothing is learned about the others.
    """

    pointed: tuple[Pointed, ...] = ()
    fitting: tuple[Fitting, ...] = ()
    fit_start: float = 50.0
    threshold: float | None = None
    middling: float = 0.0

    def threshold_of(self, facts: Facts) -> float | None:
        """The threshold that holds for this customer: lower for the share that keeps the labels honest."""
        if self.threshold is None or not self.is_middling(facts):
            return self.threshold
        return self.threshold * MIDDLING_FROM

    def is_middling(self, facts: Facts) -> bool:
        """Is this one of the customers who are shown early? Always the same ones."""
        return self.middling > 0 and is_held_out(_MIDDLING, unit_of(facts), self.middling)

    def watches(self) -> tuple[Watch, ...]:
        """The latest times of everything that has points."""
        return tuple(Watch(event=each.key, depth=DEPTH) for each in self.pointed)

    def longest_above(self, points: float) -> timedelta:
        """After so long without any scored event every score is below `points`."""
        most = sum(each.points for each in self.pointed) * DEPTH
        longest = max((each.half_life for each in self.pointed), default=timedelta())
        return longest * max(0, ceil(log2(max(most / points, 1.0)) + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score at one moment, each from 0 to 100.

    Attributes:
        reasons: what made it, with the points of intent or of fit it gave or took, the largest first.
    """

    points: float
    fit: float
    intent: float
    reasons: tuple[tuple[Text, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Term:
    """One kind of event at one moment."""

    pointed: Pointed
    counted: tuple[datetime, ...]
    points: float


def _faded(pointed: Pointed, at: datetime, now: datetime) -> float:
    age = now - at
    return pointed.points if age <= timedelta() else pointed.points * 0.5 ** (age / pointed.half_life)


def _terms(facts: Facts, scoring: Scoring, *, now: datetime, before: datetime | None = None) -> list[_Term]:
    """The terms of the intent; `before`: only of what happened before that moment."""
    zone = zone_of(facts.timezone)
    terms = []
    for pointed in scoring.pointed:
        signal = facts.signals.get(pointed.key)
        if signal is None or signal.count <= 0:
            continue
        times = signal.recent[:DEPTH] or (signal.last_at,)
        known = (at for at in times if at <= now + CLOCKS_DIFFER and (before is None or at < before))
        if pointed.per_day is None:
            counted = tuple(known)
        else:
            seen: Counter[object] = Counter()
            kept = []
            for at in known:
                day = local_day(at, zone)
                if seen[day] < pointed.per_day:
                    seen[day] += 1
                    kept.append(at)
            counted = tuple(kept)
        if counted:
            terms.append(_Term(pointed, counted, sum(_faded(pointed, at, now) for at in counted)))
    return terms


def _bounded(value: float) -> float:
    return min(MOST, max(0.0, value))


def fit_of(facts: Facts, scoring: Scoring, *, now: datetime) -> float:
    """The fit alone, from 0 to 100."""
    if not scoring.fitting:
        return MOST
    added = sum(each.points for each in scoring.fitting if each.condition.check(facts, now=now).holds)
    return _bounded(scoring.fit_start + added)


def points_of(facts: Facts, scoring: Scoring, *, now: datetime, before: datetime | None = None) -> float:
    """The points alone, without the reasons.

    Args:
        before: only what happened before this moment counts: the score just before it, when it equals `now`.
    """
    intent = min(MOST, sum(term.points for term in _terms(facts, scoring, now=now, before=before)))
    return intent * fit_of(facts, scoring, now=now) / MOST if intent else 0.0


def score(facts: Facts, scoring: Scoring, *, now: datetime) -> Score:
    """The score of a customer at a moment, with its reasons."""
    terms = _terms(facts, scoring, now=now)
    fit, intent = fit_of(facts, scoring, now=now), min(MOST, sum(term.points for term in terms))
    reasons = [*(_event_reason(term, now=now) for term in terms), *_fit_reasons(facts, scoring, now=now)]
    ranked = sorted((each for each in reasons if abs(each[1]) >= 0.5), key=lambda each: -abs(each[1]))
    return Score(points=intent * fit / MOST, fit=fit, intent=intent, reasons=tuple(ranked))


def contributions(facts: Facts, scoring: Scoring, *, now: datetime) -> dict[str, float]:
    """The points of intent by what gave them, not bounded; kinds that gave none are left out."""
    return {term.pointed.key: term.points for term in _terms(facts, scoring, now=now)}


def _event_reason(term: _Term, *, now: datetime) -> tuple[Text, float]:
    said, times, age = term.pointed.said(), len(term.counted), now - term.counted[0]
    last_ja = f"最後は{age_ja(age)}" if times > 1 else age_ja(age)
    last_en = f"last {age_en(age)}" if times > 1 else age_en(age)
    return Text(
        ja=f"{said.ja} {times}回（{last_ja}）", en=f"{said.en} {plural(times, 'time')} ({last_en})"
    ), term.points


def _fit_reasons(facts: Facts, scoring: Scoring, *, now: datetime) -> Iterator[tuple[Text, float]]:
    for each in scoring.fitting:
        check = each.condition.check(facts, now=now)
        if check.holds:
            yield each.label or check.because, each.points


# --- crossing a threshold ---------------------------------------------------------------------------------


def falls_below(facts: Facts, scoring: Scoring, threshold: float, *, now: datetime) -> datetime | None:
    """The first moment at which the points, now at or above the threshold, are below it without new events.

    None: they are below now. The sum of terms that fade at different speeds has no closed form; it only
    falls, so the moment is found by halving, to the microsecond.
    """
    if points_of(facts, scoring, now=now) < threshold:
        return None
    low, high = 0, max(1, scoring.longest_above(threshold) // _MICROSECOND + CLOCKS_DIFFER // _MICROSECOND)
    terms, fit = _terms(facts, scoring, now=now), fit_of(facts, scoring, now=now)

    def is_above(later: int) -> bool:
        at = now + later * _MICROSECOND
        intent = sum(sum(_faded(term.pointed, each, at) for each in term.counted) for term in terms)
        return min(MOST, intent) * fit / MOST >= threshold

    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_above(middle) else (low, middle)
    return now + high * _MICROSECOND


def was_below(
    facts: Facts, scoring: Scoring, threshold: float, *, since: datetime | None, now: datetime
) -> bool:
    """Were the points below the threshold at some moment from `since` on? None: ever, which they were.

    They only fall between events, so it is enough to look just before each event that counts.
    """
    if since is None:
        return True
    moments = {
        at
        for pointed in scoring.pointed
        if (signal := facts.signals.get(pointed.key)) is not None
        for at in signal.recent[:DEPTH] or (signal.last_at,)
        if since < at <= now + CLOCKS_DIFFER
    }
    return (
        any(points_of(facts, scoring, now=at, before=at) < threshold for at in sorted(moments, reverse=True))
        or points_of(facts, scoring, now=now) < threshold
    )

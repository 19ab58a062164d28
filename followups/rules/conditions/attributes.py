"""Which conditions ask what a customer is: attributes, dates, being linked on LINE?

`Facts.timezone` says whose midnight counts; where it is None or unknown, Asia/Tokyo does. `decide` fills it
from the policy before it asks, so a customer without a time zone of their own has the policy's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isnan

from followups.facts import AttributeValue, Facts
from followups.rules.checks import Check, Text, Threshold
from followups.signals import Watch, attribute_key
from followups.times.zones import day_begins, day_of, local_day, zone_of
from followups.words.wording import span_en, span_ja

_A_DAY = timedelta(days=1)


def _kind(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else "text"


def _same(left: AttributeValue, right: AttributeValue) -> bool:
    """Equal and of one kind: 1 is not true, "3" is not 3."""
    return left == right and _kind(left) == _kind(right)


def _is_among(actual: AttributeValue, wanted: tuple[AttributeValue, ...]) -> bool:
    return actual in wanted and any(_same(actual, each) for each in wanted)


def _number(value: AttributeValue) -> float | None:
    """A number, also one sent as text."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if isnan(number) else number


def _shown(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:60]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeIs:
    """`attribute: plan` with exactly one of `equals | in | not_in | at_least | at_most | exists`.

    A missing attribute fulfils only `not_in` and `exists: false`. `equals` and `in` compare values of one
    kind (text, number, truth); `at_least` and `at_most` also read numbers sent as text.
    """

    attribute: str
    operator: str
    value: AttributeValue | tuple[AttributeValue, ...]

    def _holds(self, actual: AttributeValue) -> bool:
        wanted = self.value if isinstance(self.value, tuple) else (self.value,)
        match self.operator:
            case "exists":
                return (actual is not None) == bool(wanted[0])
            case "not_in":
                return actual is None or not _is_among(actual, wanted)
            case "equals" | "in":
                return actual is not None and _is_among(actual, wanted)
            case "at_least" | "at_most":
                have, want = _number(actual), _number(wanted[0])
                if have is None or want is None:
                    return False
                return have >= want if self.operator == "at_least" else have <= want
            case _:
                return False

    def _asked(self) -> Text:
        wanted = self.value if isinstance(self.value, tuple) else (self.value,)
        said = ", ".join(_shown(each) for each in wanted)
        match self.operator:
            case "exists":
                return Text(ja="値がある", en="present") if wanted[0] else Text(ja="値がない", en="absent")
            case "not_in":
                return Text(ja=f"{said} 以外", en=f"not {said}")
            case "at_least":
                return Text(ja=f"{said} 以上", en=f"{said} or more")
            case "at_most":
                return Text(ja=f"{said} 以下", en=f"{said} or less")
            case "in" if len(wanted) > 1:
                return Text(ja=f"{said} のいずれか", en=f"one of {said}")
            case _:
                return Text(ja=said, en=said)

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Time alone never changes this."""
        actual = facts.attributes.get(self.attribute)
        return Check(holds=self._holds(actual), because=Text.later(lambda: self._said(actual)))

    def _said(self, actual: AttributeValue) -> Text:
        asked = self._asked()
        if actual is None:
            return Text(
                ja=f"{self.attribute} は未設定（条件: {asked.ja}）",
                en=f"{self.attribute} is not set (asked: {asked.en})",
            )
        return Text(
            ja=f"{self.attribute} は {_shown(actual)}（条件: {asked.ja}）",
            en=f"{self.attribute} is {_shown(actual)} (asked: {asked.en})",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """None."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """No event."""
        return ()

    def needs_alarm(self) -> bool:
        """Time never changes it."""
        return False


def _in_year(day: date, year: int) -> date:
    """The anniversary in a year; 29 February falls on 28 February where there is none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDate:
    """`attribute: renewal_date` with exactly one of `within: 30d | passed: 3d | anniversary: true`.

    A date is the customer's local day (`followups.times.zones.day_of` reads it; anything else does not hold).
    `within`: the day begins at most the span ahead and is not over; it is over 24 hours after it began, also
    on the two days a year on which clocks change. `passed`: the day began at least the span ago.
    `anniversary`: today has the same month and day (29 February falls on 28 February in other years).
    """

    attribute: str
    within: timedelta | None = None
    passed: timedelta | None = None
    is_anniversary: bool = False

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """`within` from `begin - span` until `begin + 24h`; `passed` from `begin + span` on."""
        value = facts.attributes.get(self.attribute)
        zone = zone_of(facts.timezone)
        day = day_of(value, zone)
        if day is None:
            because = (
                Text(ja=f"{self.attribute} は未設定", en=f"{self.attribute} is not set")
                if value is None
                else Text(
                    ja=f"{self.attribute} の値 {_shown(value)} は日付ではない",
                    en=f"{self.attribute} is {_shown(value)}, which is not a date",
                )
            )
            return Check(holds=False, because=because)
        if self.is_anniversary:
            return self._anniversary(day, facts, now=now)
        begins = day_begins(day, zone)
        starts = begins - self.within if self.within is not None else begins + (self.passed or timedelta())
        ends = begins + _A_DAY if self.within is not None else None
        holds = now >= starts and (ends is None or now < ends)
        flips_at = starts if now < starts else ends if ends is not None and now < ends else None
        because = Text.later(lambda: self._said(day, local_day(now, zone)))
        return Check(holds=holds, because=because, flips_at=flips_at)

    def _said(self, day: date, today: date) -> Text:
        ahead = (day - today).days
        if ahead > 0:
            where = Text(ja=f"{ahead}日後", en=f"in {ahead} day{'s' if ahead != 1 else ''}")
        elif ahead == 0:
            where = Text(ja="今日", en="today")
        else:
            where = Text(ja=f"{-ahead}日前", en=f"{-ahead} day{'s' if ahead != -1 else ''} ago")
        if self.within is not None:
            asked = Text(ja=f"{span_ja(self.within)}以内", en=f"within {span_en(self.within)}")
        else:
            span = self.passed or timedelta()
            asked = Text(ja=f"{span_ja(span)}以上経過", en=f"{span_en(span)} or more ago")
        return Text(
            ja=f"{self.attribute} は {day.isoformat()}、{where.ja}（条件: {asked.ja}）",
            en=f"{self.attribute} is {day.isoformat()}, {where.en} (asked: {asked.en})",
        )

    def _anniversary(self, day: date, facts: Facts, *, now: datetime) -> Check:
        zone = zone_of(facts.timezone)
        today = local_day(now, zone)
        said = f"{day.month}/{day.day}"
        if _in_year(day, today.year) == today:
            because = Text(
                ja=f"{self.attribute} は {said}、今日がその日", en=f"{self.attribute} is {said}: today"
            )
            return Check(holds=True, because=because, flips_at=day_begins(today + _A_DAY, zone))
        upcoming = next(
            each for each in (_in_year(day, today.year), _in_year(day, today.year + 1)) if each > today
        )
        ahead = (upcoming - today).days
        because = Text(
            ja=f"{self.attribute} は {said}、次は {ahead}日後",
            en=f"{self.attribute} is {said}, next in {ahead} days",
        )
        return Check(holds=False, because=because, flips_at=day_begins(upcoming, zone))

    def thresholds(self) -> tuple[Threshold, ...]:
        """The attribute's day beginning (see `followups.times.zones.attribute_moment`), before and after."""
        key = attribute_key(self.attribute)
        if self.is_anniversary:
            return ()
        if self.within is not None:
            return (Threshold(key=key, after=-self.within), Threshold(key=key, after=_A_DAY))
        return (Threshold(key=key, after=self.passed or timedelta()),)

    def watches(self) -> tuple[Watch, ...]:
        """No event; the attribute's own row is named by `thresholds`."""
        return ()

    def needs_alarm(self) -> bool:
        """An anniversary comes back every year: an alarm at the next local midnight that matters."""
        return self.is_anniversary


@dataclass(frozen=True, slots=True, kw_only=True)
class LineIs:
    """`line: {linked: true}`."""

    is_linked: bool

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Time alone never changes this."""
        is_linked = facts.line is not None
        because = (
            Text(ja="LINE と連携済み", en="linked on LINE")
            if is_linked
            else Text(ja="LINE と未連携", en="not linked on LINE")
        )
        return Check(holds=is_linked == self.is_linked, because=because)

    def thresholds(self) -> tuple[Threshold, ...]:
        """None."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """No event."""
        return ()

    def needs_alarm(self) -> bool:
        """Time never changes it."""
        return False

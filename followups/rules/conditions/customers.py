"""Which conditions ask what a customer is worth, and where they stand?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from followups.facts import Facts
from followups.rules.checks import Check, Condition, Text, Threshold, settle
from followups.rules.conditions.groups import Group
from followups.signals import Watch
from followups.standing.scoring import Scoring, falls_below, points_of, score, was_below
from followups.standing.segments import (
    Buying,
    LifeCycle,
    Living,
    buying_of,
    living_of,
    segment_moments,
    segment_of,
    stage_moments,
    stage_of,
)
from followups.words.wording import age_en, age_ja, plural, span_en, span_ja

SEGMENT_NAMES = {
    "champions": Text(ja="得意客", en="champion"),
    "loyal": Text(ja="常連", en="loyal"),
    "promising": Text(ja="有望", en="promising"),
    "new": Text(ja="新規の購入者", en="new buyer"),
    "at_risk": Text(ja="離反予兆", en="at risk"),
    "hibernating": Text(ja="休眠", en="hibernating"),
    "lost": Text(ja="離反", en="lost"),
    "prospect": Text(ja="購入前", en="prospect"),
}
STAGE_NAMES = {
    "new": Text(ja="利用開始直後", en="new"),
    "onboarding": Text(ja="導入中", en="onboarding"),
    "active": Text(ja="利用中", en="active"),
    "at_risk": Text(ja="離脱予兆", en="at risk"),
    "lapsed": Text(ja="離脱", en="lapsed"),
    "won_back": Text(ja="復帰", en="won back"),
}


def _told(gap: timedelta) -> timedelta:
    """A gap as people say it: whole days, or whole hours below two days."""
    unit = timedelta(days=1) if gap >= timedelta(days=2) else timedelta(hours=1)
    return max(unit, round(gap / unit) * unit)


def _asked(names: tuple[str, ...], words: dict[str, Text]) -> Text:
    return Text(
        ja="・".join(words[each].ja for each in names), en=" or ".join(words[each].en for each in names)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentIs:
    """`segment: champions`, or several: `segment: [at_risk, hibernating]`."""

    names: tuple[str, ...]
    life: LifeCycle = field(default_factory=LifeCycle)

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds while the customer's segment is one of the names."""
        buying = buying_of(facts, self.life)

        def holds_at(moment: datetime) -> bool:
            return segment_of(buying, now=moment) in self.names

        holds, flips_at = settle(holds_at, segment_moments(buying), now=now)
        return Check(holds=holds, because=Text.later(lambda: self._said(buying, now=now)), flips_at=flips_at)

    def _said(self, buying: Buying | None, *, now: datetime) -> Text:
        name, asked = SEGMENT_NAMES[segment_of(buying, now=now)], _asked(self.names, SEGMENT_NAMES)
        if buying is None:
            ja, en = f"{self.life.purchase} はまだない", f"no {self.life.purchase} yet"
        else:
            age = now - buying.last_at
            ja = f"購入{buying.count}回、最後は{age_ja(age)}、いつもの間隔は{span_ja(_told(buying.gap))}"
            en = (
                f"{plural(buying.count, 'purchase')}, last {age_en(age)}, "
                f"usually every {span_en(_told(buying.gap))}"
            )
        return Text(
            ja=f"区分は「{name.ja}」: {ja}（条件: {asked.ja}）",
            en=f"segment “{name.en}”: {en} (asked: {asked.en})",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """None: every customer has a rhythm of their own."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """The purchases."""
        return self.life.purchase_watches()

    def needs_alarm(self) -> bool:
        """The moments are the customer's own."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class StageIs:
    """`stage: onboarding`, or several: `stage: [at_risk, lapsed]`."""

    names: tuple[str, ...]
    life: LifeCycle = field(default_factory=LifeCycle)

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds while the customer's stage is one of the names. Nothing known: does not hold."""
        living = living_of(facts, self.life)

        def holds_at(moment: datetime) -> bool:
            return stage_of(living, self.life, now=moment) in self.names

        holds, flips_at = settle(holds_at, stage_moments(living), now=now)
        return Check(holds=holds, because=Text.later(lambda: self._said(living, now=now)), flips_at=flips_at)

    def _said(self, living: Living | None, *, now: datetime) -> Text:
        asked, stage = _asked(self.names, STAGE_NAMES), stage_of(living, self.life, now=now)
        if living is None or stage is None:
            return Text(
                ja=f"段階は不明: 利用の記録がない（条件: {asked.ja}）",
                en=f"stage unknown: no activity known (asked: {asked.en})",
            )
        name, joined, last = STAGE_NAMES[stage], now - living.joined_at, now - living.last_at
        gap = _told(living.gap)
        return Text(
            ja=f"段階は「{name.ja}」: 開始は{age_ja(joined)}、最後の利用は{age_ja(last)}、"
            f"いつもの間隔は{span_ja(gap)}（条件: {asked.ja}）",
            en=f"stage “{name.en}”: joined {age_en(joined)}, last active {age_en(last)}, "
            f"usually every {span_en(gap)} (asked: {asked.en})",
        )

    def thresholds(self) -> tuple[Threshold, ...]:
        """None: every customer has a rhythm of their own."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """Joining, the activities with their latest times, and what ends onboarding."""
        return self.life.stage_watches()

    def needs_alarm(self) -> bool:
        """The moments are the customer's own."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreIs:
    """`score: {at_least: 70}`, by scoring.yaml."""

    at_least: float
    scoring: Scoring = field(default_factory=Scoring)

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds until the score has faded below `at_least`; only events bring it there."""
        flips_at = falls_below(facts, self.scoring, self.at_least, now=now)
        because = Text.later(lambda: score_said(facts, self.scoring, self.at_least, now=now))
        return Check(holds=flips_at is not None, because=because, flips_at=flips_at)

    def thresholds(self) -> tuple[Threshold, ...]:
        """None: every customer's score fades in its own way."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """The latest times of everything that has points."""
        return self.scoring.watches()

    def needs_alarm(self) -> bool:
        """The moment is the customer's own."""
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class HotLead:
    """Has the score come up to the threshold since the customer was last a lead? Once per episode.

    An episode ends when the lead is closed; the next begins when the score, having been below the threshold
    since, comes up to it again.
    """

    rule_id: str
    scoring: Scoring

    def check(self, facts: Facts, *, now: datetime) -> Check:
        """Holds from the event that brought the score up until it fades, or people have had the customer."""
        threshold = self.scoring.threshold_of(facts)
        assert threshold is not None
        since = self._since(facts)
        if points_of(facts, self.scoring, now=now) < threshold:
            because = Text.later(lambda: score_said(facts, self.scoring, threshold, now=now))
            return Check(holds=False, because=because)
        if not was_below(facts, self.scoring, threshold, since=since, now=now):
            because = Text(
                ja=f"点数は前回の案件からずっと{threshold:g}点以上（下がって、また上がれば新しい案件）",
                en=f"at {threshold:g} points or more ever since the last lead"
                " (one more once it has been below)",
            )
            return Check(holds=False, because=because)
        return Check(
            holds=True,
            because=Text.later(lambda: score_said(facts, self.scoring, threshold, now=now)),
            flips_at=falls_below(facts, self.scoring, threshold, now=now),
        )

    def _since(self, facts: Facts) -> datetime | None:
        """When people last had this customer."""
        latest = facts.follow_ups.get(self.rule_id)
        moments = [latest.entered_at if latest is not None else None, facts.lead_closed_at]
        return max((at for at in moments if at is not None), default=None)

    def thresholds(self) -> tuple[Threshold, ...]:
        """None: time only ends it."""
        return ()

    def watches(self) -> tuple[Watch, ...]:
        """The latest times of everything that has points."""
        return self.scoring.watches()

    def needs_alarm(self) -> bool:
        """Only an event makes it hold, and whoever has one is looked at."""
        return False


def score_said(facts: Facts, scoring: Scoring, asked: float, *, now: datetime, most: int = 3) -> Text:
    """A score in words: the points, and up to `most` reasons, the largest first."""
    found = score(facts, scoring, now=now)
    reasons = found.reasons[:most]
    ja = "、".join(f"{text.ja} {points:+.0f}" for text, points in reasons) or "点になる行動がない"
    en = ", ".join(f"{text.en} {points:+.0f}" for text, points in reasons) or "nothing that has points"
    # Rounded down: 69.9 must not be told as the 70 that it is not.
    return Text(
        ja=f"点数は{int(found.points)}（相性{found.fit:.0f}・関心{found.intent:.0f}）: {ja}"
        f"（条件: {asked:g}以上）",
        en=f"score {int(found.points)} (fit {found.fit:.0f}, intent {found.intent:.0f}): {en} "
        f"(asked: {asked:g} or more)",
    )


def bound(condition: Condition, *, life: LifeCycle, scoring: Scoring | None) -> Condition:
    """The same condition, resting on this life cycle and this scoring all the way down."""
    match condition:
        case Group(members=members):
            return replace(
                condition, members=tuple(bound(each, life=life, scoring=scoring) for each in members)
            )
        case SegmentIs() | StageIs():
            return replace(condition, life=life)
        case ScoreIs() if scoring is not None:
            return replace(condition, scoring=scoring)
        case _:
            return condition


def asks_score(condition: Condition) -> bool:
    """Does it, or anything in it, ask for the score?"""
    if isinstance(condition, Group):
        return any(asks_score(each) for each in condition.members)
    return isinstance(condition, ScoreIs)

"""Which rule says that a customer is worth a person's time by points alone?

It is written by nobody: it is there when scoring.yaml has a threshold, and is decided, traced and explained
like every other. It opens a lead once per episode, and at most once a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from followups.facts import Facts
from followups.predict.learned import LearnedScore, features_of
from followups.rules.checks import Text
from followups.rules.conditions.customers import HotLead
from followups.rules.model import EscalateStep, Goal, Rule, RuleState
from followups.standing.scoring import Scoring, score

HOT_LEAD = "$hot-lead"
"""Its id; no rule in a file can be called that."""
LEAD_WON = "$lead_won"
_A_DAY = timedelta(days=1)


def hot_lead(scoring: Scoring | None) -> Rule | None:
    """The rule; None: nobody is a hot lead by points."""
    if scoring is None or scoring.threshold is None:
        return None
    return Rule(
        id=HOT_LEAD,
        name="注目のお客様",
        goal=Goal(event=LEAD_WON, within=_A_DAY),
        when=HotLead(rule_id=HOT_LEAD, scoring=scoring),
        steps=(EscalateStep(reason=f"点数が{scoring.threshold:g}点に達した"),),
        state=RuleState.LIVE,
        priority=100,
        again_after=_A_DAY,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWorth:
    """What is told of a lead that opens now: why, and the score from 0 to 100 where there is a scoring."""

    reason: Text
    points: int | None


def worth_of(
    facts: Facts,
    scoring: Scoring | None,
    rule_id: str,
    reason: str,
    *,
    now: datetime,
    most: int = 3,
    learned: LearnedScore | None = None,
) -> LeadWorth:
    """What to tell of a lead.

    Args:
        rule_id: which rule opens it; the one by points says what these are made of.
        reason: what the rule says, in whatever language it is written.
        most: how many reasons of the score, the largest first.
        learned: what to tell the chance of winning by, while that is better than the points.
    """
    said = Text(ja=reason, en=reason)
    if scoring is None:
        return LeadWorth(reason=said, points=None)
    found = score(facts, scoring, now=now)
    points = int(found.points)
    if rule_id == HOT_LEAD:
        ja = "、".join(f"{text.ja} {points:+.0f}" for text, points in found.reasons[:most])
        en = ", ".join(f"{text.en} {points:+.0f}" for text, points in found.reasons[:most])
        said = Text(ja=f"点数が{points}点に: {ja}", en=f"score now {points}: {en}")
    if rule_id == HOT_LEAD and scoring.threshold is not None and found.points < scoring.threshold:
        said = Text(
            ja=f"{said.ja}（点数の確かめのため早めに表示）",
            en=f"{said.en} (shown early, to check the score)",
        )
    if learned is not None:
        chance = learned.chance(features_of(facts, scoring, now=now))
        said = Text(
            ja=f"{said.ja}（これまでの案件から、成約の見込み{chance:.0%}）",
            en=f"{said.en} (chance of winning by earlier leads: {chance:.0%})",
        )
    return LeadWorth(reason=said, points=points)

"""Who may match a condition about what a customer is worth? Supersets; Python decides."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, false, not_, true
from sqlalchemy.orm import aliased
from sqlmodel import col

from db.intake.signals import SignalRow
from db.people.customers import Customer
from followups.rules.conditions import Condition, HotLead, ScoreIs, SegmentIs, StageIs
from followups.standing.scoring import MIDDLING_FROM, Scoring
from followups.standing.segments import CHAMPION_FROM, LOYAL_FROM

Holds = ColumnElement[bool]

_FEWEST = {"champions": CHAMPION_FROM, "loyal": LOYAL_FROM, "promising": 2}
"""Purchases without which nobody is in the segment."""


def may_match(condition: Condition, *, now: datetime) -> Holds:
    """Everyone for whom it could hold now, or come to hold by time alone: they get an alarm.

    A condition that is not known here may hold for everyone.
    """
    match condition:
        case SegmentIs():
            return _segment(condition)
        case StageIs():
            return _happened([condition.life.joined, *condition.life.activity])
        case ScoreIs():
            return _scored(condition.scoring, condition.at_least, now=now)
        case HotLead():
            return _scored(condition.scoring, (condition.scoring.threshold or 1.0) * MIDDLING_FROM, now=now)
        case _:
            return true()


def _segment(condition: SegmentIs) -> Holds:
    buyers = [name for name in condition.names if name != "prospect"]
    may: Holds = false()
    if buyers:
        may = _happened([condition.life.purchase], times=min(_FEWEST.get(name, 1) for name in buyers))
    if "prospect" in condition.names:
        may = may | not_(_happened([condition.life.purchase]))
    return may


def _scored(scoring: Scoring, points: float, *, now: datetime) -> Holds:
    since = now - scoring.longest_above(points)
    return _happened([each.key for each in scoring.pointed], since=since)


def _happened(keys: list[str], *, times: int = 1, since: datetime | None = None) -> Holds:
    """One of these signals is there, so often, and not only before `since`."""
    signal = aliased(SignalRow)
    found = exists().where(
        col(signal.customer_id) == col(Customer.customer_id),
        col(signal.key).in_(list(dict.fromkeys(keys))),
        col(signal.n) >= times,
    )
    if since is not None:
        found = found.where(col(signal.last_at) > since)
    return found.correlate_except(signal)

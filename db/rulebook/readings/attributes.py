"""Who may match a condition about an attribute: its value as sent, or the day that it names?"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, and_, cast, false, func, literal, or_, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlmodel import col

from db.intake.signals import SignalRow
from db.people.customers import Customer
from db.rulebook.readings.reading import Holds, Reading, exactly, grouped, has
from followups.facts import AttributeValue
from followups.rules.conditions import AttributeDate, AttributeIs
from followups.signals import attribute_key

_ROUNDING = 1e-9
"""Numbers in `jsonb` are exact, Python's are floats: nearer than this share, SQL does not decide."""
_LARGEST = 1e300


def read_attribute(condition: AttributeIs) -> Reading:
    """By the value itself; numbers that were sent as text are left to Python."""
    value = col(Customer.attributes)[condition.attribute]
    kind: ColumnElement[str] = func.coalesce(func.jsonb_typeof(value), "null")
    wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    match condition.operator:
        case "exists":
            return exactly((kind != "null") if bool(wanted[0]) else (kind == "null"))
        case "equals" | "in":
            return grouped([_same(value, kind, each) for each in wanted], "any")
        case "not_in":
            return grouped([_same(value, kind, each) for each in wanted], "none")
        case "at_least" | "at_most":
            return _bound(value, kind, wanted[0], is_lower=condition.operator == "at_least")
        case _:
            return Reading(true(), false())


def _json(value: AttributeValue) -> ColumnElement[object]:
    return cast(literal(json.dumps(value), String), JSONB)


def _when(kind: ColumnElement[str], wanted: str, holds: Holds) -> Holds:
    """`holds`, and false (never NULL) for values of another kind."""
    return and_(kind == wanted, func.coalesce(holds, false()))


def _same(value: ColumnElement[object], kind: ColumnElement[str], wanted: AttributeValue) -> Reading:
    if wanted is None:
        return exactly(false())
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return exactly(func.coalesce(value == _json(wanted), false()))
    near = abs(wanted) * _ROUNDING
    may = _when(kind, "number", and_(value >= _json(wanted - near), value <= _json(wanted + near)))
    return Reading(may, _when(kind, "number", value == _json(wanted)))


def _bound(
    value: ColumnElement[object], kind: ColumnElement[str], wanted: AttributeValue, *, is_lower: bool
) -> Reading:
    """Numbers sent as text are left to Python."""
    try:
        bound = float(wanted) if wanted is not None and not isinstance(wanted, bool) else None
    except (ValueError, OverflowError):
        bound = None
    if bound is None or not abs(bound) < _LARGEST:
        return Reading(kind.in_(["number", "string"]), false())
    near = abs(bound) * _ROUNDING
    if is_lower:
        may = value >= _json(bound - near)
        must = and_(value >= _json(bound + near), value < _json(_LARGEST))
    else:
        may = value <= _json(bound + near)
        must = and_(value <= _json(bound - near), value > _json(-_LARGEST))
    return Reading(or_(kind == "string", _when(kind, "number", may)), _when(kind, "number", must))


def read_date(condition: AttributeDate, *, now: datetime) -> Reading:
    """By the row kept for the attribute's day; an anniversary may hold for all who have the attribute."""
    if condition.is_anniversary:
        return Reading(func.jsonb_exists(col(Customer.attributes), condition.attribute), false())
    signal = aliased(SignalRow)
    begins = col(signal.last_at)
    if condition.within is not None:
        bounds = [begins <= now + condition.within, begins > now - timedelta(days=1)]
    else:
        bounds = [begins <= now - (condition.passed or timedelta())]
    kept = has(signal, attribute_key(condition.attribute), *bounds)
    return exactly(kept)

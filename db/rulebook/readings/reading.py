"""What does it mean to read a condition in SQL: for whom may it hold, for whom must it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, true
from sqlmodel import col

from db.intake.signals import SignalRow
from db.people.customers import Customer

Holds = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Reading:
    """`may`: a superset of those for whom a condition holds. `must`: a subset."""

    may: Holds
    must: Holds


def exactly(holds: Holds) -> Reading:
    """SQL reads as Python does."""
    return Reading(holds, holds)


def grouped(members: Sequence[Reading], kind: str) -> Reading:
    """`all`, `any` or `none` of the members."""
    may, must = [each.may for each in members], [each.must for each in members]
    match kind:
        case "all":
            return Reading(and_(true(), *may), and_(true(), *must))
        case "any":
            return Reading(or_(false(), *may), or_(false(), *must))
        case _:
            return Reading(not_(or_(false(), *must)), not_(or_(false(), *may)))


def has(signal: type[SignalRow], key: str, *also: Holds) -> Holds:
    """The customer has this signal. Correlated by name: by itself only the next level out would be."""
    return (
        exists()
        .where(
            col(signal.customer_id) == col(Customer.customer_id),
            col(signal.key) == key,
            col(signal.n) > 0,
            *also,
        )
        .correlate_except(signal)
    )

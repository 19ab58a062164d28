"""Where does each customer stand in each rule, and what was decided about them?"""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment


class FollowUpRow(SQLModel, table=True):
    """One passage of a customer through a rule. `occasion` counts from 1."""

    __tablename__ = "follow_up"

    customer_id: UUID = customer_key()
    rule_id: str = Field(primary_key=True)
    occasion: int = Field(primary_key=True)
    rule_version: int
    state: str
    entered_at: datetime = moment()
    ended_at: datetime | None = moment(default=None)
    ended_because: str | None = None
    goal_reached_at: datetime | None = moment(default=None)


class DecisionRow(SQLModel, table=True):
    """What one rule decided for one customer, with its trace. Repeats of the same answer are not stored."""

    __tablename__ = "decision"
    __table_args__ = (Index("ix_decision_customer_id_at", "customer_id", "at"),)

    customer_id: UUID = customer_key()
    decision_id: UUID = Field(primary_key=True)
    rule_id: str
    rule_version: int
    at: datetime = moment()
    verdict: str
    gate: str | None = None
    until: datetime | None = moment(default=None)
    is_shadow: bool = False
    message_id: UUID | None = None
    lead_id: UUID | None = None
    trace: Json = document(default_factory=dict)

"""Who did what, when? Append-only; ids only."""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment

NOBODY = UUID(int=0)
"""Stands in the customer's place where an action concerns no single customer."""


class AuditEntry(SQLModel, table=True):
    """One action of a person or of the program itself."""

    __tablename__ = "audit_entry"

    customer_id: UUID = customer_key()
    audit_id: UUID = Field(primary_key=True)
    at: datetime = moment()
    actor: str
    action: str
    details: Json = document(default_factory=dict)

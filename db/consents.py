"""Who agreed to what, when, in answer to which words?"""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from db.columns import UUID, customer_key, datetime, moment


class ConsentEntry(SQLModel, table=True):
    """One line of the ledger; never changed. The newest by `at` counts, a refusal wins a tie."""

    __tablename__ = "consent_entry"

    customer_id: UUID = customer_key()
    purpose: str = Field(primary_key=True)
    consent_id: UUID = Field(primary_key=True)
    is_granted: bool
    at: datetime = moment()
    source: str
    wording: str | None = None
    line_user_id: str | None = None
    recorded_at: datetime = moment()

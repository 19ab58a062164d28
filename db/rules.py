"""Which rules, messages and policy are published, in which version and state, and who changed them?"""

from __future__ import annotations

from sqlmodel import Field, SQLModel

from db.columns import Json, datetime, document, moment


class RuleRow(SQLModel, table=True):
    """The current version and state of one rule."""

    __tablename__ = "rule"

    rule_id: str = Field(primary_key=True)
    version: int
    state: str
    changed_at: datetime = moment()
    changed_by: str


class RuleVersion(SQLModel, table=True):
    """One version of a rule as written, with the text of its message templates at that time."""

    __tablename__ = "rule_version"

    rule_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    source: str
    path: str
    messages: Json = document(default_factory=dict)
    digest: str
    created_at: datetime = moment()
    created_by: str


class Setting(SQLModel, table=True):
    """A global value kept in the database (`policy`, `paused`, `config_revision`)."""

    __tablename__ = "setting"

    name: str = Field(primary_key=True)
    content: Json = document(default_factory=dict)
    changed_at: datetime = moment()

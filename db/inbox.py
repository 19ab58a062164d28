"""What reached us from LINE and Slack, stored before it is acknowledged, each once?"""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from db.columns import datetime, moment


class InboxRow(SQLModel, table=True):
    """One event as received. `source`: `line:U…` or `slack:U…`; rows of a source are taken in order of `at`.

    `raw`: the JSON of the one event, emptied once taken in.
    """

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_waiting", "source", "at", postgresql_where=text("done_at IS NULL")),)

    source: str = Field(primary_key=True)
    event_id: str = Field(primary_key=True)
    kind: str
    raw: bytes = Field(sa_type=LargeBinary)
    destination: str | None = None
    is_redelivery: bool = False
    at: datetime = moment()
    received_at: datetime = moment()
    done_at: datetime | None = moment(default=None)
    attempts: int = 0
    because: str | None = None

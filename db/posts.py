"""What must appear in Slack, and where did it appear? The intent is stored before anything is posted."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from db.columns import UUID, Json, customer_key, datetime, document, moment


class PostState(StrEnum):
    """`posting`: a request was or may have been started; its outcome is looked up by metadata."""

    QUEUED = "queued"
    POSTING = "posting"
    POSTED = "posted"
    DEAD = "dead"


class Post(SQLModel, table=True):
    """One message of ours in Slack. `content` is what to show (kind-specific, ids only where possible).

    kind `card`: the lead's card, posted once and rewritten in place: `wanted` counts the changes asked for,
    `shown` the last one carried out; it is due while they differ. kind `line`: a line in the lead's thread.
    kind `alert`: for the alerts channel.
    """

    __tablename__ = "post"
    __table_args__ = (
        Index(
            "ix_post_due",
            "not_before",
            postgresql_where=text("state IN ('queued', 'posting') OR wanted > shown"),
        ),
        Index("uq_post_dedupe", "customer_id", "dedupe_key", unique=True),
    )

    customer_id: UUID = customer_key()
    post_id: UUID = Field(primary_key=True)
    kind: str
    state: str
    dedupe_key: str
    lead_id: UUID | None = None
    content: Json = document(default_factory=dict)
    channel: str | None = None
    ts: str | None = None
    wanted: int = 1
    shown: int = 0
    attempts: int = 0
    attempted_at: datetime | None = moment(default=None)
    not_before: datetime = moment()
    created_at: datetime = moment()
    because: str | None = None

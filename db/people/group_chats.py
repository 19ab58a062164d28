"""Which groups and rooms did the account find itself in, were they answered, and has it left?"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import datetime, moment

LEASE = timedelta(seconds=60)


class GroupChat(SQLModel, table=True):
    """A directory row: one group or room. `kind`: `group` or `room`.

    `answered_at`: since when an answer may have been given; there is never a second one. `left_at`: the
    account is out, or was never in.
    """

    __tablename__ = "group_chat"
    __table_args__ = (Index("ix_group_chat_due", "not_before", postgresql_where=text("left_at IS NULL")),)

    group_id: str = Field(primary_key=True)
    kind: str
    met_at: datetime = moment()
    reply_token: str | None = None
    reply_until: datetime | None = moment(default=None)
    answered_at: datetime | None = moment(default=None)
    left_at: datetime | None = moment(default=None)
    not_before: datetime = moment()
    attempts: int = 0


async def meet_group(
    session: AsyncSession,
    *,
    group_id: str,
    kind: str,
    reply_token: str | None,
    reply_until: datetime | None,
    now: datetime,
) -> None:
    """Something came from this group: have it answered once, and left. Invited again, it is left again."""
    row = GroupChat(
        group_id=group_id,
        kind=kind,
        met_at=now,
        reply_token=reply_token,
        reply_until=reply_until,
        not_before=now,
    )
    await session.execute(
        insert(GroupChat)
        .values(row.model_dump())
        .on_conflict_do_update(
            index_elements=["group_id"],
            set_={"left_at": None, "not_before": now, "attempts": 0},
            where=col(GroupChat.left_at).is_not(None) & (col(GroupChat.left_at) < now),
        )
    )


async def claim_groups(session: AsyncSession, *, limit: int, now: datetime) -> list[GroupChat]:
    """Groups to answer and leave, each this caller's own for `LEASE`, as they stood before.

    Those not answered yet count as answered from now on: a second answer is worse than none.
    """
    rows = list(
        await session.scalars(
            select(GroupChat)
            .where(col(GroupChat.left_at).is_(None), col(GroupChat.not_before) <= now)
            .order_by(col(GroupChat.not_before), col(GroupChat.group_id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    for row in rows:
        session.expunge(row)
    await session.execute(
        update(GroupChat)
        .where(col(GroupChat.group_id).in_([row.group_id for row in rows]))
        .values(
            answered_at=now,
            reply_token=None,
            attempts=col(GroupChat.attempts) + 1,
            not_before=now + LEASE,
        )
        .execution_options(synchronize_session=False)
    )
    return rows


async def left_group(session: AsyncSession, group_id: str, *, now: datetime) -> None:
    """The account is out of it."""
    await session.execute(
        update(GroupChat)
        .where(col(GroupChat.group_id) == group_id)
        .values(left_at=now)
        .execution_options(synchronize_session=False)
    )

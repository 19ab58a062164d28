"""What have our own people told us about themselves: until when they are away, how they sign?"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import datetime, moment


class Staff(SQLModel, table=True):
    """One person in Slack (a directory row). `signs_as`: the name customers see; absent: Slack's."""

    __tablename__ = "staff"

    slack_user_id: str = Field(primary_key=True)
    away_until: datetime | None = moment(default=None)
    signs_as: str | None = None
    changed_at: datetime = moment()


async def staff_of(session: AsyncSession, slack_user_ids: Collection[str]) -> dict[str, Staff]:
    """What is known of these people, by Slack user id; those of whom nothing is known are left out."""
    query = select(Staff).where(col(Staff.slack_user_id).in_(set(slack_user_ids)))
    found = await session.scalars(query.execution_options(populate_existing=True))
    return {each.slack_user_id: each for each in found}


async def away(session: AsyncSession, slack_user_id: str, *, until: datetime | None, now: datetime) -> None:
    """This person takes no new leads until then; None: they are back."""
    await _put(session, slack_user_id, {"away_until": until}, now=now)


async def sign_as(session: AsyncSession, slack_user_id: str, *, name: str | None, now: datetime) -> None:
    """Customers see this name; None: the name in Slack."""
    await _put(session, slack_user_id, {"signs_as": name}, now=now)


async def _put(
    session: AsyncSession, slack_user_id: str, values: dict[str, object], *, now: datetime
) -> None:
    changes = {**values, "changed_at": now}
    await session.execute(
        insert(Staff)
        .values({"slack_user_id": slack_user_id, "away_until": None, "signs_as": None, **changes})
        .on_conflict_do_update(index_elements=["slack_user_id"], set_=changes)
    )

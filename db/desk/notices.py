"""Which messages among the alerts are rewritten when what they tell changes?"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from db.columns import UUID, Json, datetime
from db.desk.posts import Post, PostKind, ask_for_post, revived


async def add_notice(
    session: AsyncSession, customer_id: UUID, key: str, content: Json, *, ids: Ids, now: datetime
) -> None:
    """Have something told among the alerts, once per key; what it shows is read when it is written.

    Args:
        content: ids only (`{"approval_id": …}`, `{"forecast_id": …}`).
    """
    await ask_for_post(session, customer_id, PostKind.ALERT, key, content, lead_id=None, ids=ids, now=now)


async def touch_notices(session: AsyncSession, keys: Collection[str]) -> None:
    """Have these rewritten; those that were never asked for stay unsaid."""
    await session.execute(
        update(Post)
        .where(col(Post.kind) == PostKind.ALERT, col(Post.dedupe_key).in_(keys))
        .values(wanted=col(Post.wanted) + 1, state=revived())
        .execution_options(synchronize_session=False)
    )

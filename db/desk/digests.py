"""Which days' digests were promised to Slack?"""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from db.columns import Json, datetime
from db.desk.audit import NOBODY
from db.desk.posts import Post, PostKind, PostState, ask_for_post, revived
from db.rulebook.rules import Setting

_TAKEN = "digest"


def _key(day: date) -> str:
    return f"digest:{day.isoformat()}"


async def take_day(session: AsyncSession, day: date, *, now: datetime) -> bool:
    """Is this local day's digest still to be looked into? True for one transaction only.

    Compared for being another day, not a later one: a clock that was wrong for a moment must not silence the
    days up to where it stood.
    """
    content = {"day": day.isoformat()}
    asked = insert(Setting).values(name=_TAKEN, content=content, changed_at=now)
    taken = await session.scalar(
        asked.on_conflict_do_update(
            index_elements=["name"],
            set_={"content": content, "changed_at": now},
            where=col(Setting.content)["day"].astext != day.isoformat(),
        ).returning(col(Setting.name))
    )
    return taken is not None


async def add_digest(session: AsyncSession, *, day: date, content: Json, ids: Ids, now: datetime) -> bool:
    """Have a day's digest posted, once; False: it was promised before."""
    return await ask_for_post(
        session, NOBODY, PostKind.DIGEST, _key(day), content, lead_id=None, ids=ids, now=now
    )


async def touch_digests(session: AsyncSession, proposal: str) -> None:
    """Have the digests that show this proposal (by its key) rewritten: somebody answered it."""
    await session.execute(
        update(Post)
        .where(
            col(Post.customer_id) == NOBODY,
            col(Post.kind) == PostKind.DIGEST,
            col(Post.content)["offer"]["key"].astext == proposal,
            col(Post.ts).is_not(None),
        )
        .values(wanted=col(Post.wanted) + 1, state=revived())
        .execution_options(synchronize_session=False)
    )


async def dead_posts(session: AsyncSession, since: datetime) -> int:
    """How many messages asked for from then on Slack refused for good."""
    refused = select(func.count()).where(
        col(Post.state) == PostState.DEAD.value, col(Post.created_at) >= since
    )
    return await session.scalar(refused) or 0

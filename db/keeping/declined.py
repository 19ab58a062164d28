"""Which proposals did somebody settle lately, so that they are not made again?"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.rulebook.rules import Setting, put_setting, setting

_PREFIX = "proposal:"


async def settle_proposal(
    session: AsyncSession, key: str, *, word: str, by: str, rests_for: timedelta, now: datetime
) -> None:
    """Note what somebody said to it (`applied`, `declined`); it rests for so long."""
    content = {"word": word, "by": by, "at": now.isoformat(), "until": (now + rests_for).isoformat()}
    await put_setting(session, f"{_PREFIX}{key}", content, now=now)


async def settled_proposal(session: AsyncSession, key: str, *, now: datetime) -> dict[str, str] | None:
    """Who settled it, how (`word`) and when (`at`), while it rests."""
    content = await setting(session, f"{_PREFIX}{key}")
    if content is None or datetime.fromisoformat(content["until"]) <= now:
        return None
    return {name: str(content[name]) for name in ("word", "by", "at")}


async def resting_proposals(session: AsyncSession, *, now: datetime) -> frozenset[str]:
    """The keys of those that are not made again for a while."""
    rows = await session.execute(
        select(col(Setting.name), col(Setting.content)).where(
            col(Setting.name).startswith(_PREFIX, autoescape=True)
        )
    )
    return frozenset(
        name.removeprefix(_PREFIX) for name, content in rows if datetime.fromisoformat(content["until"]) > now
    )

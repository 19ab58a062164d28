"""Is it time for a piece of work that is done once a night, and is it this process's turn?"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.rulebook.rules import Setting, current_rulebook
from followups.times.zones import local_day, zone_of

NIGHT = time(3)
"""Local time from which on a night's work is done, where nothing else is asked for."""
_NIGHTLY = "nightly:"


async def take_night(session: AsyncSession, work: str, *, now: datetime, after: time = NIGHT) -> bool:
    """Is tonight's `work` still to be done? True for one transaction only; it is done when that commits.

    A night belongs to the local day it begins on; before `after` the day before counts. After downtime the
    work of the nights between is done once. A transaction that fails leaves it to the next one; one that
    runs makes others that ask wait for it.

    Args:
        work: the story's word.
        after: the policy's local time from which on it is done.
    """
    zone = zone_of((await current_rulebook(session)).policy.timezone)
    local = now.astimezone(zone)
    day = local_day(now, zone) - (timedelta(days=1) if local.time() < after else timedelta())
    content = {"day": day.isoformat()}
    asked = insert(Setting).values(name=f"{_NIGHTLY}{work}", content=content, changed_at=now)
    taken = await session.scalar(
        asked.on_conflict_do_update(
            index_elements=["name"],
            set_={"content": content, "changed_at": now},
            where=col(Setting.content)["day"].astext < day.isoformat(),
        ).returning(col(Setting.name))
    )
    return taken is not None


async def last_night(session: AsyncSession, work: str) -> datetime | None:
    """When `work` was done last."""
    found: datetime | None = await session.scalar(
        select(func.max(col(Setting.changed_at))).where(col(Setting.name) == f"{_NIGHTLY}{work}")
    )
    return found

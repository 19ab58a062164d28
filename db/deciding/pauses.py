"""Is all proactive writing paused, by whom and why?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.rulebook.rules import Setting, put_setting, setting

PAUSED = "paused"
RESTORED = "restored"
"""Why nothing goes out after a restore: what happened since the backup was written is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing that rules decided goes out; what people write does.

    Attributes:
        by: a Slack user id, or a word like `cli`.
        because: a reason in a person's own words, `RESTORED`, or empty.
    """

    by: str
    at: datetime
    because: str = ""


async def current_pause(session: AsyncSession) -> Pause | None:
    """The pause in force."""
    content = await setting(session, PAUSED)
    if content is None:
        return None
    return Pause(by=content["by"], at=datetime.fromisoformat(content["at"]), because=content["because"])


async def put_pause(session: AsyncSession, pause: Pause) -> bool:
    """Pause everything; False: it was paused already, and that pause stays."""
    if await current_pause(session) is not None:
        return False
    content = {"by": pause.by, "at": pause.at.isoformat(), "because": pause.because}
    await put_setting(session, PAUSED, content, now=pause.at)
    return True


async def lift_pause(session: AsyncSession) -> Pause | None:
    """End the pause; the one that was in force."""
    known = await current_pause(session)
    await session.execute(delete(Setting).where(col(Setting.name) == PAUSED))
    return known

"""How is everything that rules would send stopped at once, and let go again?"""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from db.deciding.pauses import Pause, current_pause, lift_pause, put_pause
from db.desk import audit
from db.talk.messages import release_all_held

log = structlog.get_logger()


async def pause_all(deps: Deps, *, by: str, because: str = "") -> bool:
    """Let nothing go out that rules decided; deciding goes on, and people's own words still go out.

    Messages wait; when the pause ends each is asked again whether its reason still holds.

    Args:
        by: a Slack user id, or a word like `cli`.

    Returns:
        False: everything was paused already.
    """
    now = deps.clock.now()

    async def write(session: AsyncSession) -> bool:
        is_new = await put_pause(session, Pause(by=by, at=now, because=because))
        if is_new:
            await audit.record(session, actor=by, action="rules.paused", ids=deps.ids, now=now)
        return is_new

    is_new = await deps.db.run(write)
    log.info("rules.paused", by=by, is_new=is_new)
    return is_new


async def resume_all(deps: Deps, *, by: str) -> Pause | None:
    """Let rules' messages go out again; the pause that was in force, None: there was none."""
    now = deps.clock.now()

    async def write(session: AsyncSession) -> Pause | None:
        lifted = await lift_pause(session)
        if lifted is not None:
            await release_all_held(session, now=now)
            await audit.record(session, actor=by, action="rules.resumed", ids=deps.ids, now=now)
        return lifted

    lifted = await deps.db.run(write)
    if lifted is not None:
        log.info("rules.resumed", by=by)
        await deps.waker.wake("deliver")
    return lifted


async def pause_in_force(deps: Deps) -> Pause | None:
    """The pause in force."""
    async with deps.db.begin() as session:
        return await current_pause(session)

"""Can this process do its work: is the database there, and do LINE and Slack know us?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import select

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from db.deciding.ticks import Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`problems`: what is wrong, by part; empty: ready."""

    problems: dict[str, str]


async def ready(deps: Deps) -> Readiness:
    """Ask each part once, for at most five seconds in all."""
    problems: dict[str, str] = {}
    try:
        async with asyncio.timeout(5), deps.db.begin() as session:
            await session.execute(select(Tick))
    except Exception as error:
        problems["database"] = type(error).__name__
    asks: dict[str, Callable[[], Awaitable[str]] | None] = {
        "line": deps.line.basic_id if deps.line is not None else None,
        "slack": deps.slack.team_id if deps.slack is not None else None,
    }
    for part, ask in asks.items():
        if ask is None:
            problems[part] = "not configured"
            continue
        try:
            async with asyncio.timeout(5):
                await ask()
        except (Unavailable, Refused, TimeoutError) as error:
            problems[part] = str(error) or type(error).__name__
    return Readiness(problems=problems)

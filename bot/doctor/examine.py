"""What is found when everything is looked at, at once?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from bot.clock import Clock
from bot.doctor.database import look_at_database
from bot.doctor.findings import Finding, error
from bot.doctor.line import look_at_line
from bot.doctor.machine import look_at_machine
from bot.doctor.model import look_at_model
from bot.doctor.named import look_at_named
from bot.doctor.slack import look_at_slack
from bot.settings import Settings

MOST_SECONDS = 60.0
"""For any one part; crash recovery of a big embedded database may need more, and is told as such."""


async def examine(
    settings: Settings, clock: Clock, *, env_file: Path = Path(".env"), is_webhook_tested: bool = False
) -> list[Finding]:
    """Look at every part; a part that cannot be looked at is a finding, never an exception."""
    machine = look_at_machine(settings, env_file=env_file)
    parts = await asyncio.gather(
        _guarded("database", look_at_database(settings, clock)),
        _guarded("line", look_at_line(settings, clock, is_webhook_tested=is_webhook_tested)),
        _guarded("slack", look_at_slack(settings, clock)),
        _guarded("openai", look_at_model(settings)),
    )
    named = look_at_named(settings, env_file=env_file)
    return [*machine, *named, *(finding for part in parts for finding in part)]


async def _guarded(key: str, look: Awaitable[list[Finding]]) -> list[Finding]:
    try:
        async with asyncio.timeout(MOST_SECONDS):
            return await look
    except Exception as failed:  # whatever stands there: the other parts are told all the same
        because = type(failed).__name__
        return [
            error(
                key,
                f"確かめられませんでした({because})",
                f"could not be looked at ({because})",
                fix=(
                    "もう一度実行し、続くようならこの行を添えて知らせてください",
                    "run this again; if it stays, report this line",
                ),
            )
        ]

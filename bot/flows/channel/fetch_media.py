"""Which contents that customers sent are fetched from LINE now?

At once after the event's commit: LINE keeps contents for a time it does not tell (Getting content). No
transaction is open while LINE is asked.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from hashlib import sha256

import regex
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from bot.ports import Content, Line
from db.desk.posts import add_thread_file, touch_card
from db.talk.media import Media, MediaState, claim_media, settle_media

log = structlog.get_logger()

MOST_BYTES = 20 * 1024 * 1024
"""Larger contents stay with LINE: staff are told the size. LINE itself takes files of 200 MB and more."""
GIVES_UP_AFTER = timedelta(days=3)
"""How long a content that LINE neither gives nor denies is asked for."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(hours=1)
AT_ONCE = 4
_TYPE = regex.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,79}")
UNKNOWN_TYPE = "application/octet-stream"


async def fetch_media(deps: Deps) -> int:
    """Fetch everything that is due; returns how many contents were asked for. Any number may run at once."""
    line, asked = deps.line, 0
    if line is None:
        return 0
    while True:
        now = deps.clock.now()
        async with deps.db.begin() as session:
            rows = await claim_media(session, limit=AT_ONCE, now=now)
        if not rows:
            return asked
        await asyncio.gather(*(_fetch(deps, line, row) for row in rows))
        asked += len(rows)


async def _fetch(deps: Deps, line: Line, row: Media) -> None:
    try:
        found = await line.content(row.line_message_id, at_most=MOST_BYTES)
    except Unavailable as error:
        later(row, because=str(error), now=deps.clock.now())
    else:
        _take(row, found)

    async def write(session: AsyncSession) -> bool:
        kept = await settle_media(session, row)
        if kept and row.state != MediaState.WAITING:
            await touch_card(session, row.customer_id, now=deps.clock.now())
            if row.state == MediaState.STORED:
                await add_thread_file(
                    session,
                    customer_id=row.customer_id,
                    line_message_id=row.line_message_id,
                    ids=deps.ids,
                    now=deps.clock.now(),
                )
        return kept

    if await deps.db.run(write) and row.state != MediaState.WAITING:
        log.info("media.fetched", state=row.state, kind=row.kind, size=row.size, attempts=row.attempts)
        await deps.waker.wake("post")


def _take(row: Media, found: Content | None) -> None:
    if found is None:
        row.state, row.because = MediaState.GONE, "LINE has it no more"
    elif found.is_too_large:
        row.state, row.because = MediaState.REFUSED, f"larger than {MOST_BYTES // 1024 // 1024} MB"
        row.content_type = _known(found.content_type)
    else:
        row.state, row.because = MediaState.STORED, None
        row.content, row.size = found.content, len(found.content)
        row.content_type, row.sha256 = _known(found.content_type), sha256(found.content).hexdigest()


def later(row: Media, *, because: str, now: datetime) -> None:
    """Ask again after a pause that doubles; after `GIVES_UP_AFTER` no more."""
    if now - row.at > GIVES_UP_AFTER:
        row.state, row.because = MediaState.GONE, f"given up after {GIVES_UP_AFTER.days} days: {because}"
        return
    row.because = because
    row.not_before = now + min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 12), LONGEST_PAUSE)


def _known(content_type: str) -> str:
    plain = content_type.casefold().partition(";")[0].strip()
    return plain if _TYPE.fullmatch(plain) else UNKNOWN_TYPE

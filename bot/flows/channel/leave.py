"""Which groups and rooms is the account answered in once, and left?

The program talks with one person at a time: in a group it would read what is not meant for it, and every push
counts once per member. The answer is a reply (free); a group is never pushed to.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.deps import Deps
from bot.errors import Unavailable
from bot.line.bubbles import text_bubble
from bot.ports import Line
from db.people.group_chats import GroupChat, claim_groups, left_group
from prompts.texts import system_text

log = structlog.get_logger()

BATCH = 20
MOST_ATTEMPTS = 20
"""After so many, about a day, the account stays in: nothing is said there anyway."""
MARGIN = timedelta(seconds=2)


async def leave(deps: Deps) -> int:
    """Answer and leave what is due; returns how many groups. Any number may run at once."""
    line, seen = deps.line, 0
    if line is None:
        return 0
    while True:
        async with deps.db.begin() as session:
            groups = await claim_groups(session, limit=BATCH, now=deps.clock.now())
        if not groups:
            return seen
        for group in groups:
            await _leave(deps, line, group)
        seen += len(groups)


async def _leave(deps: Deps, line: Line, group: GroupChat) -> None:
    now = deps.clock.now()
    if group.reply_token and not group.answered_at and group.reply_until and now < group.reply_until - MARGIN:
        text = system_text("group")
        words = f"{text.text.ja}\n{text.text.en}"  # nobody knows which language a group speaks
        await line.reply(reply_token=group.reply_token, bubbles=[text_bubble(words)])
    try:
        was_in = await line.leave(group.kind, group.group_id)
    except Unavailable as error:
        log.warning("group.not_left", because=str(error), attempts=group.attempts + 1)
        if group.attempts + 1 < MOST_ATTEMPTS:
            return  # taken up again when its lease ends
        was_in = False
    async with deps.db.begin() as session:
        await left_group(session, group.group_id, now=deps.clock.now())
    log.info("group.left", kind=group.kind, was_in=was_in)

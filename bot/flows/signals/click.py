"""What happens when somebody opens a tracked link?"""

from __future__ import annotations

import re
from urllib.parse import quote

import structlog

from bot.deps import Deps
from db.intake.events import NewEvent, take_in
from db.talk.messages import Click, link_of, message_of
from followups.signals import CLICKED, clicked_key

log = structlog.get_logger()

_KEPT = ":/%#?=@[]!$&'()*+,;~"
"""What an address may hold as it is; anything else (line ends!) is percent-encoded."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ROBOTS = re.compile(
    r"bot\b|bot/|crawler|spider|preview|facebookexternalhit|line-poker|slackbot|twitterbot|whatsapp|telegram"
    r"|discord|skypeuripreview|headless|curl/|wget/|python-requests|go-http-client|prefetch|scanner",
    re.IGNORECASE,
)
"""Who opens links without a person wanting to: previews, crawlers, scanners."""


async def click(deps: Deps, token: str, *, user_agent: str, is_counted: bool = True) -> str | None:
    """The https address behind a token, the opening recorded; None: there is no such link.

    Args:
        user_agent: what opened it; a known robot is not counted.
        is_counted: False: only look (HEAD, prefetch).
    """
    if not _TOKEN.fullmatch(token):
        return None
    now = deps.clock.now()
    async with deps.db.begin() as session:
        link = await link_of(session, token)
        if link is None or not link.url.startswith("https://"):
            return None
        if not is_counted or _ROBOTS.search(user_agent):
            return quote(link.url, safe=_KEPT)
        click_id = deps.ids.uuid()
        message = await message_of(session, link.customer_id, link.message_id)
        session.add(
            Click(customer_id=link.customer_id, click_id=click_id, message_id=link.message_id, at=now)
        )
        names = [CLICKED]
        if message is not None and message.template:
            names.append(clicked_key(message.template))
        await take_in(
            session,
            [NewEvent(link.customer_id, name, now, f"click:{click_id}:{n}") for n, name in enumerate(names)],
            now=now,
        )
        address = quote(link.url, safe=_KEPT)
    await deps.waker.wake("decide")
    log.info("link.clicked", customer_id=str(link.customer_id), message_id=str(link.message_id))
    return address

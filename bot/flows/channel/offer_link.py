"""Who is offered LINE's account-link dialog now?

The dialog needs a token of LINE's, which is asked for with no transaction open; then the button is promised.
"""

from __future__ import annotations

from urllib.parse import quote

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from bot.line.bubbles import Press, press_bubble
from db.people.line_users import hold
from db.people.linking import LinkRequest, claim_requests, drop_request
from db.talk.messages import Message, MessageKind, MessageState, promise
from prompts.texts import system_text

log = structlog.get_logger()

BATCH = 20
MOST_ATTEMPTS = 3


async def offer_link(deps: Deps) -> int:
    """Offer the dialog to everyone who asked; returns how many were looked at. Any number may run at once."""
    seen = 0
    if deps.line is None:
        return 0
    while True:
        async with deps.db.begin() as session:
            requests = await claim_requests(session, limit=BATCH, now=deps.clock.now())
        if not requests:
            return seen
        for request in requests:
            await _offer(deps, request)
        seen += len(requests)


async def _offer(deps: Deps, request: LinkRequest) -> None:
    assert deps.line is not None
    token: str | None = None
    try:
        token = await deps.line.link_token(request.line_user_id)
    except Unavailable as error:
        log.warning("link_token.unavailable", because=str(error), attempts=request.attempts + 1)
        if request.attempts + 1 < MOST_ATTEMPTS:
            return  # taken up again when its lease ends

    async def write(session: AsyncSession) -> None:
        now = deps.clock.now()
        user = await hold(session, request.line_user_id, destination=None, now=now)
        if not await drop_request(session, request):
            return
        name = "link_offer" if token else "link_unavailable"
        text = system_text(name)
        words = text.say(request.language)
        label = "ログインして連携" if request.language.startswith("ja") else "Sign in and connect"
        presses = [Press(label=label, sends="", opens=page_of(deps, token))] if token else []
        await promise(
            session,
            Message(
                customer_id=user.customer_id,
                message_id=deps.ids.uuid(),
                kind=MessageKind.SYSTEM,
                state=MessageState.QUEUED,
                dedupe_key=f"{name}:{request.event_id}",
                line_user_id=request.line_user_id,
                template=f"system/{name}",
                bubbles=[press_bubble(words, presses)],
                plain_text=words,
                text_hash=text.wording_of(request.language),
                reply_token=request.reply_token,
                reply_token_until=request.reply_until,
                promised_at=now,
                not_before=now,
            ),
        )

    await deps.db.run(write)
    await deps.waker.wake("deliver")


def page_of(deps: Deps, link_token: str) -> str:
    """The product's sign-in page, with the token of the dialog that it is to go on with."""
    page = deps.settings.line_link_page or ""
    return f"{page}{'&' if '?' in page else '?'}linkToken={quote(link_token, safe='')}"

"""How does Slack reach a program that has no public address?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler

from bot.deps import Deps
from handlers.slack.app import SlackApp

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0


@contextlib.asynccontextmanager
async def socket_mode(deps: Deps) -> AsyncIterator[None]:
    """Keep a Socket Mode connection while the block runs, where `SLACK_APP_TOKEN` is set.

    Slack being down does not keep the program from starting: connecting goes on in the background.
    """
    token = deps.settings.slack_app_token
    if token is None or deps.slack is None:
        yield
        return
    app = SlackApp(deps)
    handler = AsyncSocketModeHandler(app.bolt, token.get_secret_value(), logger=app.bolt.logger)
    connecting = asyncio.create_task(_connect(handler), name="slack.connect")
    try:
        yield
    finally:
        connecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connecting
        await handler.close_async()  # type: ignore[no-untyped-call]
        await app.errands.finish()


async def _connect(handler: AsyncSocketModeHandler) -> None:
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            await handler.connect_async()  # type: ignore[no-untyped-call]
        except Exception as error:  # whatever stands between us and Slack now
            log.warning("slack.not_connected", because=type(error).__name__, again_in=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        else:
            log.info("slack.connected")
            return

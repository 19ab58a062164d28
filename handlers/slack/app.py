"""Which listener answers what in Slack? Bolt routes; every listener stores or starts, and acknowledges."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.deps import Deps
from bot.errors import Unavailable
from bot.flows.staff.keep import Keeper
from bot.slack.client import SLACK_API
from handlers.boundary import Errands
from handlers.slack import commands, modals, orders, presses, steering

log = structlog.get_logger()

ANYTHING = re.compile(r".*", re.DOTALL)

quiet = logging.getLogger("yorisoi.bolt")
quiet.setLevel(logging.WARNING)  # at INFO, Bolt writes out whole bodies it refused


class SlackApp:
    """Bolt, with our listeners. The specific ones come first, the ones that catch everything last."""

    def __init__(self, deps: Deps, *, signing_secret: str | None = None) -> None:
        """Everything is given explicitly: nothing in the environment can turn Bolt to OAuth.

        `signing_secret`: what requests over HTTP are signed with; None: they come by Socket Mode only.
        """
        settings = deps.settings
        token = settings.slack_bot_token
        self.errands = Errands()
        self.keeper = Keeper(deps)

        async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            # Without asking Slack: Bolt would answer 200 and drop the request when auth.test fails.
            return AuthorizeResult(
                enterprise_id=enterprise_id,
                team_id=team_id,
                bot_token=token.get_secret_value() if token else None,
            )

        self.bolt = AsyncApp(
            name="yorisoi",
            logger=quiet,
            client=AsyncWebClient(base_url=settings.slack_api_base_url or SLACK_API, logger=quiet),
            signing_secret=signing_secret or "only Socket Mode",
            authorize=authorize,
            ignoring_self_events_enabled=False,
        )
        self.bolt.middleware(self._keep_events)
        presses.register(self.bolt, deps, self.keeper, self.errands)
        modals.register(self.bolt, deps, self.keeper, self.errands)
        orders.register(self.bolt, self.keeper)
        steering.register(self.bolt, deps, self.keeper, self.errands)
        commands.register(self.bolt, deps, self.errands)
        for catch in (self.bolt.action, self.bolt.view, self.bolt.view_closed, self.bolt.shortcut):
            catch(ANYTHING)(_acknowledge)
        self.bolt.options(ANYTHING)(_no_options)
        self.bolt.command(ANYTHING)(_acknowledge)
        self.bolt.event(ANYTHING)(_nothing)
        self.bolt.error(_on_error)

    async def _keep_events(self, body: dict[str, Any], next: Callable[[], Awaitable[BoltResponse]]) -> None:  # noqa: A002 - Bolt's name
        """Events are acknowledged before their listener runs, so they are stored here."""
        if body.get("type") == "event_callback":
            await self.keeper.event(body)
        await next()


async def _acknowledge(ack: Callable[..., Awaitable[object]]) -> None:
    await ack()


async def _no_options(ack: Callable[..., Awaitable[object]]) -> None:
    await ack(options=[])


async def _nothing(body: dict[str, Any]) -> None:
    """Taken in by `press`, from the inbox."""


async def _on_error(error: Exception) -> BoltResponse:
    """500, so that Slack delivers the event again; 400 where the request had a shape that nobody knows."""
    if isinstance(error, Unavailable):
        log.error("slack.not_stored", because=str(error))
        return BoltResponse(status=500, body="not stored")
    log.error("slack.door_failed", because=type(error).__name__, exc_info=error)
    is_shape = isinstance(error, TypeError | AttributeError | LookupError | ValueError)
    return BoltResponse(status=400 if is_shape else 500, body="not understood")

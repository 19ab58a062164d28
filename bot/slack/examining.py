"""What does Slack tell of the app itself: who it is, what it may do, where it is let in?"""

from __future__ import annotations

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.ports import Json
from bot.slack.calls import TIMEOUT_SECONDS, quiet
from bot.slack.client import SLACK_API, Identity, SlackClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """Who we are, our names for people, and the header Date of Slack's answer.

    `is_scopes_told`: False where Slack did not say what we may do.
    """

    identity: Identity
    team: str
    bot: str
    date: str | None
    is_scopes_told: bool


class ExaminingSlack(SlackClient):
    """The client, with questions that only an examination asks. Raises as `SlackClient` does."""

    async def introduction(self) -> Introduction:
        """auth.test, asked anew."""
        answer = await self._response(self._reading.auth_test(), "auth.test")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        scopes = headers.get("x-oauth-scopes")
        granted = frozenset(each.strip() for each in (scopes or "").split(",") if each.strip())
        return Introduction(
            identity=Identity(
                team_id=str(answer["team_id"]),
                bot_user_id=str(answer["user_id"]),
                bot_id=str(answer.get("bot_id") or ""),
                scopes=granted,
            ),
            team=str(answer.get("team") or answer["team_id"]),
            bot=str(answer.get("user") or ""),
            date=headers.get("date"),
            is_scopes_told=scopes is not None,
        )

    async def channel(self, channel_id: str) -> Json:
        """conversations.info of a channel."""
        answer = await self._answer(
            self._reading.conversations_info(channel=channel_id), "conversations.info"
        )
        return dict(answer["channel"])

    async def try_socket(self, app_token: str) -> None:
        """Ask where Socket Mode would connect; nothing connects."""
        client = AsyncWebClient(
            base_url=self._reading.base_url or SLACK_API,
            timeout=TIMEOUT_SECONDS,
            logger=quiet,
            retry_handlers=[],
        )
        await self._answer(client.apps_connections_open(app_token=app_token), "apps.connections.open")

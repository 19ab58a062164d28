"""How does a message reach LINE, and what did LINE make of it? The only importer of linebot.

The SDK leaves traps that are closed here (measured with 3.27): no timeout of its own worth the name, plain
dicts lose their content, an answer it cannot read after a send looks like a failure, 409 is an exception.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    Message,
    PushMessageRequest,
    ReplyMessageRequest,
)

from bot.errors import Misconfigured, Unavailable
from bot.line.answers import refusal_of
from bot.line.limits import Problem, validate_push, validate_reply
from bot.ports import Accepted, Json, LineProfile, Rejected, SendOutcome, TryLater
from bot.settings import Settings

TIMEOUT_SECONDS = 10.0
CONNECTIONS = 64
_ALREADY_ACCEPTED = 409


class LineClient:
    """The port `bot.ports.Line` over LINE's SDK. Create it with `connected`, in a running loop."""

    def __init__(self, client: AsyncApiClient, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._api = AsyncMessagingApi(client)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._basic_id: str | None = None

    @classmethod
    @asynccontextmanager
    async def connected(
        cls, settings: Settings, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> AsyncIterator[LineClient]:
        """A client with open connections, closed when the block ends.

        Raises:
            Misconfigured: there is no channel access token.
        """
        if settings.line_channel_access_token is None:
            raise Misconfigured(
                "LINE_CHANNEL_ACCESS_TOKEN is not set (LINE Developers console, Messaging API)"
            )
        # The SDK lets one host stand for both of LINE's (api, api-data).
        host = settings.line_api_base_url.rstrip("/") if settings.line_api_base_url else None
        configuration = Configuration(
            host=host, access_token=settings.line_channel_access_token.get_secret_value()
        )
        configuration.connection_pool_maxsize = CONNECTIONS
        async with AsyncApiClient(configuration) as client:
            yield cls(client, timeout_seconds=timeout_seconds)

    async def push(self, *, line_user_id: str, bubbles: Sequence[Json], retry_key: UUID) -> SendOutcome:
        """Send 1 to 5 message objects; the key makes repeats harmless for 24 hours."""
        if problems := validate_push({"to": line_user_id, "messages": list(bubbles)}):
            return _invalid(problems)
        request = PushMessageRequest(
            to=line_user_id, messages=[_message(bubble) for bubble in bubbles], notificationDisabled=False
        )
        return await _outcome_of(
            self._api.push_message_with_http_info(
                request, x_line_retry_key=str(retry_key), _request_timeout=self._timeout
            )
        )

    async def reply(self, *, reply_token: str, bubbles: Sequence[Json]) -> SendOutcome:
        """Answer with a reply token (free, once, within a minute of the webhook)."""
        if problems := validate_reply({"replyToken": reply_token, "messages": list(bubbles)}):
            return _invalid(problems)
        request = ReplyMessageRequest(
            replyToken=reply_token,
            messages=[_message(bubble) for bubble in bubbles],
            notificationDisabled=False,
        )
        return await _outcome_of(
            self._api.reply_message_with_http_info(request, _request_timeout=self._timeout)
        )

    async def profile(self, line_user_id: str) -> LineProfile | None:
        """The user's profile; None when LINE has none for us (404) or does not know the id (400).

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        try:
            answer = await self._api.get_profile_with_http_info(line_user_id, _request_timeout=self._timeout)
        except ApiException as error:
            if error.status in {400, 404}:
                return None
            raise Unavailable(f"LINE profile: {error.status}") from None
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"LINE profile: {type(error).__name__}") from None
        found = answer.data
        return LineProfile(
            line_user_id=line_user_id,
            display_name=str(found.display_name or ""),
            language=str(found.language) if found.language else None,
        )

    async def basic_id(self) -> str:
        """The account's @id, for links that open its chat; asked for once.

        Raises:
            Unavailable: LINE did not answer, or refused our token.
        """
        if self._basic_id is None:
            try:
                answer = await self._api.get_bot_info_with_http_info(_request_timeout=self._timeout)
            except ApiException as error:
                raise Unavailable(f"LINE bot info: {error.status}") from None
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                raise Unavailable(f"LINE bot info: {type(error).__name__}") from None
            self._basic_id = str(answer.data.basic_id)
        return self._basic_id


def _message(bubble: Json) -> Message:
    """The SDK's model of a message object: a plain dict would be sent without its content."""
    return Message.from_dict(bubble)


def _invalid(problems: Sequence[Problem]) -> Rejected:
    said = "; ".join(f"{problem.property}: {problem.message}" for problem in problems[:5])
    return Rejected(because=f"not sent, LINE would refuse it: {said}")


async def _outcome_of(request: Any) -> SendOutcome:
    """Await one send. Whatever is not a clear answer leaves it unknown: same key, same body, later."""
    try:
        answer = await request
    except ApiException as error:
        headers = error.headers or {}
        if error.status == _ALREADY_ACCEPTED:
            return Accepted(
                request_id=headers.get("x-line-accepted-request-id"), message_ids=_sent_ids(error.body)
            )
        return (
            refusal_of(error.status or 0, error.body) if error.status else TryLater(because=str(error.reason))
        )
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        return TryLater(because=f"no answer from LINE ({type(error).__name__})")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # A 2xx whose body the SDK cannot read: LINE may well have taken the message.
        return TryLater(because=f"LINE's answer could not be read ({type(error).__name__})")
    ids = [str(sent.id) for sent in answer.data.sent_messages or ()]
    return Accepted(request_id=(answer.headers or {}).get("x-line-request-id"), message_ids=tuple(ids))


def _sent_ids(body: object) -> tuple[str, ...]:
    try:
        parsed = json.loads(body if isinstance(body, str | bytes) else "")
        return tuple(str(sent["id"]) for sent in parsed["sentMessages"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ()

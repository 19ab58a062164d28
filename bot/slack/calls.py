"""How is one method of Slack's Web API called, and what do its failures mean?"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import Refused, Unavailable

quiet = logging.getLogger("yorisoi.slack_sdk")
quiet.setLevel(logging.WARNING)  # below it, whole requests are written out

TIMEOUT_SECONDS = 10
"""Of one request; well within the lease of a post."""

_RATE = frozenset({"ratelimited", "rate_limited"})
_PASSING = frozenset(
    {
        "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org",
        "update_failed",
    }
)  # fmt: skip


class SlackRefused(Refused):
    """Slack will never do this as things are; `code` is its own word for why."""

    def __init__(self, code: str, *, method: str) -> None:
        super().__init__(
            f"Slackが受け付けませんでした({code})。", f"Slack did not accept this ({code}, {method})."
        )
        self.code = code


class Calls:
    """Two clients: what may happen only once is never sent again by itself; what only reads is.

    slack_sdk's default repeats a post after a dropped connection.
    """

    def __init__(self, *, token: str, address: str) -> None:
        self._token = token
        self._once = AsyncWebClient(
            token=token, base_url=address, timeout=TIMEOUT_SECONDS, retry_handlers=[], logger=quiet
        )
        self._reading = AsyncWebClient(
            token=token,
            base_url=address,
            timeout=TIMEOUT_SECONDS,
            logger=quiet,
            retry_handlers=[AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()],
        )

    async def _answer(self, call: Awaitable[AsyncSlackResponse], method: str) -> Mapping[str, Any]:
        answer = (await self._response(call, method)).data
        if not isinstance(answer, dict):
            raise Unavailable(f"{method}: unreadable answer")
        return answer

    async def _response(self, call: Awaitable[AsyncSlackResponse], method: str) -> AsyncSlackResponse:
        try:
            return await call
        except SlackApiError as error:
            raise _what_happened(error, method) from None
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"{method}: {type(error).__name__}") from None


def _what_happened(error: SlackApiError, method: str) -> Exception:
    response = error.response
    if not isinstance(response, AsyncSlackResponse):  # 200 with JSON that does not parse
        return Unavailable(f"{method}: unreadable answer")
    code = response.get("error") if isinstance(response.data, dict) else None
    if response.status_code == 429 or code in _RATE:
        headers = {name.lower(): value for name, value in response.headers.items()}
        told = str(headers.get("retry-after", ""))
        return Unavailable(f"{method}: rate limit", retry_after=float(told) if told.isdecimal() else 30.0)
    if not isinstance(code, str) or response.status_code >= 500 or code in _PASSING:
        return Unavailable(f"{method}: {code or response.status_code}")
    return SlackRefused(code, method=method)

"""How does a message reach LINE, and what did LINE make of it? The only importer of linebot.

The SDK leaves traps that are closed here (measured with 3.27): no timeout of its own worth the name, plain
dicts given to its typed methods lose their content, an answer it cannot read after a send looks like a
failure, 409 is an exception. Its typed methods for sending check less than our validator does and take half
of the time of a send, so sends go through its generic call, as the JSON that was promised.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass
from uuid import UUID

import aiohttp
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
)

from bot.errors import Misconfigured, Unavailable
from bot.line.account import AccountQuestions, Told
from bot.line.answers import refusal_of
from bot.line.limits import Problem, validate_push, validate_reply
from bot.ports import Accepted, Content, Json, LineProfile, Rejected, SendOutcome, TryLater
from bot.settings import Settings

TIMEOUT_SECONDS = 10.0
_CONTENT_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_read=10)
CONNECTIONS = 64
_HOST, _DATA_HOST = "https://api.line.me", "https://api-data.line.me"
_PUSH, _REPLY = "/v2/bot/message/push", "/v2/bot/message/reply"
_LOADING = "/v2/bot/chat/loading/start"
_RICH_MENU = "/v2/bot/richmenu"
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_ALREADY_ACCEPTED = 409


class LineClient(AccountQuestions):
    """The port `bot.ports.Line` over LINE's SDK. Create it with `connected`, in a running loop."""

    def __init__(
        self,
        client: AsyncApiClient,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        data_host: str | None = None,
    ) -> None:
        self._client = client
        self._host = client.configuration.host or _HOST
        self._data_host = data_host or client.configuration.host or _DATA_HOST
        self._api = AsyncMessagingApi(client)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._bot = {}

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
        data_host = settings.line_data_api_base_url
        host = settings.line_api_base_url.rstrip("/") if settings.line_api_base_url else None
        configuration = Configuration(
            host=host, access_token=settings.line_channel_access_token.get_secret_value()
        )
        configuration.connection_pool_maxsize = CONNECTIONS
        async with AsyncApiClient(configuration) as client:
            if not _has_proxy(host or _HOST):
                _ask_for_no_proxy(client)
            yield cls(
                client,
                timeout_seconds=timeout_seconds,
                data_host=data_host.rstrip("/") if data_host else None,
            )

    async def push(
        self, *, line_user_id: str, bubbles: Sequence[Json], retry_key: UUID, unit: str | None = None
    ) -> SendOutcome:
        """Send 1 to 5 message objects; the key makes repeats harmless for 24 hours."""
        body: Json = {"to": line_user_id, "messages": [*bubbles], "notificationDisabled": False}
        if unit is not None:
            body["customAggregationUnits"] = [unit]
        if problems := validate_push(body):
            return _invalid(problems)
        return await _outcome_of(self._post(_PUSH, body, {**_JSON, "X-Line-Retry-Key": str(retry_key)}))

    async def reply(self, *, reply_token: str, bubbles: Sequence[Json]) -> SendOutcome:
        """Answer with a reply token (free, once, within a minute of the webhook)."""
        body = {"replyToken": reply_token, "messages": [*bubbles], "notificationDisabled": False}
        if problems := validate_reply(body):
            return _invalid(problems)
        return await _outcome_of(self._post(_REPLY, body, {**_JSON}))

    def _post(self, path: str, body: Json, headers: dict[str, str]) -> Any:
        """To be awaited: the SDK's answer, its text not read yet."""
        return self._client.call_api(
            path,
            "POST",
            header_params=headers,
            body=body,
            response_types_map={},
            _request_timeout=self._timeout,
            _host=self._host,
        )

    async def loading(self, *, line_user_id: str, seconds: int) -> bool:
        """Show that an answer is being written, until it comes; whether LINE took it. Never raises.

        LINE shows it where the chat is open on a phone, and takes 5 to 60 seconds in steps of five.
        """
        body = {"chatId": line_user_id, "loadingSeconds": min(60, max(5, -(-seconds // 5) * 5))}
        try:
            await self._post(_LOADING, body, {**_JSON})
        except (ApiException, aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False
        return True

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

    async def put_picture(self, rich_menu_id: str, picture: bytes, *, content_type: str) -> int:
        """Give a new rich menu its picture, on the data host (Upload rich menu image); LINE's status.

        Raises:
            Unavailable: no answer came.
        """
        address = f"{self._data_host}{_RICH_MENU}/{quote(rich_menu_id, safe='')}/content"
        headers = {
            "Authorization": f"Bearer {self._client.configuration.access_token}",
            "Content-Type": content_type,
        }
        session: aiohttp.ClientSession = self._client.rest_client.pool_manager
        try:
            async with session.post(
                address, data=picture, headers=headers, timeout=_CONTENT_TIMEOUT, allow_redirects=False
            ) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"LINE rich menu: {type(error).__name__}") from None

    async def content(self, message_id: str, *, at_most: int) -> Content | None:
        """What a customer sent, from LINE's data host (Get content); None: it is there no more (404, 410).

        Read in pieces, and no further than `at_most` bytes: LINE takes videos of 200 MB.

        Raises:
            Unavailable: still being prepared (202), or no answer.
        """
        address = f"{self._data_host}/v2/bot/message/{quote(message_id, safe='')}/content"
        headers = {"Authorization": f"Bearer {self._client.configuration.access_token}"}
        session: aiohttp.ClientSession = self._client.rest_client.pool_manager
        try:
            async with session.get(
                address, headers=headers, timeout=_CONTENT_TIMEOUT, allow_redirects=False
            ) as answer:
                if answer.status in {400, 404, 410}:
                    return None
                if answer.status != 200:
                    raise Unavailable(f"LINE content: {answer.status}")
                pieces: list[bytes] = []
                size = 0
                async for piece in answer.content.iter_chunked(1 << 16):
                    pieces.append(piece)
                    size += len(piece)
                    if size > at_most:
                        return Content(content_type=answer.content_type, content=b"", is_too_large=True)
                return Content(content_type=answer.content_type, content=b"".join(pieces))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"LINE content: {type(error).__name__}") from None

    async def ask(self, path: str, *, method: str = "GET", body: Json | None = None) -> Told:
        """Ask for something that is no message, as LINE tells it; errors of LINE's are answers here.

        Args:
            body: of a POST; none: an empty object.

        Raises:
            Unavailable: no answer came.
        """
        request = self._client.call_api(
            path,
            method,
            header_params={**_JSON},
            body=(body or {}) if method == "POST" else None,
            response_types_map={},
            _request_timeout=self._timeout,
            _host=self._host,
        )
        try:
            answer = await request
        except ApiException as error:
            return _told(error.status or 0, error.body, error.headers)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable(f"LINE: {type(error).__name__}") from None
        return _told(answer.status_code, answer.raw_data, answer.headers)


def _told(status: int, body: object, headers: Mapping[str, str] | None) -> Told:
    try:
        read = json.loads(body) if isinstance(body, str | bytes) else None
    except (ValueError, RecursionError):
        read = None
    return Told(
        status=status,
        body=read if isinstance(read, dict) else {},
        date=(headers or {}).get("date"),
    )


def _has_proxy(address: str) -> bool:
    """Is LINE reached through a proxy that the environment names?"""
    parts = urlsplit(address)
    return parts.scheme in getproxies() and not proxy_bypass(parts.hostname or "")


def _ask_for_no_proxy(client: AsyncApiClient) -> None:
    """Where there is none, say so once.

    The SDK's session asks the environment before every request, in a thread, at half the price of a send.
    """
    rest = client.rest_client
    jar = aiohttp.DummyCookieJar()
    session = aiohttp.ClientSession(connector=rest.pool_manager.connector, cookie_jar=jar)
    rest.pool_manager.detach()
    rest.pool_manager = session


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
    except aiohttp.ClientConnectorError as error:
        because = f"LINE could not be reached ({type(error).__name__})"
        return TryLater(because=because, is_untaken=True)
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        return TryLater(because=f"no answer from LINE ({type(error).__name__})")
    except (ValueError, LookupError) as error:
        return _unreadable(error)
    try:
        ids = _ids_in(answer.raw_data)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        return _unreadable(error)
    return Accepted(request_id=(answer.headers or {}).get("x-line-request-id"), message_ids=ids)


def _unreadable(error: Exception) -> TryLater:
    """A 2xx whose body cannot be read: LINE may well have taken the message."""
    return TryLater(because=f"LINE's answer could not be read ({type(error).__name__})")


def _ids_in(body: str | bytes) -> tuple[str, ...]:
    ids = tuple([str(sent["id"]) for sent in json.loads(body)["sentMessages"]])
    if not ids:
        raise ValueError("no message was sent")
    return ids


def _sent_ids(body: object) -> tuple[str, ...]:
    try:
        return _ids_in(body if isinstance(body, str | bytes) else "")
    except (ValueError, TypeError, LookupError, RecursionError):
        return ()

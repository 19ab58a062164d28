"""The door for LINE's webhooks: verify the raw bytes, store, answer; everything else is done later."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.deps import Deps
from bot.flows.customers.store import webhook_store
from bot.line.signature import is_signed, secrets_of

BODY_MOST = 2 * 1024 * 1024
"""LINE states no size for webhooks; its own requests end at 2 MB."""

_STORED = Response(status_code=200)
_NOT_STORED = Response(status_code=503)


def router(deps: Deps) -> APIRouter:
    """`POST /line/webhook`: 401 unsigned, 413 too long, 503 not stored, else 200 whatever it says."""
    doors = APIRouter()
    doors.routes.append(Route("/line/webhook", Webhook(deps), methods=["POST"], include_in_schema=False))
    return doors


class Webhook:
    """Takes requests as the server hands them over: the framework's reading of arguments would cost as much
    as everything we do with a webhook."""

    def __init__(self, deps: Deps) -> None:
        """Prepare; one per process."""
        secret = deps.settings.line_channel_secret
        self._secrets = secrets_of("" if secret is None else secret.get_secret_value())
        self._store = webhook_store(deps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = await self._answer(Headers(scope=scope).get("x-line-signature"), await _body(receive))
        await answer(scope, receive, send)

    async def _answer(self, signature: str | None, body: bytes | None) -> Response:
        if body is None:
            return PlainTextResponse("too long\n", status_code=413)
        if not any(is_signed(secret, body, signature) for secret in self._secrets):
            return PlainTextResponse("wrong signature\n", status_code=401)
        return _STORED if await self._store(body) else _NOT_STORED


async def _body(receive: Receive) -> bytes | None:
    """The raw body; None when it is longer than any webhook.

    Raises:
        ClientDisconnect: the request ended before its body did.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_MOST:
            return None
        if not message.get("more_body", False):
            return b"".join(chunks)

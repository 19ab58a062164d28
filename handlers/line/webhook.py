"""The door for LINE's webhooks: verify the raw bytes, store, answer; everything else is done later."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from bot.deps import Deps
from bot.flows.store import webhook_store
from bot.line.signature import is_signed

BODY_MOST = 2 * 1024 * 1024
"""LINE states no size for webhooks; its own requests end at 2 MB."""


def router(deps: Deps) -> APIRouter:
    """`POST /line/webhook`: 401 unsigned, 413 too long, 503 not stored, else 200 whatever it says."""
    doors = APIRouter()
    secret = deps.settings.line_channel_secret
    store = webhook_store(deps)

    @doors.post("/line/webhook", include_in_schema=False)
    async def on_webhook(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too long\n", status_code=413)
        signature = request.headers.get("x-line-signature")
        if secret is None or not is_signed(secret.get_secret_value(), body, signature):
            return PlainTextResponse("wrong signature\n", status_code=401)
        return Response(status_code=200 if await store(body) else 503)

    return doors


async def _body(request: Request) -> bytes | None:
    """The raw body; None when it is longer than any webhook."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            return None
        chunks.append(chunk)
    return b"".join(chunks)

"""The door for Slack over HTTP: unsigned, stale, broken and oversized requests end here, quietly."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Request
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_sdk.signature import SignatureVerifier
from starlette.responses import PlainTextResponse, Response

from bot.deps import Deps
from handlers.slack.app import SlackApp

log = structlog.get_logger()

BODY_MOST = 1024 * 1024
"""A modal's payload holds its whole view (250 KB) and its state."""


def router(deps: Deps) -> APIRouter:
    """`POST /slack/events`: events, interactivity, commands, options.

    401 for what Slack did not sign in the last five minutes, 400 for what cannot be read, 413 for what is
    too long, 503 where Slack is not configured.
    """
    doors = APIRouter()
    secrets = deps.settings.slack_signing_secrets if deps.slack is not None else ()
    # Bolt checks signatures, too, with one secret each: while they are exchanged there are two Bolts.
    known = [(SignatureVerifier(secret), SlackApp(deps, signing_secret=secret)) for secret in secrets]

    @doors.post("/slack/events", include_in_schema=False)
    async def on_slack(request: Request) -> Response:
        if not known:
            return PlainTextResponse("Slack is not configured\n", status_code=503)
        body = await _body(request)
        if body is None:
            return PlainTextResponse("too long\n", status_code=413)
        app = next((app for verifier, app in known if _is_signed(verifier, request, body)), None)
        if app is None:
            return PlainTextResponse("wrong signature\n", status_code=401)
        if not _is_readable(request, body):
            return PlainTextResponse("cannot be read\n", status_code=400)
        try:
            answer = await app.bolt.async_dispatch(to_async_bolt_request(request, body))
        except (
            Exception
        ) as error:  # Bolt reads into payloads before its own handlers: a shape it does not know
            log.warning("slack.not_understood", because=type(error).__name__)
            return PlainTextResponse("not understood\n", status_code=400)
        return to_starlette_response(answer)

    return doors


def _is_signed(verifier: SignatureVerifier, request: Request, body: bytes) -> bool:
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12 and signature.isascii()):
        return False
    try:
        text = body.decode("utf-8")  # Slack signs UTF-8; anything else it did not send
    except UnicodeDecodeError:
        return False
    return verifier.is_valid(body=text, timestamp=timestamp, signature=signature)


def _is_readable(request: Request, body: bytes) -> bool:
    """Whether what Bolt will parse is JSON of an object."""
    text = body.decode("utf-8")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "application/json":
            return isinstance(json.loads(text), dict)
        fields = parse_qs(text, max_num_fields=200)
        return "payload" not in fields or isinstance(json.loads(fields["payload"][0]), dict)
    except (ValueError, RecursionError):
        return False


async def _body(request: Request) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            return None
        chunks.append(chunk)
    return b"".join(chunks)

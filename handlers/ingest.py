"""Doors for the product: what its customers did and who they are, in Segment's HTTP format."""

from __future__ import annotations

import base64
import binascii
import hmac
import zlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import structlog
from fastapi import APIRouter
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.signals.ingest import Ingest
from bot.flows.signals.line_link import account_link_nonce, line_link, read_link_token, unlink_customer
from bot.intake.segment import LONGEST_USER_ID, MOST_BYTES, read_request
from bot.intake.signatures import is_genuine, is_signed, secrets_of

log = structlog.get_logger()

Door = Callable[[Request], Awaitable[JSONResponse]]


def router(deps: Deps) -> APIRouter:
    """`/v1/identify`, `/v1/track`, `/v1/group`, `/v1/batch` and `/v1/customers/{external_id}/line-link`."""
    doors = APIRouter()
    ingest = Ingest(deps)

    def on_calls(kind: str) -> Door:
        async def on_request(request: Request) -> JSONResponse:
            calls = read_request(await _body_of(request), kind=kind, now=deps.clock.now())
            if calls.problems:
                return JSONResponse({"errors": [it.shown() for it in calls.problems[:100]]}, status_code=400)
            taken = await ingest.take(calls)
            answer: dict[str, Any] = {"success": True, "new": taken.new}
            if taken.conflicts:
                answer["conflicts"] = [conflict.shown() for conflict in taken.conflicts]
            return JSONResponse(answer)

        return on_request

    async def on_line_link(request: Request) -> JSONResponse:
        external_id = request.path_params["external_id"]
        if not _is_id(external_id) or not _is_utf8(request.scope.get("raw_path", b"")):
            return _refusal(400, _BAD_ID)
        offer = await line_link(deps, external_id)
        return JSONResponse(
            {"url": offer.url, "code": offer.code, "expires_at": offer.expires_at.isoformat()}
        )

    async def on_nonce(request: Request) -> JSONResponse:
        external_id = request.path_params["external_id"]
        if not _is_id(external_id) or not _is_utf8(request.scope.get("raw_path", b"")):
            return _refusal(400, _BAD_ID)
        link_token = read_link_token(await _body_of(request))
        offer = await account_link_nonce(deps, external_id, link_token)
        return JSONResponse(
            {"nonce": offer.nonce, "url": offer.url, "expires_at": offer.expires_at.isoformat()}
        )

    async def on_unlink(request: Request) -> JSONResponse:
        external_id = request.path_params["external_id"]
        if not _is_id(external_id) or not _is_utf8(request.scope.get("raw_path", b"")):
            return _refusal(400, _BAD_ID)
        return JSONResponse({"unlinked": await unlink_customer(deps, external_id, by="product")})

    nonce, unlink = "account-link-nonce", "line-link"
    customer = "/v1/customers/{external_id:path}"
    doors.add_route(f"{customer}/{nonce}", _guarded(deps, on_nonce), methods=["POST"])
    doors.add_route(f"{customer}/{unlink}", _guarded(deps, on_unlink), methods=["DELETE"])
    for kind in ("identify", "track", "group", "batch"):
        doors.add_route(f"/v1/{kind}", _guarded(deps, on_calls(kind)), methods=["POST"])
    doors.add_route(
        "/v1/customers/{external_id:path}/line-link", _guarded(deps, on_line_link), methods=["POST"]
    )
    return doors


_BAD_ID = "The customer's id in the path is empty, longer than 200 characters or not printable UTF-8."


def _is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_USER_ID and text.isprintable() and not text.isspace()


def _is_utf8(path: bytes) -> bool:
    """Whether nothing was lost when the server read the path as text."""
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


class _TooLarge(Exception):
    pass


class _Damaged(Exception):
    pass


def _guarded(deps: Deps, door: Door) -> Door:
    """Let only the holder of the ingest key in, and turn what goes wrong into an answer."""
    secret = deps.settings.yorisoi_ingest_key
    key = secret.get_secret_value().encode() if secret is not None else b""

    signing = deps.settings.yorisoi_webhook_secret
    secrets = secrets_of(signing.get_secret_value()) if signing is not None else ()

    async def is_signed_by_us(request: Request) -> bool:
        """The body is kept as it came: the signature is over these bytes, and the door reads them again."""
        body = request.state.body = await _raw_body_of(request)
        return is_genuine(request.headers, body, secrets, now=deps.clock.now())

    async def on_request(request: Request) -> JSONResponse:
        if not key and not secrets:
            return _refusal(503, "No key is set. Set YORISOI_INGEST_KEY and start again.")
        try:
            is_known = await is_signed_by_us(request) if secrets and is_signed(request.headers) else False
        except (_TooLarge, ClientDisconnect):
            return _refusal(413, f"The request is larger than {MOST_BYTES // 1024} KB, or not whole.")
        if not is_known and not (key and hmac.compare_digest(_key_of(request), key)):
            return _refusal(
                401,
                "The key is missing or wrong. Send YORISOI_INGEST_KEY as the user name of HTTP Basic (with an"
                " empty password) or as `Authorization: Bearer KEY`, or sign it (Standard Webhooks).",
                {"WWW-Authenticate": 'Basic realm="yorisoi", charset="UTF-8"'},
            )
        if (packing := _packing_of(request)) not in {"identity", "gzip"}:
            return _refusal(
                415, f"Content-Encoding {packing[:40]!a} is not taken: send gzip, or uncompressed."
            )
        try:
            return await door(request)
        except _TooLarge:
            return _refusal(413, f"The request is larger than {MOST_BYTES // 1024} KB. Send several batches.")
        except _Damaged:
            return _refusal(400, "The body is not whole gzip, as its Content-Encoding says.")
        except ClientDisconnect:
            return _refusal(400, "The request ended before its body did.")
        except Refused as error:
            return _refusal(409, error.en, message_ja=error.ja)
        except Unavailable as error:
            log.warning("ingest.postponed", because=str(error))
            wait = str(max(1, round(error.retry_after or 1)))
            return _refusal(503, f"Not stored: {error}. Send the same request again.", {"Retry-After": wait})

    return on_request


def _refusal(
    status: int, message: str, headers: dict[str, str] | None = None, *, message_ja: str | None = None
) -> JSONResponse:
    told = {"message": message} if message_ja is None else {"message": message, "message_ja": message_ja}
    return JSONResponse({"errors": [told]}, status_code=status, headers=headers)


def _key_of(request: Request) -> bytes:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip().encode("latin-1", "replace")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials.strip(), validate=True).partition(b":")[0]
        except (binascii.Error, ValueError):
            return b""
    return b""


async def _body_of(request: Request) -> bytes:
    """The body, uncompressed, unless it grows beyond what one request may hold."""
    body: bytes = getattr(request.state, "body", None) or await _raw_body_of(request)
    return _unpacked(body) if _packing_of(request) == "gzip" else body


async def _raw_body_of(request: Request) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MOST_BYTES:
        raise _TooLarge
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise _TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _packing_of(request: Request) -> str:
    return request.headers.get("content-encoding", "identity").strip().lower()


def _unpacked(body: bytes) -> bytes:
    """What was compressed, never growing beyond what one request may hold."""
    reader = zlib.decompressobj(wbits=31)  # 31: gzip's own header and checksum
    try:
        content = reader.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise _Damaged from error
    if len(content) > MOST_BYTES:
        raise _TooLarge
    if not reader.eof:
        raise _Damaged
    return content

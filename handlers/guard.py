"""Who may use the product's doors, and what is made of what goes wrong behind them?"""

from __future__ import annotations

import base64
import binascii
import hmac
import zlib
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.intake.segment import MOST_BYTES
from bot.intake.signatures import is_genuine, is_signed, secrets_of

log = structlog.get_logger()

Door = Callable[[Request], Awaitable[JSONResponse]]


class _TooLarge(Exception):
    pass


class _Damaged(Exception):
    pass


def guarded(deps: Deps, door: Door) -> Door:
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
            return refusal(503, "No key is set. Set YORISOI_INGEST_KEY and start again.")
        try:
            is_known = await is_signed_by_us(request) if secrets and is_signed(request.headers) else False
        except (_TooLarge, ClientDisconnect):
            return refusal(413, f"The request is larger than {MOST_BYTES // 1024} KB, or not whole.")
        if not is_known and not (key and hmac.compare_digest(_key_of(request), key)):
            return refusal(
                401,
                "The key is missing or wrong. Send YORISOI_INGEST_KEY as the user name of HTTP Basic (with an"
                " empty password) or as `Authorization: Bearer KEY`, or sign it (Standard Webhooks).",
                {"WWW-Authenticate": 'Basic realm="yorisoi", charset="UTF-8"'},
            )
        if (packing := _packing_of(request)) not in {"identity", "gzip"}:
            return refusal(
                415, f"Content-Encoding {packing[:40]!a} is not taken: send gzip, or uncompressed."
            )
        try:
            return await door(request)
        except _TooLarge:
            return refusal(413, f"The request is larger than {MOST_BYTES // 1024} KB. Send several batches.")
        except _Damaged:
            return refusal(400, "The body is not whole gzip, as its Content-Encoding says.")
        except ClientDisconnect:
            return refusal(400, "The request ended before its body did.")
        except Refused as error:
            return refusal(409, error.en, message_ja=error.ja)
        except Unavailable as error:
            log.warning("ingest.postponed", because=str(error))
            wait = str(max(1, round(error.retry_after or 1)))
            return refusal(503, f"Not stored: {error}. Send the same request again.", {"Retry-After": wait})

    return on_request


def refusal(
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


async def body_of(request: Request) -> bytes:
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

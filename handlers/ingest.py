"""Doors for the product: what its customers did and who they are, in Segment's HTTP format."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse

from bot.deps import Deps
from bot.flows.signals.ingest import Ingest
from bot.flows.signals.line_link import account_link_nonce, line_link, read_link_token, unlink_customer
from bot.intake.segment import LONGEST_USER_ID, read_request
from handlers.guard import Door, body_of, guarded, refusal


def router(deps: Deps) -> APIRouter:
    """`/v1/identify`, `/v1/track`, `/v1/group`, `/v1/batch`, and what is under `/v1/customers/`."""
    doors = APIRouter()
    ingest = Ingest(deps)

    def on_calls(kind: str) -> Door:
        async def on_request(request: Request) -> JSONResponse:
            calls = read_request(await body_of(request), kind=kind, now=deps.clock.now())
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
            return refusal(400, _BAD_ID)
        offer = await line_link(deps, external_id)
        return JSONResponse(
            {"url": offer.url, "code": offer.code, "expires_at": offer.expires_at.isoformat()}
        )

    async def on_nonce(request: Request) -> JSONResponse:
        external_id = request.path_params["external_id"]
        if not _is_id(external_id) or not _is_utf8(request.scope.get("raw_path", b"")):
            return refusal(400, _BAD_ID)
        link_token = read_link_token(await body_of(request))
        offer = await account_link_nonce(deps, external_id, link_token)
        return JSONResponse(
            {"nonce": offer.nonce, "url": offer.url, "expires_at": offer.expires_at.isoformat()}
        )

    async def on_unlink(request: Request) -> JSONResponse:
        external_id = request.path_params["external_id"]
        if not _is_id(external_id) or not _is_utf8(request.scope.get("raw_path", b"")):
            return refusal(400, _BAD_ID)
        return JSONResponse({"unlinked": await unlink_customer(deps, external_id, by="product")})

    nonce, unlink = "account-link-nonce", "line-link"
    customer = "/v1/customers/{external_id:path}"
    doors.add_route(f"{customer}/{nonce}", guarded(deps, on_nonce), methods=["POST"])
    doors.add_route(f"{customer}/{unlink}", guarded(deps, on_unlink), methods=["DELETE"])
    for kind in ("identify", "track", "group", "batch"):
        doors.add_route(f"/v1/{kind}", guarded(deps, on_calls(kind)), methods=["POST"])
    doors.add_route(
        "/v1/customers/{external_id:path}/line-link", guarded(deps, on_line_link), methods=["POST"]
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

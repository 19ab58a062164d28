"""The door behind tracked links: `/r/{token}`."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from bot.deps import Deps
from bot.flows.signals.click import click

HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
NOT_FOUND = "このリンクは無効です。 / This link is not valid.\n"


def router(deps: Deps) -> APIRouter:
    """`GET /r/{token}`: records, and redirects to the stored https address; knows nothing else."""
    doors = APIRouter()

    @doors.api_route("/r/{token}", methods=["GET", "HEAD"], include_in_schema=False)
    async def on_click(token: str, request: Request) -> Response:
        is_prefetch = "prefetch" in request.headers.get("sec-purpose", request.headers.get("purpose", ""))
        address = await click(
            deps,
            token,
            user_agent=request.headers.get("user-agent", ""),
            is_counted=request.method == "GET" and not is_prefetch,
        )
        if address is None:
            return PlainTextResponse(NOT_FOUND, status_code=404, headers=HEADERS)
        return Response(status_code=302, headers={**HEADERS, "Location": address})

    return doors

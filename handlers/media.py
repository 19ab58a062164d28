"""The door behind pictures and documents that staff sent: `/media/{token}`."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from bot.deps import Deps
from bot.flows.replies.show_media import show_media

HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
NOT_FOUND = "このファイルは表示できません。 / This file cannot be shown.\n"


def router(deps: Deps) -> APIRouter:
    """`GET /media/{token}`: the file itself; 404 for everything else, and after 30 days."""
    doors = APIRouter()

    @doors.api_route("/media/{token}", methods=["GET", "HEAD"], include_in_schema=False)
    async def on_media(token: str) -> Response:
        shown = await show_media(deps, token)
        if shown is None:
            return PlainTextResponse(NOT_FOUND, status_code=404, headers=HEADERS)
        how = "inline" if shown.is_picture else "attachment"
        headers = {**HEADERS, "Content-Disposition": how}
        return Response(shown.content, media_type=shown.content_type, headers=headers)

    return doors

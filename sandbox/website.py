"""How does a browser see both sides, turn the clock and ask why? Loopback only."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.flows.why import why
from sandbox.world import World

PAGE = Path(__file__).parent / "page"
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MOST_SECONDS = 366 * 86400


class _Guarded:
    """Names in the page's data never run: no script but ours, no frame, no sniffing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", POLICY),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"cache-control", b"no-store"),
                ]
            await send(message)

        await self._app(scope, receive, guarded)


def website(world: World) -> Starlette:
    """The page, the stand-ins' control surfaces, the clock, and the decision trace of the chosen customer."""
    turning = asyncio.Lock()

    async def clock(request: Request) -> Response:
        if request.method == "POST":
            asked = await request.json()
            seconds = asked.get("seconds") if isinstance(asked, dict) else None
            if not isinstance(seconds, int | float) or not 0 < seconds <= MOST_SECONDS:
                return JSONResponse({"error": f"seconds must be above 0 and at most {MOST_SECONDS}"}, 400)
            async with turning:
                await world.turn(timedelta(seconds=seconds))
        return JSONResponse({"now": world.clock.now().isoformat()})

    async def explanation(request: Request) -> Response:
        lines = await why(world.deps, request.query_params.get("user_id", ""), language="ja")
        return JSONResponse({"lines": lines})

    def file(name: str) -> Route:
        return Route(f"/{name}" if name != "index.html" else "/", lambda _request: FileResponse(PAGE / name))

    return Starlette(
        routes=[
            file("index.html"),
            file("page.css"),
            file("page.js"),
            Route("/sandbox/clock", clock, methods=["GET", "POST"]),
            Route("/sandbox/why", explanation),
            Mount("/sandbox/slack", world.slack.control),
            Mount("/", world.line.control),
        ],
        middleware=[Middleware(_Guarded)],
    )

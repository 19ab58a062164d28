"""How does a browser see both sides, turn the clock, make customers act and ask why? Loopback only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import Refused
from bot.flows.rules.publish import overview, switch
from followups.rules.model import RuleState
from sandbox.company import DEEDS, NEWCOMERS, PEOPLE
from sandbox.trace import trace
from sandbox.world import World

PAGE = Path(__file__).parent / "page"
FILES = ("page.css", "page.js", "dom.js", "phone.js", "slack.js")
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    b"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MOST_SECONDS = 366 * 86400
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
STATES = frozenset({RuleState.SHADOW, RuleState.LIVE, RuleState.PAUSED})
Json = dict[str, Any]


class _Guarded:
    """Names in the page's data never run, and no other website acts here: its requests are refused."""

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

        if scope["type"] == "http" and not _is_own(Request(scope)):
            await JSONResponse({"error": "only for the page itself, on loopback"}, 403)(
                scope, receive, guarded
            )
            return
        await self._app(scope, receive, guarded)


def _is_own(request: Request) -> bool:
    """A loopback name (nobody rebound DNS), and JSON: a foreign page cannot send that without asking."""
    host = request.headers.get("host", "").rpartition(":")
    is_loopback = (host[0] or host[2]) in LOOPBACK
    is_json = request.headers.get("content-type", "").partition(";")[0] == "application/json"
    return is_loopback and (request.method == "GET" or is_json)


class _Doors:
    """What the page asks for beyond the stand-ins' own control surfaces."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turning = asyncio.Lock()
        self._names = {person.id: (person.name, person.company) for person in PEOPLE}
        self._acts: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "track": self._track,
            "befriend": self._befriend,
            "link": self._link,
            "newcomer": self._newcomer,
        }

    async def clock(self, request: Request) -> Response:
        """The moment; POST `{seconds}` lets time pass and answers once all is settled."""
        if request.method == "POST":
            seconds = (await _asked(request)).get("seconds")
            if not isinstance(seconds, int | float) or not 0 < seconds <= MOST_SECONDS:
                return JSONResponse({"error": f"seconds must be above 0 and at most {MOST_SECONDS}"}, 400)
            async with self._turning:
                await self._world.pass_time(timedelta(seconds=seconds))
        return JSONResponse({"now": self._world.clock.now().isoformat()})

    async def customers(self, request: Request) -> Response:
        """Everybody, and what they can do in the product; POST `{act, id, event}` makes one act."""
        if request.method == "POST":
            asked = await _asked(request)
            act = self._acts.get(str(asked.get("act")))
            if act is None or (act != self._newcomer and asked.get("id") not in self._names):
                return JSONResponse({"error": f"no such customer or act; acts: {', '.join(self._acts)}"}, 400)
            return JSONResponse(await act(asked))
        phones = self._world.phones
        people = [
            {
                "id": each,
                "name": name,
                "company": company,
                "user_id": phones.get(each),
                "is_linked": each in self._world.linked,
            }
            for each, (name, company) in self._names.items()
        ]
        deeds = [{"event": deed.event, "ja": deed.ja, "en": deed.en} for deed in DEEDS]
        return JSONResponse({"people": people, "deeds": deeds})

    async def rules(self, request: Request) -> Response:
        """Every rule with its state; POST `{rule_id, state}` switches one."""
        deps = self._world.deps
        if request.method == "POST":
            asked = await _asked(request)
            if asked.get("state") not in STATES:
                return JSONResponse({"error": f"state must be one of {', '.join(sorted(STATES))}"}, 400)
            try:
                await switch(deps, str(asked.get("rule_id")), RuleState(asked["state"]), by="page")
            except Refused as refused:
                return JSONResponse({"error": refused.in_language("ja")}, 404)
        lines = await overview(deps)
        keys = ("rule_id", "name", "state", "matched", "sent")
        return JSONResponse({"rules": [{key: getattr(line, key) for key in keys} for line in lines]})

    async def why(self, request: Request) -> Response:
        """The decision trace of one customer, in `language`."""
        query = request.query_params
        try:
            return JSONResponse(
                await trace(self._world.deps, query.get("customer", ""), language=query.get("language", "ja"))
            )
        except Refused as refused:
            return JSONResponse({"error": refused.in_language(query.get("language", "ja"))}, 404)

    async def _track(self, asked: Json) -> Json:
        known = {deed.event for deed in DEEDS}
        if asked.get("event") not in known:
            return {"error": f"event must be one of {', '.join(sorted(known))}"}
        await self._world.track(asked["id"], asked["event"])
        return {}

    async def _befriend(self, asked: Json) -> Json:
        user_id = self._world.phones.get(asked["id"]) or self._world.line.add_person(
            self._names[asked["id"]][0]
        )
        self._world.phones[asked["id"]] = user_id
        await self._world.line.follow(user_id)
        return {"user_id": user_id}

    async def _link(self, asked: Json) -> Json:
        user_id = self._world.phones.get(asked["id"])
        if user_id is None:
            return {"error": "このお客様はまだLINEで友だちになっていません / not a friend on LINE yet"}
        await self._world.link(asked["id"], user_id)
        return {}

    async def _newcomer(self, asked: Json) -> Json:
        """Somebody signs up, adds the account on LINE, and leaves set-up half-way."""
        count = len(self._names) - len(PEOPLE)
        if count == len(NEWCOMERS):
            return {"error": "新しいお客様は、もういません / nobody else signs up"}
        name, company = NEWCOMERS[count]
        user_id = f"c-{2001 + count}"
        self._names[user_id] = (name, company)
        await self._world.friend(user_id, name, company=company, plan="trial")
        await self._world.track(user_id, "signup")
        await self._world.track(user_id, "login")
        return {"id": user_id}


async def _asked(request: Request) -> Json:
    try:
        asked = await request.json()
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def website(world: World) -> Starlette:
    """The page, the stand-ins' control surfaces, the clock, the customers, the rules and the trace."""
    doors = _Doors(world)

    def file(name: str, path: str | None = None) -> Route:
        return Route(path or f"/{name}", lambda _request: FileResponse(PAGE / name))

    return Starlette(
        routes=[
            file("index.html", "/"),
            *(file(name) for name in FILES),
            Route("/sandbox/clock", doors.clock, methods=["GET", "POST"]),
            Route("/sandbox/customers", doors.customers, methods=["GET", "POST"]),
            Route("/sandbox/rules", doors.rules, methods=["GET", "POST"]),
            Route("/sandbox/why", doors.why),
            Mount("/sandbox/slack", world.slack.control),
            Mount("/", world.line.control),
        ],
        middleware=[Middleware(_Guarded)],
    )

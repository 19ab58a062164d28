"""How does a browser see both sides, turn the clock, make customers act and ask why? Loopback only."""

from __future__ import annotations

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
from sandbox.company import DEEDS, NEWCOMERS, PEOPLE
from sandbox.slack.elements import NotPossible
from sandbox.stage.passing import Passing, seen
from sandbox.stage.rule_desk import RuleDesk, files_asked
from sandbox.stage.tour import Tour
from sandbox.trace import trace
from sandbox.world import World

PAGE = Path(__file__).parent / "page"
FILES = (
    "page.css", "phone.css", "slack.css",
    "page.js", "dom.js", "words.js", "phone.js", "flex.js", "slack.js", "blocks.js", "modal.js",
    "signs.js", "clock.js", "trace.js", "story.js", "rules.js",
)  # fmt: skip
POLICY = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; object-src 'none'; "
    b"img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
MOST_SECONDS = 366 * 86400
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
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
        self._passing = Passing(world)
        self._tour = Tour(world, self._passing)
        self._desk = RuleDesk(world.deps)
        self._names = {person.id: (person.name, person.company, person.plan) for person in PEOPLE}
        self._acts: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "track": self._track,
            "befriend": self._befriend,
            "link": self._link,
            "quiet": self._quiet,
            "newcomer": self._newcomer,
        }

    def routes(self) -> list[Route]:
        """Every address of the page's own."""
        get_and_post = ["GET", "POST"]
        return [
            Route("/sandbox/clock", self.clock, methods=get_and_post),
            Route("/sandbox/customers", self.customers, methods=get_and_post),
            Route("/sandbox/story", self.story, methods=get_and_post),
            Route("/sandbox/rules", self.rules, methods=get_and_post),
            Route("/sandbox/rule", self.rule, methods=get_and_post),
            Route("/sandbox/why", self.why),
            Route("/sandbox/seen", self.seen),
            Route("/sandbox/report", self.report),
            Route("/sandbox/file", self.file),
        ]

    async def clock(self, request: Request) -> Response:
        """The moment; POST `{seconds}` or `{to: "next"}` lets time pass and answers once all is settled."""
        if request.method == "POST":
            asked = await _asked(request)
            if asked.get("to") == "next":
                return JSONResponse(await self._passing.to_next())
            seconds = asked.get("seconds")
            if not isinstance(seconds, int | float) or not 0 < seconds <= MOST_SECONDS:
                return JSONResponse({"error": f"seconds must be above 0 and at most {MOST_SECONDS}"}, 400)
            await self._passing.by(timedelta(seconds=seconds))
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
                "plan": plan,
                "user_id": phones.get(each),
                "is_linked": each in self._world.linked,
                "is_quiet": each in self._passing.quiet,
                "bubbles": len(self._world.line.person(phones[each]).bubbles) if each in phones else 0,
            }
            for each, (name, company, plan) in self._names.items()
        ]
        deeds = [{"event": deed.event, "ja": deed.ja, "en": deed.en} for deed in DEEDS]
        return JSONResponse({"people": people, "deeds": deeds})

    async def story(self, request: Request) -> Response:
        """Where the guided story stands; POST `{at, words}` does the next step and says what came of it."""
        if request.method == "POST":
            asked = await _asked(request)
            try:
                told = await self._tour.go_on(int(asked.get("at", -1)), str(asked.get("words") or ""))
            except (TimeoutError, LookupError, ValueError, NotPossible) as stumbled:
                return JSONResponse({"error": str(stumbled) or "it took too long; try again"}, 409)
            return JSONResponse(told)
        return JSONResponse(self._tour.as_json())

    async def rules(self, request: Request) -> Response:
        """Every rule with its state; POST `{rule_id, state}` switches one."""
        if request.method == "POST":
            asked = await _asked(request)
            done = await self._desk.switched(str(asked.get("rule_id")), str(asked.get("state")))
            return JSONResponse(done, 400 if "error" in done else 200)
        return JSONResponse(await self._desk.listed())

    async def rule(self, request: Request) -> Response:
        """One rule's files (`?id=`); POST `{do, files}` checks or applies what stands in the editor."""
        if request.method == "GET":
            return JSONResponse({"files": await self._desk.files_of(request.query_params.get("id", ""))})
        asked = await _asked(request)
        files = files_asked(asked)
        if files is None:
            return JSONResponse({"error": "files must be a rule's *.yaml and messages/*.yaml, by path"}, 400)
        work = self._desk.applied if asked.get("do") == "apply" else self._desk.checked
        return JSONResponse(await work(files))

    async def report(self, _request: Request) -> Response:
        """What the rules achieved."""
        return JSONResponse(await self._desk.report())

    async def why(self, request: Request) -> Response:
        """The decision trace of one customer, in `language`."""
        query = request.query_params
        language = query.get("language", "ja")
        try:
            return JSONResponse(await trace(self._world.deps, query.get("customer", ""), language=language))
        except Refused as refused:
            return JSONResponse({"error": refused.in_language(language)}, 404)

    async def seen(self, request: Request) -> Response:
        """What happened to one customer, and what could change next."""
        try:
            return JSONResponse(await seen(self._world, request.query_params.get("customer", "")))
        except Refused as refused:
            return JSONResponse({"error": refused.in_language("en")}, 404)

    async def file(self, request: Request) -> Response:
        """A picture that stands in Slack; anything that is no picture is not shown."""
        found = self._world.slack.workspace.files.get(request.query_params.get("id", ""))
        if found is None or found.mimetype not in PICTURES:
            return JSONResponse({"error": "no such picture"}, 404)
        return Response(found.content, media_type=found.mimetype)

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

    async def _quiet(self, asked: Json) -> Json:
        """The customer uses the product no more as days pass, or by habit again."""
        if asked.get("is_quiet"):
            self._passing.quiet.add(asked["id"])
        else:
            self._passing.quiet.discard(asked["id"])
        return {}

    async def _newcomer(self, asked: Json) -> Json:
        """Somebody signs up, adds the account on LINE, and leaves set-up half-way."""
        count = len(self._names) - len(PEOPLE)
        if count == len(NEWCOMERS):
            return {"error": "新しいお客様は、もういません / nobody else signs up"}
        name, company = NEWCOMERS[count]
        user_id = f"c-{2001 + count}"
        self._names[user_id] = (name, company, "trial")
        self._passing.quiet.add(user_id)
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

    def file(name: str, path: str | None = None) -> Route:
        return Route(path or f"/{name}", lambda _request: FileResponse(PAGE / name))

    return Starlette(
        routes=[
            file("index.html", "/"),
            *(file(name) for name in FILES),
            *_Doors(world).routes(),
            Mount("/sandbox/slack", world.slack.control),
            Mount("/", world.line.control),
        ],
        middleware=[Middleware(_Guarded)],
    )

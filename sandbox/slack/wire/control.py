"""How does a page look at this workspace and act in it, without touching Slack's own API?"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.slack.elements import Json, NotPossible
from sandbox.slack.modals import View
from sandbox.slack.wire.delivery import Acknowledgement
from sandbox.slack.workspace import Message

if TYPE_CHECKING:
    from sandbox.slack.stand_in import SlackStandIn


def control(slack: "SlackStandIn") -> Starlette:
    """GET `/members`, `/channels`, `/channel?id=&user=`, `/home?user=`, `/views?user=`; POST `/action`.

    An action is `{"do": "press", …}` with the arguments of the stand-in's method of that name (see
    `ACTIONS`). 409 when a person could not do it, 422 when the arguments do not fit, otherwise 200 with the
    app's acknowledgement.
    """
    doors = _Doors(slack)
    return Starlette(
        routes=[
            Route("/members", doors.members),
            Route("/channels", doors.channels),
            Route("/channel", doors.channel),
            Route("/home", doors.home),
            Route("/views", doors.views),
            Route("/action", doors.action, methods=["POST"]),
        ]
    )


ACTIONS = frozenset(
    {
        "press", "press_in_view", "submit", "close_view", "command", "write", "edit", "delete", "react",
        "open_home", "shortcut",
    }
)  # fmt: skip


class _Doors:
    def __init__(self, slack: "SlackStandIn") -> None:
        self.slack = slack

    async def members(self, request: Request) -> JSONResponse:
        keys = ("id", "name", "real_name", "locale", "tz", "is_bot", "is_restricted", "deleted")
        people = self.slack.workspace.members.values()
        return JSONResponse({"members": [{key: getattr(each, key) for key in keys} for each in people]})

    async def channels(self, request: Request) -> JSONResponse:
        keys = ("id", "name", "kind", "is_archived", "is_ext_shared", "has_bot")
        listed = [
            {
                **{key: getattr(each, key) for key in keys},
                "latest": each.messages[-1].ts if each.messages else None,
            }
            for each in self.slack.workspace.channels.values()
        ]
        return JSONResponse({"channels": listed})

    async def channel(self, request: Request) -> JSONResponse:
        """Messages with their threads; with `user`, what only this person sees stands among them."""
        try:
            place = self.slack.workspace.channel(request.query_params.get("id", ""))
        except KeyError as unknown:
            return JSONResponse({"error": str(unknown)}, status_code=404)
        private = self.slack.ephemerals(request.query_params.get("user", ""))
        seen = [*self.slack.messages(place.id), *(each for each in private if each.channel == place.id)]
        messages = [
            {**self._message(each), "replies": [self._message(reply) for reply in place.replies(each.ts)]}
            for each in sorted(seen, key=lambda each: each.ts)
        ]
        return JSONResponse({"id": place.id, "name": place.name, "messages": messages})

    async def home(self, request: Request) -> JSONResponse:
        home = self.slack.home(request.query_params.get("user", ""))
        return JSONResponse({"view": None if home is None else self._view(home)})

    async def views(self, request: Request) -> JSONResponse:
        stack = self.slack.open_views(request.query_params.get("user", ""))
        return JSONResponse({"views": [self._view(view) for view in stack]})

    async def action(self, request: Request) -> JSONResponse:
        asked: Json = await request.json()
        name = asked.pop("do", "")
        if name not in ACTIONS:
            return JSONResponse({"error": f"no action {name!r}", "actions": sorted(ACTIONS)}, status_code=422)
        act: Callable[..., Awaitable[Acknowledgement]] = getattr(self.slack, name)
        try:
            answer = await act(**asked)
        except (NotPossible, KeyError) as refused:
            return JSONResponse({"error": str(refused)}, status_code=409)
        except TypeError as misfit:
            return JSONResponse({"error": str(misfit)}, status_code=422)
        return JSONResponse(
            {
                "status": answer.status,
                "is_good": answer.is_good,
                "seconds": answer.seconds,
                "body": answer.body,
                "ts": answer.ts,
            }
        )

    def _message(self, message: Message) -> Json:
        member = self.slack.workspace.members[message.user]
        return {
            "ts": message.ts,
            "thread_ts": message.thread_ts,
            "user": message.user,
            "name": message.username or member.real_name,
            "is_bot": message.bot_id is not None,
            "is_ephemeral": message.seen_only_by is not None,
            "is_edited": message.edited_ts is not None,
            "text": message.text,
            "plain_text": message.plain_text(),
            "blocks": message.blocks,
            "attachments": message.attachments,
            "files": message.files,
            "reactions": message.reactions,
            "state": message.state,
        }

    def _view(self, view: View) -> Json:
        shown: dict[str, Any] = self.slack.state.views.as_json(view)
        return {**shown, "errors": view.errors, "trouble": view.trouble, "plain_text": view.plain_text()}

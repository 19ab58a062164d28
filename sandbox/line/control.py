"""How does the demo's page see people's phones and act for them?"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.line.people import OpenedLink, Person
from sandbox.line.webhooks import Delivery

if TYPE_CHECKING:
    from sandbox.line.standin import LineStandIn

_ACTIONS = {
    "follow": (),
    "unfollow": (),
    "say": ("text",),
    "send_sticker": (),
    "send_location": (),
    "unsend": ("message_id",),
    "press": ("postback_data",),
    "tap_quick_reply": ("label",),
    "tap_button": ("label",),
    "tap_rich_menu": ("area",),
    "open_link": ("url",),
}
"""What the page may ask for, each with the fields it must name besides `user_id`."""


def control_app(line: LineStandIn) -> Starlette:
    """JSON under `/sandbox/line/`: `people`, `phone?user_id=`, `content?message_id=`, POST `action`.

    An action is `{"action": "say", "user_id": "U…", "text": "…"}`; `{"action": "add_person",
    "display_name": "…"}` makes a person; `send_image` takes base64 in `image`. Answers 200 with what
    happened, or 400 with `{"error": "…"}`.
    """

    async def people(_request: Request) -> Response:
        return _json({"people": [_person(line, person) for person in line.people]})

    async def phone(request: Request) -> Response:
        try:
            user_id = request.query_params.get("user_id", "")
            person = line.person(user_id)
        except LookupError as unknown:
            return _json({"error": str(unknown)}, 404)
        return _json({**_person(line, person), "bubbles": line.phone(user_id)})

    async def content(request: Request) -> Response:
        found = line.channel.contents.get(request.query_params.get("message_id", ""))
        return Response(found[0], media_type=found[1]) if found else _json({"error": "no such content"}, 404)

    async def action(request: Request) -> Response:
        try:
            asked = json.loads(await request.body())
            if not isinstance(asked, dict):
                raise ValueError("an action is a JSON object")  # noqa: TRY004  the page's mistake, told as 400
            return _json(await _act(line, asked))
        except (LookupError, ValueError, TypeError) as wrong:
            return _json({"error": str(wrong)}, 400)

    return Starlette(
        routes=[
            Route("/sandbox/line/people", people),
            Route("/sandbox/line/phone", phone),
            Route("/sandbox/line/content", content),
            Route("/sandbox/line/action", action, methods=["POST"]),
        ]
    )


async def _act(line: LineStandIn, asked: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in asked.items() if name != "action"}
    name = asked.get("action")
    if name == "add_person":
        return {"user_id": line.add_person(**fields)}
    if name == "send_image":
        return _happened(await line.send_image(fields["user_id"], _picture(fields.get("image", ""))))
    if not isinstance(name, str) or name not in _ACTIONS:
        raise ValueError(f"unknown action {name!r}; known: {', '.join(_ACTIONS)}, add_person, send_image")
    missing = [field for field in ("user_id", *_ACTIONS[name]) if field not in fields]
    if missing:
        raise ValueError(f"{name} needs {', '.join(missing)}")
    return _happened(await getattr(line, name)(**fields))


def _picture(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("image must be base64") from None


def _person(line: LineStandIn, person: Person) -> dict[str, Any]:
    menu = line.menus.seen_by(person)
    return {
        "user_id": person.user_id,
        "display_name": person.display_name,
        "language": person.language,
        "is_friend": person.is_friend,
        "has_blocked": person.has_blocked,
        "is_loading": person.loading_until is not None and person.loading_until > line.clock(),
        "rich_menu": menu.as_data() if menu else None,
        "bubbles_shown": len(person.bubbles),
    }


def _happened(what: Delivery | OpenedLink | None) -> dict[str, Any]:
    match what:
        case Delivery():
            return {"webhook": {"status": what.status, "reason": what.reason, "message_id": what.message_id}}
        case OpenedLink():
            return {"link": {"url": what.url, "status": what.status, "location": what.location}}
        case _:
            return {}


def _json(content: Any, status: int = 200) -> Response:
    def plain(value: Any) -> str:
        if isinstance(value, datetime):
            return value.isoformat()
        raise TypeError(f"no JSON for {type(value).__name__}")

    body = json.dumps(content, ensure_ascii=False, default=plain).encode("utf-8", "replace")
    return Response(body, status, media_type="application/json")

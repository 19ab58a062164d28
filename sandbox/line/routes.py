"""Which request is for which endpoint, and what does LINE check before any endpoint looks at it?"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

from bot.line.limits import Problem
from sandbox.exchange import Answer, Call, Declined, Exchange
from sandbox.line.channel import Channel

BODY_MOST = 2 * 1024 * 1024
BAD_TOKEN = (
    "Authentication failed due to the following reason: invalid token. "
    "Confirm that the access token in the authorization header is valid."
)

Endpoint = Callable[[Channel, Call, Exchange], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. `takes_json`: its body must be JSON; `takes_retry_key`: it may be sent again safely."""

    method: str
    path: str
    endpoint: Endpoint
    takes_json: bool = True
    takes_retry_key: bool = False

    def match(self, path: str) -> Mapping[str, str] | None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


class HasRoutes(Protocol):
    ROUTES: Sequence[Route]


def declined(problems: Iterable[Problem]) -> Declined:
    """A 400 that lists what is wrong, property by property."""
    details = [{"message": problem.message, "property": problem.property} for problem in problems]
    return Declined(400, {"message": f"The request body has {len(details)} error(s)", "details": details})


async def answer(routes: Sequence[Route], channel: Channel, call: Call, exchange: Exchange) -> Answer:
    """Find the endpoint and let it answer, after what LINE checks for every request."""
    matches = [(route, params) for route in routes if (params := route.match(call.path)) is not None]
    if call.headers.get("authorization") != f"Bearer {channel.access_token}":
        raise Declined(401, {"message": BAD_TOKEN})
    if not matches:
        raise Declined(404, {"message": "Not found"})
    for route, params in matches:
        if route.method == call.method:
            _check_request(route, call)
            return await route.endpoint(channel, replace(call, params=params), exchange)
    raise Declined(405, {"message": "Method not allowed"})


def _check_request(route: Route, call: Call) -> None:
    if len(call.body) > BODY_MOST:
        raise Declined(413, {"message": "Request entity too large"})
    retry_key = call.headers.get("x-line-retry-key")
    if retry_key is not None:
        if not route.takes_retry_key:
            raise Declined(400, {"message": "The retry key is not supported for this API"})
        try:
            UUID(retry_key)
        except ValueError:
            raise Declined(400, {"message": "The retry key is invalid"}) from None
    if route.method in {"POST", "PUT"} and route.takes_json:
        if call.media_type != "application/json":
            raise Declined(415, {"message": "Unsupported media type"})
        if not isinstance(read_json(call), dict):
            raise Declined(400, {"message": "The request body must be a JSON object"})


def read_json(call: Call) -> Any:
    try:
        return call.json
    except (ValueError, RecursionError):
        raise Declined(400, {"message": "The request body could not be parsed as JSON"}) from None

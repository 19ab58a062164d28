"""How does a stand-in hear a request, note it, fail on demand, and answer?"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl

from starlette.responses import Response

from sandbox.serve import drop_connection

BROKEN_JSON = b'{"sentMessages":[{"id"'
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"


@dataclass(frozen=True)
class Call:
    """One HTTP request as it arrived; header names in lower case, `params` from the path."""

    at: datetime
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    params: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def json(self) -> Any:
        """The body read as JSON; raises `ValueError` when it is not."""
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(slots=True)
class Answer:
    """What is answered: a str or bytes body is sent as it is, anything else as JSON."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str | None = None

    def as_response(self) -> Response:
        body, media_type = self.body, self.media_type
        if isinstance(body, str | bytes):
            media_type = media_type or "text/plain; charset=utf-8"
        else:
            body = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
            media_type = media_type or "application/json"
        return Response(body, self.status, self.headers, media_type)


class Declined(Exception):
    """Ends a request with an answer that is not a success."""

    def __init__(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.answer = Answer(status, body, headers or {})


@dataclass(slots=True)
class Exchange:
    """One request seen and what became of it. `status` is None while unanswered and when dropped."""

    at: datetime
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    request_id: str
    status: int | None = None
    answer: Any = None
    fault: str | None = None
    is_accepted: bool = False
    contract_violation: str | None = None

    @property
    def retry_key(self) -> str | None:
        return self.headers.get("x-line-retry-key")


@dataclass(slots=True, kw_only=True)
class Fault:
    """What goes wrong with the next `times` requests to `path` (a shell pattern)."""

    path: str
    method: str | None = None
    times: int = 1
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str | None = None
    hang_seconds: float = 0
    drop: Literal["before", "after"] | None = None
    is_accepted: bool = False

    def __str__(self) -> str:
        parts = [f"hang {self.hang_seconds:g}s"] if self.hang_seconds else []
        parts += [f"drop {self.drop}"] if self.drop else []
        parts += (
            [f"status {self.status}{' after accepting' if self.is_accepted else ''}"] if self.status else []
        )
        return ", ".join(parts) or "none"


class Faults:
    """A script of failures, used up in the order added."""

    def __init__(self) -> None:
        self.pending: list[Fault] = []

    def add(
        self,
        path: str = "*",
        *,
        method: str | None = None,
        times: int = 1,
        status: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        hang_seconds: float = 0,
        drop: Literal["before", "after"] | None = None,
        is_accepted: bool = False,
    ) -> None:
        """Let the next `times` requests whose path matches `path` go wrong.

        `hang_seconds` waits first, then goes on. `drop` cuts the connection before or after the request
        is accepted. `status` and `body` are answered instead of accepting, or with `is_accepted` after it.
        """
        self.pending.append(
            Fault(
                path=path,
                method=method,
                times=times,
                status=status,
                body={} if body is None and status else body,
                headers=dict(headers or {}),
                media_type=media_type,
                hang_seconds=hang_seconds,
                drop=drop,
                is_accepted=is_accepted,
            )
        )

    def bad_gateway(self, path: str = "*", *, times: int = 1, is_accepted: bool = False) -> None:
        """A proxy's HTML page with status 502."""
        self.add(
            path, times=times, status=502, body=BAD_GATEWAY, media_type="text/html", is_accepted=is_accepted
        )

    def broken_json(self, path: str = "*", *, times: int = 1) -> None:
        """The request is accepted, and answered 200 with JSON that ends in the middle."""
        self.add(
            path, times=times, status=200, body=BROKEN_JSON, media_type="application/json", is_accepted=True
        )

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self.pending:
            if fault.method in {None, method} and fnmatchcase(path, fault.path):
                fault.times -= 1
                if fault.times <= 0:
                    self.pending.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self.pending.clear()


Handle = Callable[[Call, Exchange], Awaitable[Answer]]
_NOTED = ("x-line-retry-key", "content-type", "user-agent", "x-stainless-retry-count", "idempotency-key")


class Doorway:
    """An ASGI application that gives every request to `handle`, keeping `journal` and obeying `faults`."""

    def __init__(
        self,
        handle: Handle,
        *,
        clock: Callable[[], datetime],
        request_ids: Callable[[], str],
        request_id_header: str,
    ) -> None:
        self.handle = handle
        self.clock = clock
        self.request_ids = request_ids
        self.request_id_header = request_id_header
        self.journal: list[Exchange] = []
        self.faults = Faults()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        call = await self._heard(scope, receive)
        exchange = Exchange(
            at=call.at,
            method=call.method,
            path=call.path,
            query=dict(call.query),
            headers={name: call.headers[name] for name in _NOTED if name in call.headers},
            body=_readable(call),
            request_id=call.request_id,
        )
        self.journal.append(exchange)
        fault = self.faults.take(call.method, call.path)
        exchange.fault = str(fault) if fault else None
        if fault and fault.hang_seconds:
            await asyncio.sleep(fault.hang_seconds)
        if fault and fault.drop == "before":
            await drop_connection(scope)
            return
        if fault and fault.status and not fault.is_accepted:
            answer = Answer(fault.status, fault.body, dict(fault.headers), fault.media_type)
        else:
            answer = await self._answer(call, exchange)
            if fault and fault.drop == "after":
                await drop_connection(scope)
                return
            if fault and fault.status:
                answer = Answer(fault.status, fault.body, dict(fault.headers), fault.media_type)
        answer.headers.setdefault(self.request_id_header, call.request_id)
        exchange.status, exchange.answer = answer.status, answer.body
        await answer.as_response()(scope, receive, send)

    async def _answer(self, call: Call, exchange: Exchange) -> Answer:
        try:
            answer = await self.handle(call, exchange)
        except Declined as declined:
            return declined.answer
        exchange.is_accepted = answer.status < 300
        return answer

    async def _heard(self, scope: MutableMapping[str, Any], receive: Any) -> Call:
        chunks: list[bytes] = []
        while True:
            event = await receive()
            chunks.append(event.get("body", b""))
            if not event.get("more_body"):
                break
        return Call(
            at=self.clock(),
            method=scope["method"],
            path=scope["path"],
            query=dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            headers={name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=b"".join(chunks),
            request_id=self.request_ids(),
        )


def _readable(call: Call) -> Any:
    if not call.body:
        return None
    try:
        return call.json
    except (ValueError, RecursionError):
        return call.body

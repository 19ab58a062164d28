"""How does a request over HTTP become a call of a method, and its answer a response?"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

import sandbox.slack.api  # noqa: F401 - registers the methods
from sandbox.serve import drop_connection
from sandbox.slack.calls import METHODS, Call, Method, Refused, structured
from sandbox.slack.elements import Json
from sandbox.slack.faults import Fault
from sandbox.slack.state import SlackState
from sandbox.slack.wire.rates import Rates

SORRY = "<html><body><h1>Slack is temporarily unavailable.</h1></body></html>"


class WebApi:
    """The doors under `/api/`."""

    def __init__(self, slack: SlackState, rates: Rates) -> None:
        self.slack = slack
        self.rates = rates

    async def __call__(self, request: Request) -> Response:
        slack = self.slack
        if slack.known_base_url is None:
            slack.base_url = str(request.base_url)
        call = Call(
            method=request.path_params["method"],
            arguments={},
            at=slack.clock(),
            user_agent=request.headers.get("user-agent", ""),
        )
        slack.journal.append(call)
        try:
            call.arguments = await _arguments(request)
            token = _token(request, call.arguments)
        except Refused as refused:
            return _answered(call, 200, {"ok": False, "error": refused.error, **refused.more}, {})
        fault = slack.faults.take(call.method, call.arguments)
        if fault and not fault.after_commit and (failed := await _failed(fault, request, call)) is not None:
            return failed
        status, answer, headers = await self._answer(call, token)
        if fault and fault.after_commit and (failed := await _failed(fault, request, call)) is not None:
            return failed
        return _answered(call, status, answer, headers)

    async def _answer(self, call: Call, token: str | None) -> tuple[int, Json, dict[str, str]]:
        headers: dict[str, str] = {}
        try:
            method = METHODS.get(call.method)
            if method is None:
                raise Refused("unknown_method", req_method=call.method)
            self._authorised(method, token)
            if method.by == "bot":
                headers["x-oauth-scopes"] = ",".join(self.slack.scopes)
                headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
            if (seconds := self.rates.wait(call)) is not None:
                return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds), **headers}
            self._within_scopes(method)
            answer = method.answer(self.slack, call)
            if "url" in answer and answer["url"] == "" and self.slack.socket_url is not None:
                answer["url"] = await self.slack.socket_url()
        except Refused as refused:
            return 200, {"ok": False, "error": refused.error, **refused.more}, headers
        return 200, {"ok": True, **answer}, headers

    def _authorised(self, method: Method, token: str | None) -> None:
        if method.by is None:
            return
        if not token:
            raise Refused("not_authed")
        known = {self.slack.bot_token: "bot"}
        if self.slack.app_token:
            known[self.slack.app_token] = "app"
        if token not in known:
            raise Refused("invalid_auth")
        if known[token] != method.by:
            raise Refused("not_allowed_token_type")
        if self.slack.auth_error:
            raise Refused(self.slack.auth_error)

    def _within_scopes(self, method: Method) -> None:
        for scope in method.scopes:
            if scope not in self.slack.scopes:
                raise Refused("missing_scope", needed=scope, provided=",".join(self.slack.scopes))


def _answered(call: Call, status: int, answer: Json, headers: Mapping[str, str]) -> Response:
    call.status, call.answer = status, answer
    return JSONResponse(answer, status_code=status, headers=dict(headers))


async def _arguments(request: Request) -> Json:
    """Query string, form and JSON body as one mapping."""
    arguments: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "application/json":
        if body := await request.body():
            try:
                read = json.loads(body)
            except ValueError:
                raise Refused("invalid_json") from None
            if not isinstance(read, dict):
                raise Refused("json_not_object")
            arguments |= read
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        async with request.form() as form:
            arguments |= dict(form)
    return structured(arguments)


def _token(request: Request, arguments: Json) -> str | None:
    in_arguments = arguments.pop("token", None)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else in_arguments


async def _failed(fault: Fault, request: Request, call: Call) -> Response | None:
    """The wrong answer a fault asks for; None when it only delays the right one."""
    if fault.hang:
        await asyncio.sleep(fault.hang)
    if fault.drop:
        call.answer, call.status = None, None
        await drop_connection(request.scope)
        return Response(status_code=502)
    if fault.retry_after is not None:
        headers = {"Retry-After": str(fault.retry_after)}
        return _answered(call, 429, {"ok": False, "error": fault.error or "ratelimited"}, headers)
    if fault.error is not None:
        return _answered(call, fault.status or 200, {"ok": False, "error": fault.error}, {})
    if fault.broken_json:
        call.status = 200
        return Response('{"ok": tru', media_type="application/json")
    if fault.html or fault.status is not None:
        call.status = fault.status or 503
        return HTMLResponse(SORRY, status_code=call.status)
    return None

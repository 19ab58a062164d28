"""How are response_url, upload_url and file links answered?"""

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.slack.limits import validate_message
from sandbox.serve import drop_connection
from sandbox.slack.elements import carried_state, with_ids
from sandbox.slack.state import SlackState
from sandbox.slack.tickets import ResponseUrl
from sandbox.slack.workspace import Message

_OWN = frozenset({"response_type", "replace_original", "delete_original"})


class Hooks:
    """The doors beside `/api/`, at addresses the stand-in gives out itself."""

    def __init__(self, slack: SlackState) -> None:
        self.slack = slack

    def routes(self) -> list[Route]:
        return [
            Route("/actions/{team}/{key}", self.respond, methods=["POST"]),
            Route("/upload/v1/{key}", self.upload, methods=["POST"]),
            Route("/files-pri/{owner}/{name:path}", self.download, methods=["GET"]),
        ]

    async def respond(self, request: Request) -> Response:
        """An answer through response_url: 5 uses, 30 minutes; ephemeral unless it says otherwise."""
        fault = self.slack.faults.take("response_url", {})
        if fault is not None and fault.drop and not fault.after_commit:
            await drop_connection(request.scope)
        elif fault is not None:
            return PlainTextResponse(fault.error or "error", status_code=fault.status or 500)
        ticket = self.slack.tickets.use_response_url(request.path_params["key"])
        if isinstance(ticket, str):
            return PlainTextResponse(ticket, status_code=404)
        try:
            said = json.loads(await request.body())
        except ValueError:
            return PlainTextResponse("invalid_payload", status_code=400)
        error = self.answer(ticket, said)
        return PlainTextResponse(error or "ok", status_code=400 if error else 200)

    def answer(self, ticket: ResponseUrl, said: Mapping[str, Any]) -> str | None:
        """Show what the app said in reply to an interaction; Slack's error code when it cannot be shown."""
        original = ticket.original
        if said.get("delete_original"):
            if original is not None:
                self._remove(original)
            return None
        message = {key: value for key, value in said.items() if key not in _OWN and value is not None}
        if problems := [each for each in validate_message(message) if each.error != "msg_too_long"]:
            return problems[0].error
        if said.get("replace_original") and original is not None:
            self._write(original, message)
            return None
        is_public = said.get("response_type") == "in_channel"
        self.post(ticket.channel, message, seen_only_by=None if is_public else ticket.user)
        return None

    def post(self, channel: str, said: Mapping[str, Any], *, seen_only_by: str | None) -> Message:
        """A message of the app that did not come by chat.postMessage."""
        workspace = self.slack.workspace
        message = Message(
            channel=channel,
            ts=workspace.new_ts(),
            user=workspace.bot.id,
            bot_id=workspace.bot_id,
            thread_ts=said.get("thread_ts"),
            seen_only_by=seen_only_by,
        )
        self._write(message, said)
        kept = workspace.ephemerals if seen_only_by else workspace.channels[channel].messages
        kept.append(message)
        return message

    def _write(self, message: Message, said: Mapping[str, Any]) -> None:
        message.text = str(said.get("text", ""))
        message.blocks = with_ids(list(said.get("blocks") or []), self.slack.workspace.new_block_id)
        message.state = carried_state(message.blocks, message.state)
        if "metadata" in said:
            message.metadata = said["metadata"] or None

    def _remove(self, message: Message) -> None:
        workspace = self.slack.workspace
        channel = workspace.channels[message.channel]
        if message.seen_only_by is not None and message in workspace.ephemerals:
            workspace.ephemerals.remove(message)
        elif message in channel.messages:
            channel.remove(message)

    async def upload(self, request: Request) -> Response:
        """The bytes of a file, raw or as a form; they must be as many as were announced."""
        stored = self.slack.workspace.files.get(self.slack.upload_urls.get(request.path_params["key"], ""))
        if stored is None:
            return PlainTextResponse("invalid upload url", status_code=404)
        content = await _sent(request)
        if len(content) != stored.declared:
            return PlainTextResponse(f"expected {stored.declared} bytes, got {len(content)}", status_code=400)
        stored.content, stored.is_received = content, True
        return PlainTextResponse(f"OK - {len(content)}")

    async def download(self, request: Request) -> Response:
        """A file's bytes for the bot's token; everybody else gets the login page, and 200, as in Slack."""
        stored = self.slack.workspace.files.get(request.path_params["owner"].rpartition("-")[2])
        is_allowed = request.headers.get("authorization") == f"Bearer {self.slack.bot_token}"
        if not is_allowed or "files:read" not in self.slack.scopes:
            return HTMLResponse("<!DOCTYPE html><html><body>Sign in to Sandbox</body></html>")
        if stored is None:
            return JSONResponse({"ok": False, "error": "file_not_found"}, status_code=404)
        return Response(stored.content, media_type=stored.mimetype)


async def _sent(request: Request) -> bytes:
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await request.body()
    async with request.form() as form:
        for part in form.values():
            return part.encode() if isinstance(part, str) else await part.read()
    return b""

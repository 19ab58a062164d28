"""How does Socket Mode work: connections, envelopes, acknowledgements, refreshes?"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.slack.elements import Json
from sandbox.slack.state import SlackState

MOST_CONNECTIONS = 10


@dataclass
class Sockets:
    """The WebSocket side, on a loopback port of its own because the HTTP server here speaks none.

    Opened by the first `apps.connections.open`, closed by `close`.
    """

    slack: SlackState
    connected: list[web.WebSocketResponse] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None
    _url: str = ""
    _tickets: set[str] = field(default_factory=set)
    _turn: int = 0

    @property
    def are_connected(self) -> bool:
        return bool(self.connected)

    async def url(self) -> str:
        """A new address for one connection."""
        if self._runner is None:
            await self._listen()
        ticket = f"{self.slack.workspace.count('socket'):016x}"
        self._tickets.add(ticket)
        return f"{self._url}/link/?ticket={ticket}&app_id={self.slack.workspace.app_id}"

    async def deliver(
        self, kind: str, payload: Json, *, attempt: int, reason: str, patience: float
    ) -> Json | None:
        """Send one envelope on one connection; the acknowledgement's payload, or None when there was none."""
        self._turn += 1
        socket = self.connected[self._turn % len(self.connected)]
        envelope_id = f"{self.slack.workspace.count('envelope'):08x}-0000-4000-8000-000000000000"
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = answer
        try:
            await socket.send_json(envelope)
            return await asyncio.wait_for(answer, patience)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            del self._waiting[envelope_id]

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Say goodbye on every connection: `warning` only says so, all other reasons close it as well."""
        for socket in list(self.connected):
            await socket.send_json(
                {"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}}
            )
            if reason != "warning":
                self.connected.remove(socket)
                await socket.close()

    async def close(self) -> None:
        for socket in list(self.connected):
            await socket.close()
        self.connected.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _listen(self) -> None:
        application = web.Application()
        application.router.add_get("/link/", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"ws://{host}:{port}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self.connected) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        self.connected.append(socket)
        await socket.send_json(self._hello())
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            if socket in self.connected:
                self.connected.remove(socket)
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connected),
            "connection_info": {"app_id": self.slack.workspace.app_id},
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
        }

    def _acknowledge(self, text: str) -> None:
        try:
            read: Any = json.loads(text)
        except ValueError:
            return
        envelope_id = str(read.get("envelope_id", "")) if isinstance(read, dict) else ""
        if not envelope_id:
            return
        self.acknowledged.append(envelope_id)
        answer = self._waiting.get(envelope_id)
        if answer is not None and not answer.done():
            answer.set_result(read.get("payload") or {})

"""How is an ASGI application put on a real loopback socket inside the running event loop?"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

GRACE_SECONDS = 0.2
"""How long requests in flight may take to end once the server is told to stop; then they are cancelled."""

_DROP = "sandbox.drop_connection"


@asynccontextmanager
async def serving(app: Any, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve `app` with uvicorn in the current loop; yields the base URL without a trailing slash.

    `port=0` takes a free port. No signal handlers, no access log, no background tick; several
    servers may run in one loop. Leaving the context closes idle keep-alive connections at once and
    gives requests in flight `GRACE_SECONDS`. Raises `RuntimeError` when the application's own
    start-up fails, and `OSError` when the port is taken.
    """
    listener = socket.create_server((host, port))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited by what it accepts
    droppable = _Droppable(app)
    config = uvicorn.Config(
        droppable,
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
    )
    config.load()
    server = droppable.server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    try:
        await server.startup(sockets=[listener])
    except SystemExit as stopped:
        listener.close()
        raise RuntimeError("the application did not start; its own error is logged above") from stopped
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        droppable.is_stopping = True
        await _stop(server)


async def drop_connection(scope: MutableMapping[str, Any]) -> None:
    """Cut the connection a request came on, with no answer: the caller sees a server that went away.

    `scope` is the request's ASGI scope. Outside `serving` it raises `ConnectionResetError` instead.
    """
    drop: Callable[[], None] | None = scope.get("extensions", {}).get(_DROP)
    if drop is None:
        raise ConnectionResetError("dropped by the stand-in")
    drop()
    await asyncio.sleep(0.01)  # the transport tells its protocol before an answer could be written


class _Droppable:
    """Passes requests on with the means to cut their connection, and ends quietly when told to stop."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.server: uvicorn.Server | None = None
        self.is_stopping = False

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self.server is not None:
            for connection in self.server.server_state.connections:
                if getattr(connection, "scope", None) is scope:
                    scope.setdefault("extensions", {})[_DROP] = _transport(connection).abort
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if not self.is_stopping:
                raise


async def _stop(server: uvicorn.Server) -> None:
    for listening in server.servers:
        listening.close()
    for connection in list(server.server_state.connections):
        connection.shutdown()
    if running := list(server.server_state.tasks):
        _, late = await asyncio.wait(running, timeout=GRACE_SECONDS)
    else:
        late = set()
    for connection in list(server.server_state.connections):
        _transport(connection).abort()
    await asyncio.sleep(0)  # the aborted transports tell their protocols
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)
    await server.lifespan.shutdown()


def _transport(connection: Any) -> asyncio.Transport:
    transport: asyncio.Transport = connection.transport
    return transport

"""How is HTTP served inside a program that handles its own signals?"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

from bot.errors import Misconfigured


class _Server(uvicorn.Server):
    """uvicorn, leaving signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, *, host: str, port: int) -> AsyncIterator[str]:
    """Serve `app` until the block ends; yields the address, no trailing slash.

    Raises:
        Misconfigured: the port is taken, or the host is not this machine.
    """
    try:
        listener = socket.create_server((host, port), backlog=2048, reuse_port=False)
    except OSError as error:
        because = error.strerror.partition(" (while")[0] if error.strerror else type(error).__name__
        is_taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
        advice = "set PORT to a free one" if is_taken else "set HOST to an address of this machine"
        raise Misconfigured(f"{host}:{port} cannot be opened ({because}): {advice}") from error
    # Accepted connections inherit it; without it every answer on a kept connection waits some 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
        server_header=False,
        date_header=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="server.serve")
    try:
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.005)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()

"""How is the real program started, killed and started again by a test?"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Mapping
from typing import Any

from bot import logs
from bot.app import run
from bot.settings import Settings

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.stories.program"])


def _run(values: Mapping[str, Any], *, is_web: bool, is_worker: bool) -> None:
    logs.configure("CRITICAL")
    asyncio.run(run(Settings.of(**values), is_web=is_web, is_worker=is_worker))


class Program:
    """`yorisoi run` in a process of its own, on the same port each time it is started."""

    def __init__(self, values: Mapping[str, Any], *, is_web: bool = True, is_worker: bool = True) -> None:
        self._values = dict(values)
        self._kind = {"is_web": is_web, "is_worker": is_worker}
        self.process: Any = None
        self.starts = 0

    def start(self) -> None:
        self.process = _SERVER.Process(target=_run, args=(self._values,), kwargs=self._kind, daemon=True)
        self.process.start()
        self.starts += 1

    def kill(self) -> None:
        """SIGKILL: nothing of the program's own runs any more."""
        self.process.kill()
        self.process.join(10)

    def stop(self) -> None:
        """SIGTERM: the program ends by itself."""
        self.process.terminate()
        self.process.join(30)
        if self.process.is_alive():
            self.kill()
            raise AssertionError("the program did not stop within 30 s of SIGTERM")

    async def answering(self, *, seconds: float = 30) -> None:
        """Wait until the doors are open."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.process.is_alive():
                raise AssertionError(f"the program ended with {self.process.exitcode}")
            try:
                socket.create_connection(("127.0.0.1", self._values["port"]), timeout=0.2).close()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return
        raise AssertionError(f"the doors did not open within {seconds} s")

"""What stands between a door and its story, and what does a person hear who meets a fault of ours?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from bot.clock import Ids
from bot.errors import Refused, Unavailable

log = structlog.get_logger()

Tell = Callable[[Refused], Awaitable[object]]
"""Says a sentence to the person, in their language."""


async def guarded(
    story: str, work: Callable[[], Awaitable[None]], *, ids: Ids, tell: Tell, **context: str | None
) -> None:
    """Do the work behind a door that has been answered already; nothing is raised.

    What was refused is told as written. Anything else that fails is logged under a short reference, and
    the person gets the reference, never the exception.
    """
    with bound_contextvars(story=story, **context):
        try:
            await work()
        except Refused as refused:
            await _tell(tell, refused)
        except Unavailable as error:
            log.warning("door.unavailable", because=str(error))
            await _tell(tell, busy())
        except Exception:
            ref = ids.token()[:8]
            log.exception("door.failed", ref=ref)
            await _tell(tell, broken(ref))


async def _tell(tell: Tell, refused: Refused) -> None:
    try:
        await tell(refused)
    except Exception as error:
        log.warning("door.not_told", because=type(error).__name__)


def busy() -> Refused:
    """Somebody else's server did not answer."""
    return Refused(
        "いま応答がありません。少し待って、もう一度お試しください。",
        "No answer just now. Wait a moment and try again.",
    )


def broken(ref: str) -> Refused:
    """Something of ours failed."""
    return Refused(
        f"うまくいきませんでした。管理者に番号 {ref} を伝えてください。",
        f"Something went wrong. Give your administrator the number {ref}.",
    )


class Errands:
    """Work that goes on after a door was answered; kept hold of, and waited for at the end."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin it now."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Wait for what is under way."""
        while self._running:
            await asyncio.wait(self._running)

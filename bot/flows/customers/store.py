"""How is a webhook of LINE's made durable before it is acknowledged?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bot.deps import Deps
from bot.errors import Unavailable
from bot.line.inbound import rows_of
from db.group_commit import GroupCommit
from db.intake.inbox import Arrival, store_batches

log = structlog.get_logger()


def webhook_store(deps: Deps) -> Callable[[bytes], Awaitable[bool]]:
    """A way to store signed bodies; many webhooks that arrive together share one commit.

    The returned function answers after the commit, and wakes `receive`; False: nothing was stored (LINE
    delivers the webhook again where that is switched on).
    """
    commit: GroupCommit[list[Arrival], int] = GroupCommit(deps.db, store_batches, weight_of=_weight)

    async def store(body: bytes) -> bool:
        rows = rows_of(body, received_at=deps.clock.now())
        if not rows:
            return True
        try:
            await commit.submit(rows)
        except Unavailable as error:
            log.warning("webhook.not_stored", because=str(error))
            return False
        await deps.waker.wake("receive")
        return True

    return store


def _weight(rows: list[Arrival]) -> int:
    return max(1, len(rows))

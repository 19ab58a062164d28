"""How is what people do in Slack made durable before it is acknowledged?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError

from bot.deps import Deps
from bot.errors import Unavailable
from bot.slack.overview import orders
from bot.slack.overview.orders import Order
from bot.slack.presses import KIND, Press
from bot.slack.rule_blocks import steers
from bot.slack.rule_blocks.steers import Steer
from db.group_commit import GroupCommit
from db.intake.inbox import InboxRow, store_batches

EVENT = "event"
MOST_FILES = 5
"""Of one message that are looked at."""
_KEPT = ("type", "subtype", "user", "channel", "tab", "ts", "thread_ts")
"""Of an event: ids only. What staff write to each other is none of our business."""


class Keeper:
    """Stores presses and events; each answers after the commit, and wakes `press`."""

    def __init__(self, deps: Deps) -> None:
        """One for each process."""
        self._deps = deps
        self._commit: GroupCommit[list[InboxRow], int] = GroupCommit(deps.db, store_batches)

    async def press(self, press: Press, *, event_id: str) -> None:
        """Keep a press.

        Raises:
            Unavailable: it was not stored.
        """
        await self._keep(press.source, event_id, KIND, press.encode())

    async def steer(self, steer: Steer, *, event_id: str) -> None:
        """Keep what a support lead asked of rules.

        Raises:
            Unavailable: it was not stored.
        """
        await self._keep(steer.source, event_id, steers.KIND, steer.encode())

    async def order(self, order: Order, *, event_id: str) -> None:
        """Keep what was pressed on an App Home or on a digest.

        Raises:
            Unavailable: it was not stored.
        """
        await self._keep(order.source, event_id, orders.KIND, order.encode(), story="order")

    async def event(self, body: Mapping[str, Any]) -> None:
        """Keep an event (the `event_callback` envelope), by its id; bots' own messages are not kept.

        Raises:
            Unavailable: it was not stored.
        """
        event = body.get("event") or {}
        if event.get("bot_id") or event.get("subtype") in {
            "bot_message",
            "message_changed",
            "message_deleted",
        }:
            return
        kept: dict[str, object] = {key: event[key] for key in _KEPT if isinstance(event.get(key), str)}
        files = event.get("files")
        if event.get("subtype") == "file_share" and isinstance(files, list):
            ids = [each.get("id") for each in files if isinstance(each, dict)]
            kept["files"] = [each for each in ids if isinstance(each, str)][:MOST_FILES]
        about = str(event.get("user") or event.get("channel") or body.get("team_id"))
        raw = json.dumps({"event": kept}).encode()
        await self._keep(f"slack:{about[:64]}", str(body.get("event_id"))[:200], EVENT, raw)

    async def _keep(self, source: str, event_id: str, kind: str, raw: bytes, *, story: str = "press") -> None:
        now = self._deps.clock.now()
        row = InboxRow(
            source=_storable(source),
            event_id=_storable(event_id),
            kind=kind,
            raw=raw,
            at=now,
            received_at=now,
        )
        try:
            await self._commit.submit([row])
        except DBAPIError as error:  # its text holds what was to be stored
            raise Unavailable(f"the inbox: {type(error.orig).__name__}") from None
        await self._deps.waker.wake(story)


def _storable(text: str) -> str:
    """An id that PostgreSQL can hold: no NUL, no half surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()

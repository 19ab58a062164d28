"""The door for what is pressed on an App Home or on a digest: stored, then acknowledged."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.flows.staff.keep import Keeper
from bot.slack.overview.orders import order_of
from bot.slack.presses import event_id_of

ORDERS = re.compile(r"^(message|proposal|home)\.")


def register(app: AsyncApp, keeper: Keeper) -> None:
    """Buttons beside messages that failed, of proposals, and those that turn pages."""

    @app.action(ORDERS)
    async def on_order(ack: Callable[..., Awaitable[object]], body: Mapping[str, Any]) -> None:
        order = order_of(body)
        if order is not None:
            await keeper.order(order, event_id=event_id_of(body))
        await ack()

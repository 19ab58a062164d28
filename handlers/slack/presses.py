"""The door for buttons: what changes something is stored, then acknowledged; a modal opens at once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.deps import Deps
from bot.flows.staff.keep import Keeper
from bot.flows.staff.open_modal import open_modal
from bot.slack.ids import OPENS_MODAL
from bot.slack.presses import event_id_of, press_of
from handlers.boundary import Errands, guarded
from handlers.slack.telling import whisperer

LEAD = re.compile(r"^lead\.")


def register(app: AsyncApp, deps: Deps, keeper: Keeper, errands: Errands) -> None:
    """Buttons of a lead's card."""

    @app.action(LEAD)
    async def on_press(ack: Callable[..., Awaitable[object]], body: Mapping[str, Any]) -> None:
        press = press_of(body)
        if press is None:
            await ack()
        elif press.action in OPENS_MODAL:
            await ack()
            trigger_id = str(body.get("trigger_id"))
            work = guarded(
                press.action.value,
                lambda: open_modal(deps, press, trigger_id=trigger_id),
                ids=deps.ids,
                tell=whisperer(deps, press.slack_user_id, press.channel, press.thread_ts),
                lead_id=str(press.target.lead_id),
            )
            errands.start(work)
        else:
            await keeper.press(press, event_id=event_id_of(body))
            await ack()

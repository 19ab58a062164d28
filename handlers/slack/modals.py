"""The door for modals: what is wrong travels with the acknowledgement, the rest is stored first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.deps import Deps
from bot.flows.staff.acting import zone_of
from bot.flows.staff.keep import Keeper
from bot.slack.modals import Wrong, read_modal
from bot.slack.presses import event_id_of, submission_of

LEAD = re.compile(r"^lead\.")


def register(app: AsyncApp, deps: Deps, keeper: Keeper) -> None:
    """Modals that a lead's card opens."""

    @app.view(LEAD)
    async def on_submit(ack: Callable[..., Awaitable[object]], body: Mapping[str, Any]) -> None:
        today = deps.clock.now().astimezone(zone_of(None)).date()
        form = read_modal(body.get("view") or {}, today=today)
        if isinstance(form, Wrong):
            await ack(response_action="errors", errors=form.errors)
            return
        press = submission_of(body, form)
        if press is not None and body.get("type") == "view_submission":
            await keeper.press(press, event_id=event_id_of(body))
        await ack()

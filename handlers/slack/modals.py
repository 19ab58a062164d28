"""The door for modals: what is wrong travels with the acknowledgement, the rest is stored first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.deps import Deps
from bot.flows.replies.editing import recheck_editing
from bot.flows.staff.acting import zone_of
from bot.flows.staff.keep import Keeper
from bot.slack.ids import Input
from bot.slack.modals import Place, Wrong, read_modal
from bot.slack.presses import event_id_of, submission_of
from handlers.boundary import Errands, guarded
from handlers.slack.telling import whisperer

LEAD = re.compile(r"^lead\.")
TYPING = re.compile(rf"^({Input.TEXT.value}|{Input.TAKE.value})$")


def register(app: AsyncApp, deps: Deps, keeper: Keeper, errands: Errands) -> None:
    """Modals that a lead's card opens."""

    @app.action({"action_id": TYPING})
    async def on_typing(ack: Callable[..., Awaitable[object]], body: Mapping[str, Any]) -> None:
        await ack()
        view, who = body.get("view") or {}, str((body.get("user") or {}).get("id"))
        chosen = ((body.get("actions") or [{}])[0].get("selected_option") or {}).get("value")
        place = Place.decode(view.get("private_metadata"))
        work = guarded(
            "edit",
            lambda: recheck_editing(deps, view, slack_user_id=who, chosen=chosen),
            ids=deps.ids,
            tell=whisperer(deps, who, place.channel if place else None, place.thread_ts if place else None),
        )
        errands.start(work)

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

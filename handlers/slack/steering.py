"""The door for buttons and forms about rules: what changes something is stored, the rest opens at once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bot.deps import Deps
from bot.flows.staff.keep import Keeper
from bot.flows.steering.edit_form import recheck_form, review_form, turn_page
from bot.flows.steering.look import look
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.presses import event_id_of
from bot.slack.rule_blocks.form import PAGE, TYPING, read_form, read_review
from bot.slack.rule_blocks.pages import loading
from bot.slack.rule_blocks.steers import OPENING, Spot, Steer, steer_of, submitted
from handlers.boundary import Errands, guarded
from handlers.slack.telling import whisperer

RULES = re.compile(r"^(rule|pause|approval|why)\.")
FORM = re.compile(rf"^({re.escape(TYPING)}|{re.escape(PAGE)})$")
FORMS = re.compile(r"^rule\.")

Ack = Callable[..., Awaitable[object]]
Respond = Callable[..., Awaitable[Any]]


def register(app: AsyncApp, deps: Deps, keeper: Keeper, errands: Errands) -> None:
    """What support leads press and submit."""

    def start(story: str, steer_by: str, channel: str | None, work: Callable[[], Awaitable[None]]) -> None:
        errands.start(guarded(story, work, ids=deps.ids, tell=whisperer(deps, steer_by, channel)))

    @app.action(RULES)
    async def on_steer(ack: Ack, body: Mapping[str, Any], respond: Respond) -> None:
        steer = steer_of(body)
        if steer is None:
            await ack()
        elif steer.action in OPENING:
            await ack()
            trigger_id = str(body.get("trigger_id"))
            answer = _answering(deps, steer, respond if body.get("response_url") else None)
            start(
                steer.action.value,
                steer.slack_user_id,
                steer.channel,
                lambda: look(deps, steer, trigger_id=trigger_id, answer=answer),
            )
        else:
            await keeper.steer(steer, event_id=event_id_of(body))
            await ack()

    @app.action({"action_id": FORM})
    async def on_typing(ack: Ack, body: Mapping[str, Any]) -> None:
        await ack()
        view, who = body.get("view") or {}, str((body.get("user") or {}).get("id"))
        pressed = (body.get("actions") or [{}])[0]
        to = str((pressed.get("selected_option") or {}).get("value"))
        is_page = pressed.get("action_id") == PAGE

        async def work() -> None:
            if is_page:
                await turn_page(deps, view, slack_user_id=who, to=to)
            else:
                await recheck_form(deps, view, slack_user_id=who)

        start("edit", who, _channel(view), work)

    @app.view(FORMS)
    async def on_submit(ack: Ack, body: Mapping[str, Any]) -> None:
        view, who = body.get("view") or {}, str((body.get("user") or {}).get("id"))
        spot = Spot.decode(view.get("private_metadata"))
        if body.get("type") != "view_submission" or spot is None:
            await ack()
        elif spot.step == "review":
            steer = submitted(body, read_review(view))
            if steer is not None:
                await keeper.steer(steer, event_id=event_id_of(body))
            await ack()
        elif wrong := read_form(view):
            await ack(response_action="errors", errors=wrong)
        else:
            shown = loading(Action.RULE_EDIT, "editing", spot, words="loading.edit")
            await ack(response_action="update", view=shown)
            start("edit", who, spot.channel, lambda: review_form(deps, view, slack_user_id=who))


def _channel(view: Mapping[str, Any]) -> str | None:
    spot = Spot.decode(view.get("private_metadata"))
    return spot.channel if spot else None


def _answering(
    deps: Deps, steer: Steer, respond: Respond | None
) -> Callable[[Written, bool], Awaitable[Any]]:
    """Shows a message to the person only: through the press's own address, else where they were."""

    async def answer(written: Written, is_in_place: bool) -> None:
        if respond is not None:
            await respond(
                text=written.text,
                blocks=written.blocks,
                response_type="ephemeral",
                replace_original=is_in_place,
            )
            return
        channel = steer.channel or deps.settings.slack_alerts_channel or deps.settings.slack_leads_channel
        if deps.slack is not None and channel is not None:
            await deps.slack.whisper(
                channel=channel, slack_user_id=steer.slack_user_id, text=written.text, blocks=written.blocks
            )

    return answer

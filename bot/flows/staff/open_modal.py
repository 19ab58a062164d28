"""What opens when a person presses a button that asks them something first?"""

from __future__ import annotations

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.replies.editing import open_editing
from bot.flows.staff.acting import Actor, actor_of
from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.modals import Place, dismiss_modal, snooze_modal, wish_modal
from bot.slack.presses import Press


async def open_modal(deps: Deps, press: Press, *, trigger_id: str) -> None:
    """Open the modal of the button that was pressed. Nothing changes until it is submitted.

    Raises:
        Refused: not allowed, the lead is closed, or it took longer than the three seconds Slack gives.
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    actor = await actor_of(deps, press.slack_user_id)
    place = Place(
        target=press.target,
        channel=press.channel,
        thread_ts=press.thread_ts,
        language=actor.profile.language,
    )
    view = await _view(deps, actor, press, place)
    try:
        await deps.slack.open_view(trigger_id=trigger_id, view=view)
    except Refused as refused:
        raise Refused(
            "画面を開けませんでした。もう一度押してください。",
            f"The dialog did not open. Press again. ({refused.en})",
        ) from refused


async def _view(deps: Deps, actor: Actor, press: Press, place: Place) -> Json:
    if press.action is Action.EDIT:
        return await open_editing(deps, actor, place)
    if press.action is Action.WISH:
        return wish_modal(place)
    return snooze_modal(place) if press.action is Action.SNOOZE else dismiss_modal(place)

"""Look: a support lead asks to see something of a rule; nothing changes by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Actor, actor_of
from bot.flows.staff.explain import explain_picked, open_reasons
from bot.flows.steering.edit_form import open_form
from bot.flows.steering.leading import lead_of
from bot.flows.steering.list_rules import list_rules
from bot.flows.steering.show_history import show_history
from bot.flows.steering.show_preview import preview_message, show_preview
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.rule_blocks.steers import Steer

Answer = Callable[[Written, bool], Awaitable[Any]]
"""Shows a message to the person only; true: in place of the one that was pressed in."""


async def look(deps: Deps, steer: Steer, *, trigger_id: str, answer: Answer) -> None:
    """Show what was asked for.

    Raises:
        Refused: not allowed, or what it was about is gone.
        Unavailable: Slack did not answer.
    """
    if steer.action in {Action.WHY, Action.WHY_RULE}:
        await _explain(deps, await actor_of(deps, steer.slack_user_id), steer, trigger_id, answer)
        return
    actor = await lead_of(deps, steer.slack_user_id)
    language = actor.profile.language
    match steer.action:
        case Action.RULE_LIST:
            page = int(steer.subject.word) if steer.subject.word.isdecimal() else 0
            await answer(await list_rules(deps, language=language, page=page), True)
        case Action.RULE_PREVIEW if steer.subject.word == "message":
            await answer(await preview_message(deps, steer, language=language), False)
        case Action.RULE_PREVIEW:
            await show_preview(deps, actor, steer, trigger_id=trigger_id)
        case Action.RULE_HISTORY:
            await show_history(deps, actor, steer, trigger_id=trigger_id)
        case Action.RULE_EDIT:
            await open_form(deps, actor, steer, trigger_id=trigger_id)
        case _:
            raise Refused("このボタンは使えません。", "This button does nothing.")


async def _explain(deps: Deps, actor: Actor, steer: Steer, trigger_id: str, answer: Answer) -> None:
    if steer.action is Action.WHY:
        await answer(await explain_picked(deps, steer, language=actor.profile.language), True)
    else:
        await open_reasons(deps, actor, steer, trigger_id=trigger_id)

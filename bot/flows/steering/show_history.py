"""How does a support lead see the versions of a rule, what each changed, and what was done to it?"""

from __future__ import annotations

from dataclasses import replace

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Actor
from bot.flows.steering.leading import spot_of
from bot.flows.versions.history import between, history
from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.rule_blocks.pages import loading, page, text_blocks
from bot.slack.rule_blocks.steers import Spot, Steer, Subject
from bot.slack.rule_blocks.versions import HistoryShown, VersionShown, history_blocks

_DIFF = "diff:"


async def show_history(deps: Deps, actor: Actor, steer: Steer, *, trigger_id: str) -> None:
    """Open the history of a rule; pressed inside it (`diff:N`), show one difference in its place.

    Raises:
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    spot = spot_of(actor, steer)
    view_id, is_inside = steer.view_id, steer.view_id is not None and not steer.is_home
    if not is_inside or view_id is None:
        view_id = await deps.slack.open_view(
            trigger_id=trigger_id, view=loading(Action.RULE_HISTORY, "history", spot)
        )
    word = steer.subject.word
    try:
        if word.startswith(_DIFF) and word.removeprefix(_DIFF).isdecimal():
            blocks = await _difference(deps, spot, int(word.removeprefix(_DIFF)))
        else:
            blocks = history_blocks(await _shown(deps, steer.subject.name), language=spot.language)
    except Refused as refused:
        blocks = text_blocks([refused.in_language(spot.language)], most=1, language=spot.language)
    spot = replace(spot, subject=Subject(name=steer.subject.name))
    await deps.slack.update_view(
        view_id=view_id, view_hash=None, view=page(Action.RULE_HISTORY, "history", spot, blocks)
    )


async def _difference(deps: Deps, spot: Spot, version: int) -> list[Json]:
    rule_id = spot.subject.name
    lines = await between(deps, rule_id, version - 1, version)
    return history_blocks(
        HistoryShown(rule_id=rule_id, state="", versions=(), difference=(version, tuple(lines))),
        language=spot.language,
    )


async def _shown(deps: Deps, rule_id: str) -> HistoryShown:
    past = await history(deps, rule_id)
    return HistoryShown(
        rule_id=rule_id,
        state=past.state,
        versions=tuple(
            VersionShown(
                version=each.version,
                at=each.at,
                by=each.by,
                origin=each.origin,
                changes=each.changes,
                people=each.people,
            )
            for each in past.versions
        ),
        trail=tuple((each.at, each.actor, each.action) for each in past.trail),
    )

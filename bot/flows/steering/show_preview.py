"""How does a support lead see whom a rule would reach, and with which words?"""

from __future__ import annotations

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.preview import preview, told
from bot.flows.staff.acting import Actor
from bot.flows.steering.leading import spot_of
from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.mrkdwn import cut, escaped, plain
from bot.slack.rule_blocks.pages import MOST_MESSAGE, loading, page, text_blocks
from bot.slack.rule_blocks.steers import Steer, Subject
from bot.slack.rule_blocks.words import say
from followups.rules.parsing import RuleError


async def show_preview(deps: Deps, actor: Actor, steer: Steer, *, trigger_id: str) -> None:
    """Open a modal at once, and fill it when everybody was looked at.

    Raises:
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    spot = spot_of(actor, steer)
    view_id = await deps.slack.open_view(
        trigger_id=trigger_id,
        view=loading(Action.RULE_PREVIEW, "preview", spot, words="loading.preview"),
    )
    blocks = text_blocks(
        await _lines(deps, steer.subject.name, spot.language), most=20, language=spot.language
    )
    button: Json = {
        "type": "button",
        "action_id": Action.RULE_PREVIEW.value,
        "text": plain(say("preview.message", spot.language)),
        "value": Subject(name=steer.subject.name, version=steer.subject.version, word="message").encode(),
    }
    blocks.append({"type": "actions", "block_id": "as_message", "elements": [button]})
    await deps.slack.update_view(
        view_id=view_id, view_hash=None, view=page(Action.RULE_PREVIEW, "preview", spot, blocks)
    )


async def preview_message(deps: Deps, steer: Steer, *, language: str) -> Written:
    """The same as a message."""
    lines = await _lines(deps, steer.subject.name, language)
    return Written(
        text=cut(escaped("\n".join(lines)), 2_900),
        blocks=text_blocks(lines, most=MOST_MESSAGE, language=language),
    )


async def _lines(deps: Deps, rule_id: str, language: str) -> list[str]:
    told_in = "ja" if language.startswith("ja") else "en"
    try:
        return told(await preview(deps, rule_id), told_in)
    except Refused as refused:
        return [refused.in_language(language)]
    except RuleError as error:
        return [problem.said(told_in) for problem in error.problems]

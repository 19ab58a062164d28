"""How does a long text of ours become a modal or a message within Slack's limits? Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.mrkdwn import clean, cut, plain
from bot.slack.rule_blocks.steers import Spot
from bot.slack.rule_blocks.words import say

SECTION = 3_000
MOST_MODAL = 40
"""Sections of a modal: 120,000 characters stay below the 250 KB of a view."""
MOST_MESSAGE = 4
"""Sections of a message: about 13,000 characters over all blocks are taken."""


def text_blocks(lines: Sequence[str], *, most: int, language: str) -> list[Json]:
    """Lines as sections of plain text, at most `most` of them; what does not fit is said to be left out."""
    parts: list[str] = []
    held = ""
    for line in lines:
        shown = cut(clean(line), SECTION)
        if held and len(held) + len(shown) + 1 > SECTION:
            parts.append(held)
            held = shown
        else:
            held = f"{held}\n{shown}" if held else shown
    parts.append(held)
    filled = [part for part in parts if part.strip()]
    blocks: list[Json] = [{"type": "section", "text": plain(part)} for part in filled[:most]]
    if len(filled) > most:
        blocks.append({"type": "context", "elements": [plain(say("cut", language))]})
    return blocks or [{"type": "section", "text": plain("–")}]


def page(
    action: Action, title: str, spot: Spot, blocks: Sequence[Json], *, submit: str | None = None
) -> Json:
    """A modal; `title`, `submit`: keys of our words."""
    view: Json = {
        "type": "modal",
        "callback_id": action.value,
        "title": plain(cut(say(title, spot.language), 24)),
        "close": plain(say("close" if submit is None else "no", spot.language)),
        "private_metadata": spot.encode(),
        "blocks": list(blocks)[:100],
    }
    if submit is not None:
        view["submit"] = plain(say(submit, spot.language))
    return view


def loading(action: Action, title: str, spot: Spot, *, words: str = "loading", done: str = "") -> Json:
    """What stands in a modal until it is worked out."""
    text = say(words, spot.language, done=done)
    return page(action, title, spot, [{"type": "section", "text": plain(text)}])

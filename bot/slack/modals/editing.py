"""What does the modal look like in which a reply is written, measured and checked? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.ports import Json
from bot.slack.ids import Action, Block, Input
from bot.slack.modals.place import Form, Place, Wrong, modal
from bot.slack.mrkdwn import clean, cut, one_line, plain
from bot.slack.words import say

SLACK_INPUT_CHARACTERS = 3_000
LINE_UTF16_UNITS = 5_000
"""LINE's limit of a text message."""
MAX_CHOICES = 50
MAX_FINDINGS = 5
_SEPARATOR = ":"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A text that can take the place of the one in the modal. `value`: `template/NAME` or `draft/ID`."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """What the modal shows.

    `findings`: what the checks found in `text`. `taken`: how often the text was replaced by a choice: Slack
    keeps what was typed as long as an input's block id stays.
    """

    text: str
    findings: tuple[str, ...] = ()
    templates: tuple[Choice, ...] = ()
    versions: tuple[Choice, ...] = ()
    taken: int = 0


def edit_modal(shown: str | Editing, place: Place) -> Json:
    """The draft's whole text, to be changed and sent; measured and checked while it is written."""
    editing = Editing(text=shown) if isinstance(shown, str) else shown
    language = place.language
    blocks = [*_choices(editing, language), _input(editing, language), *_checked(editing, language)]
    return modal(Action.EDIT, "edit.title", "confirm.send.yes", blocks, place)


def _choices(editing: Editing, language: str) -> list[Json]:
    groups: list[Json] = []
    for title, choices in (("edit.versions", editing.versions), ("edit.templates", editing.templates)):
        options = [
            {"text": plain(cut(one_line(each.label), 75)), "value": each.value}
            for each in choices[:MAX_CHOICES]
            if len(each.value) <= 75
        ]
        if options:
            groups.append({"label": plain(say(title, language)), "options": options})
    if not groups:
        return []
    select = {
        "type": "static_select",
        "action_id": Input.TAKE.value,
        "placeholder": plain(say("edit.take", language)),
        "option_groups": groups,
    }
    return [{"type": "actions", "block_id": Block.TAKE.value, "elements": [select]}]


def _input(editing: Editing, language: str) -> Json:
    element: Json = {
        "type": "plain_text_input",
        "action_id": Input.TEXT.value,
        "multiline": True,
        "min_length": 1,
        "max_length": SLACK_INPUT_CHARACTERS,
        "focus_on_load": True,
        "dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]},
    }
    shown = clean(editing.text)[:SLACK_INPUT_CHARACTERS]
    if shown.strip():
        element["initial_value"] = shown
    taken = f"{_SEPARATOR}{editing.taken}" if editing.taken else ""
    return {
        "type": "input",
        "block_id": f"{Block.TEXT.value}{taken}",
        "dispatch_action": True,
        "label": plain(say("edit.label", language)),
        "hint": plain(say("edit.hint", language)),
        "element": element,
    }


def _checked(editing: Editing, language: str) -> list[Json]:
    count = utf16_units(clean(editing.text).strip())
    sign = "⚠️ " if count > LINE_UTF16_UNITS else ""
    notes = [sign + say("edit.count", language, count=f"{count:,}")]
    notes += [f"⚠️ {cut(one_line(each), 150)}" for each in editing.findings[:MAX_FINDINGS] if one_line(each)]
    return [{"type": "context", "elements": [plain(note) for note in notes]}]


def utf16_units(text: str) -> int:
    """How LINE measures a text."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def written_in(view: Mapping[str, Any]) -> tuple[str, str, int]:
    """What stands in the modal's input: its block id, the text as it would be sent, and `taken`."""
    values = (view.get("state") or {}).get("values") or {}
    for block_id, held in values.items():
        name, _, taken = str(block_id).partition(_SEPARATOR)
        if name == Block.TEXT.value and isinstance(held, Mapping):
            typed = held.get(Input.TEXT.value) or {}
            text = clean(str(typed.get("value") or "")).strip()
            return str(block_id), text, int(taken) if taken.isascii() and taken.isdecimal() else 0
    return Block.TEXT.value, "", 0


def read_edit_modal(view: Mapping[str, Any], *, language: str) -> Form | Wrong:
    """`{text}`, exactly as it will be sent."""
    block_id, text, _ = written_in(view)
    if not text:
        return Wrong({block_id: say("edit.empty", language)})
    if utf16_units(text) > LINE_UTF16_UNITS:
        return Wrong({block_id: say("edit.long", language)})
    return {"text": text}

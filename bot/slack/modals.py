"""Which modals do we open, and what was filled into them? Pure; `build` beside `read`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.ports import Json
from bot.slack.ids import Action, Block, Input, Target
from bot.slack.mrkdwn import clean, plain
from bot.slack.words import say

SLACK_INPUT_CHARACTERS = 3_000
LINE_UTF16_UNITS = 5_000
"""LINE's limit of a text message."""
SPANS = ("1h", "tomorrow", "3d", "date")
REASONS = ("not_interested", "wrong_signal", "already_handled", "duplicate", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the modal was opened from; travels in `private_metadata`, ids only."""

    target: Target
    channel: str | None
    thread_ts: str | None = None
    language: str = "ja"

    def encode(self) -> str:
        """As text."""
        kept = {"target": self.target.encode(), "channel": self.channel, "thread": self.thread_ts}
        return json.dumps({**kept, "language": self.language})

    @classmethod
    def decode(cls, text: object) -> Place | None:
        """From text; None when it is not ours."""
        try:
            read = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            return None
        if not isinstance(read, dict) or (target := Target.decode(str(read.get("target")))) is None:
            return None
        return cls(
            target=target,
            channel=read.get("channel"),
            thread_ts=read.get("thread"),
            language=str(read.get("language") or "ja"),
        )


Form = dict[str, str]
Errors = dict[str, str]
"""What is wrong, by the block id of the input it stands under."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A submission that cannot be taken."""

    errors: Errors


def edit_modal(text: str, place: Place) -> Json:
    """The draft's whole text, to be changed and sent."""
    language = place.language
    element: Json = {
        "type": "plain_text_input",
        "action_id": Input.TEXT.value,
        "multiline": True,
        "min_length": 1,
        "max_length": SLACK_INPUT_CHARACTERS,
        "focus_on_load": True,
    }
    shown = clean(text)[:SLACK_INPUT_CHARACTERS]
    if shown.strip():
        element["initial_value"] = shown
    block = {
        "type": "input",
        "block_id": Block.TEXT.value,
        "label": plain(say("edit.label", language)),
        "hint": plain(say("edit.hint", language)),
        "element": element,
    }
    return _modal(Action.EDIT, "edit.title", "confirm.send.yes", [block], place)


def read_edit_modal(view: Mapping[str, Any], *, language: str) -> Form | Wrong:
    """`{text}`, exactly as it will be sent."""
    text = clean(str(_held(view, Block.TEXT, Input.TEXT).get("value") or "")).strip()
    if not text:
        return Wrong({Block.TEXT.value: say("edit.empty", language)})
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > LINE_UTF16_UNITS:
        return Wrong({Block.TEXT.value: say("edit.long", language)})
    return {"text": text}


def snooze_modal(place: Place) -> Json:
    """Until when."""
    language = place.language
    options = [{"text": plain(say(f"snooze.{span}", language)), "value": span} for span in SPANS]
    blocks: list[Json] = [
        {
            "type": "input",
            "block_id": Block.SPAN.value,
            "label": plain(say("snooze.label", language)),
            "element": {
                "type": "radio_buttons",
                "action_id": Input.SPAN.value,
                "options": options,
                "initial_option": options[0],
            },
        },
        {
            "type": "input",
            "block_id": Block.DATE.value,
            "optional": True,
            "label": plain(say("snooze.date_label", language)),
            "element": {"type": "datepicker", "action_id": Input.DATE.value},
        },
    ]
    return _modal(Action.SNOOZE, "snooze.title", "snooze.submit", blocks, place)


def read_snooze_modal(view: Mapping[str, Any], *, language: str, today: date) -> Form | Wrong:
    """`{span}`, with `{date}` (ISO) where a date was picked."""
    span = (_held(view, Block.SPAN, Input.SPAN).get("selected_option") or {}).get("value")
    if span not in SPANS:
        return Wrong({Block.SPAN.value: say("snooze.label", language)})
    if span != "date":
        return {"span": span}
    try:
        picked = date.fromisoformat(str(_held(view, Block.DATE, Input.DATE).get("selected_date")))
    except ValueError:
        return Wrong({Block.DATE.value: say("snooze.no_date", language)})
    if picked <= today:
        return Wrong({Block.DATE.value: say("snooze.past", language)})
    return {"span": "date", "date": picked.isoformat()}


def dismiss_modal(place: Place) -> Json:
    """Why it is not a lead: what the rules are judged by later."""
    language = place.language
    options = [{"text": plain(say(f"reason.{reason}", language)), "value": reason} for reason in REASONS]
    block = {
        "type": "input",
        "block_id": Block.REASON.value,
        "label": plain(say("dismiss.label", language)),
        "element": {
            "type": "static_select",
            "action_id": Input.REASON.value,
            "options": options,
        },
    }
    return _modal(Action.DISMISS, "dismiss.title", "dismiss.submit", [block], place)


def read_dismiss_modal(view: Mapping[str, Any], *, language: str) -> Form | Wrong:
    """`{reason}`, one of `REASONS`."""
    reason = (_held(view, Block.REASON, Input.REASON).get("selected_option") or {}).get("value")
    if reason not in REASONS:
        return Wrong({Block.REASON.value: say("dismiss.label", language)})
    return {"reason": reason}


def _held(view: Mapping[str, Any], block: Block, element: Input) -> Mapping[str, Any]:
    values = (view.get("state") or {}).get("values") or {}
    held = (values.get(block.value) or {}).get(element.value)
    return held if isinstance(held, Mapping) else {}


def _modal(action: Action, title: str, submit: str, blocks: list[Json], place: Place) -> Json:
    language = place.language
    return {
        "type": "modal",
        "callback_id": action.value,
        "title": plain(say(title, language)),
        "submit": plain(say(submit, language)),
        "close": plain(say("cancel", language)),
        "private_metadata": place.encode(),
        "blocks": blocks,
    }


def read_modal(view: Mapping[str, Any], *, today: date) -> Form | Wrong:
    """What was filled into one of our modals; nothing for a modal without inputs of ours."""
    place = Place.decode(view.get("private_metadata"))
    language = place.language if place else "ja"
    match view.get("callback_id"):
        case Action.EDIT:
            return read_edit_modal(view, language=language)
        case Action.SNOOZE:
            return read_snooze_modal(view, language=language, today=today)
        case Action.DISMISS:
            return read_dismiss_modal(view, language=language)
    return {}

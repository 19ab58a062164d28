"""Which modals do we open, and what was filled into them? Pure; `build` beside `read`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.ports import Json
from bot.slack.ids import Action, Block, Input
from bot.slack.modals.editing import edit_modal, read_edit_modal
from bot.slack.modals.place import Errors, Form, Place, Wrong, modal
from bot.slack.mrkdwn import clean, plain
from bot.slack.words import say

__all__ = [
    "REASONS",
    "SPANS",
    "Errors",
    "Form",
    "Place",
    "Wrong",
    "dismiss_modal",
    "edit_modal",
    "read_modal",
    "snooze_modal",
    "wish_modal",
]

WISH_CHARACTERS = 300
SPANS = ("1h", "tomorrow", "3d", "date")
REASONS = ("not_interested", "wrong_signal", "already_handled", "duplicate", "other")


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
    return modal(Action.SNOOZE, "snooze.title", "snooze.submit", blocks, place)


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
    return modal(Action.DISMISS, "dismiss.title", "dismiss.submit", [block], place)


def read_dismiss_modal(view: Mapping[str, Any], *, language: str) -> Form | Wrong:
    """`{reason}`, one of `REASONS`."""
    reason = (_held(view, Block.REASON, Input.REASON).get("selected_option") or {}).get("value")
    if reason not in REASONS:
        return Wrong({Block.REASON.value: say("dismiss.label", language)})
    return {"reason": reason}


def wish_modal(place: Place) -> Json:
    """How new drafts are to read, in a person's own words."""
    language = place.language
    block = {
        "type": "input",
        "block_id": Block.WISH.value,
        "label": plain(say("wish.label", language)),
        "hint": plain(say("wish.hint", language)),
        "element": {
            "type": "plain_text_input",
            "action_id": Input.WISH.value,
            "multiline": True,
            "max_length": WISH_CHARACTERS,
            "focus_on_load": True,
        },
    }
    return modal(Action.WISH, "wish.title", "wish.submit", [block], place)


def read_wish_modal(view: Mapping[str, Any], *, language: str) -> Form | Wrong:
    """`{wish}`: what was written."""
    wish = clean(str(_held(view, Block.WISH, Input.WISH).get("value") or "")).strip()
    if not wish:
        return Wrong({Block.WISH.value: say("wish.empty", language)})
    return {"wish": wish[:WISH_CHARACTERS]}


def _held(view: Mapping[str, Any], block: Block, element: Input) -> Mapping[str, Any]:
    values = (view.get("state") or {}).get("values") or {}
    held = (values.get(block.value) or {}).get(element.value)
    return held if isinstance(held, Mapping) else {}


def read_modal(view: Mapping[str, Any], *, today: date) -> Form | Wrong:
    """What was filled into one of our modals; nothing for a modal without inputs of ours."""
    place = Place.decode(view.get("private_metadata"))
    language = place.language if place else "ja"
    match view.get("callback_id"):
        case Action.EDIT:
            return read_edit_modal(view, language=language)
        case Action.WISH:
            return read_wish_modal(view, language=language)
        case Action.SNOOZE:
            return read_snooze_modal(view, language=language, today=today)
        case Action.DISMISS:
            return read_dismiss_modal(view, language=language)
    return {}

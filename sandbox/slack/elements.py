"""Which interactive elements stand in these blocks, and what does a person's choice in one look like?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, dict[str, Json]]
"""What people chose or typed: block_id, then action_id, then `{type, value | selected_…}`."""

WRITTEN = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})
STATELESS = frozenset({"button", "overflow", "workflow_button", "icon_button", "feedback_buttons", "image"})
ONE_OPTION = frozenset({"static_select", "external_select", "radio_buttons", "overflow"})
MANY_OPTIONS = frozenset({"multi_static_select", "multi_external_select", "checkboxes"})
FIELDS = {
    "rich_text_input": ("rich_text_value", "initial_value"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", "initial_files"),
    **dict.fromkeys(WRITTEN, ("value", "initial_value")),
    **dict.fromkeys(ONE_OPTION, ("selected_option", "initial_option")),
    **dict.fromkeys(MANY_OPTIONS, ("selected_options", "initial_options")),
}
"""The field a choice travels in, and the field an element's first choice is given in."""


class NotPossible(Exception):
    """A person could not do this in Slack: the element, message, view or choice is not there."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An interactive element where it stands; `block` is the input block's own JSON when it stands in one."""

    block_id: str
    element: Json
    block: Json

    @property
    def action_id(self) -> str:
        return str(self.element["action_id"])

    @property
    def kind(self) -> str:
        return str(self.element["type"])


def with_ids(blocks: list[Json], new_id: Callable[[], str]) -> list[Json]:
    """The blocks as Slack stores them: every block with a block_id, every element with an action_id."""
    return [_block_with_ids(block, new_id) for block in blocks]


def _block_with_ids(block: Json, new_id: Callable[[], str]) -> Json:
    kept: Json = {**block, "block_id": block.get("block_id") or new_id()}
    for key in ("accessory", "element"):
        if key in kept:
            kept[key] = _element_with_id(kept[key], new_id)
    if kept["type"] in {"actions", "context_actions"}:
        kept["elements"] = [_element_with_id(each, new_id) for each in kept["elements"]]
    if "actions" in kept:
        kept["actions"] = [_element_with_id(each, new_id) for each in kept["actions"]]
    if kept["type"] == "carousel":
        kept["elements"] = with_ids(kept["elements"], new_id)
    if "child_blocks" in kept:
        kept["child_blocks"] = with_ids(kept["child_blocks"], new_id)
    return kept


def _element_with_id(element: Json, new_id: Callable[[], str]) -> Json:
    if element["type"] == "image":
        return element
    return {**element, "action_id": element.get("action_id") or new_id()}


def elements_of(blocks: list[Json]) -> Iterator[Placed]:
    """Every interactive element of stored blocks, in reading order."""
    for block in blocks:
        found: list[Json] = []
        if block["type"] in {"actions", "context_actions"}:
            found = block["elements"]
        for key in ("accessory", "element"):
            if key in block:
                found = [*found, block[key]]
        found = [*found, *block.get("actions", [])]
        yield from (Placed(block["block_id"], each, block) for each in found if each["type"] != "image")
        if block["type"] == "carousel":
            yield from elements_of(block["elements"])
        yield from elements_of(block.get("child_blocks", []))


def find(blocks: list[Json], action_id: str, block_id: str | None = None) -> Placed:
    """The element with this action_id; with `block_id` where several blocks have one. Raises NotPossible."""
    present = list(elements_of(blocks))
    matches = [
        each
        for each in present
        if each.action_id == action_id and (block_id is None or each.block_id == block_id)
    ]
    if not matches:
        there = ", ".join(each.action_id for each in present) or "none"
        raise NotPossible(f"there is no element {action_id!r} here; there are: {there}")
    if len(matches) > 1:
        places = ", ".join(each.block_id for each in matches)
        raise NotPossible(f"{action_id!r} stands in several blocks, say which block_id: {places}")
    return matches[0]


def first_state(element: Mapping[str, Any]) -> Json | None:
    """What an element holds before anyone touches it; None for buttons and the like, which hold nothing."""
    kind = element["type"]
    if kind in STATELESS or kind not in FIELDS:
        return None
    field, initial = FIELDS[kind]
    empty: Any = [] if field.endswith("s") and field != "files" else None
    held: Json = {"type": kind, field: element.get(initial, empty)}
    if kind == "timepicker" and "timezone" in element:
        held["timezone"] = element["timezone"]
    return held


def carried_state(blocks: list[Json], old: State | None = None) -> State:
    """The state of blocks: first choices, and from `old` what stands under the same two ids and type."""
    state: State = {}
    for placed in elements_of(blocks):
        held = first_state(placed.element)
        if held is None:
            continue
        before = (old or {}).get(placed.block_id, {}).get(placed.action_id)
        kept = before if before is not None and before["type"] == held["type"] else held
        state.setdefault(placed.block_id, {})[placed.action_id] = kept
    return state


def chosen(element: Mapping[str, Any], value: Any) -> Json:
    """The payload fields of a person's choice: option values or labels are looked up among the options.

    Raises NotPossible when the choice is not offered, too long, or not of the element's kind.
    """
    kind = str(element["type"])
    if kind in {"button", "icon_button", "workflow_button"}:
        pressed = {key: element[key] for key in ("value", "text", "style") if key in element}
        return {**pressed, "value": value} if value is not None else pressed
    if kind == "feedback_buttons":
        sides = [element["positive_button"], element["negative_button"]]
        side = next((each for each in sides if value in (each["value"], each["text"]["text"])), None)
        if side is None:
            raise NotPossible(f"{value!r} is neither of the two feedback buttons")
        return {"value": side["value"], "text": side["text"]}
    field, _ = FIELDS[kind]
    if kind in ONE_OPTION:
        return {field: None if value is None else _option(element, value)}
    if kind in MANY_OPTIONS:
        options = [_option(element, each) for each in value or []]
        if len(options) > element.get("max_selected_items", len(options)):
            raise NotPossible(f"no more than {element['max_selected_items']} may be chosen")
        return {field: options}
    if kind in WRITTEN:
        return {field: _text(element, value)}
    if field.endswith("s") and field != "files":
        return {field: list(value or [])}
    return {field: value}


def options_of(element: Mapping[str, Any]) -> list[Json]:
    """Every option of a menu, those of its groups included."""
    grouped = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *grouped]


def _option(element: Mapping[str, Any], value: Any) -> Json:
    if isinstance(value, Mapping) and "external" in str(element["type"]):
        return dict(value)
    offered = options_of(element)
    for option in offered:
        if value in (option, option["value"], option["text"]["text"]):
            return option
    labels = ", ".join(f"{option['value']} ({option['text']['text']})" for option in offered)
    raise NotPossible(f"{value!r} is not among the options: {labels or 'ask with suggest() first'}")


def _text(element: Mapping[str, Any], value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = str(value)
    if element["type"] == "number_input":
        _number(element, text)
    elif len(text) > element.get("max_length", 3000):
        raise NotPossible(f"Slack takes at most {element.get('max_length', 3000)} characters here")
    elif len(text) < element.get("min_length", 0):
        raise NotPossible(f"Slack asks for at least {element['min_length']} characters here")
    return text


def _number(element: Mapping[str, Any], text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        raise NotPossible(f"{text!r} is not a number") from None
    if not element["is_decimal_allowed"] and "." in text:
        raise NotPossible("Slack takes whole numbers only here")
    if number < float(element.get("min_value", number)) or number > float(element.get("max_value", number)):
        raise NotPossible(f"{text} is outside {element.get('min_value')} to {element.get('max_value')}")


def is_empty(held: Mapping[str, Any]) -> bool:
    """Whether an input's state holds nothing, so that Slack would ask for it before submitting."""
    return all(value in (None, "", []) for key, value in held.items() if key not in {"type", "timezone"})

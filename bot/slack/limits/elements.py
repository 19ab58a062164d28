"""Which interactive elements does Slack accept, and in which blocks may each stand?

Source: docs.slack.dev, Block Kit block elements; lengths are in characters.
"""

from collections.abc import Mapping
from itertools import pairwise
from zoneinfo import available_timezones

from bot.slack.limits.composition import (
    ACTION_ID,
    CHANNEL_ID,
    CONFIRM,
    CONVERSATION_FILTER,
    CONVERSATION_ID,
    DISPATCH,
    FEEDBACK_BUTTON,
    IMAGE_URL,
    OPTION_GROUP,
    OVERFLOW_OPTION,
    PLAIN_OPTION,
    RICH_OPTION,
    SLACK_FILE,
    URL,
    USER_ID,
    WORKFLOW,
    initial_among_options,
    max_selected,
    plain_text,
)
from bot.slack.limits.rich_text import RICH_TEXT
from bot.slack.limits.walk import (
    Check,
    Rule,
    Walk,
    array,
    boolean,
    choice,
    exactly_one_of,
    integer,
    string,
    tagged,
    typed,
)

DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
TIME = r"([01]\d|2[0-3]):[0-5]\d"
NUMBER = string(pattern=r"-?\d+(\.\d+)?")
STYLE = choice("primary", "danger")
LABEL = string(most=75)

FOCUS: dict[str, Check] = {"action_id": ACTION_ID, "focus_on_load": boolean}
ASKS: dict[str, Check] = {"confirm": CONFIRM}
HINTED: dict[str, Check] = {"placeholder": plain_text(150)}
MENU: dict[str, Check] = {**FOCUS, **ASKS, **HINTED}
MANY: dict[str, Check] = {"max_selected_items": max_selected()}
TYPED_IN: dict[str, Check] = {**FOCUS, **HINTED, "dispatch_action_config": DISPATCH}
OPTIONS: dict[str, Check] = {
    "options": array(PLAIN_OPTION, most=100),
    "option_groups": array(OPTION_GROUP, most=100),
}


def lengths_in_order(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    least, most, first = value.get("min_length"), value.get("max_length"), value.get("initial_value")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        walk.wrong(f"{pointer}/min_length", "must not exceed max_length")
    if isinstance(first, str) and isinstance(most, int) and len(first) > most:
        walk.wrong(f"{pointer}/initial_value", f"must be less than {most + 1} characters")
    if isinstance(first, str) and first and isinstance(least, int) and len(first) < least:
        walk.wrong(f"{pointer}/initial_value", f"must be more than {least - 1} characters")


def numbers_in_order(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    """Bounds and first value are numbers in order, whole ones where decimals are not allowed."""
    numbers: dict[str, float] = {}
    for key in ("min_value", "initial_value", "max_value"):
        written = value.get(key)
        if not isinstance(written, str):
            continue
        if value.get("is_decimal_allowed") is False and "." in written:
            walk.wrong(f"{pointer}/{key}", "must be a whole number")
        try:
            numbers[key] = float(written)
        except ValueError:
            continue
    for lower, higher in pairwise(numbers):
        if numbers[lower] > numbers[higher]:
            walk.wrong(f"{pointer}/{lower}", f"must not exceed {higher}")


def enough_options(key: str) -> Rule:
    def rule(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
        first, most = value.get(key), value.get("max_selected_items")
        if isinstance(first, list) and isinstance(most, int) and len(first) > most:
            walk.wrong(f"{pointer}/{key}", f"no more than {most} items allowed")

    return rule


def timezone(walk: Walk, pointer: str, value: object) -> None:
    if not isinstance(value, str) or value not in available_timezones():
        walk.wrong(pointer, "must be an IANA time zone")


IMAGE = typed(
    "image",
    {"alt_text": string(most=2000)},
    {"image_url": IMAGE_URL, "slack_file": SLACK_FILE},
    exactly_one_of("image_url", "slack_file"),
)
BUTTON = typed(
    "button",
    {"text": plain_text(75)},
    {
        "action_id": ACTION_ID,
        "url": URL,
        "value": string(most=2000),
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": LABEL,
        "agent_prompt": string(most=4000),
        "agent_prompt_display": string(),
        "visible_to_user_ids": array(USER_ID, most=10),
    },
)
OVERFLOW = typed(
    "overflow", {"options": array(OVERFLOW_OPTION, most=5)}, {"action_id": ACTION_ID, "confirm": CONFIRM}
)
URL_SOURCE = typed("url", {"url": URL, "text": string()}, {})


def select(
    kind: str, required: Mapping[str, Check], first: Mapping[str, Check], *rules: Rule
) -> dict[str, Check]:
    """A menu in its single and its `multi_` form; `first` names the single initial value."""
    (key, item), *_ = first.items()
    several = {f"{key}s": array(item, most=1000)}
    return {
        kind: typed(kind, required, {**MENU, **first}, *rules),
        f"multi_{kind}": typed(
            f"multi_{kind}", required, {**MENU, **MANY, **several}, *rules, enough_options(f"{key}s")
        ),
    }


def static_select() -> dict[str, Check]:
    one_source = exactly_one_of("options", "option_groups")
    return {
        "static_select": typed(
            "static_select",
            {},
            {**MENU, **OPTIONS, "initial_option": PLAIN_OPTION},
            one_source,
            initial_among_options("initial_option"),
        ),
        "multi_static_select": typed(
            "multi_static_select",
            {},
            {**MENU, **MANY, **OPTIONS, "initial_options": array(PLAIN_OPTION, most=100)},
            one_source,
            initial_among_options("initial_options"),
            enough_options("initial_options"),
        ),
    }


def conversations_select() -> dict[str, Check]:
    asked: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": CONVERSATION_FILTER}
    return {
        "conversations_select": typed(
            "conversations_select",
            {},
            {**MENU, **asked, "initial_conversation": CONVERSATION_ID, "response_url_enabled": boolean},
        ),
        "multi_conversations_select": typed(
            "multi_conversations_select",
            {},
            {**MENU, **MANY, **asked, "initial_conversations": array(CONVERSATION_ID, most=1000)},
        ),
        "channels_select": typed(
            "channels_select", {}, {**MENU, "initial_channel": CHANNEL_ID, "response_url_enabled": boolean}
        ),
        "multi_channels_select": typed(
            "multi_channels_select",
            {},
            {**MENU, **MANY, "initial_channels": array(CHANNEL_ID, most=1000)},
        ),
    }


def external_select() -> dict[str, Check]:
    asked: dict[str, Check] = {**MENU, "min_query_length": integer(0, 100)}
    return {
        "external_select": typed("external_select", {}, {**asked, "initial_option": PLAIN_OPTION}),
        "multi_external_select": typed(
            "multi_external_select",
            {},
            {**asked, **MANY, "initial_options": array(PLAIN_OPTION, most=100)},
        ),
    }


SINGLE_AND_MULTI: dict[str, Check] = {
    **static_select(),
    **external_select(),
    **select("users_select", {}, {"initial_user": USER_ID}),
    **conversations_select(),
}
CHOSEN: dict[str, Check] = {
    "checkboxes": typed(
        "checkboxes",
        {"options": array(RICH_OPTION, most=10)},
        {**FOCUS, **ASKS, "initial_options": array(RICH_OPTION, most=10)},
        initial_among_options("initial_options"),
    ),
    "radio_buttons": typed(
        "radio_buttons",
        {"options": array(RICH_OPTION, most=10)},
        {**FOCUS, **ASKS, "initial_option": RICH_OPTION},
        initial_among_options("initial_option"),
    ),
    "datepicker": typed("datepicker", {}, {**MENU, "initial_date": string(pattern=DATE)}),
    "timepicker": typed(
        "timepicker", {}, {**MENU, "initial_time": string(pattern=TIME), "timezone": timezone}
    ),
}
DATETIME: dict[str, Check] = {
    "datetimepicker": typed(
        "datetimepicker", {}, {**FOCUS, **ASKS, "initial_date_time": integer(1_000_000_000, 9_999_999_999)}
    )
}
WRITTEN: dict[str, Check] = {
    "plain_text_input": typed(
        "plain_text_input",
        {},
        {
            **TYPED_IN,
            "initial_value": string(least=0, most=3000),
            "multiline": boolean,
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        lengths_in_order,
    ),
    "rich_text_input": typed(
        "rich_text_input",
        {},
        {**TYPED_IN, "initial_value": RICH_TEXT, "min_lines": integer(1, 100), "max_lines": integer(1, 100)},
    ),
    "email_text_input": typed("email_text_input", {}, {**TYPED_IN, "initial_value": string(least=0)}),
    "url_text_input": typed("url_text_input", {}, {**TYPED_IN, "initial_value": string(least=0)}),
    "number_input": typed(
        "number_input",
        {"is_decimal_allowed": boolean},
        {**TYPED_IN, "initial_value": NUMBER, "min_value": NUMBER, "max_value": NUMBER},
        numbers_in_order,
    ),
    "file_input": typed(
        "file_input",
        {},
        {"action_id": ACTION_ID, "filetypes": array(string(), most=100), "max_files": integer(1, 10)},
    ),
}
PRESSED: dict[str, Check] = {
    "button": BUTTON,
    "overflow": OVERFLOW,
    "workflow_button": typed(
        "workflow_button",
        {"text": plain_text(75), "workflow": WORKFLOW},
        {"action_id": ACTION_ID, "style": STYLE, "accessibility_label": LABEL},
    ),
}
SINGLE = {kind: check for kind, check in SINGLE_AND_MULTI.items() if not kind.startswith("multi_")}

ACCESSORY = tagged({**PRESSED, **SINGLE_AND_MULTI, **CHOSEN, "image": IMAGE})
"""What may stand beside a section's text."""
IN_ACTIONS = tagged({**PRESSED, **SINGLE, **CHOSEN, **DATETIME})
"""What may stand in an actions block; multi-selects may not."""
IN_INPUT = tagged({**WRITTEN, **SINGLE_AND_MULTI, **CHOSEN, **DATETIME})
"""What may stand in an input block; buttons and overflow menus may not."""
IN_CONTEXT_ACTIONS = tagged(
    {
        "feedback_buttons": typed(
            "feedback_buttons",
            {"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON},
            {"action_id": ACTION_ID},
        ),
        "icon_button": typed(
            "icon_button",
            {"icon": choice("trash"), "text": plain_text(75)},
            {
                "action_id": ACTION_ID,
                "value": string(most=2000),
                "confirm": CONFIRM,
                "accessibility_label": LABEL,
                "visible_to_user_ids": array(USER_ID, most=10),
            },
        ),
    }
)
CARD_BUTTONS = tagged({"button": BUTTON})

"""Which blocks does Slack accept, and on which surface?

Source: docs.slack.dev, Block Kit blocks; lengths are in characters.
"""

from collections.abc import Mapping

from bot.slack.limits.composition import BLOCK_ID, IMAGE_URL, SLACK_FILE, URL, plain_text, text_object
from bot.slack.limits.elements import (
    ACCESSORY,
    CARD_BUTTONS,
    IMAGE,
    IN_ACTIONS,
    IN_CONTEXT_ACTIONS,
    IN_INPUT,
    OVERFLOW,
    URL_SOURCE,
)
from bot.slack.limits.rich_text import RICH_TEXT
from bot.slack.limits.tables import DATA_TABLE, DATA_VISUALIZATION, TABLE
from bot.slack.limits.walk import (
    Check,
    Surface,
    Walk,
    anything,
    array,
    boolean,
    choice,
    exactly_one_of,
    found,
    integer,
    record,
    some_of,
    string,
    tagged,
    typed,
    unique,
)

EVERYWHERE: frozenset[Surface] = frozenset({"message", "modal", "home"})
MESSAGE: frozenset[Surface] = frozenset({"message"})
MODAL: frozenset[Surface] = frozenset({"modal"})
NESTING = frozenset({"child_blocks", "fallback"})
"""Keys that hold whole blocks, whose action ids are counted on their own."""

HTTPS = string(most=3000, pattern=r"https://\S+")
ID: dict[str, Check] = {"block_id": BLOCK_ID}


def file_input_in_modal(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    element = value.get("element")
    if isinstance(element, Mapping) and element.get("type") == "file_input" and walk.surface != "modal":
        walk.wrong(f"{pointer}/element/type", f"unsupported type: file_input (not in a {walk.surface})")


def divider_or_collapsible(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    if value.get("is_collapsible") and "has_header_divider" in value:
        walk.wrong(f"{pointer}/has_header_divider", "must not be set with is_collapsible")


_CARD = typed(
    "card",
    {},
    {
        **ID,
        "hero_image": IMAGE,
        "icon": IMAGE,
        "title": text_object(150),
        "subtitle": text_object(150),
        "body": text_object(200),
        "actions": array(CARD_BUTTONS, most=3),
    },
    some_of("hero_image", "title", "actions", "body"),
)
_TASK_CARD = typed(
    "task_card",
    {
        "task_id": string(),
        "title": string(),
        "status": choice("pending", "in_progress", "complete", "error"),
    },
    {**ID, "details": RICH_TEXT, "output": RICH_TEXT, "sources": array(URL_SOURCE, least=0, most=100)},
)
_SIMPLE: dict[str, Check] = {
    "section": typed(
        "section",
        {},
        {
            **ID,
            "text": text_object(3000),
            "fields": array(text_object(2000), most=10),
            "accessory": ACCESSORY,
            "expand": boolean,
        },
        some_of("text", "fields"),
    ),
    "divider": typed("divider", {}, ID),
    "header": typed("header", {"text": plain_text(150)}, {**ID, "level": integer(1, 4)}),
    "image": typed(
        "image",
        {"alt_text": string(most=2000)},
        {**ID, "image_url": IMAGE_URL, "slack_file": SLACK_FILE, "title": plain_text(2000)},
        exactly_one_of("image_url", "slack_file"),
    ),
    "actions": typed("actions", {"elements": array(IN_ACTIONS, most=25)}, ID),
    "context": typed(
        "context",
        {
            "elements": array(
                tagged({"image": IMAGE, "plain_text": text_object(3000), "mrkdwn": text_object(3000)}),
                most=10,
            )
        },
        ID,
    ),
    "video": typed(
        "video",
        {
            "alt_text": string(most=200),
            "video_url": HTTPS,
            "thumbnail_url": IMAGE_URL,
            "title": plain_text(200),
        },
        {
            **ID,
            "title_url": HTTPS,
            "description": plain_text(200),
            "provider_icon_url": IMAGE_URL,
            "provider_name": string(most=50),
            "author_name": string(most=50),
        },
    ),
    "table": TABLE,
}
IN_CONTAINER = tagged(_SIMPLE)
"""What both Slack's documentation and its live validator were seen to accept inside a container."""

_OTHER: dict[str, Check] = {
    "input": typed(
        "input",
        {"label": plain_text(2000), "element": IN_INPUT},
        {**ID, "hint": plain_text(2000), "optional": boolean, "dispatch_action": boolean},
        file_input_in_modal,
    ),
    "rich_text": RICH_TEXT,
    "markdown": typed("markdown", {"text": string(most=12_000)}, ID),
    "context_actions": typed("context_actions", {"elements": array(IN_CONTEXT_ACTIONS, most=5)}, ID),
    "file": typed("file", {"external_id": string(), "source": choice("remote")}, ID),
    "call": typed(
        "call", {"call_id": string()}, {**ID, "api_decoration_available": boolean, "call": anything}
    ),
    "task_card": _TASK_CARD,
    "plan": typed("plan", {"title": string()}, {**ID, "tasks": array(_TASK_CARD, least=0, most=50)}),
    "card": _CARD,
    "carousel": typed("carousel", {"elements": array(_CARD, most=10)}, ID),
    "alert": typed(
        "alert",
        {"text": text_object(200)},
        {**ID, "level": choice("default", "info", "warning", "error", "success")},
    ),
    "container": typed(
        "container",
        {"child_blocks": array(IN_CONTAINER, most=10)},
        {
            **ID,
            "title": plain_text(150),
            "rich_text_title": RICH_TEXT,
            "subtitle": text_object(150),
            "icon": IMAGE,
            "width": choice("narrow", "standard", "wide", "full"),
            "is_collapsible": boolean,
            "default_collapsed": boolean,
            "has_header_divider": boolean,
        },
        exactly_one_of("title", "rich_text_title"),
        divider_or_collapsible,
    ),
    "auth_provider": typed(
        "auth_provider",
        {"value": string(most=150), "name": plain_text(75), "is_connected": boolean},
        {
            **ID,
            "description": plain_text(150),
            "icon_url": IMAGE_URL,
            "auth_url": URL,
            "disconnect_url": URL,
            "connected_identity": plain_text(75),
            "connected_context": plain_text(75),
            "accessory": OVERFLOW,
            "fallback": array(IN_CONTAINER, most=10),
        },
    ),
    "data_table": DATA_TABLE,
    "data_visualization": DATA_VISUALIZATION,
    "layout": typed(
        "layout",
        {"label": string(most=150), "rows": array(record({"blocks": array(IN_CONTAINER, most=10)}), most=5)},
        {
            **ID,
            "is_label_visible": boolean,
            "grid_lines": choice("none", "rows", "outer"),
            "fallback": array(IN_CONTAINER, most=10),
        },
    ),
}
BLOCK = tagged({**_SIMPLE, **_OTHER})

SURFACES: dict[str, frozenset[Surface]] = {
    **dict.fromkeys((*_SIMPLE, *_OTHER), EVERYWHERE),
    **dict.fromkeys(
        (
            "markdown", "table", "context_actions", "file", "call", "task_card", "plan", "card", "carousel",
            "data_table", "data_visualization", "layout",
        ),
        MESSAGE,
    ),
    "alert": MODAL,
    "container": frozenset({"message", "modal"}),
    "auth_provider": frozenset({"message", "modal"}),
}  # fmt: skip


def block(walk: Walk, pointer: str, value: object) -> None:
    """One top-level block: its schema, its surface, and that its action ids differ."""
    before = len(walk.problems)
    BLOCK(walk, pointer, value)
    if not isinstance(value, Mapping):
        return
    kind = value.get("type")
    if isinstance(kind, str) and walk.surface not in SURFACES.get(kind, EVERYWHERE):
        del walk.problems[before:]
        walk.wrong(f"{pointer}/type", f"unsupported type: {kind} (not in a {walk.surface})")
        return
    for inside, part in [(pointer, value), *_nested(value, pointer)]:
        places = (
            place
            for place in found(part, "action_id", inside, outside=NESTING)
            if place[0].endswith("/action_id")
        )
        unique(walk, places, 'action_id "{}" already exists in this block')


def _nested(value: Mapping[str, object], pointer: str) -> list[tuple[str, object]]:
    parts: list[tuple[str, object]] = []
    for key in NESTING:
        children = value.get(key)
        if isinstance(children, list):
            parts += [(f"{pointer}/{key}/{at}", child) for at, child in enumerate(children)]
    return parts

"""What does a message or a view say, as plain text a person could read?"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from sandbox.slack.elements import Json, State, options_of

MENUS = frozenset(
    {"static_select", "external_select", "users_select", "conversations_select", "channels_select"}
)

_MARKED = re.compile(
    r"<!date\^(?P<at>\d+)\^[^>]*>|<@(?P<member>\w+)[^>]*>|<#\w+\|(?P<channel>[^>]+)>"
    r"|<https?://[^|>]+\|(?P<words>[^>]+)>|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
)


def plain_text(blocks: Sequence[Json], state: State | None = None) -> str:
    """The blocks as lines of text: buttons and menus in brackets, inputs with what they hold."""
    lines = [line for block in blocks for line in _lines(block, state or {})]
    return "\n".join(lines)


def as_read(text: str, *, names: Mapping[str, str], zone: tzinfo) -> str:
    """Slack's markup as its client shows it: names for ids, local times for dates, no bold marks.

    `names`: members' names by id. Moments read `10/20 10:00` in `zone`.
    """

    def shown(mark: re.Match[str]) -> str:
        if mark["at"]:
            return f"{datetime.fromtimestamp(int(mark['at']), UTC).astimezone(zone):%m/%d %H:%M}"
        if mark["member"]:
            return f"@{names.get(mark['member'], mark['member'])}"
        return mark["bold"] or mark["words"] or f"#{mark['channel']}"

    read = _MARKED.sub(shown, text)
    return read.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def label(element: Mapping[str, Any]) -> str:
    """What stands on an element: a button's text, a menu's placeholder, an overflow's options."""
    kind = element["type"]
    if "text" in element and isinstance(element["text"], Mapping):
        return str(element["text"]["text"])
    if kind in {"overflow", "checkboxes", "radio_buttons"}:
        return " | ".join(option["text"]["text"] for option in options_of(element))
    if kind == "feedback_buttons":
        return f"{element['positive_button']['text']['text']} | {element['negative_button']['text']['text']}"
    placeholder = element.get("placeholder")
    return str(placeholder["text"]) if placeholder else kind


def rich_text(element: Mapping[str, Any]) -> str:
    """The characters of a rich text block or a part of one."""
    kind = element["type"]
    if kind == "rich_text_list":
        return "\n".join(f"• {rich_text(each)}" for each in element["elements"])
    if kind == "rich_text":
        return "\n".join(rich_text(each) for each in element["elements"])
    if "elements" in element:
        inner = "".join(rich_text(each) for each in element["elements"])
        return "\n".join(f"> {line}" for line in inner.split("\n")) if kind == "rich_text_quote" else inner
    marks = {"user": "<@{user_id}>", "channel": "<#{channel_id}>", "usergroup": "<!subteam^{usergroup_id}>"}
    marks |= {"emoji": ":{name}:", "broadcast": "<!{range}>", "color": "{value}", "date": "{fallback}"}
    if kind in marks:
        return marks[kind].format_map({"fallback": "", **element})
    return str(element.get("text") or element.get("url", ""))


def pings_everyone(shown: Any) -> bool:
    """Whether a text or blocks hold a live @channel, @here or @everyone; plain_text is never live."""
    if isinstance(shown, str):
        return any(ping in shown for ping in ("<!channel", "<!here", "<!everyone"))
    if isinstance(shown, list):
        return any(pings_everyone(each) for each in shown if isinstance(each, list | dict))
    if shown.get("type") in {"mrkdwn", "markdown"}:
        return pings_everyone(shown["text"])
    if shown.get("type") == "broadcast":
        return True
    return any(pings_everyone(each) for each in shown.values() if isinstance(each, list | dict))


def _lines(block: Json, state: State) -> list[str]:
    kind = block["type"]
    if kind in {"header", "section", "context", "actions", "context_actions", "input", "image"}:
        return _common(kind, block, state)
    if kind == "rich_text":
        return rich_text(block).split("\n")
    if kind in {"table", "data_table"}:
        return [" | ".join(_cell(cell) for cell in row) for row in block["rows"]]
    if kind == "data_visualization":
        return _chart(block)
    if kind == "divider":
        return ["---"]
    if kind in {"markdown", "alert"}:
        text = block["text"]
        return [text if isinstance(text, str) else text["text"]]
    return _nested(block, state)


def _common(kind: str, block: Json, state: State) -> list[str]:
    held = state.get(block.get("block_id", ""), {})
    if kind == "header":
        return [f"# {block['text']['text']}"]
    if kind == "section":
        lines = [block["text"]["text"]] if "text" in block else []
        lines += [field["text"] for field in block.get("fields", [])]
        return [*lines, _element(block["accessory"], held)] if "accessory" in block else lines
    if kind == "context":
        return [" · ".join(_small(each) for each in block["elements"])]
    if kind == "input":
        return [f"{block['label']['text']}: {_element(block['element'], held)}"]
    if kind == "image":
        return [f"(image: {block['alt_text']})"]
    return [" ".join(_element(each, held) for each in block["elements"])]


def _small(element: Json) -> str:
    return f"(image: {element['alt_text']})" if element["type"] == "image" else str(element["text"])


def _element(element: Json, held: Mapping[str, Json]) -> str:
    if element["type"] == "image":
        return f"(image: {element['alt_text']})"
    value = held.get(element.get("action_id", ""))
    if value is not None:
        shown = [_shown(item) for key, item in value.items() if key not in {"type", "timezone"} and item]
        if shown:
            return f"[{shown[0]}]"
    return f"[{label(element)}]"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    if isinstance(value, Mapping):
        text = value.get("text")
        return str(text["text"]) if isinstance(text, Mapping) else rich_text(value)
    return str(value)


def _cell(cell: Json) -> str:
    if cell["type"] == "rich_text":
        return rich_text(cell)
    return str(cell.get("text", cell.get("value", "")))


def _chart(block: Json) -> list[str]:
    chart = block["chart"]
    if chart["type"] == "pie":
        parts = [f"{each['label']} {each['value']}" for each in chart["segments"]]
        return [f"(pie: {block['title']}) {', '.join(parts)}"]
    lines = [f"({chart['type']}: {block['title']})"]
    for series in chart["series"]:
        points = ", ".join(f"{point['label']} {point['value']}" for point in series["data"])
        lines.append(f"{series['name']}: {points}")
    return lines


def _nested(block: Json, state: State) -> list[str]:
    lines = []
    for key in ("title", "subtitle", "body", "label", "caption"):
        text = block.get(key)
        if text:
            lines.append(text if isinstance(text, str) else text["text"])
    children = block.get("child_blocks") or (block["elements"] if block["type"] == "carousel" else [])
    lines += [line for child in children for line in _lines(child, state)]
    if block.get("actions"):
        lines.append(" ".join(f"[{label(each)}]" for each in block["actions"]))
    return lines

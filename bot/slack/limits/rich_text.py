"""Which rich text does Slack accept?

Source: docs.slack.dev, rich text block.
"""

from bot.slack.limits.composition import BLOCK_ID, URL
from bot.slack.limits.walk import Check, array, boolean, choice, integer, record, string, tagged, typed

MOST = 3000
"""Elements in one list here; Slack documents no limit, the budget of a message binds first."""

_STYLES: dict[str, Check] = dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean)
_STYLE: dict[str, Check] = {"style": record({}, _STYLES)}
_MENTION: dict[str, Check] = {
    "style": record({}, {**_STYLES, **dict.fromkeys(("highlight", "client_highlight", "unlink"), boolean)})
}
_TEXT = typed("text", {"text": string()}, _STYLE)
_LINK = typed("link", {"url": URL}, {"text": string(), "unsafe": boolean, **_STYLE})

INLINE = tagged(
    {
        "text": _TEXT,
        "link": _LINK,
        "emoji": typed(
            "emoji", {"name": string()}, {"unicode": string(), "skin_tone": integer(1, 6), **_STYLE}
        ),
        "user": typed("user", {"user_id": string()}, _MENTION),
        "usergroup": typed("usergroup", {"usergroup_id": string()}, _MENTION),
        "channel": typed("channel", {"channel_id": string()}, _MENTION),
        "team": typed("team", {"team_id": string()}, _MENTION),
        "broadcast": typed("broadcast", {"range": choice("here", "channel", "everyone")}, _STYLE),
        "color": typed("color", {"value": string(pattern=r"#[0-9A-Fa-f]{6}")}, _STYLE),
        "date": typed(
            "date",
            {"timestamp": integer(0, 9_999_999_999), "format": string()},
            {"url": URL, "fallback": string(), **_STYLE},
        ),
    }
)
_SECTION = typed("rich_text_section", {"elements": array(INLINE, least=0, most=MOST)}, {})
_INDENT: dict[str, Check] = {"indent": integer(0, 8), "offset": integer(0, 100_000), "border": integer(0, 1)}

RICH_TEXT = typed(
    "rich_text",
    {
        "elements": array(
            tagged(
                {
                    "rich_text_section": _SECTION,
                    "rich_text_list": typed(
                        "rich_text_list",
                        {"style": choice("bullet", "ordered"), "elements": array(_SECTION, most=MOST)},
                        _INDENT,
                    ),
                    "rich_text_preformatted": typed(
                        "rich_text_preformatted",
                        {"elements": array(tagged({"text": _TEXT, "link": _LINK}), most=MOST)},
                        {"border": integer(0, 1), "language": string()},
                    ),
                    "rich_text_quote": typed(
                        "rich_text_quote",
                        {"elements": array(INLINE, most=MOST)},
                        {"border": integer(0, 1)},
                    ),
                }
            ),
            most=MOST,
        )
    },
    {"block_id": BLOCK_ID},
)

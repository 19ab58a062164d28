"""Which template messages does LINE accept?"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.line.limits.actions import action
from bot.line.limits.shapes import (
    Problem,
    Rule,
    Shape,
    anything,
    array,
    grapheme_len,
    matching,
    objects,
    one_of,
    tagged,
    text,
    uri,
)

_COLOR = matching(r"#[0-9A-Fa-f]{6}", "a colour like #RRGGBB")
_IMAGE = uri(2000)


def _shorter_with_image_or_title(most: int) -> Rule:
    def rule(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
        words = value.get("text")
        is_shorter = bool(value.get("thumbnailImageUrl") or value.get("title"))
        if is_shorter and isinstance(words, str) and grapheme_len(words) > most:
            yield Problem(f"{at}.text", f"Length must be between 0 and {most}")

    return rule


def _columns_alike(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    columns = objects(value, "columns")
    for name in ("thumbnailImageUrl", "title"):
        if len({name in column for column in columns}) > 1:
            yield Problem(f"{at}.columns", f"All columns must have {name}, or none")
    counts = {len(c["actions"]) for c in columns if isinstance(c.get("actions"), list | tuple)}
    if len(counts) > 1:
        yield Problem(f"{at}.columns", "All columns must have the same number of actions")


_buttons = Shape(
    required={
        "type": anything,
        "text": text(160, graphemes=True),
        "actions": array(action("template"), 1, 4),
    },
    optional={
        "thumbnailImageUrl": _IMAGE,
        "imageAspectRatio": one_of("rectangle", "square"),
        "imageSize": one_of("cover", "contain"),
        "imageBackgroundColor": _COLOR,
        "title": text(40, graphemes=True),
        "defaultAction": action("default_action"),
    },
    rules=(_shorter_with_image_or_title(60),),
)
_confirm = Shape(
    required={
        "type": anything,
        "text": text(240, graphemes=True),
        "actions": array(action("template"), 2, 2),
    }
)
_column = Shape(
    required={"text": text(120, graphemes=True), "actions": array(action("template"), 1, 3)},
    optional={
        "thumbnailImageUrl": _IMAGE,
        "imageBackgroundColor": _COLOR,
        "title": text(40, graphemes=True),
        "defaultAction": action("default_action"),
    },
    rules=(_shorter_with_image_or_title(60),),
)
_carousel = Shape(
    required={"type": anything, "columns": array(_column, 1, 10)},
    optional={
        "imageAspectRatio": one_of("rectangle", "square"),
        "imageSize": one_of("cover", "contain"),
    },
    rules=(_columns_alike,),
)
_image_column = Shape(required={"imageUrl": _IMAGE, "action": action("image_carousel")})
_image_carousel = Shape(required={"type": anything, "columns": array(_image_column, 1, 10)})

template = tagged(
    {"buttons": _buttons, "confirm": _confirm, "carousel": _carousel, "image_carousel": _image_carousel}
)
"""A template object (Messaging API reference, Template messages)."""

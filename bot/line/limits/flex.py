"""Which Flex containers does LINE accept?"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.line.limits.actions import action
from bot.line.limits.shapes import (
    Check,
    Problem,
    Shape,
    anything,
    array,
    boolean,
    integer,
    matching,
    objects,
    one_of,
    tagged,
    text,
    uri,
)

BUBBLE_BYTES = 30 * 1024
CAROUSEL_BYTES = 50 * 1024
CAROUSEL_BUBBLES = 12
ANIMATED_IMAGES = 10
_WITH_VIDEO = {"kilo", "mega", "giga"}

_KEYWORDS = ("none", "xs", "sm", "md", "lg", "xl", "xxl")
_SIZES = ("xxs", "xs", "sm", "md", "lg", "xl", "xxl", "3xl", "4xl", "5xl")
_PX = r"\d+(\.\d+)?px"
_PX_OR_PERCENT = r"\d+(\.\d+)?(px|%)"
_color = matching(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?", "a colour like #RRGGBB or #RRGGBBAA")
_margin = matching(_PX, "pixels", *_KEYWORDS)
_offset = matching(r"-?\d+(\.\d+)?(px|%)", "pixels or per cent", *_KEYWORDS)
_padding = matching(_PX_OR_PERCENT, "pixels or per cent", *_KEYWORDS)
_length = matching(_PX_OR_PERCENT, "pixels or per cent")
_ratio = matching(r"\d{1,6}(\.\d+)?:\d{1,6}(\.\d+)?", "a ratio like 20:13")
_flex = integer(0, 1000)
_action = action("flex")

_place: dict[str, Check] = {
    "position": one_of("relative", "absolute"),
    **dict.fromkeys(("offsetTop", "offsetBottom", "offsetStart", "offsetEnd"), _offset),
}
_align = one_of("start", "end", "center")
_gravity = one_of("top", "bottom", "center")


def _ratio_not_too_tall(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    ratio = value.get("aspectRatio")
    if not isinstance(ratio, str) or any(_ratio(ratio, at)):
        return
    width, height = (float(side) for side in ratio.split(":"))
    if not 1 <= width <= 100_000 or not 1 <= height <= 100_000 or height > 3 * width:
        yield Problem(f"{at}.aspectRatio", "Each side 1 to 100000, the height at most three times the width")


def _text_or_spans(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if value.get("text") is None and not value.get("contents"):
        yield Problem(f"{at}.text", "May not be empty")


_lettering: dict[str, Check] = {
    "size": matching(_PX, "pixels", *_SIZES),
    "color": _color,
    "weight": one_of("regular", "bold"),
    "style": one_of("normal", "italic"),
    "decoration": one_of("none", "underline", "line-through"),
}
_span = Shape(required={"type": one_of("span"), "text": text(10_000)}, optional=_lettering)
_text = Shape(
    required={"type": anything},
    optional={
        "text": text(10_000),
        "contents": array(_span, 0, 1000),
        "flex": _flex,
        "margin": _margin,
        "align": _align,
        "gravity": _gravity,
        "wrap": boolean,
        "lineSpacing": matching(_PX, "pixels"),
        "maxLines": integer(0, 2_147_483_647),
        "adjustMode": one_of("shrink-to-fit"),
        "scaling": boolean,
        "action": _action,
        **_lettering,
        **_place,
    },
    rules=(_text_or_spans,),
)
_button = Shape(
    required={"type": anything, "action": action("flex_button")},
    optional={
        "flex": _flex,
        "margin": _margin,
        "height": one_of("sm", "md"),
        "style": one_of("primary", "secondary", "link"),
        "color": _color,
        "gravity": _gravity,
        "adjustMode": one_of("shrink-to-fit"),
        "scaling": boolean,
        **_place,
    },
)
_image = Shape(
    required={"type": anything, "url": uri(2000)},
    optional={
        "flex": _flex,
        "margin": _margin,
        "align": _align,
        "gravity": _gravity,
        "size": matching(_PX_OR_PERCENT, "pixels or per cent", *_SIZES, "full"),
        "aspectRatio": _ratio,
        "aspectMode": one_of("fit", "cover"),
        "backgroundColor": _color,
        "animated": boolean,
        "action": _action,
        **_place,
    },
    rules=(_ratio_not_too_tall,),
)
_icon = Shape(
    required={"type": anything, "url": uri(2000)},
    optional={
        "margin": _margin,
        "size": matching(_PX, "pixels", *_SIZES),
        "aspectRatio": _ratio,
        "scaling": boolean,
        **_place,
    },
    rules=(_ratio_not_too_tall,),
)
_separator = Shape(required={"type": anything}, optional={"margin": _margin, "color": _color})
_filler = Shape(required={"type": anything}, optional={"flex": _flex})
_gradient = Shape(
    required={
        "type": one_of("linearGradient"),
        "angle": matching(r"(\d|[1-9]\d|[12]\d\d|3[0-5]\d)(\.\d+)?deg", "an angle like 45deg, below 360"),
        "startColor": _color,
        "endColor": _color,
    },
    optional={"centerColor": _color, "centerPosition": matching(r"(100|\d{1,2}(\.\d+)?)%", "0% to 100%")},
)


def _box_contents(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if "contents" in value:
        allowed = _in_baseline if value.get("layout") == "baseline" else _in_rows
        yield from array(allowed, 0, 1000)(value["contents"], f"{at}.contents")


_box = Shape(
    required={"type": anything, "layout": one_of("horizontal", "vertical", "baseline"), "contents": anything},
    optional={
        "flex": _flex,
        "spacing": _margin,
        "margin": _margin,
        "width": _length,
        "maxWidth": _length,
        "height": _length,
        "maxHeight": _length,
        "backgroundColor": _color,
        "borderColor": _color,
        "borderWidth": matching(_PX, "pixels", "none", "light", "normal", "medium", "semi-bold", "bold"),
        "cornerRadius": matching(_PX, "pixels", *_KEYWORDS),
        "justifyContent": one_of(
            "center", "flex-start", "flex-end", "space-between", "space-around", "space-evenly"
        ),
        "alignItems": one_of("center", "flex-start", "flex-end"),
        "background": _gradient,
        "action": _action,
        **dict.fromkeys(
            ("paddingAll", "paddingTop", "paddingBottom", "paddingStart", "paddingEnd"), _padding
        ),
        **_place,
    },
    rules=(_box_contents,),
)
_in_baseline = tagged({"icon": _icon, "text": _text, "filler": _filler})
_in_rows = tagged(
    {
        "box": _box,
        "button": _button,
        "image": _image,
        "text": _text,
        "separator": _separator,
        "filler": _filler,
    }
)
_video = Shape(
    required={
        "type": anything,
        "url": uri(2000),
        "previewUrl": uri(2000),
        "altContent": tagged({"box": _box, "image": _image}),
    },
    optional={"aspectRatio": _ratio, "action": _action},
    rules=(_ratio_not_too_tall,),
)


def _has_a_block(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if not any(value.get(block) for block in ("header", "hero", "body", "footer")):
        yield Problem(at, "At least one block must be specified")


def _video_needs_width(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    if _has_video(value) and str(value.get("size", "mega")) not in _WITH_VIDEO:
        yield Problem(f"{at}.size", "Must be kilo, mega or giga with a video")


def _has_video(bubble: Any) -> bool:
    hero = bubble.get("hero") if isinstance(bubble, Mapping) else None
    return isinstance(hero, Mapping) and hero.get("type") == "video"


_block_style = Shape(optional={"backgroundColor": _color, "separator": boolean, "separatorColor": _color})
_only_box = tagged({"box": _box})
_bubble = Shape(
    required={"type": one_of("bubble")},
    optional={
        "size": one_of("nano", "micro", "deca", "hecto", "kilo", "mega", "giga"),
        "direction": one_of("ltr", "rtl"),
        "header": _only_box,
        "hero": tagged({"box": _box, "image": _image, "video": _video}),
        "body": _only_box,
        "footer": _only_box,
        "styles": Shape(optional=dict.fromkeys(("header", "hero", "body", "footer"), _block_style)),
        "action": _action,
    },
    rules=(_has_a_block, _video_needs_width),
)


def _carousel_alike(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    bubbles = objects(value, "contents")
    if len({str(bubble.get("size", "mega")) for bubble in bubbles}) > 1:
        yield Problem(f"{at}.contents", "All bubbles must have the same size")
    for index, bubble in enumerate(bubbles):
        if _has_video(bubble):
            yield Problem(f"{at}.contents[{index}].hero", "A video may not be in a carousel")


_carousel = Shape(
    required={"type": anything, "contents": array(_bubble, 1, CAROUSEL_BUBBLES)}, rules=(_carousel_alike,)
)
_container = tagged({"bubble": _bubble, "carousel": _carousel})


def container(value: Any, at: str) -> Iterator[Problem]:
    """A Flex container (Messaging API reference, Flex Message), its size in ASCII-escaped JSON bytes.

    LINE does not say whether it measures escaped or UTF-8 JSON: the longer of the two is held to the limit.
    """
    shape_problems = list(_container(value, at))
    yield from shape_problems
    if not isinstance(value, Mapping):
        return
    most = CAROUSEL_BYTES if value.get("type") == "carousel" else BUBBLE_BYTES
    if not shape_problems and len(json.dumps(value, separators=(",", ":"))) > most:
        yield Problem(at, f"JSON size must be at most {most} bytes")
    if _animated(value) > ANIMATED_IMAGES:
        yield Problem(at, f"At most {ANIMATED_IMAGES} animated images")


def _animated(value: Any) -> int:
    if isinstance(value, Mapping):
        return int(value.get("animated") is True) + sum(_animated(inner) for inner in value.values())
    return sum(_animated(inner) for inner in value) if isinstance(value, list | tuple) else 0

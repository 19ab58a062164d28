"""Which message objects does LINE accept?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.line.limits.actions import action, imagemap_action, imagemap_area
from bot.line.limits.flex import container
from bot.line.limits.shapes import (
    Check,
    Problem,
    Shape,
    anything,
    array,
    found,
    integer,
    number,
    objects,
    one_of,
    tagged,
    text,
    uri,
)
from bot.line.limits.templates import template

TEXT_MOST = 5000
ALT_TEXT_MOST = 1500
SENDABLE_STICKER_PACKAGES = frozenset(
    map(str, (446, 789, 1070, 6136, 6325, 6359, 6362, 6370, 6632, 8515, 8522, 8525, 11537, 11538, 11539))
)
"""Sticker sets a bot may send (List of available stickers, 2025-10)."""

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([0-9A-Za-z_]{1,20})\}|[{}]")
_BRAND = re.compile(r"(?<![A-Za-z])line(?![A-Za-z])|ＬＩＮＥ", re.IGNORECASE)


def _emojis_at_dollars(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    words = value.get("text")
    if not isinstance(words, str):
        return
    units = words.encode("utf-16-le", "surrogatepass")
    for nth, emoji in enumerate(objects(value, "emojis")):
        index = emoji.get("index")
        if isinstance(index, int) and units[2 * index : 2 * index + 2] != b"$\0":
            yield Problem(f"{at}.emojis[{nth}].index", "Must be the position of a $ in the text")


def _placeholders_known(value: Mapping[str, Any], at: str) -> Iterator[Problem]:
    words, known = value.get("text"), value.get("substitution") or {}
    if not isinstance(words, str) or not isinstance(known, Mapping):
        return
    for match in _PLACEHOLDER.finditer(words):
        if match[0] in "{}":
            yield Problem(f"{at}.text", "Braces must pair; write {{ and }} for braces")
        elif match[1] and match[1] not in known:
            yield Problem(f"{at}.substitution", f"Must have the key {match[1]}")
    kinds = [inner.get("type") for inner in known.values() if isinstance(inner, Mapping)]
    for kind in ("mention", "emoji"):
        if kinds.count(kind) > 20:
            yield Problem(f"{at}.substitution", f"At most 20 objects of type {kind}")


_mentionee = tagged(
    {
        "user": Shape(required={"type": anything, "userId": text(33, pattern="U[0-9a-f]{32}")}),
        "all": Shape(required={"type": anything}),
    }
)
_substitute = tagged(
    {
        "mention": Shape(required={"type": anything, "mentionee": _mentionee}),
        "emoji": Shape(required={"type": anything, "productId": text(100), "emojiId": text(100)}),
    }
)
_key = text(20, pattern="[0-9A-Za-z_]{1,20}")


def _substitution(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(at, "Must be an object")
        return
    if len(value) > 100:
        yield Problem(at, "Size must be between 0 and 100")
    for key, inner in value.items():
        yield from _key(key, f"{at}.{key}")
        yield from _substitute(inner, f"{at}.{key}")


def _sender_name(value: Any, at: str) -> Iterator[Problem]:
    yield from text(20)(value, at)
    if isinstance(value, str) and _BRAND.search(value):
        yield Problem(at, "Must not contain LINE")


def _sendable_sticker(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, str) or value not in SENDABLE_STICKER_PACKAGES:
        yield Problem(at, "Must be a package a bot may send")


_quick_reply_item = Shape(
    required={"type": one_of("action"), "action": action("quick_reply")},
    optional={"imageUrl": uri(2000)},
)
_common: dict[str, Check] = {
    "quickReply": Shape(required={"items": array(_quick_reply_item, 1, 13)}),
    "sender": Shape(optional={"name": _sender_name, "iconUrl": uri(2000)}),
}
_emoji = Shape(required={"index": integer(0, TEXT_MOST), "productId": text(100), "emojiId": text(100)})
_quote = text(2000)
_alt_text = text(ALT_TEXT_MOST)
_media = uri(2000)
_digits = text(20, pattern=r"\d+")

_shapes: dict[str, Shape] = {
    "text": Shape(
        required={"text": text(TEXT_MOST)},
        optional={"emojis": array(_emoji, 0, 20), "quoteToken": _quote},
        rules=(_emojis_at_dollars,),
    ),
    "textV2": Shape(
        required={"text": text(TEXT_MOST)},
        optional={"substitution": _substitution, "quoteToken": _quote},
        rules=(_placeholders_known,),
    ),
    "sticker": Shape(
        required={"packageId": _sendable_sticker, "stickerId": _digits}, optional={"quoteToken": _quote}
    ),
    "image": Shape(required={"originalContentUrl": _media, "previewImageUrl": _media}),
    "video": Shape(
        required={"originalContentUrl": _media, "previewImageUrl": _media},
        optional={"trackingId": text(100, pattern=r"[a-zA-Z0-9\-.=,+*()%$&;:@{}!?<>\[\]]+")},
    ),
    "audio": Shape(required={"originalContentUrl": _media, "duration": integer(1, 2**53)}),
    "location": Shape(
        required={
            "title": text(100),
            "address": text(100),
            "latitude": number(-90, 90),
            "longitude": number(-180, 180),
        }
    ),
    "imagemap": Shape(
        required={
            "baseUrl": _media,
            "altText": _alt_text,
            "baseSize": Shape(required={"width": integer(1040, 1040), "height": integer(1, 2_147_483_647)}),
            "actions": array(imagemap_action, 0, 50),
        },
        optional={
            "video": Shape(
                required={"originalContentUrl": _media, "previewImageUrl": _media, "area": imagemap_area},
                optional={
                    "externalLink": Shape(required={"linkUri": uri(1000, "http", "https"), "label": text(30)})
                },
            )
        },
    ),
    "template": Shape(required={"altText": _alt_text, "template": template}),
    "flex": Shape(required={"altText": _alt_text, "contents": container}),
    "coupon": Shape(
        required={"couponId": text(100)}, optional={"deliveryTag": text(30, pattern="[A-Za-z0-9_]+")}
    ),
}

MESSAGE_TYPES = tuple(_shapes)

message: Check = tagged({kind: shape.plus(type=anything, **_common) for kind, shape in _shapes.items()})
"""A message object of any type (Messaging API reference, Message objects)."""


def validate_message(value: Mapping[str, Any], *, at: str = "messages[0]") -> list[Problem]:
    """What LINE would refuse in one message object found at the property `at`; empty when nothing."""
    return found(message(value, at))

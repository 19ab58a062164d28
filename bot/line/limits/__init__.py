"""Would LINE accept these message objects and request bodies, and if not, what is wrong where?

Pure and strict: every limit is one the Messaging API reference states, unknown fields and types are
refused (the SDK drops them silently), and lengths are counted as LINE counts them: UTF-16 code units,
or grapheme clusters where its "Character counting in a text" page says so.
"""

from bot.line.limits.actions import validate_action
from bot.line.limits.messages import validate_message
from bot.line.limits.requests import (
    validate_broadcast,
    validate_messages,
    validate_multicast,
    validate_push,
    validate_reply,
    validate_rich_menu,
)
from bot.line.limits.shapes import Problem, grapheme_len, utf16_len

__all__ = [
    "Problem",
    "grapheme_len",
    "utf16_len",
    "validate_action",
    "validate_broadcast",
    "validate_message",
    "validate_messages",
    "validate_multicast",
    "validate_push",
    "validate_reply",
    "validate_rich_menu",
]

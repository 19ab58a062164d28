"""Would LINE accept this whole request body?"""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.line.limits.actions import action
from bot.line.limits.messages import message
from bot.line.limits.shapes import Problem, Shape, array, boolean, found, integer, text

MESSAGES_PER_REQUEST = 5
MULTICAST_RECIPIENTS = 500

_messages = array(message, 1, MESSAGES_PER_REQUEST)
_units = array(text(30, pattern="[a-zA-Z0-9_]{1,30}"), 0, 1)
_user_id = text(33, pattern="[UCR][0-9a-f]{32}")
_only_user_id = text(33, pattern="U[0-9a-f]{32}")

_reply = Shape(
    required={"replyToken": text(1000), "messages": _messages}, optional={"notificationDisabled": boolean}
)
_push = Shape(
    required={"to": _user_id, "messages": _messages},
    optional={"notificationDisabled": boolean, "customAggregationUnits": _units},
)
_multicast = Shape(
    required={"to": array(_only_user_id, 1, MULTICAST_RECIPIENTS), "messages": _messages},
    optional={"notificationDisabled": boolean, "customAggregationUnits": _units},
)
_broadcast = Shape(required={"messages": _messages}, optional={"notificationDisabled": boolean})

_bounds = Shape(
    required={
        "x": integer(0, 2500),
        "y": integer(0, 2500),
        "width": integer(1, 2500),
        "height": integer(1, 2500),
    }
)
_rich_menu = Shape(
    required={
        "size": Shape(required={"width": integer(800, 2500), "height": integer(250, 2500)}),
        "selected": boolean,
        "name": text(300, graphemes=True),
        "chatBarText": text(14, graphemes=True),
        "areas": array(Shape(required={"bounds": _bounds, "action": action("rich_menu")}), 0, 20),
    }
)


def validate_messages(messages: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """What LINE would refuse in a list of 1 to 5 message objects (Messaging API reference, Message objects).

    Properties are in LINE's notation (`messages[0].text`); an empty list means that LINE accepts them.
    """
    return found(_messages(messages, "messages"))


def validate_push(body: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the body of POST /v2/bot/message/push."""
    return found(_push(body, ""))


def validate_reply(body: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the body of POST /v2/bot/message/reply."""
    return found(_reply(body, ""))


def validate_multicast(body: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the body of POST /v2/bot/message/multicast (at most 500 user ids)."""
    return found(_multicast(body, ""))


def validate_broadcast(body: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the body of POST /v2/bot/message/broadcast."""
    return found(_broadcast(body, ""))


def validate_rich_menu(body: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a rich menu object: 800-2500 wide, ratio at least 1.45, at most 20 areas."""
    problems = found(_rich_menu(body, ""))
    size = body.get("size") if isinstance(body, Mapping) else None
    if not problems and isinstance(size, Mapping) and size["width"] / size["height"] < 1.45:
        problems.append(Problem("size", "The ratio of width to height must be at least 1.45"))
    return problems

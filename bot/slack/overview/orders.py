"""What did a person press on their App Home or on a digest, as kept in the inbox until it takes effect?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from bot.slack.ids import Action, action_of

KIND = "order"
PREFIX = "order:"
ORDERS = frozenset(
    {
        Action.REPLAY,
        Action.ARRIVED,
        Action.AGAIN,
        Action.LEAVE,
        Action.APPLY,
        Action.DECLINE,
        Action.HOME_PAGE,
    }
)
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One press. `about`: the button's value. `channel`: where the message stands; None: on the App Home."""

    action: Action
    about: str
    slack_user_id: str
    channel: str | None = None

    def encode(self) -> bytes:
        """As the inbox keeps it."""
        return json.dumps({**asdict(self), "action": self.action.value}, ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )

    @classmethod
    def decode(cls, raw: bytes) -> Order:
        """From the inbox.

        Raises:
            ValueError: not an order of ours.
        """
        read: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
        return cls(**{**read, "action": Action(read["action"])})

    @property
    def source(self) -> str:
        """Orders about one thing are taken in order, whoever gives them."""
        about = self.slack_user_id if self.action is Action.HOME_PAGE else self.about.partition("|")[0]
        return f"{PREFIX}{about[:100]}"


def order_of(payload: Mapping[str, Any]) -> Order | None:
    """The order in a `block_actions` payload; None when the button is not one of ours."""
    pressed = (payload.get("actions") or [{}])[0]
    action, about = action_of(str(pressed.get("action_id"))), pressed.get("value")
    if action not in ORDERS or not isinstance(about, str) or not 0 < len(about) <= _MOST:
        return None
    container = payload.get("container") or {}
    channel = container.get("channel_id") or (payload.get("channel") or {}).get("id")
    return Order(
        action=action,
        about=about,
        slack_user_id=str((payload.get("user") or {}).get("id")),
        channel=channel if isinstance(channel, str) else None,
    )


def message_value(customer_id: UUID, message_id: UUID) -> str:
    """What the buttons of one message carry."""
    return f"{customer_id}:{message_id}"


def message_of_value(value: str) -> tuple[UUID, UUID] | None:
    """(customer, message) of such a value; None: it is not one of ours."""
    first, _, second = value.partition(":")
    try:
        return UUID(first), UUID(second)
    except ValueError:
        return None

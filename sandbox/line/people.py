"""Who is on the other side of the chat, and what does their phone show?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

NON_FRIEND_WINDOW = timedelta(days=7)
"""A non-friend who wrote to the account can be pushed to for this long (reference, Send push message)."""


@dataclass(slots=True)
class Bubble:
    """One message in a chat, as the person sees it."""

    id: str
    at: datetime
    by: Literal["bot", "person"]
    via: str
    message: Mapping[str, Any]
    request_id: str | None = None
    is_silent: bool = False
    is_unsent: bool = False
    is_read: bool = False
    is_answered: bool = False
    """One of its quick replies was tapped: all of them have gone."""

    def choices(self) -> list[dict[str, Any]]:
        """The quick replies as long as this is the last bubble."""
        return quick_replies(self.message) if self.by == "bot" and not self.is_answered else []

    def as_data(self, *, is_last: bool) -> dict[str, Any]:
        """Plain data; quick replies only on the chat's last bubble, since LINE hides all others."""
        sender = self.message.get("sender") or {}
        return {
            "id": self.id,
            "at": self.at,
            "from": self.by,
            "via": self.via,
            "type": self.message["type"],
            "text": None if self.is_unsent else visible_text(self.message),
            "alt_text": self.message.get("altText"),
            "buttons": buttons(self.message),
            "quick_replies": self.choices() if is_last else [],
            "sender": sender.get("name"),
            "is_silent": self.is_silent,
            "is_unsent": self.is_unsent,
            "is_read": self.is_read,
            "raw": None if self.is_unsent else dict(self.message),
        }


@dataclass(slots=True)
class OpenedLink:
    """A link the person opened. `status` and `location` are None when the address is not on loopback."""

    at: datetime
    url: str
    status: int | None = None
    location: str | None = None
    body: str = ""


@dataclass(slots=True)
class Person:
    """A LINE user of this provider, friend or not."""

    user_id: str
    display_name: str
    language: str
    is_friend: bool = False
    has_blocked: bool = False
    is_deleted: bool = False
    last_spoke_at: datetime | None = None
    bubbles: list[Bubble] = field(default_factory=list)
    opened_links: list[OpenedLink] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    rich_menu_id: str | None = None
    loading_until: datetime | None = None
    picture_url: str | None = None

    def is_reachable(self, now: datetime) -> bool:
        """Would a push be shown: a friend, or a non-friend who wrote in the last seven days."""
        if self.has_blocked or self.is_deleted:
            return False
        spoke = self.last_spoke_at
        return self.is_friend or (spoke is not None and now - spoke <= NON_FRIEND_WINDOW)

    def has_open_profile(self) -> bool:
        return not (self.has_blocked or self.is_deleted) and (
            self.is_friend or self.last_spoke_at is not None
        )

    def phone(self) -> list[dict[str, Any]]:
        last = len(self.bubbles) - 1
        return [bubble.as_data(is_last=index == last) for index, bubble in enumerate(self.bubbles)]

    def action_of_quick_reply(self, label: str) -> Mapping[str, Any]:
        """The action behind a quick reply on the screen now; raises `LookupError` naming those there."""
        choices = self.bubbles[-1].choices() if self.bubbles else []
        return _labelled(choices, label, "quick reply")

    def action_of_button(self, label: str) -> Mapping[str, Any]:
        """The action behind the newest button of that label; raises `LookupError` naming those there."""
        choices = [
            button
            for bubble in reversed(self.bubbles)
            if bubble.by == "bot"
            for button in buttons(bubble.message)
        ]
        return _labelled(choices, label, "button")


def _labelled(choices: list[dict[str, Any]], label: str, kind: str) -> Mapping[str, Any]:
    for choice in choices:
        if choice["label"] == label:
            action: Mapping[str, Any] = choice["action"]
            return action
    there = "、".join(str(choice["label"]) for choice in choices) or "none"
    raise LookupError(f"no {kind} {label!r} on the phone; there: {there}")


def quick_replies(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The quick replies of a message as `{label, type, action}`."""
    items = (message.get("quickReply") or {}).get("items") or []
    return [_button(item["action"]) for item in items]


def buttons(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Everything that can be tapped in a message as `{label, type, action}`, top to bottom."""
    if message["type"] == "template":
        return [_button(action) for action in _template_actions(message["template"])]
    if message["type"] == "imagemap":
        return [_button(action) for action in message.get("actions", ())]
    if message["type"] == "flex":
        return list(_flex_buttons(message["contents"]))
    return []


def visible_text(message: Mapping[str, Any]) -> str | None:
    """The words a person reads in a message; None for those without words."""
    kind = message["type"]
    if kind == "textV2":
        return _substituted(message)
    if kind == "template":
        template = message["template"]
        parts = [template, *template.get("columns", ())]
        return "\n".join(part[name] for part in parts for name in ("title", "text") if part.get(name)) or None
    if kind == "flex":
        return "\n".join(_flex_texts(message["contents"])) or None
    if kind == "location":
        return "\n".join(message[name] for name in ("title", "address") if message.get(name)) or None
    words = message.get("text") or message.get("fileName")
    return words if isinstance(words, str) else None


def _button(action: Mapping[str, Any], shown: str | None = None) -> dict[str, Any]:
    label = action.get("label") or shown or action.get("text") or action.get("uri") or action.get("linkUri")
    return {"label": label, "type": action["type"], "action": dict(action)}


def _template_actions(template: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in (template, *template.get("columns", ())):
        yield from part.get("actions", ())
        if "action" in part:
            yield part["action"]


def _flex_parts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for block in ("header", "hero", "body", "footer"):
        if block in node:
            yield from _flex_parts(node[block])
    for inner in node.get("contents", ()):
        yield from _flex_parts(inner)


def _flex_buttons(container: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part in _flex_parts(container):
        if "action" in part:
            yield _button(part["action"], "".join(_flex_texts(part)) or None)


def _flex_texts(node: Mapping[str, Any]) -> Iterator[str]:
    for part in _flex_parts(node):
        if part.get("type") in {"text", "span"} and part.get("text"):
            yield part["text"]


def _substituted(message: Mapping[str, Any]) -> str:
    words = str(message["text"])
    for key, value in (message.get("substitution") or {}).items():
        words = words.replace(f"{{{key}}}", "@" if value["type"] == "mention" else "(emoji)")
    return words.replace("{{", "{").replace("}}", "}")

"""What did a person in Slack ask for, as kept in the inbox until it takes effect?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from bot.slack.ids import WISHES, Action, Target, action_of, target_of_block
from bot.slack.modals import Place

KIND = "press"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button pressed, or a modal submitted, that changes something.

    `form`: what was filled in (`text`, `span`, `date`, `reason`). `channel`: where to answer.
    """

    action: Action
    target: Target
    slack_user_id: str
    channel: str | None = None
    thread_ts: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As the inbox keeps it."""
        kept = {**asdict(self), "action": self.action.value, "target": self.target.encode()}
        return json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")

    @classmethod
    def decode(cls, raw: bytes) -> Press:
        """From the inbox.

        Raises:
            ValueError: not a press of ours.
        """
        read: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
        target = Target.decode(read["target"])
        if target is None:
            raise ValueError("a press without a target")
        return cls(**{**read, "action": Action(read["action"]), "target": target})

    @property
    def source(self) -> str:
        """Presses about one lead are taken in order."""
        return f"slack:{self.target.lead_id}"


def press_of(payload: Mapping[str, Any]) -> Press | None:
    """The press in a `block_actions` payload; None when the button is not one of ours."""
    pressed = (payload.get("actions") or [{}])[0]
    action = action_of(str(pressed.get("action_id")))
    target = Target.decode(str(pressed.get("value") or ""))
    form: dict[str, str] = {}
    if action is Action.MORE:
        wish = str((pressed.get("selected_option") or {}).get("value"))
        target = target_of_block(str(pressed.get("block_id")))
        action = Action.WISH if wish == "own" else Action.REGENERATE
        form = {"wish": wish} if wish in WISHES else {}
    if action is None or target is None:
        return None
    container = payload.get("container") or {}
    return Press(
        action=action,
        target=target,
        slack_user_id=str((payload.get("user") or {}).get("id")),
        channel=_text(container.get("channel_id")) or _text((payload.get("channel") or {}).get("id")),
        thread_ts=_text(container.get("thread_ts")),
        form=form,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def submission_of(payload: Mapping[str, Any], form: Mapping[str, str]) -> Press | None:
    """The press in a `view_submission` payload, with what was read from its inputs."""
    view = payload.get("view") or {}
    action = action_of(str(view.get("callback_id")))
    if action is Action.WISH:
        action = Action.REGENERATE
    place = Place.decode(view.get("private_metadata"))
    if action is None or place is None:
        return None
    return Press(
        action=action,
        target=place.target,
        slack_user_id=str((payload.get("user") or {}).get("id")),
        channel=place.channel,
        thread_ts=place.thread_ts,
        form=form,
    )


def event_id_of(payload: Mapping[str, Any]) -> str:
    """What tells one interaction from another; the same when Slack delivers it again."""
    trigger = payload.get("trigger_id")
    if isinstance(trigger, str) and trigger:
        return trigger[:200]
    written = json.dumps(payload, sort_keys=True, default=str)
    return sha256(written.encode("utf-8", "surrogatepass")).hexdigest()

"""What do support leads ask of rules in Slack, as it travels in buttons and modals and waits in the inbox?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.ports import Json
from bot.slack.ids import Action, action_of

KIND = "steer"

OPENING = frozenset(
    {
        Action.RULE_EDIT,
        Action.RULE_PREVIEW,
        Action.RULE_LIST,
        Action.RULE_HISTORY,
        Action.WHY,
        Action.WHY_RULE,
    }
)
"""Buttons that only show something."""
STEERING = frozenset(
    {
        Action.RULE_TOGGLE,
        Action.RULE_BACKTEST,
        Action.RULE_ROLLBACK,
        Action.PAUSE_ALL,
        Action.RESUME_ALL,
        Action.APPROVE,
        Action.REFUSE,
    }
)
"""Buttons that change something."""

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a button is about; it says nothing about permission, and the server compares it with the present.

    Attributes:
        name: a rule's id, or the id of a question, a change, a customer.
        version: of the rule that was looked at; 0 where there is none.
        word: what is wanted or was seen (`shadow>canary`, a rule's id, a page).
    """

    name: str
    version: int = 0
    word: str = ""

    def encode(self) -> str:
        """The button's value."""
        return f"{self.name}|{self.version}|{self.word}"

    @classmethod
    def decode(cls, value: object) -> Subject | None:
        """The subject of a button's value; None when it is not one of ours."""
        parts = value.split("|") if isinstance(value, str) and len(value) <= _MOST else []
        if len(parts) != 3 or not (parts[1].isascii() and parts[1].isdecimal() and len(parts[1]) <= 9):
            return None
        return cls(name=parts[0], version=int(parts[1]), word=parts[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a modal of ours was opened from and what it is about; travels in `private_metadata`."""

    subject: Subject
    channel: str | None = None
    language: str = "ja"
    step: str = ""

    def encode(self) -> str:
        """As text."""
        kept = {"subject": self.subject.encode(), "channel": self.channel, "step": self.step}
        return json.dumps({**kept, "language": self.language})

    @classmethod
    def decode(cls, text: object) -> Spot | None:
        """From text; None when it is not ours."""
        try:
            read = json.loads(text) if isinstance(text, str) else None
        except ValueError:
            return None
        if not isinstance(read, dict) or (subject := Subject.decode(read.get("subject"))) is None:
            return None
        channel = read.get("channel")
        return cls(
            subject=subject,
            channel=channel if isinstance(channel, str) else None,
            language=str(read.get("language") or "ja"),
            step=str(read.get("step") or ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Steer:
    """A button pressed, or a modal submitted, that is about rules.

    `channel`: where to answer. `view_id`, `view_hash`: of the modal or Home tab it was pressed in.
    """

    action: Action
    subject: Subject
    slack_user_id: str
    channel: str | None = None
    view_id: str | None = None
    view_hash: str | None = None
    is_home: bool = False
    form: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As the inbox keeps it."""
        kept = {**asdict(self), "action": self.action.value, "subject": self.subject.encode()}
        return json.dumps(kept, ensure_ascii=False).encode("utf-8", "surrogatepass")

    @classmethod
    def decode(cls, raw: bytes) -> Steer:
        """From the inbox.

        Raises:
            ValueError: not one of ours.
        """
        read: dict[str, Any] = json.loads(raw.decode("utf-8", "surrogatepass"))
        subject = Subject.decode(read["subject"])
        if subject is None:
            raise ValueError("nothing that it is about")
        return cls(**{**read, "action": Action(read["action"]), "subject": subject})

    @property
    def source(self) -> str:
        """What is asked about one thing is taken in order."""
        return f"slack:rules:{self.subject.name[:80]}"


def steer_of(payload: Mapping[str, Any]) -> Steer | None:
    """What a `block_actions` payload asks; None when the button is not one of ours."""
    pressed = (payload.get("actions") or [{}])[0]
    action = action_of(str(pressed.get("action_id")))
    value = pressed.get("value")
    if isinstance(pressed.get("selected_option"), Mapping):
        value = pressed["selected_option"].get("value")
    if action is Action.RULE_MORE:
        action = action_of(f"rule.{value}")
        value = str(pressed.get("block_id")).partition("/")[2]
    subject = Subject.decode(value)
    if subject is None or action not in OPENING | STEERING:
        return None
    container, view = payload.get("container") or {}, payload.get("view") or {}
    spot = Spot.decode(view.get("private_metadata"))
    return Steer(
        action=action,
        subject=subject,
        slack_user_id=str((payload.get("user") or {}).get("id")),
        channel=_text(container.get("channel_id"))
        or _text((payload.get("channel") or {}).get("id"))
        or (spot.channel if spot else None),
        view_id=_text(view.get("id")),
        view_hash=_text(view.get("hash")),
        is_home=view.get("type") == "home",
    )


def submitted(payload: Mapping[str, Any], form: Mapping[str, str]) -> Steer | None:
    """What a `view_submission` payload asks, with what was read from its inputs."""
    view: Json = payload.get("view") or {}
    action, spot = action_of(str(view.get("callback_id"))), Spot.decode(view.get("private_metadata"))
    if action is None or spot is None:
        return None
    return Steer(
        action=action,
        subject=spot.subject,
        slack_user_id=str((payload.get("user") or {}).get("id")),
        channel=spot.channel,
        view_id=_text(view.get("id")),
        form=form,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

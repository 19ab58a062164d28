"""By which ids does Slack tell us what was pressed? They never change; labels do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Action(StrEnum):
    """Action ids of buttons, and callback ids of the modals they open: the same words."""

    SEND = "lead.send"
    EDIT = "lead.edit"
    REGENERATE = "lead.regenerate"
    CLAIM = "lead.claim"
    SNOOZE = "lead.snooze"
    DISMISS = "lead.dismiss"
    WON = "lead.won"
    LOST = "lead.lost"
    UNDO = "lead.undo"
    RULE_TOGGLE = "rule.toggle"
    RULE_EDIT = "rule.edit"
    RULE_PREVIEW = "rule.preview"
    PAUSE_ALL = "pause.all"


OPENS_MODAL = frozenset({Action.EDIT, Action.SNOOZE, Action.DISMISS})
"""Buttons that change nothing by themselves: they open a modal, within three seconds."""


class Command(StrEnum):
    """Slash commands."""

    WHY = "/why"
    REPLY = "/reply"
    FOLLOWUPS = "/followups"
    LEADS = "/leads"


class Block(StrEnum):
    """Block ids of inputs; errors of a submission are keyed by them."""

    TEXT = "edit.text"
    SPAN = "snooze.span"
    DATE = "snooze.date"
    REASON = "dismiss.reason"
    NOTE = "dismiss.note"


class Input(StrEnum):
    """Action ids of inputs in modals."""

    TEXT = "text"
    SPAN = "span"
    DATE = "date"
    REASON = "reason"
    NOTE = "note"


def numbered(action: Action, number: int, *, of: int) -> str:
    """The action id where a card shows `of` drafts: `lead.send`, or `lead.send:2`."""
    return action.value if of == 1 else f"{action.value}:{number}"


def action_of(action_id: str) -> Action | None:
    """The action behind an id, whatever number follows; None: not ours."""
    try:
        return Action(action_id.partition(":")[0])
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a button is about. Says nothing about permission: the server decides by the current state."""

    lead_id: UUID
    draft_id: UUID | None
    revision: int

    def encode(self) -> str:
        """The button's value: `lead_id:draft_id:revision`."""
        return f"{self.lead_id}:{self.draft_id or '-'}:{self.revision}"

    @classmethod
    def decode(cls, value: str) -> Target | None:
        """The target of a button's value; None when it is not one of ours."""
        parts = value.split(":") if len(value) <= 100 else []
        if len(parts) != 3 or not (parts[2].isascii() and parts[2].isdecimal()):
            return None
        try:
            lead_id = UUID(parts[0])
            draft_id = None if parts[1] == "-" else UUID(parts[1])
        except ValueError:
            return None
        return cls(lead_id=lead_id, draft_id=draft_id, revision=int(parts[2]))

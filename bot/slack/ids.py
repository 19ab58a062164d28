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
    SENT = "lead.sent"
    GIVE_BACK = "lead.give_back"
    MORE = "lead.more"
    WISH = "lead.wish"
    FILE = "lead.file"
    UNDO = "lead.undo"
    RULE_TOGGLE = "rule.toggle"
    RULE_EDIT = "rule.edit"
    RULE_PREVIEW = "rule.preview"
    RULE_LIST = "rule.list"
    RULE_MORE = "rule.more"
    RULE_BACKTEST = "rule.backtest"
    RULE_HISTORY = "rule.history"
    RULE_ROLLBACK = "rule.rollback"
    PAUSE_ALL = "pause.all"
    RESUME_ALL = "pause.end"
    APPROVE = "approval.approve"
    REFUSE = "approval.refuse"
    WHY = "why.customer"
    WHY_RULE = "why.rule"
    REPLAY = "message.replay"
    ARRIVED = "message.arrived"
    AGAIN = "message.again"
    LEAVE = "message.leave"
    APPLY = "proposal.apply"
    DECLINE = "proposal.decline"
    HOME_PAGE = "home.page"


OPENS_MODAL = frozenset({Action.EDIT, Action.SNOOZE, Action.DISMISS, Action.WISH})
"""Buttons that change nothing by themselves: they open a modal, within three seconds."""


class Command(StrEnum):
    """Slash commands."""

    WHY = "/why"
    REPLY = "/reply"
    FOLLOWUPS = "/followups"
    LEADS = "/leads"


WISHES = ("shorter", "formal", "own")
"""What the menu beside a draft offers: wishes in one press, and one in a person's own words."""


class Block(StrEnum):
    """Block ids of inputs; errors of a submission are keyed by them."""

    TAKE = "edit.take"
    WISH = "wish.text"
    TEXT = "edit.text"
    SPAN = "snooze.span"
    DATE = "snooze.date"
    REASON = "dismiss.reason"
    NOTE = "dismiss.note"


class Input(StrEnum):
    """Action ids of inputs in modals."""

    TEXT = "text"
    TAKE = "take"
    WISH = "wish"
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


_DRAFT_BLOCK = "draft"


def draft_block(target: Target, number: int) -> str:
    """The id of the block with a draft's buttons: an option's own value is too short for a target."""
    return f"{_DRAFT_BLOCK}/{number}/{target.encode()}"


def target_of_block(block_id: str) -> Target | None:
    """The draft behind a block's id; None: not one of ours."""
    kind, _, rest = block_id.partition("/")
    return Target.decode(rest.partition("/")[2]) if kind == _DRAFT_BLOCK else None

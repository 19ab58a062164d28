"""What is known of one customer's past, and what came of replaying it?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from followups.facts import Consent, Facts, LineContact


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One customer and what happened to them.

    Attributes:
        facts: as they are today: attributes, account, language, reachability. Signals, messages, passages
            and conversations in it are not looked at: they begin empty.
        known_from: since when the customer is one.
        events: times by name, in any order.
    """

    facts: Facts
    known_from: datetime
    events: Mapping[str, Sequence[datetime]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message to a customer, or a lead.

    Attributes:
        is_first: the first of this passage, with which the goal is judged; later steps of a scenario are not.
        held_by: the gates that had made this occasion wait before.
        is_goal_reached: the goal's event came within its window anyway; None: the history ends before that.
    """

    rule_id: str
    at: datetime
    is_escalation: bool
    held_by: frozenset[str] = frozenset()
    is_goal_reached: bool | None = None
    is_first: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An occasion on which a rule was due and a gate was closed, told once per gate.

    Attributes:
        at: when the gate was first found closed on this occasion.
        behind: of `arbitration`, the rule that went first.
        is_sent_later: the occasion ended in an entry after all.
    """

    rule_id: str
    gate: str
    at: datetime
    behind: str | None = None
    is_sent_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of one customer. `matched`: the rules whose conditions held at some moment looked at."""

    customer_id: UUID
    moments: int
    entries: tuple[Entry, ...]
    held: tuple[Held, ...]
    matched: frozenset[str]


def reachable(facts: Facts, purposes: Collection[str], *, at: datetime) -> Facts:
    """The same customer, as if linked, a friend and agreed to everything since `at`."""
    return replace(
        facts,
        line=LineContact(line_user_id="U" + "0" * 32, is_friend=True, is_blocked=False),
        consents={purpose: Consent(purpose=purpose, is_granted=True, at=at) for purpose in purposes},
    )

"""How do tests of the core write facts down briefly?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from followups.facts import Consent, Contact, Facts, LineContact, Signal
from followups.rules.conditions import Condition, EventLast
from followups.rules.model import Goal, MessageTemplate, Rule, RuleState, SendStep
from followups.signals import fold_all

NOW = datetime(2026, 12, 3, 3, 0, tzinfo=UTC)
"""Thursday noon in Tokyo."""
CUSTOMER = UUID(int=7)
DEPTH = 12


def ago(**span: float) -> datetime:
    """A moment before `NOW`."""
    return NOW - timedelta(**span)


def signals(**times: Sequence[datetime]) -> dict[str, Signal]:
    """Signals by event name."""
    folded = {key: fold_all(key, each, depth=DEPTH) for key, each in times.items()}
    return {key: signal for key, signal in folded.items() if signal is not None}


def reachable(
    *, purposes: Sequence[str] = ("support",), attributes: Mapping[str, Any] | None = None, **rest: Any
) -> Facts:
    """A customer who is linked, a friend, and opted in."""
    return Facts(
        customer_id=CUSTOMER,
        external_id="c7",
        attributes={"name": "田中", **(attributes or {})},
        line=LineContact(line_user_id="U" + "7" * 32, is_friend=True, is_blocked=False),
        consents={p: Consent(purpose=p, is_granted=True, at=ago(days=90)) for p in purposes},
        **rest,
    )


def contact(at: datetime, *, number: int = 1, purpose: str = "support", is_started: bool = True) -> Contact:
    """One earlier message."""
    return Contact(
        message_id=UUID(int=1000 + number), rule_id="r", purpose=purpose, at=at, is_started=is_started
    )


MESSAGE = MessageTemplate(
    name="checkin", text={"ja": "{customer.name}様、設定や使い方で、手が止まっている所はありませんか。"}
)


def rule(
    rule_id: str = "inactive",
    *,
    when: Condition | None = None,
    message: MessageTemplate = MESSAGE,
    state: RuleState = RuleState.LIVE,
    **rest: Any,
) -> Rule:
    """A live rule that writes after two quiet weeks."""
    return Rule(
        id=rule_id,
        name=f"規則 {rule_id}",
        goal=Goal(event="login", within=timedelta(days=7)),
        when=when or EventLast(event="login", more_than=timedelta(days=14)),
        steps=rest.pop("steps", (SendStep(message=message),)),
        state=state,
        **rest,
    )

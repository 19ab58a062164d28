"""Customers who entered a rule, in either arm, written down as the program stores it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from db.deciding.followups import FollowUpRow
from db.talk.messages import Message, MessageKind, MessageState
from tests.flows.shop import Shop


async def enter(
    shop: Shop,
    customer_id: UUID,
    rule_id: str = "inactive",
    *,
    arm: str = "treated",
    occasion: int = 1,
    at: datetime | None = None,
    **more: Any,
) -> UUID:
    """A passage begins, with an accepted message where it is a treated one; returns the message's id."""
    at, message_id = at or shop.clock.now(), shop.deps.ids.uuid()
    async with shop.deps.db.begin() as session:
        session.add(
            FollowUpRow(
                customer_id=customer_id,
                rule_id=rule_id,
                occasion=occasion,
                rule_version=1,
                state="active",
                entered_at=at,
                arm=arm,
                unit=more.pop("unit", str(customer_id)),
                **more,
            )
        )
        if arm == "treated":
            session.add(
                message(customer_id, message_id, MessageKind.RULE, at, rule_id=rule_id, occasion=occasion)
            )
    return message_id


def message(customer_id: UUID, message_id: UUID, kind: MessageKind, at: datetime, **more: Any) -> Message:
    return Message(
        customer_id=customer_id,
        message_id=message_id,
        kind=kind.value,
        state=MessageState.ACCEPTED.value,
        dedupe_key=str(message_id),
        line_user_id="U" + customer_id.hex,
        promised_at=at,
        not_before=at,
        first_attempt_at=at,
        settled_at=at,
        **more,
    )

"""Who did what, when? Append-only; ids only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import UUID, Json, customer_key, datetime, document, moment

NOBODY = UUID(int=0)
"""Stands in the customer's place where an action concerns no single customer."""

PROGRAM = "yorisoi"
"""The actor of what the program did by itself."""


class AuditEntry(SQLModel, table=True):
    """One action of a person or of the program itself."""

    __tablename__ = "audit_entry"

    customer_id: UUID = customer_key()
    audit_id: UUID = Field(primary_key=True)
    at: datetime = moment()
    actor: str
    action: str
    details: Json = document(default_factory=dict)


async def record(
    session: AsyncSession,
    *,
    actor: str,
    action: str,
    ids: Ids,
    now: datetime,
    customer_id: UUID = NOBODY,
    **details: Any,
) -> None:
    """Write down one action.

    Args:
        actor: a Slack user id, or `PROGRAM`.
        action: the story's word (`lead.claimed`).
        details: ids, states, counts; UUIDs become text. Never names or texts.
    """
    plain = {key: str(value) if isinstance(value, UUID) else value for key, value in details.items()}
    await session.execute(
        insert(AuditEntry).values(
            customer_id=customer_id, audit_id=ids.uuid(), at=now, actor=actor, action=action, details=plain
        )
    )


async def entries_since(session: AsyncSession, action: str, since: datetime) -> list[AuditEntry]:
    """What was done in this way since then and concerns no single customer, the newest first; at most 100."""
    return list(
        await session.scalars(
            select(AuditEntry)
            .where(
                col(AuditEntry.customer_id) == NOBODY,
                col(AuditEntry.action) == action,
                col(AuditEntry.at) >= since,
            )
            .order_by(col(AuditEntry.at).desc())
            .limit(100)
        )
    )

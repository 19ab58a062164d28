"""Which changes of rules are being typed in Slack, from which version on, and what became of them?

A change is kept from the moment its form opens: turning its pages, a conflict or a crash loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, Json, datetime, document, moment

KEPT_FOR = timedelta(days=30)
"""How long a change that nobody saved is kept."""


class ChangeState(StrEnum):
    """`outdated`: the rule was changed meanwhile; the change can be taken up again."""

    OPEN = "open"
    SAVED = "saved"
    OUTDATED = "outdated"


class RuleChange(SQLModel, table=True):
    """A directory row: what somebody typed into a rule's form. `typed`: by the number of the field."""

    __tablename__ = "rule_change"

    change_id: UUID = Field(primary_key=True)
    rule_id: str
    base_version: int
    typed: Json = document(default_factory=dict)
    by: str
    state: str = ChangeState.OPEN.value
    created_at: datetime = moment()
    settled_at: datetime | None = moment(default=None)


async def begin_change(session: AsyncSession, change: RuleChange) -> None:
    """Keep a new one; those nobody saved for a month go."""
    await session.execute(
        delete(RuleChange)
        .where(
            col(RuleChange.state) != ChangeState.SAVED,
            col(RuleChange.created_at) < change.created_at - KEPT_FOR,
        )
        .execution_options(synchronize_session=False)
    )
    session.add(change)
    await session.flush()


async def change_by_id(session: AsyncSession, change_id: UUID) -> RuleChange | None:
    """One, held until the transaction ends."""
    return await session.get(RuleChange, change_id, with_for_update=True, populate_existing=True)


async def type_into(session: AsyncSession, change: RuleChange, typed: Mapping[str, str]) -> None:
    """Keep what was typed, over what was there."""
    change.typed = {**change.typed, **typed}
    await session.flush()


async def settle_change(
    session: AsyncSession, change: RuleChange, state: ChangeState, *, now: datetime
) -> None:
    """What became of it."""
    change.state, change.settled_at = state.value, now
    await session.flush()

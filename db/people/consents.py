"""Who agreed to what, when, in answer to which words?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, customer_key, datetime, moment
from followups.facts import Consent

EVERYTHING = "*"
"""A refusal of this purpose is one of every purpose, of those too that are asked about in an event from
before it which arrives later."""
STOP_WORD, STOP_BUTTON = "line:optout-word", "line:optout-button"
STOP_UNDONE = "line:optout-undo"


class ConsentEntry(SQLModel, table=True):
    """One line of the ledger; never changed. The newest by `at` counts, a refusal wins a tie.

    `source` `STOP_UNDONE`: the last stop up to then counts no more, so what was said before it counts again.
    What counts follows from the lines alone, so the order in which they came in makes no difference.
    """

    __tablename__ = "consent_entry"

    customer_id: UUID = customer_key()
    purpose: str = Field(primary_key=True)
    consent_id: UUID = Field(primary_key=True)
    is_granted: bool
    at: datetime = moment()
    source: str
    wording: str | None = None
    line_user_id: str | None = None
    recorded_at: datetime = moment()


class ConsentQuestion(SQLModel, table=True):
    """When a customer was last asked whether we may write about a purpose of its own."""

    __tablename__ = "consent_question"

    customer_id: UUID = customer_key()
    purpose: str = Field(primary_key=True)
    asked_at: datetime = moment()


async def ask_once(
    session: AsyncSession, customer_id: UUID, purpose: str, *, now: datetime, again_after: timedelta
) -> bool:
    """Note that they are asked now; False: they were, less than `again_after` ago."""
    asked = await session.scalar(
        insert(ConsentQuestion)
        .values(customer_id=customer_id, purpose=purpose, asked_at=now)
        .on_conflict_do_update(
            index_elements=["customer_id", "purpose"],
            set_={"asked_at": now},
            where=col(ConsentQuestion.asked_at) <= now - again_after,
        )
        .returning(col(ConsentQuestion.purpose))
    )
    return asked is not None


def consent_id_of(event_id: str) -> UUID:
    """The ledger id of what one event said: taken in twice, it is one entry."""
    return UUID(bytes=blake2b(event_id.encode(), digest_size=16, person=b"consent").digest())


async def record(
    session: AsyncSession,
    *,
    customer_id: UUID,
    purposes: Iterable[str],
    is_granted: bool,
    event_id: str,
    at: datetime,
    source: str,
    now: datetime,
    wording: str | None = None,
    line_user_id: str | None = None,
) -> None:
    """Write down a yes or a no, as said at `at`, for each purpose; the same event twice is one entry.

    Args:
        purposes: `EVERYTHING` among them: those too that nobody has thought of yet.
        source: where it was said: `line:button`, `line:word`, `line:unfollow`, ….
        wording: the hash of the question that was answered.
    """
    rows = [
        {
            "customer_id": customer_id,
            "purpose": purpose,
            "consent_id": consent_id_of(event_id),
            "is_granted": is_granted,
            "at": at,
            "source": source,
            "wording": wording,
            "line_user_id": line_user_id,
            "recorded_at": now,
        }
        for purpose in sorted(set(purposes))
    ]
    if rows:
        await session.execute(insert(ConsentEntry).values(rows).on_conflict_do_nothing())


def _counts() -> ColumnElement[bool]:
    """A line that says yes or no, and was not taken back."""
    undo, later = aliased(ConsentEntry), aliased(ConsentEntry)
    is_later_stop = (
        exists()
        .where(
            col(later.customer_id) == col(undo.customer_id),
            col(later.source).in_(_STOPS),
            col(later.at) > col(ConsentEntry.at),
            col(later.at) <= col(undo.at),
        )
        .correlate(undo, ConsentEntry)
    )
    is_undone = exists().where(
        col(undo.customer_id) == col(ConsentEntry.customer_id),
        col(undo.source) == STOP_UNDONE,
        col(undo.at) >= col(ConsentEntry.at),
        ~is_later_stop,
    )
    source = col(ConsentEntry.source)
    return and_(source != STOP_UNDONE, or_(source.not_in(_STOPS), ~is_undone))


_STOPS = (STOP_WORD, STOP_BUTTON)


async def current(session: AsyncSession, customer_ids: Iterable[UUID]) -> dict[UUID, dict[str, Consent]]:
    """What counts now, by customer and purpose; whoever was never asked is missing."""
    newest = (
        select(
            col(ConsentEntry.customer_id),
            col(ConsentEntry.purpose),
            col(ConsentEntry.is_granted),
            col(ConsentEntry.at),
        )
        .where(col(ConsentEntry.customer_id).in_(set(customer_ids)), _counts())
        .ext(distinct_on(col(ConsentEntry.customer_id), col(ConsentEntry.purpose)))
        .order_by(
            col(ConsentEntry.customer_id),
            col(ConsentEntry.purpose),
            col(ConsentEntry.at).desc(),
            col(ConsentEntry.is_granted),
        )
    )
    found: dict[UUID, dict[str, Consent]] = {}
    for row in await session.execute(newest):
        found.setdefault(row.customer_id, {})[row.purpose] = Consent(
            purpose=row.purpose, is_granted=row.is_granted, at=row.at
        )
    for standing in found.values():
        refused = standing.pop(EVERYTHING, None)
        for purpose, entry in standing.items():
            if refused is not None and refused.at >= entry.at:
                standing[purpose] = replace(refused, purpose=purpose)
    return {customer_id: standing for customer_id, standing in found.items() if standing}


async def is_granted(session: AsyncSession, customer_id: UUID, purpose: str) -> bool:
    """Does a yes count now for this purpose?"""
    entry = (await current(session, [customer_id])).get(customer_id, {}).get(purpose)
    return entry is not None and entry.is_granted

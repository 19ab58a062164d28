"""Which questions of customers wait for an automatic answer, and what became of those answered?"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import Index, and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, customer_key, datetime, moment
from db.talk.messages import Message, MessageState

LEASE = timedelta(seconds=60)
"""Who took a question has it for so long; looking up and asking the model end sooner."""
MOST_ATTEMPTS = 3
"""After that many processes died over a question, a person gets it."""


class AnswerState(StrEnum):
    """`dropped`: taken back, a person came in, or another message of theirs settled it."""

    ASKED = "asked"
    ANSWERED = "answered"
    HANDED_OVER = "handed_over"
    DROPPED = "dropped"


class AnswerRow(SQLModel, table=True):
    """One message of a customer that the program answers itself. Its words stay in the inbound line only.

    `source`: file and heading the answer was taken from. `written_by`: `model` or `passage`. `score`: how
    well the passage covered the question.
    """

    __tablename__ = "answer"
    __table_args__ = (
        Index("ix_answer_asked", "not_before", postgresql_where=text("state = 'asked'")),
        Index("ix_answer_line", "customer_id", "line_message_id"),
    )

    customer_id: UUID = customer_key()
    answer_id: UUID = Field(primary_key=True)
    state: str
    line_message_id: str
    line_user_id: str
    language: str
    reply_token: str | None = None
    reply_token_until: datetime | None = moment(default=None)
    intent: str | None = None
    source: str | None = None
    score: float | None = None
    written_by: str | None = None
    message_id: UUID | None = None
    because: str | None = None
    attempts: int = 0
    asked_at: datetime = moment()
    not_before: datetime = moment()
    settled_at: datetime | None = moment(default=None)


async def ask(session: AsyncSession, row: AnswerRow) -> None:
    """Have a message answered; wake `answer` after the commit."""
    await session.execute(insert(AnswerRow).values(row.model_dump()))


async def take_asked(session: AsyncSession, *, now: datetime, limit: int) -> list[AnswerRow]:
    """Questions that wait, oldest first, held for `LEASE`; each is given to one process at a time."""
    waiting = (
        select(col(AnswerRow.customer_id), col(AnswerRow.answer_id))
        .where(col(AnswerRow.state) == AnswerState.ASKED, col(AnswerRow.not_before) <= now)
        .order_by(col(AnswerRow.not_before), col(AnswerRow.answer_id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    taken = await session.scalars(
        update(AnswerRow)
        .where(
            col(AnswerRow.customer_id) == waiting.c.customer_id,
            col(AnswerRow.answer_id) == waiting.c.answer_id,
        )
        .values(not_before=now + LEASE, attempts=col(AnswerRow.attempts) + 1)
        .returning(AnswerRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return sorted(taken, key=lambda row: (row.asked_at, row.answer_id))


async def still_asked(session: AsyncSession, customer_id: UUID, answer_id: UUID) -> bool:
    """Has nobody settled it meanwhile? Locks the row."""
    state = await session.scalar(
        select(col(AnswerRow.state))
        .where(col(AnswerRow.customer_id) == customer_id, col(AnswerRow.answer_id) == answer_id)
        .with_for_update()
    )
    return state == AnswerState.ASKED


async def settle(
    session: AsyncSession,
    customer_id: UUID,
    answer_id: UUID,
    *,
    state: AnswerState,
    now: datetime,
    **figures: object,
) -> None:
    """Note what became of a question. `figures`: intent, source, score, written_by, message_id, because."""
    await session.execute(
        update(AnswerRow)
        .where(col(AnswerRow.customer_id) == customer_id, col(AnswerRow.answer_id) == answer_id)
        .values(state=state.value, settled_at=now, reply_token=None, **figures)
        .execution_options(synchronize_session=False)
    )


async def drop_asked(session: AsyncSession, customer_id: UUID, *, because: str, now: datetime) -> int:
    """Nothing that waits for this customer is answered any more; how many there were."""
    dropped = await session.scalars(
        update(AnswerRow)
        .where(col(AnswerRow.customer_id) == customer_id, col(AnswerRow.state) == AnswerState.ASKED)
        .values(state=AnswerState.DROPPED.value, because=because, settled_at=now, reply_token=None)
        .returning(col(AnswerRow.answer_id))
        .execution_options(synchronize_session=False)
    )
    return len(list(dropped))


async def was_answered_since(session: AsyncSession, customer_id: UUID, since: datetime) -> bool:
    """Did this customer get an automatic answer since then (a script's or one from the knowledge)?"""
    found = await session.scalar(
        select(col(Message.message_id))
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.promised_at) > since,
            or_(
                col(Message.template).startswith("script/", autoescape=True),
                col(Message.template).startswith("answer/", autoescape=True),
            ),
            and_(col(Message.state) != MessageState.CANCELLED, col(Message.state) != MessageState.DEAD),
        )
        .limit(1)
    )
    return found is not None


async def answers_since(session: AsyncSession, customer_id: UUID, since: datetime) -> int:
    """How many questions of this customer came since then."""
    found = await session.scalar(
        select(func.count()).where(col(AnswerRow.customer_id) == customer_id, col(AnswerRow.asked_at) > since)
    )
    return int(found or 0)

"""What was promised to customers on LINE, and what became of it? The outbox: the row is the message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import (
    Index,
    UniqueConstraint,
    and_,
    case,
    cast,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONPATH, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import ColumnElement
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, Json, customer_key, datetime, document, moment

LEASE = timedelta(seconds=30)
"""A row in `sending` is left to whoever set it so for this long; every request to LINE ends sooner."""


class MessageState(StrEnum):
    """`sending`: a request was or may have been started. `accepted`: by LINE, which is not "delivered"."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEAD = "dead"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class MessageKind(StrEnum):
    """Why it is written. `rule` and `question` are proactive: gated by consent, hours and caps.

    `question`: may we write about one more purpose?
    """

    RULE = "rule"
    QUESTION = "question"
    PERSON = "person"
    ANSWER = "answer"
    SYSTEM = "system"


class Message(SQLModel, table=True):
    """One LINE push or reply promised to a customer. `message_id` is LINE's retry key.

    `bubbles`: the LINE message objects, fixed when promised. `dedupe_key`: unique per customer.
    `not_before`: undo window, back-off, opening of a gate. `reply_token`: tried first while fresh.
    `approved_by` and `text_hash`: who pressed Send on exactly which text (kind `person`).
    `first_attempt_at`: since when LINE may have taken it; empty again once it is known that it has not.
    `unit`: the name under which LINE counts what became of it.
    `reply_tried_at`: since when the reply token may have been used for it: then it is never pushed.
    `reviewed_by`: who decided what is to become of it after it failed, or its outcome stayed unknown.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("customer_id", "dedupe_key"),
        Index("ix_message_queued", "not_before", "message_id", postgresql_where=text("state = 'queued'")),
        Index("ix_message_sending", "attempted_at", postgresql_where=text("state = 'sending'")),
        Index("ix_message_promised", "customer_id", "promised_at"),
        Index("ix_message_promised_at", "promised_at", postgresql_using="brin"),
        Index(
            "ix_message_troubled",
            "settled_at",
            postgresql_where=text("state IN ('dead', 'unknown') AND reviewed_by IS NULL"),
        ),
    )

    customer_id: UUID = customer_key()
    message_id: UUID = Field(primary_key=True)
    kind: str
    state: str
    dedupe_key: str
    line_user_id: str
    purpose: str | None = None
    rule_id: str | None = None
    rule_version: int | None = None
    occasion: int | None = None
    step: str | None = None
    template: str | None = None
    bubbles: list[Json] = document(default_factory=list)
    plain_text: str = ""
    priority: int = 50
    lead_id: UUID | None = None
    draft_id: UUID | None = None
    approved_by: str | None = None
    text_hash: str | None = None
    reply_token: str | None = None
    reply_token_until: datetime | None = moment(default=None)
    reply_tried_at: datetime | None = moment(default=None)
    promised_at: datetime = moment()
    not_before: datetime = moment()
    first_attempt_at: datetime | None = moment(default=None)
    attempted_at: datetime | None = moment(default=None)
    attempts: int = 0
    settled_at: datetime | None = moment(default=None)
    because: str | None = None
    line_request_id: str | None = None
    line_message_ids: list[str] = document(default_factory=list)
    unit: str | None = None
    reviewed_by: str | None = None


class Link(SQLModel, table=True):
    """A directory row: where `/r/{token}` leads and whose message it was in. Knows nothing else."""

    __tablename__ = "link"

    token: str = Field(primary_key=True)
    customer_id: UUID
    message_id: UUID
    url: str
    created_at: datetime = moment()


class Click(SQLModel, table=True):
    """One opening of a tracked link."""

    __tablename__ = "click"

    customer_id: UUID = customer_key()
    click_id: UUID = Field(primary_key=True)
    message_id: UUID
    at: datetime = moment()


# --- promising ----------------------------------------------------------------------------------------


async def promise(session: AsyncSession, message: Message) -> bool:
    """Promise one message; False when its `dedupe_key` was promised to this customer before."""
    return bool(await promise_all(session, [message]))


async def promise_all(session: AsyncSession, messages: Sequence[Message]) -> set[UUID]:
    """Promise many messages in one statement; returns the ids of those that were new."""
    if not messages:
        return set()
    statement = (
        insert(Message)
        .on_conflict_do_nothing(index_elements=["customer_id", "dedupe_key"])
        .returning(col(Message.message_id))
    )
    # Rows as parameters, not inside the statement: it is compiled once, whatever their number.
    return set(await session.scalars(statement, [message.model_dump() for message in messages]))


async def add_link(
    session: AsyncSession, *, token: str, customer_id: UUID, message_id: UUID, url: str, now: datetime
) -> None:
    """Let `/r/{token}` lead to `url`, from now on, for this message."""
    await add_links(
        session,
        [Link(token=token, customer_id=customer_id, message_id=message_id, url=url, created_at=now)],
    )


async def add_links(session: AsyncSession, links: Sequence[Link]) -> None:
    """Let many tokens lead to their addresses, in one statement."""
    if links:
        await session.execute(insert(Link), [link.model_dump() for link in links])


# --- taking back --------------------------------------------------------------------------------------


def _never_started() -> ColumnElement[bool]:
    return and_(col(Message.first_attempt_at).is_(None), col(Message.reply_tried_at).is_(None))


async def cancel_queued(
    session: AsyncSession,
    customer_id: UUID,
    *,
    because: str,
    now: datetime,
    kinds: Iterable[MessageKind] | None = None,
    rule_id: str | None = None,
    after: datetime | None = None,
) -> int:
    """Stop what waits for this customer; returns how many messages will not go out.

    Call it with the customer locked. A message that LINE may have taken already (an attempt without a
    readable answer) becomes `unknown` instead of `cancelled`; one whose request is under way goes on.

    Args:
        because: the reason, for people.
        kinds: only these; None: all.
        rule_id: only messages of this rule.
        after: only those promised later than this.
    """
    terms = [col(Message.customer_id) == customer_id, col(Message.state) == MessageState.QUEUED]
    if kinds is not None:
        terms.append(col(Message.kind).in_([kind.value for kind in kinds]))
    if rule_id is not None:
        terms.append(col(Message.rule_id) == rule_id)
    if after is not None:
        terms.append(col(Message.promised_at) > after)
    stopped = await session.scalars(
        update(Message)
        .where(*terms)
        .values(
            state=case((_never_started(), MessageState.CANCELLED.value), else_=MessageState.UNKNOWN.value),
            because=because,
            settled_at=now,
            reply_token=None,
        )
        .returning(col(Message.message_id))
        .execution_options(synchronize_session=False)
    )
    return len(list(stopped))


async def cancel_one(
    session: AsyncSession, customer_id: UUID, message_id: UUID, *, because: str, now: datetime
) -> bool:
    """Take one message back before its request starts (undo); False: too late."""
    stopped = await session.scalar(
        update(Message)
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.message_id) == message_id,
            col(Message.state) == MessageState.QUEUED,
            _never_started(),
        )
        .values(state=MessageState.CANCELLED.value, because=because, settled_at=now)
        .returning(col(Message.message_id))
        .execution_options(synchronize_session=False)
    )
    return stopped is not None


async def replay(session: AsyncSession, customer_id: UUID, message_id: UUID, *, now: datetime) -> bool:
    """Promise a dead message again (a person decided so); False when it is not dead.

    Only what LINE refused for certain is `dead`, so the same key cannot reach the customer twice.
    """
    revived = await session.scalar(
        update(Message)
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.message_id) == message_id,
            col(Message.state) == MessageState.DEAD,
        )
        .values(
            state=MessageState.QUEUED.value,
            not_before=now,
            promised_at=now,
            first_attempt_at=None,
            reply_token=None,
            reply_tried_at=None,
            settled_at=None,
            because=None,
            attempts=0,
        )
        .returning(col(Message.message_id))
        .execution_options(synchronize_session=False)
    )
    return revived is not None


async def release_held(session: AsyncSession, customer_id: UUID, *, now: datetime) -> None:
    """Have the rule messages that wait for this customer looked at now: what held them may be over."""
    await session.execute(
        update(Message)
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.state) == MessageState.QUEUED,
            col(Message.kind) == MessageKind.RULE,
            col(Message.attempts) == 0,
            col(Message.not_before) > now,
        )
        .values(not_before=now)
        .execution_options(synchronize_session=False)
    )


async def release_all_held(session: AsyncSession, *, now: datetime) -> None:
    """Have every rule message that waits for something looked at now, in the order of its moment."""
    await session.execute(
        update(Message)
        .where(
            col(Message.state) == MessageState.QUEUED,
            col(Message.kind) == MessageKind.RULE,
            col(Message.attempts) == 0,
            col(Message.not_before) > now,
        )
        .values(not_before=now)
        .execution_options(synchronize_session=False)
    )


# --- claiming -----------------------------------------------------------------------------------------


async def next_due(session: AsyncSession) -> datetime | None:
    """The next moment at which a message is to be looked at; None: none waits."""
    queued = await session.scalar(
        select(func.min(col(Message.not_before))).where(col(Message.state) == MessageState.QUEUED)
    )
    sending = await session.scalar(
        select(func.min(col(Message.attempted_at))).where(col(Message.state) == MessageState.SENDING)
    )
    moments = [at for at in (queued, sending and sending + LEASE) if at is not None]
    return min(moments, default=None)


# --- reading ------------------------------------------------------------------------------------------


async def message_of(session: AsyncSession, customer_id: UUID, message_id: UUID) -> Message | None:
    """One message, whatever its state."""
    return await session.get(Message, (customer_id, message_id))


async def latest_offer(session: AsyncSession, customer_id: UUID, *, since: datetime) -> Message | None:
    """The newest message since then that offered answers in one tap and may have reached the customer."""
    found: Message | None = await session.scalar(
        select(Message)
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.promised_at) >= since,
            col(Message.state).in_([MessageState.ACCEPTED, MessageState.SENDING, MessageState.UNKNOWN]),
            col(Message.bubbles).op("@?")(cast("$[*].quickReply", JSONPATH)),
        )
        .order_by(col(Message.promised_at).desc(), col(Message.message_id).desc())
        .limit(1)
    )
    return found


async def latest_wording(session: AsyncSession, customer_id: UUID, template: str) -> str | None:
    """Which words the customer last got of this template (the hash of them)."""
    found: str | None = await session.scalar(
        select(col(Message.text_hash))
        .where(col(Message.customer_id) == customer_id, col(Message.template) == template)
        .order_by(col(Message.promised_at).desc())
        .limit(1)
    )
    return found


async def link_of(session: AsyncSession, token: str) -> Link | None:
    """Where a tracked link leads."""
    return await session.get(Link, token)

"""What is known that a lead's card has to show, and what drafts have to be made from?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.columns import UUID, datetime
from db.desk.leads import OPEN_STATES, Lead, lead_by_id
from db.people.customers import Account, Customer, LineUser
from db.talk.conversations import ConversationRow, InboundLine, current, lines_of
from db.talk.drafts import Draft, drafts_of
from db.talk.messages import Message, MessageKind, MessageState

SETTLED = (MessageState.ACCEPTED.value, MessageState.UNKNOWN.value)
IN_FLIGHT = (MessageState.QUEUED.value, MessageState.SENDING.value)
FORGOTTEN_AFTER = timedelta(days=30)
"""Older things that were said are no context for a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidThing:
    """One thing said by the customer (`inbound`) or by us (`outbound`)."""

    at: datetime
    inbound: InboundLine | None = None
    outbound: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadContext:
    """A lead with everything around it, read in one transaction.

    `said`: the latest things, oldest first. `drafts`: those that stand, sent ones included.
    `sent`: the latest message a person sent from this lead's card.
    """

    lead: Lead
    customer: Customer | None
    account: Account | None
    line_user: LineUser | None
    conversation: ConversationRow | None
    said: tuple[SaidThing, ...]
    drafts: tuple[Draft, ...]
    sent: Message | None

    @property
    def revision(self) -> int:
        """Of the conversation."""
        return self.conversation.revision if self.conversation else 0

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Of the customer."""
        return self.customer.attributes if self.customer else {}

    @property
    def unreachable(self) -> str | None:
        """`not_linked`, `blocked`, or None when a message can go out."""
        if self.line_user is None:
            return "not_linked"
        return "blocked" if self.line_user.is_blocked or not self.line_user.is_friend else None

    @property
    def is_in_flight(self) -> bool:
        """A message from this card is on its way."""
        return self.sent is not None and self.sent.state in IN_FLIGHT

    @property
    def is_answered(self) -> bool:
        """A person answered from this card, and the customer has said nothing since."""
        if self.sent is None or self.sent.state not in (*IN_FLIGHT, *SETTLED):
            return False
        heard_at = self.conversation.last_inbound_at if self.conversation else None
        return heard_at is None or self.sent.promised_at >= heard_at

    @property
    def proposals(self) -> tuple[Draft, ...]:
        """The drafts that may be sent now: unsent, and written for the conversation as it is."""
        if self.is_in_flight:
            return ()
        return tuple(
            draft
            for draft in self.drafts
            if draft.sent_at is None and draft.conversation_revision == self.revision
        )

    @property
    def is_to_be_drafted(self) -> bool:
        """Drafts are missing."""
        if not self.lead.is_open or self.unreachable or self.is_in_flight or self.proposals:
            return False
        return self.lead.is_draft_wanted or not self.is_answered


async def load_context(
    session: AsyncSession, lead_id: UUID, *, now: datetime, is_locked: bool = False, lines: int = 6
) -> LeadContext | None:
    """Everything around one lead; None when there is no such lead."""
    lead = await lead_by_id(session, lead_id, is_locked=is_locked)
    if lead is None:
        return None
    customer: Customer | None = await session.scalar(
        select(Customer).where(col(Customer.customer_id) == lead.customer_id).execution_options(**_FRESH)
    )
    account: Account | None = None
    if customer is not None and customer.account:
        account = await session.scalar(select(Account).where(col(Account.account) == customer.account))
    return LeadContext(
        lead=lead,
        customer=customer,
        account=account,
        line_user=await _line_user(session, lead.customer_id, customer),
        conversation=await current(session, lead.customer_id),
        said=await _said(session, lead.customer_id, now=now, limit=lines),
        drafts=tuple(await drafts_of(session, lead.customer_id, lead.lead_id)),
        sent=await sent_from(session, lead.customer_id, lead.lead_id),
    )


_FRESH: dict[str, Any] = {"populate_existing": True}


async def _line_user(session: AsyncSession, customer_id: UUID, customer: Customer | None) -> LineUser | None:
    query = select(LineUser).where(col(LineUser.customer_id) == customer_id)
    if customer is not None and customer.line_user_id:
        query = query.order_by((col(LineUser.line_user_id) == customer.line_user_id).desc())
    query = query.order_by(col(LineUser.is_friend).desc(), col(LineUser.created_at).desc()).limit(1)
    found: LineUser | None = await session.scalar(query.execution_options(**_FRESH))
    return found


async def _said(
    session: AsyncSession, customer_id: UUID, *, now: datetime, limit: int
) -> tuple[SaidThing, ...]:
    heard = await lines_of(session, customer_id, limit=limit)
    wrote = await session.scalars(
        select(Message)
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.state).in_(SETTLED),
            col(Message.kind) != MessageKind.SYSTEM,
            col(Message.promised_at) > now - FORGOTTEN_AFTER,
        )
        .order_by(col(Message.promised_at).desc())
        .limit(limit)
    )
    # Oldest first before sorting, which is stable: lines of one moment stay in order.
    said = [
        SaidThing(at=line.at, inbound=line) for line in reversed(heard) if line.at > now - FORGOTTEN_AFTER
    ]
    said += [
        SaidThing(at=message.settled_at or message.promised_at, outbound=message)
        for message in reversed(list(wrote))
    ]
    return tuple(sorted(said, key=lambda thing: (thing.at, thing.inbound is not None))[-limit:])


async def sent_from(session: AsyncSession, customer_id: UUID, lead_id: UUID) -> Message | None:
    """The latest message a person sent from this lead's card."""
    found: Message | None = await session.scalar(
        select(Message)
        .where(
            col(Message.customer_id) == customer_id,
            col(Message.lead_id) == lead_id,
            col(Message.kind) == MessageKind.PERSON,
        )
        .order_by(col(Message.promised_at).desc(), col(Message.message_id).desc())
        .limit(1)
        .execution_options(**_FRESH)
    )
    return found


async def sent_draft(session: AsyncSession, customer_id: UUID, draft_id: UUID) -> Message | None:
    """The message that this draft became."""
    found: Message | None = await session.scalar(
        select(Message)
        .where(col(Message.customer_id) == customer_id, col(Message.draft_id) == draft_id)
        .limit(1)
        .execution_options(**_FRESH)
    )
    return found


async def leads_to_draft(session: AsyncSession, *, limit: int) -> list[UUID]:
    """Open leads that may lack drafts for the state of their conversation, the longest open first.

    May name leads that turn out to need none (`LeadContext.is_to_be_drafted` decides); misses none.
    """
    revision = func.coalesce(
        select(col(ConversationRow.revision))
        .where(col(ConversationRow.customer_id) == col(Lead.customer_id))
        .correlate(Lead)
        .scalar_subquery(),
        0,
    )
    has_draft = exists(
        select(1).where(
            col(Draft.customer_id) == col(Lead.customer_id),
            col(Draft.lead_id) == col(Lead.lead_id),
            col(Draft.conversation_revision) == revision,
            col(Draft.sent_at).is_(None),
            col(Draft.retired_at).is_(None),
        )
    )
    heard_at = (
        select(col(ConversationRow.last_inbound_at))
        .where(col(ConversationRow.customer_id) == col(Lead.customer_id))
        .correlate(Lead)
        .scalar_subquery()
    )
    is_answered = exists(
        select(1).where(
            col(Message.customer_id) == col(Lead.customer_id),
            col(Message.lead_id) == col(Lead.lead_id),
            col(Message.kind) == MessageKind.PERSON,
            col(Message.state).in_((*IN_FLIGHT, *SETTLED)),
            or_(heard_at.is_(None), col(Message.promised_at) >= heard_at),
        )
    )
    is_reachable = exists(
        select(1).where(
            col(LineUser.customer_id) == col(Lead.customer_id),
            col(LineUser.is_friend),
            col(LineUser.is_blocked).is_(False),
        )
    )
    query = (
        select(col(Lead.lead_id))
        .where(
            col(Lead.state).in_(OPEN_STATES),
            ~has_draft,
            is_reachable,
            or_(col(Lead.is_draft_wanted), ~is_answered),
        )
        .order_by(col(Lead.opened_at), col(Lead.lead_id))
        .limit(limit)
    )
    return list(await session.scalars(query))


async def line_of(session: AsyncSession, customer_id: UUID, line_message_id: str) -> InboundLine | None:
    """One thing a customer said."""
    found: InboundLine | None = await session.scalar(
        select(InboundLine)
        .where(
            col(InboundLine.customer_id) == customer_id,
            col(InboundLine.line_message_id) == line_message_id,
        )
        .execution_options(**_FRESH)
    )
    return found

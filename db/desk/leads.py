"""Which customers are worth a person's time now, and whose are they?"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import UUID, Json, customer_key, datetime, document, moment
from db.desk.posts import add_lead_line, ask_for_card

MAX_REASONS = 20
"""Reasons kept of one lead, newest first; the card shows fewer."""


class LeadState(StrEnum):
    """`new → claimed → (snoozed) → sent / won / lost / dismissed`; `sent`: answered, nothing more to do."""

    NEW = "new"
    CLAIMED = "claimed"
    SNOOZED = "snoozed"
    SENT = "sent"
    WON = "won"
    LOST = "lost"
    DISMISSED = "dismissed"


OPEN_STATES = (LeadState.NEW, LeadState.CLAIMED, LeadState.SNOOZED)
_IS_OPEN = text("state IN ('new', 'claimed', 'snoozed')")


class Lead(SQLModel, table=True):
    """One episode. `revision` is what compare-and-swap compares; at most one open lead per customer.

    `reasons`: [{ja, en, at}], newest first. `channel` and `ts`: the card in Slack.
    `is_draft_wanted`: somebody asked for drafts although nothing new was said; `draft_wish`: what they are
    to be like (`shorter`, `formal`, or a person's own words).
    `offered_to`, `offered_at`, `asked`: who is asked to take it since when, and everybody who was asked.
    `routed_at`, `remind_at`, `reminders`: since when the time to claim runs, when its next step is due, and
    how many were taken.
    `first_sent_at`: when a person first wrote from its card.
    `owner` and `closed_by`: Slack user ids. `disposition`: why it was dismissed or lost.
    """

    __tablename__ = "lead"
    __table_args__ = (
        Index("uq_lead_open", "customer_id", unique=True, postgresql_where=_IS_OPEN),
        Index("ix_lead_snoozed", "snoozed_until", postgresql_where=text("state = 'snoozed'")),
        Index("ix_lead_lead_id", "lead_id"),
        Index("ix_lead_owner", "owner", postgresql_where=_IS_OPEN),
        Index("ix_lead_remind", "remind_at", postgresql_where=text("state = 'new'")),
        Index("ix_lead_unrouted", "opened_at", postgresql_where=text("state = 'new' AND reminders = 0")),
        Index("ix_lead_ts", "ts", postgresql_where=text("ts IS NOT NULL")),
    )

    customer_id: UUID = customer_key()
    lead_id: UUID = Field(primary_key=True)
    state: str
    revision: int = 1
    source: str
    rule_id: str | None = None
    score: int | None = None
    reasons: list[Json] = document(default_factory=list)
    owner: str | None = None
    claimed_at: datetime | None = moment(default=None)
    snoozed_until: datetime | None = moment(default=None)
    disposition: str | None = None
    closed_by: str | None = None
    opened_at: datetime = moment()
    closed_at: datetime | None = moment(default=None)
    channel: str | None = None
    ts: str | None = None
    is_draft_wanted: bool = False
    draft_wish: str | None = None
    offered_to: str | None = None
    offered_at: datetime | None = moment(default=None)
    asked: list[str] = document(default_factory=list)
    routed_at: datetime | None = moment(default=None)
    remind_at: datetime | None = moment(default=None)
    reminders: int = 0
    first_sent_at: datetime | None = moment(default=None)

    @property
    def is_open(self) -> bool:
        """New, claimed or snoozed."""
        return self.state in OPEN_STATES


# --- opening ------------------------------------------------------------------------------------------


async def open_lead(
    session: AsyncSession,
    *,
    customer_id: UUID,
    source: str,
    reason_ja: str,
    reason_en: str,
    ids: Ids,
    now: datetime,
    rule_id: str | None = None,
    score: int | None = None,
) -> UUID:
    """Open a lead, or add the reason to the open one and wake it from snooze; asks for its card.

    Two openers at once get the same lead: the second waits for the first one's commit.

    Args:
        source: what opened it (`rule`, `quick_reply`, `message`, `score`, `person`).
        reason_ja, reason_en: one sentence for staff; no more about the customer than the card may show.

    Returns:
        The id of the open lead. Wake `post` and `draft` after the commit.
    """
    reason = {"ja": reason_ja, "en": reason_en, "at": now.isoformat()}
    for _ in range(3):  # an open lead seen by the insert may be closed before it is read
        opened: UUID | None = await session.scalar(
            insert(Lead)
            .values(
                customer_id=customer_id,
                lead_id=ids.uuid(),
                state=LeadState.NEW.value,
                revision=1,
                source=source,
                rule_id=rule_id,
                score=score,
                reasons=[reason],
                opened_at=now,
                is_draft_wanted=False,
                asked=[],
                reminders=0,
            )
            .on_conflict_do_nothing(index_elements=["customer_id"], index_where=_IS_OPEN)
            .returning(col(Lead.lead_id))
        )
        if opened is not None:
            await ask_for_card(session, customer_id=customer_id, lead_id=opened, ids=ids, now=now)
            return opened
        lead = await lead_of(session, customer_id, is_locked=True)
        if lead is not None:
            await _add_reason(session, lead, reason, score=score, ids=ids, now=now)
            return lead.lead_id
    raise RuntimeError("an open lead was seen and gone three times")


async def _add_reason(
    session: AsyncSession, lead: Lead, reason: Json, *, score: int | None, ids: Ids, now: datetime
) -> None:
    others = [each for each in lead.reasons if each.get("ja") != reason["ja"]]
    await change(
        session, lead, reasons=[reason, *others][:MAX_REASONS], score=lead.score if score is None else score
    )
    if lead.state == LeadState.SNOOZED:
        await wake(session, lead, ids=ids, now=now)
    await ask_for_card(session, customer_id=lead.customer_id, lead_id=lead.lead_id, ids=ids, now=now)


# --- finding ------------------------------------------------------------------------------------------


async def lead_of(session: AsyncSession, customer_id: UUID, *, is_locked: bool = False) -> Lead | None:
    """The customer's open lead; `is_locked`: held until the transaction ends."""
    query = select(Lead).where(col(Lead.customer_id) == customer_id, col(Lead.state).in_(OPEN_STATES))
    return await _one(session, query, is_locked=is_locked)


async def lead_by_id(session: AsyncSession, lead_id: UUID, *, is_locked: bool = False) -> Lead | None:
    """The lead with this id, open or not; `is_locked`: held until the transaction ends."""
    return await _one(session, select(Lead).where(col(Lead.lead_id) == lead_id), is_locked=is_locked)


async def _one(session: AsyncSession, query: Any, *, is_locked: bool) -> Lead | None:
    if is_locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found: Lead | None = await session.scalar(query)
    return found


async def open_leads_of(session: AsyncSession, slack_user_id: str, *, limit: int) -> list[Lead]:
    """This person's open leads, the longest open first."""
    query = (
        select(Lead)
        .where(col(Lead.owner) == slack_user_id, col(Lead.state).in_(OPEN_STATES))
        .order_by(col(Lead.opened_at))
        .limit(limit)
    )
    return list((await session.scalars(query)).all())


# --- moving -------------------------------------------------------------------------------------------


async def claim(session: AsyncSession, lead: Lead, *, owner: str, now: datetime) -> bool:
    """Give the lead its owner; False when it changed since it was read."""
    return await _swap(
        session,
        lead,
        state=LeadState.CLAIMED.value,
        owner=owner,
        claimed_at=now,
        snoozed_until=None,
        remind_at=None,
    )


async def snooze(session: AsyncSession, lead: Lead, *, until: datetime) -> bool:
    """Put the lead away until a moment or the next activity; False when it changed since it was read."""
    return await _swap(session, lead, state=LeadState.SNOOZED.value, snoozed_until=until, remind_at=None)


async def close(
    session: AsyncSession, lead: Lead, *, state: LeadState, by: str, disposition: str | None, now: datetime
) -> bool:
    """End the episode as won, lost or dismissed; False when it changed since it was read."""
    return await _swap(
        session,
        lead,
        state=state.value,
        closed_by=by,
        closed_at=now,
        disposition=disposition,
        snoozed_until=None,
        remind_at=None,
    )


async def wake(session: AsyncSession, lead: Lead, *, ids: Ids, now: datetime) -> bool:
    """Bring a snoozed lead back, and say so in its thread; False when it is not snoozed any more."""
    state = LeadState.CLAIMED if lead.owner else LeadState.NEW
    unasked: dict[str, Any] = {}
    if not lead.owner:
        unasked = {"reminders": 0, "routed_at": None, "asked": [], "offered_to": None}
    if not lead.is_open or not await _swap(session, lead, state=state.value, snoozed_until=None, **unasked):
        return False
    whom = f"<@{lead.owner}> " if lead.owner else ""
    content = {"ja": f"{whom}⏰ 保留が終わりました。", "en": f"{whom}⏰ No longer snoozed."}
    await add_lead_line(
        session,
        customer_id=lead.customer_id,
        lead_id=lead.lead_id,
        key=f"woke:{lead.revision}",
        content=content,
        ids=ids,
        now=now,
    )
    await ask_for_card(session, customer_id=lead.customer_id, lead_id=lead.lead_id, ids=ids, now=now)
    return True


async def wake_on_activity(session: AsyncSession, customer_id: UUID, *, ids: Ids, now: datetime) -> bool:
    """Bring the customer's lead back when it is snoozed: they wrote, or did something that counts."""
    lead = await lead_of(session, customer_id, is_locked=True)
    return (
        lead is not None and lead.state == LeadState.SNOOZED and await wake(session, lead, ids=ids, now=now)
    )


async def wake_due(session: AsyncSession, *, ids: Ids, now: datetime, limit: int = 200) -> int:
    """Bring back the leads whose snooze has ended; how many."""
    query = (
        select(Lead)
        .where(col(Lead.state) == LeadState.SNOOZED, col(Lead.snoozed_until) <= now)
        .order_by(col(Lead.snoozed_until))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    woken = 0
    for lead in (await session.scalars(query)).all():
        woken += await wake(session, lead, ids=ids, now=now)
    return woken


async def want_drafts(session: AsyncSession, lead: Lead, *, is_wanted: bool, wish: str | None = None) -> bool:
    """Note that new drafts are wanted, or have been made; False when the lead changed since it was read."""
    return await change(session, lead, is_draft_wanted=is_wanted, draft_wish=wish)


async def lead_in_thread(session: AsyncSession, *, channel: str, ts: str) -> Lead | None:
    """The lead whose card is the parent of this thread."""
    return await _one(
        session, select(Lead).where(col(Lead.ts) == ts, col(Lead.channel) == channel), is_locked=False
    )


async def stand_in(session: AsyncSession, lead_id: UUID, *, channel: str, ts: str) -> None:
    """Note where the lead's card stands in Slack."""
    await session.execute(
        update(Lead)
        .where(col(Lead.lead_id) == lead_id)
        .values(channel=channel, ts=ts)
        .execution_options(synchronize_session=False)
    )


async def _swap(session: AsyncSession, lead: Lead, **changes: Any) -> bool:
    """Change the lead if it still is at the revision that was read; then `lead` shows the change too."""
    return await change(session, lead, revision=lead.revision + 1, **changes)


async def change(session: AsyncSession, lead: Lead, **changes: Any) -> bool:
    """Write these columns if the lead still is at the revision that was read; its buttons keep working."""
    revision = await session.scalar(
        update(Lead)
        .where(
            col(Lead.customer_id) == lead.customer_id,
            col(Lead.lead_id) == lead.lead_id,
            col(Lead.revision) == lead.revision,
        )
        .values(**changes)
        .returning(col(Lead.revision))
        .execution_options(synchronize_session=False)
    )
    if revision is None:
        return False
    await session.refresh(lead)
    return True

"""Who has our tab in Slack open, what stands there, and which leads belong on it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import datetime, moment
from db.deciding.followups import FollowUpRow
from db.desk.leads import OPEN_STATES, Lead, LeadState
from db.people.customers import Customer, LineUser
from db.talk.conversations import ConversationRow
from followups.facts import FollowUpState


class Home(SQLModel, table=True):
    """A directory row: one person's App Home as it was published last.

    `view_hash`: Slack's, of what stands there; `digest`: ours, of what we meant to show.
    `page`: of the rules.
    """

    __tablename__ = "home"

    slack_user_id: str = Field(primary_key=True)
    opened_at: datetime = moment()
    published_at: datetime | None = moment(default=None)
    page: int = 0
    view_hash: str | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeLead:
    """An open lead with what one line says of it. `is_unanswered`: the customer waits for an answer."""

    lead: Lead
    name: str | None
    is_unanswered: bool
    last_inbound_at: datetime | None


async def opened(session: AsyncSession, slack_user_id: str, *, page: int | None, now: datetime) -> Home:
    """Note that this person looks at their tab, at this page of it (None: the one they were at)."""
    known = {"opened_at": now} if page is None else {"opened_at": now, "page": page}
    await session.execute(
        insert(Home)
        .values(slack_user_id=slack_user_id, opened_at=now, page=page or 0, digest="")
        .on_conflict_do_update(index_elements=["slack_user_id"], set_=known)
    )
    found = await home_of(session, slack_user_id)
    assert found is not None
    return found


async def home_of(session: AsyncSession, slack_user_id: str) -> Home | None:
    """What stands on this person's tab."""
    return await session.get(Home, slack_user_id, populate_existing=True)


async def published(
    session: AsyncSession, slack_user_id: str, *, digest: str, view_hash: str | None, now: datetime
) -> None:
    """Note what stands there now."""
    await session.execute(
        update(Home)
        .where(col(Home.slack_user_id) == slack_user_id)
        .values(digest=digest, view_hash=view_hash, published_at=now)
        .execution_options(synchronize_session=False)
    )


async def looked_at_since(session: AsyncSession, since: datetime, *, limit: int) -> list[str]:
    """Whose tab was opened from then on, the latest first."""
    return list(
        await session.scalars(
            select(col(Home.slack_user_id))
            .where(col(Home.opened_at) >= since)
            .order_by(col(Home.opened_at).desc())
            .limit(limit)
        )
    )


async def under_way(session: AsyncSession) -> dict[str, int]:
    """How many customers are in each rule now."""
    rows = await session.execute(
        select(col(FollowUpRow.rule_id), func.count())
        .where(col(FollowUpRow.state) == FollowUpState.ACTIVE)
        .group_by(col(FollowUpRow.rule_id))
    )
    return {rule_id: number for rule_id, number in rows}  # noqa: C416 (rows are no pairs to mypy)


async def leads_for(
    session: AsyncSession, slack_user_id: str, *, limit: int
) -> tuple[list[HomeLead], list[HomeLead], dict[str, int]]:
    """A person's own open leads, those that nobody has taken yet, and how many there are of each.

    Own ones the longest open first; unclaimed ones the soonest due first. Counts: `mine`, `unclaimed`.
    """
    is_mine = col(Lead.owner) == slack_user_id
    is_free = (col(Lead.state) == LeadState.NEW.value) & col(Lead.owner).is_(None)
    counts = (
        await session.execute(
            select(func.count().filter(is_mine), func.count().filter(is_free)).where(
                col(Lead.state).in_(OPEN_STATES), or_(is_mine, is_free)
            )
        )
    ).one()
    mine = await _lines(session, is_mine, col(Lead.opened_at), limit=limit)
    free = await _lines(
        session, is_free, func.coalesce(col(Lead.remind_at), col(Lead.opened_at)), limit=limit
    )
    return mine, free, {"mine": counts[0], "unclaimed": counts[1]}


async def _lines(session: AsyncSession, term: Any, order: Any, *, limit: int) -> list[HomeLead]:
    named = (
        select(func.max(col(LineUser.display_name)))
        .where(col(LineUser.customer_id) == col(Lead.customer_id))
        .correlate(Lead)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(
            Lead,
            func.coalesce(col(Customer.attributes)["name"].astext, named),
            col(ConversationRow.is_unanswered),
            col(ConversationRow.last_inbound_at),
        )
        .outerjoin(Customer, col(Customer.customer_id) == col(Lead.customer_id))
        .outerjoin(ConversationRow, col(ConversationRow.customer_id) == col(Lead.customer_id))
        .where(col(Lead.state).in_(OPEN_STATES), term)
        .order_by(order, col(Lead.lead_id))
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [
        HomeLead(lead=lead, name=name, is_unanswered=bool(is_unanswered), last_inbound_at=heard_at)
        for lead, name, is_unanswered, heard_at in rows
    ]

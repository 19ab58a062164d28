"""What waits for a support lead's word, who gave it, and for what exactly?

Two kinds. *A day's crowd*: a rule wants to write to more people in one local day than the policy lets it
without being asked; one question per rule, version and day. *A text*: a rule with `approval: review` wants to
send this very text to this customer; one question per customer, rule, occasion and step, asked anew when the
text or the conversation has changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Date, Index, UniqueConstraint, Uuid, and_, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db import arrays
from db.columns import UUID, customer_key, datetime, moment
from db.deciding.followups import given
from db.desk import audit
from db.desk.audit import NOBODY, PROGRAM
from db.desk.notices import add_notice, touch_notices
from followups.facts import Review, ReviewState

SHOWN_AT_ONCE = 10
"""Texts of one rule that wait in the alerts channel together; the next follow as these are answered."""


class ApprovalState(StrEnum):
    """`stale`: what was asked about has changed; it was asked about anew."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    STALE = "stale"


class Approval(SQLModel, table=True):
    """One question to a support lead, and the answer.

    `customer_id` is `NOBODY` for a day's crowd; then `day` is set. `text` is what the customer would read,
    `text_hash` stands for the whole message (button, link and quick replies too), `revision` is the
    conversation's when it was asked.
    """

    __tablename__ = "approval"
    __table_args__ = (
        UniqueConstraint("customer_id", "dedupe_key"),
        Index("ix_approval_asked", "asked_at", "approval_id", postgresql_where=text("state = 'asked'")),
    )

    customer_id: UUID = customer_key()
    approval_id: UUID = Field(primary_key=True)
    dedupe_key: str
    rule_id: str
    rule_version: int
    state: str = ApprovalState.ASKED.value
    day: date | None = Field(default=None, sa_type=Date)
    recipients: int = 0
    occasion: int | None = None
    step: str | None = None
    text: str = ""
    text_hash: str | None = None
    revision: int = 0
    asked_at: datetime = moment()
    answered_at: datetime | None = moment(default=None)
    answered_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextToReview:
    """The message a rule wants to send to one customer."""

    customer_id: UUID
    rule_id: str
    rule_version: int
    occasion: int
    step: str
    text: str
    text_hash: str
    revision: int


# --- a day's crowd ----------------------------------------------------------------------------------------


def _day_key(rule_id: str, version: int, day: date) -> str:
    return f"day:{rule_id}:{version}:{day.isoformat()}"


async def ask_for_day(
    session: AsyncSession,
    *,
    rule_id: str,
    version: int,
    day: date,
    recipients: int,
    ids: Ids,
    now: datetime,
) -> bool:
    """Ask whether this rule may write to more people today; once per rule, version and day.

    Args:
        recipients: how many it has written to already.

    Returns:
        Whether it was asked just now.
    """
    approval_id = ids.uuid()
    asked = await session.scalar(
        insert(Approval)
        .values(
            customer_id=NOBODY,
            approval_id=approval_id,
            dedupe_key=_day_key(rule_id, version, day),
            rule_id=rule_id,
            rule_version=version,
            state=ApprovalState.ASKED.value,
            day=day,
            recipients=recipients,
            text="",
            revision=0,
            asked_at=now,
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "dedupe_key"])
        .returning(col(Approval.approval_id))
    )
    if asked is None:
        return False
    await add_notice(
        session, NOBODY, _notice(approval_id), {"approval_id": str(approval_id)}, ids=ids, now=now
    )
    await audit.record(
        session,
        actor=PROGRAM,
        action="approval.asked",
        ids=ids,
        now=now,
        rule_id=rule_id,
        version=version,
        approval_id=approval_id,
    )
    return True


async def days_answered(
    session: AsyncSession, days: Mapping[str, tuple[int, date]]
) -> dict[str, ApprovalState]:
    """Where the question about each rule's day stands, by rule id; not asked about: left out.

    Args:
        days: (version, local day) by rule id.
    """
    keys = [_day_key(rule_id, version, day) for rule_id, (version, day) in days.items()]
    if not keys:
        return {}
    rows = await session.execute(
        select(col(Approval.rule_id), col(Approval.state)).where(
            col(Approval.customer_id) == NOBODY, col(Approval.dedupe_key).in_(keys)
        )
    )
    return {rule_id: ApprovalState(state) for rule_id, state in rows}


# --- texts ------------------------------------------------------------------------------------------------


def _text_key(wanted: TextToReview) -> str:
    return (
        f"text:{wanted.rule_id}:{wanted.occasion}:{wanted.step}:{wanted.rule_version}:{wanted.revision}"
        f":{wanted.text_hash}"
    )


async def ask_for_texts(
    session: AsyncSession, wanted: Sequence[TextToReview], *, ids: Ids, now: datetime
) -> int:
    """Ask about these texts; those asked about before for the same step are stale. How many are new."""
    if not wanted:
        return 0
    stale = await session.scalars(
        update(Approval)
        .where(
            tuple_(
                col(Approval.customer_id), col(Approval.rule_id), col(Approval.occasion), col(Approval.step)
            ).in_([(each.customer_id, each.rule_id, each.occasion, each.step) for each in wanted]),
            col(Approval.dedupe_key).not_in([_text_key(each) for each in wanted]),
            col(Approval.state) != ApprovalState.STALE,
        )
        .values(state=ApprovalState.STALE.value)
        .returning(col(Approval.approval_id))
        .execution_options(synchronize_session=False)
    )
    await touch_notices(session, [_notice(each) for each in stale])
    rows = await session.execute(
        insert(Approval)
        .values(
            [
                {
                    "customer_id": each.customer_id,
                    "approval_id": ids.uuid(),
                    "dedupe_key": _text_key(each),
                    "rule_id": each.rule_id,
                    "rule_version": each.rule_version,
                    "state": ApprovalState.ASKED.value,
                    "recipients": 1,
                    "occasion": each.occasion,
                    "step": each.step,
                    "text": each.text,
                    "text_hash": each.text_hash,
                    "revision": each.revision,
                    "asked_at": now,
                }
                for each in wanted
            ]
        )
        .on_conflict_do_nothing(index_elements=["customer_id", "dedupe_key"])
        .returning(col(Approval.rule_id), col(Approval.approval_id))
    )
    new = rows.all()
    for rule_id in sorted({rule_id for rule_id, _ in new}):
        await show_waiting(session, rule_id, ids=ids, now=now)
    return len(new)


async def show_waiting(session: AsyncSession, rule_id: str, *, ids: Ids, now: datetime) -> None:
    """Have the oldest texts of a rule that wait shown among the alerts, a few at a time."""
    for each in await waiting_approvals(session, rule_id=rule_id, limit=SHOWN_AT_ONCE):
        await add_notice(
            session,
            each.customer_id,
            _notice(each.approval_id),
            {"approval_id": str(each.approval_id)},
            ids=ids,
            now=now,
        )


def _notice(approval_id: UUID) -> str:
    return f"approval:{approval_id}"


async def reviews_of(session: AsyncSession, customer_ids: Collection[UUID]) -> dict[UUID, dict[str, Review]]:
    """The latest question about a text by customer and rule, stale ones left out."""
    rows = await session.execute(
        select(Approval)
        .where(
            col(Approval.customer_id).in_(given("ids", Uuid())),
            col(Approval.occasion).is_not(None),
            col(Approval.state) != ApprovalState.STALE,
        )
        .order_by(col(Approval.asked_at), col(Approval.approval_id)),
        {"ids": arrays.uuids(customer_ids)},
    )
    reviews: dict[UUID, dict[str, Review]] = {}
    for (row,) in rows:
        assert row.occasion is not None
        assert row.step is not None
        assert row.text_hash is not None
        reviews.setdefault(row.customer_id, {})[row.rule_id] = Review(
            rule_version=row.rule_version,
            occasion=row.occasion,
            step=row.step,
            text_hash=row.text_hash,
            revision=row.revision,
            state=ReviewState(row.state),
        )
    return reviews


# --- answering --------------------------------------------------------------------------------------------


async def approval_by_id(session: AsyncSession, approval_id: UUID) -> Approval | None:
    """One question, held until the transaction ends."""
    found: Approval | None = await session.scalar(
        select(Approval).where(col(Approval.approval_id) == approval_id).with_for_update()
    )
    return found


async def approval_shown(session: AsyncSession, approval_id: UUID) -> tuple[Approval, int] | None:
    """One question as it stands now, and how many others of its rule wait."""
    row = (
        await session.scalars(
            select(Approval)
            .where(col(Approval.approval_id) == approval_id)
            .execution_options(populate_existing=True)
        )
    ).first()
    if row is None:
        return None
    others = await session.scalar(
        select(func.count()).where(
            col(Approval.rule_id) == row.rule_id,
            col(Approval.state) == ApprovalState.ASKED,
            col(Approval.approval_id) != approval_id,
        )
    )
    return row, int(others or 0)


async def waiting_approvals(
    session: AsyncSession, *, rule_id: str | None = None, limit: int = 100
) -> list[Approval]:
    """What waits for an answer, the oldest first."""
    query = (
        select(Approval)
        .where(col(Approval.state) == ApprovalState.ASKED)
        .order_by(col(Approval.asked_at), col(Approval.approval_id))
        .limit(limit)
    )
    if rule_id is not None:
        query = query.where(col(Approval.rule_id) == rule_id)
    return list(await session.scalars(query))


async def answer(
    session: AsyncSession,
    approval: Approval,
    state: ApprovalState,
    *,
    by: str,
    ids: Ids,
    now: datetime,
) -> bool:
    """Write down the answer; False: somebody answered before."""
    written = await session.scalar(
        update(Approval)
        .where(
            and_(
                col(Approval.customer_id) == approval.customer_id,
                col(Approval.approval_id) == approval.approval_id,
                col(Approval.state) == ApprovalState.ASKED,
            )
        )
        .values(state=state.value, answered_at=now, answered_by=by)
        .returning(col(Approval.approval_id))
        .execution_options(synchronize_session=False)
    )
    if written is None:
        return False
    await audit.record(
        session,
        actor=by,
        action=f"approval.{state.value}",
        ids=ids,
        now=now,
        customer_id=approval.customer_id,
        rule_id=approval.rule_id,
        version=approval.rule_version,
        approval_id=approval.approval_id,
    )
    await touch_notices(session, [_notice(approval.approval_id)])
    await show_waiting(session, approval.rule_id, ids=ids, now=now)
    return True

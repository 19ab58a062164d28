"""How is LINE's account-link dialog prepared, and how does a link end?

A nonce stands for a customer who is logged in to the product (Account link); only its hash is kept. A link
request is a LINE user's wish for the dialog, which needs a token of LINE's first.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from sqlalchemy import Table, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import UUID, datetime, moment
from db.deciding.ticks import mark_dirty
from db.people.consents import ConsentEntry
from db.people.customers import Customer, LineUser, add_customers, customer_id_of_line_user, lock_customers
from db.people.line_users import user_of, user_of_customer
from db.people.preferences import Wish
from db.talk.messages import cancel_queued

NONCE_LIVES = timedelta(minutes=30)
"""LINE's link token lives 10 minutes, so a nonce made in its dialog is used within that."""
LEASE = timedelta(seconds=60)
REQUEST_LIVES = timedelta(minutes=10)


class LinkNonce(SQLModel, table=True):
    """A one-time value that LINE hands back when its user agreed to be this customer."""

    __tablename__ = "link_nonce"

    nonce_hash: str = Field(primary_key=True)
    customer_id: UUID
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)
    used_by: str | None = None


class LinkRequest(SQLModel, table=True):
    """A directory row: a LINE user asked for the dialog; gone once it was offered."""

    __tablename__ = "link_request"

    line_user_id: str = Field(primary_key=True)
    event_id: str
    language: str
    reply_token: str | None = None
    reply_until: datetime | None = moment(default=None)
    asked_at: datetime = moment()
    not_before: datetime = moment()
    attempts: int = 0


# --- the nonce ----------------------------------------------------------------------------------------


def hash_of(nonce: str) -> str:
    """What is kept of a nonce."""
    return sha256(nonce.encode()).hexdigest()


async def create_nonce(
    session: AsyncSession, customer_id: UUID, *, now: datetime, ids: Ids
) -> tuple[str, datetime]:
    """A new nonce for this customer and when it ends: 256 random bits, Base64, of which 128 would do."""
    nonce = ids.token() + ids.token()
    expires_at = now + NONCE_LIVES
    session.add(
        LinkNonce(nonce_hash=hash_of(nonce), customer_id=customer_id, created_at=now, expires_at=expires_at)
    )
    await session.flush()
    return nonce, expires_at


async def link_nonce(session: AsyncSession, nonce: str) -> LinkNonce | None:
    """A nonce as it stands now; None: not one of ours."""
    found: LinkNonce | None = await session.scalar(
        select(LinkNonce)
        .where(col(LinkNonce.nonce_hash) == hash_of(nonce))
        .execution_options(populate_existing=True)
    )
    return found


async def spend_nonce(
    session: AsyncSession, nonce: LinkNonce, *, line_user_id: str | None, now: datetime
) -> bool:
    """Use a nonce up; False when it is spent or past its time."""
    spent = await session.scalar(
        update(LinkNonce)
        .where(
            col(LinkNonce.nonce_hash) == nonce.nonce_hash,
            col(LinkNonce.used_at).is_(None),
            col(LinkNonce.expires_at) > now,
        )
        .values(used_at=now, used_by=line_user_id)
        .returning(col(LinkNonce.nonce_hash))
        .execution_options(synchronize_session=False)
    )
    return spent is not None


# --- the dialog ---------------------------------------------------------------------------------------


async def ask_for_dialog(session: AsyncSession, request: LinkRequest) -> None:
    """Have this LINE user offered the dialog; asking again counts once, with the newer reply token."""
    await session.execute(
        insert(LinkRequest)
        .values(request.model_dump())
        .on_conflict_do_update(
            index_elements=["line_user_id"],
            set_={**request.model_dump(exclude={"line_user_id"})},
        )
    )


async def claim_requests(session: AsyncSession, *, limit: int, now: datetime) -> list[LinkRequest]:
    """Due requests, each this caller's own for `LEASE`; those nobody waits for any more are dropped."""
    await session.execute(delete(LinkRequest).where(col(LinkRequest.asked_at) <= now - REQUEST_LIVES))
    rows = list(
        await session.scalars(
            select(LinkRequest)
            .where(col(LinkRequest.not_before) <= now)
            .order_by(col(LinkRequest.not_before), col(LinkRequest.line_user_id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )
    for row in rows:
        session.expunge(row)
    await session.execute(
        update(LinkRequest)
        .where(col(LinkRequest.line_user_id).in_([row.line_user_id for row in rows]))
        .values(not_before=now + LEASE, attempts=col(LinkRequest.attempts) + 1)
        .execution_options(synchronize_session=False)
    )
    return rows


async def drop_request(session: AsyncSession, request: LinkRequest) -> bool:
    """It is carried out; False: somebody else did, or it was asked for anew."""
    dropped = await session.scalar(
        delete(LinkRequest)
        .where(
            col(LinkRequest.line_user_id) == request.line_user_id,
            col(LinkRequest.event_id) == request.event_id,
        )
        .returning(col(LinkRequest.line_user_id))
    )
    return dropped is not None


# --- the end ------------------------------------------------------------------------------------------


async def unlink(session: AsyncSession, customer_id: UUID, *, now: datetime) -> str | None:
    """This customer and their LINE user part; returns the LINE user, None where none was linked.

    What was said and sent stays with the customer, whose conversation it was. What was agreed to, refused
    and wished for is the person's own: it stays in the customer's ledger as proof and goes along with the
    LINE user, so that no refusal is lost by linking anew. Nothing queued goes out.
    """
    user = await user_of_customer(session, customer_id)
    if user is None:
        return None
    placeholder = customer_id_of_line_user(user.line_user_id)
    if placeholder == customer_id:
        return None
    await add_customers(session, {placeholder: None}, now=now)
    await lock_customers(session, {customer_id, placeholder})
    user = await user_of(session, user.line_user_id)
    if user is None or user.customer_id != customer_id:
        return None
    await _copy(session, ConsentEntry.__table__, customer_id, placeholder)  # type: ignore[attr-defined]
    await _copy(session, Wish.__table__, customer_id, placeholder)  # type: ignore[attr-defined]
    await cancel_queued(session, customer_id, because="not_linked: LINE との連携を解除", now=now)
    await session.execute(
        update(LineUser)
        .where(col(LineUser.line_user_id) == user.line_user_id)
        .values(customer_id=placeholder)
        .execution_options(synchronize_session=False)
    )
    for whose, line_user_id in ((customer_id, None), (placeholder, user.line_user_id)):
        await session.execute(
            update(Customer)
            .where(col(Customer.customer_id) == whose)
            .values(line_user_id=line_user_id)
            .execution_options(synchronize_session=False)
        )
    await mark_dirty(session, [customer_id, placeholder], now=now)
    return user.line_user_id


async def _copy(session: AsyncSession, ledger: Table, giver: UUID, taker: UUID) -> None:
    columns = [column for column in ledger.columns if column.name != "customer_id"]
    await session.execute(
        insert(ledger)
        .from_select(
            ["customer_id", *(column.name for column in columns)],
            select(literal(taker), *columns).where(ledger.c.customer_id == giver),
        )
        .on_conflict_do_nothing()
    )

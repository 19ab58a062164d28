"""Who are the customers, and which LINE user is each of them?

A customer's id is derived from the product's id for them (`customer_id_of`), so that events need no
look-up and every server computes the same one. A LINE user who is not linked yet is a customer without
`external_id`; linking moves what they said and agreed to over to the linked customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b

from sqlalchemy import Index, Text, Uuid, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db import arrays
from db.columns import UUID, Json, Timestamp, customer_key, datetime, document, moment


@lru_cache(maxsize=16384)
def customer_id_of(external_id: str) -> UUID:
    """The id of the customer whom the product calls `external_id`."""
    return UUID(bytes=blake2b(external_id.encode(), digest_size=16, person=b"customer").digest())


def customer_id_of_line_user(line_user_id: str) -> UUID:
    """The id that a LINE user has until they are linked to a customer of the product."""
    return UUID(bytes=blake2b(line_user_id.encode(), digest_size=16, person=b"line-user").digest())


class Customer(SQLModel, table=True):
    """A person who uses our user's product. `attributes`: traits as sent, name and mail among them.

    `attribute_times`: when each attribute was set, as ISO text, also for removed ones: the newest wins,
    whatever order they arrive in. `account_at`: the same for `account`.
    """

    __tablename__ = "customer"

    customer_id: UUID = customer_key()
    external_id: str | None = None
    account: str | None = None
    attributes: Json = document(default_factory=dict)
    timezone: str | None = None
    language: str | None = None
    line_user_id: str | None = None
    attribute_times: Json = document(default_factory=dict)
    account_at: datetime | None = moment(default=None)
    created_at: datetime = moment()
    erased_at: datetime | None = moment(default=None)


class Account(SQLModel, table=True):
    """A company customers belong to (Segment `group`)."""

    __tablename__ = "account"

    account: str = Field(primary_key=True)
    attributes: Json = document(default_factory=dict)
    attribute_times: Json = document(default_factory=dict)


class LineUser(SQLModel, table=True):
    """A directory row: the state of one LINE user and the customer they are now.

    `state_at` is the time of the newest follow/unfollow event taken in: older ones change nothing.
    `rich_menu_id`: the rich menu of their own that LINE was told to show; None: the account's default.
    """

    __tablename__ = "line_user"
    __table_args__ = (Index("ix_line_user_customer_id", "customer_id"),)

    line_user_id: str = Field(primary_key=True)
    customer_id: UUID
    destination: str | None = None
    is_friend: bool = False
    is_blocked: bool = False
    state_at: datetime | None = moment(default=None)
    display_name: str | None = None
    language: str | None = None
    last_inbound_at: datetime | None = moment(default=None)
    rich_menu_id: str | None = None
    created_at: datetime = moment()


class LinkCode(SQLModel, table=True):
    """A one-time code that, sent as a LINE message, links its sender to the customer."""

    __tablename__ = "link_code"

    code: str = Field(primary_key=True)
    customer_id: UUID
    created_at: datetime = moment()
    expires_at: datetime = moment()
    used_at: datetime | None = moment(default=None)
    used_by: str | None = None


async def add_customers(
    session: AsyncSession, customers: Mapping[UUID, str | None], *, now: datetime
) -> None:
    """Make those of these customers (id: the product's id, where known) that do not exist yet."""
    if not customers:
        return
    ids = sorted(customers)
    given = arrays.rows("given", customer_id=Uuid(), external_id=Text())
    nothing = cast(literal("{}", Text()), JSONB)
    await session.execute(
        insert(Customer.__table__)  # type: ignore[attr-defined]
        .from_select(
            ["customer_id", "external_id", "attributes", "attribute_times", "created_at"],
            select(
                given.c.customer_id,
                func.nullif(given.c.external_id, ""),
                nothing,
                nothing,
                literal(now, Timestamp),
            ),
        )
        .on_conflict_do_nothing(),
        {
            "customer_id": arrays.uuids(ids),
            "external_id": arrays.texts([customers[customer_id] or "" for customer_id in ids]),
        },
    )


async def lock_customers(session: AsyncSession, customer_ids: Iterable[UUID]) -> None:
    """Hold these customers' rows until the transaction ends, in one order for everybody.

    Every transaction that claims, cancels or counts something of a customer starts here: under READ
    COMMITTED two workers counting "sent this week" would otherwise both see room for one more.
    """
    await session.execute(
        select(col(Customer.customer_id))
        .where(col(Customer.customer_id).in_(set(customer_ids)))
        .order_by(col(Customer.customer_id))
        .with_for_update(key_share=True)
    )

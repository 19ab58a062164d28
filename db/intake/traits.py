"""What does the product say of its customers and their accounts, when several tellings cross on the way?

Every attribute remembers when it was set: the newest telling wins, whatever order they arrive in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

from sqlalchemy import Table, Text, Uuid, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db import arrays
from db.columns import UUID, Json, Timestamp, datetime
from db.intake.signals import set_moments
from db.people.customers import Account, Customer, add_customers, lock_customers
from followups.facts import AttributeValue
from followups.signals import attribute_key
from followups.times.zones import attribute_moment, zone_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What was said of one customer at one moment.

    Attributes:
        external_id: the product's id of the customer.
        attributes: what to set; None removes.
        account: the company they belong to.
        timezone, language: of their device: used while nothing better is known.
    """

    customer_id: UUID
    external_id: str
    at: datetime
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    account: str | None = None
    account_attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    timezone: str | None = None
    language: str | None = None


def merged(
    known: Mapping[str, AttributeValue],
    times: Mapping[str, str],
    told: Mapping[str, AttributeValue],
    at: datetime,
) -> tuple[dict[str, AttributeValue], dict[str, str]]:
    """What is known after a telling, and when each part of it was said.

    Of two tellings of one moment, the one that arrives later wins. A removed attribute keeps its time, so
    that an older telling does not bring it back.
    """
    values, moments = dict(known), dict(times)
    said_at = at.astimezone(UTC).isoformat()
    for name, value in told.items():
        if name in moments and datetime.fromisoformat(moments[name]) > at:
            continue
        moments[name] = said_at
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    return values, moments


def language_of(tag: object) -> str | None:
    """The primary tag of a BCP 47 language or of a locale (`ja-JP`, `en_US`); None: not one."""
    primary = str(tag).replace("_", "-").split("-")[0].lower() if isinstance(tag, str) else ""
    return primary if 2 <= len(primary) <= 3 and primary.isascii() and primary.isalpha() else None


async def take_tellings(
    session: AsyncSession, tellings: Sequence[Telling], *, default_timezone: str, now: datetime
) -> set[UUID]:
    """Take in what was said of customers; returns those of whom something is different now.

    Makes customers that are missing. Keeps the moment each date attribute's local day begins, as its signal
    (`followups.times.zones.attribute_moment`). Locks the customers in the order everybody does.

    Args:
        default_timezone: the policy's, for customers without one of their own.
    """
    if not tellings:
        return set()
    await add_customers(session, {telling.customer_id: telling.external_id for telling in tellings}, now=now)
    await lock_customers(session, {telling.customer_id for telling in tellings})
    await _take_accounts(session, tellings)
    before = {row.customer_id: row for row in await _people(session, tellings)}
    after = dict(before)
    for telling in tellings:
        after[telling.customer_id] = _told(after[telling.customer_id], telling)
    written = [row for customer_id, row in after.items() if row != before[customer_id]]
    await _write_people(session, written)
    changed = {row.customer_id for row in written if not row.says_the_same_as(before[row.customer_id])}
    moments: dict[tuple[UUID, str], datetime | None] = {}
    for customer_id in changed:
        moments |= _moments(before[customer_id], after[customer_id], default_timezone)
    await set_moments(session, moments)
    return changed


@dataclass(frozen=True, slots=True)
class _Person:
    customer_id: UUID
    attributes: Mapping[str, AttributeValue]
    attribute_times: Mapping[str, str]
    account: str | None
    account_at: datetime | None
    timezone: str | None
    language: str | None

    def says_the_same_as(self, other: _Person) -> bool:
        return (self.attributes, self.account, self.timezone, self.language) == (
            other.attributes,
            other.account,
            other.timezone,
            other.language,
        )


_PERSON = (
    "customer_id", "attributes", "attribute_times", "account", "account_at", "timezone", "language"
)  # fmt: skip


async def _people(session: AsyncSession, tellings: Sequence[Telling]) -> list[_Person]:
    customer: Table = Customer.__table__  # type: ignore[attr-defined]
    found = await session.execute(
        select(*(customer.c[name] for name in _PERSON)).where(
            customer.c.customer_id.in_({telling.customer_id for telling in tellings})
        )
    )
    return [_Person(*row) for row in found]


def _told(person: _Person, telling: Telling) -> _Person:
    values, times = merged(person.attributes, person.attribute_times, telling.attributes, telling.at)
    account, account_at = person.account, person.account_at
    if telling.account is not None and (account_at is None or telling.at >= account_at):
        account, account_at = telling.account, telling.at
    timezone, language = values.get("timezone"), language_of(values.get("language"))
    return _Person(
        customer_id=person.customer_id,
        attributes=values,
        attribute_times=times,
        account=account,
        account_at=account_at,
        timezone=str(timezone) if timezone else person.timezone or telling.timezone,
        language=language or person.language or telling.language,
    )


def _moments(before: _Person, after: _Person, default: str) -> dict[tuple[UUID, str], datetime | None]:
    """The date attributes whose day begins at another moment now."""
    zone = zone_of(after.timezone, default)
    has_moved = before.timezone != after.timezone
    names = {*before.attributes, *after.attributes}
    return {
        (after.customer_id, attribute_key(name)): attribute_moment(after.attributes.get(name), zone)
        for name in names
        if has_moved or before.attributes.get(name) != after.attributes.get(name)
    }


async def _write_people(session: AsyncSession, people: Sequence[_Person]) -> None:
    if not people:
        return
    customer: Table = Customer.__table__  # type: ignore[attr-defined]
    given = arrays.rows(
        "given",
        new_customer_id=Uuid(),
        new_attributes=JSONB(),
        new_attribute_times=JSONB(),
        new_account=Text(),
        new_account_at=Timestamp,
        new_timezone=Text(),
        new_language=Text(),
    )
    never = datetime(1, 1, 2, tzinfo=UTC)
    await session.execute(
        update(customer)
        .where(customer.c.customer_id == given.c.new_customer_id)
        .values(
            attributes=given.c.new_attributes,
            attribute_times=given.c.new_attribute_times,
            account=func.nullif(given.c.new_account, ""),
            account_at=func.nullif(given.c.new_account_at, never),
            timezone=func.nullif(given.c.new_timezone, ""),
            language=func.nullif(given.c.new_language, ""),
        ),
        {
            "new_customer_id": arrays.uuids([person.customer_id for person in people]),
            "new_attributes": arrays.documents([person.attributes for person in people]),
            "new_attribute_times": arrays.documents([person.attribute_times for person in people]),
            "new_account": arrays.texts([person.account or "" for person in people]),
            "new_account_at": arrays.moments([person.account_at or never for person in people]),
            "new_timezone": arrays.texts([person.timezone or "" for person in people]),
            "new_language": arrays.texts([person.language or "" for person in people]),
        },
    )


async def _take_accounts(session: AsyncSession, tellings: Sequence[Telling]) -> None:
    told = [telling for telling in tellings if telling.account is not None]
    if not told:
        return
    account: Table = Account.__table__  # type: ignore[attr-defined]
    names = sorted({str(telling.account) for telling in told})
    await session.execute(
        insert(account)
        .values([{"account": name, "attributes": {}, "attribute_times": {}} for name in names])
        .on_conflict_do_nothing()
    )
    rows = await session.execute(
        select(account)
        .where(account.c.account.in_(names))
        .order_by(account.c.account)
        .with_for_update(key_share=True)
    )
    known: dict[str, tuple[Json, dict[str, Any]]] = {
        row.account: (row.attributes, row.attribute_times) for row in rows
    }
    for telling in told:
        if telling.account_attributes:
            values, times = known[str(telling.account)]
            known[str(telling.account)] = merged(values, times, telling.account_attributes, telling.at)
    for name, (values, times) in sorted(known.items()):
        await session.execute(
            update(Account)
            .where(
                col(Account.account) == name,
                col(Account.attribute_times) != times,
            )
            .values(attributes=values, attribute_times=times)
            .execution_options(synchronize_session=False)
        )

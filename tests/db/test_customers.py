"""Is what is known of a customer the newest of all that was told, whatever order it came in?"""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from db.engine import Database
from db.intake.traits import Telling, language_of, take_tellings
from db.people.customers import Account, Customer, customer_id_of
from tests.db.test_events import ADA, NOW, signals


def said(minutes: int, **attributes: object) -> Telling:
    return Telling(
        customer_id=ADA,
        external_id="ada",
        at=NOW + timedelta(minutes=minutes),
        attributes=attributes,  # type: ignore[arg-type]
    )


async def take(db: Database, *tellings: Telling, timezone: str = "Asia/Tokyo") -> bool:
    async with db.begin() as session:
        return bool(await take_tellings(session, tellings, default_timezone=timezone, now=NOW))


async def ada(db: Database) -> Customer:
    async with db.begin() as session:
        found = await session.get(Customer, ADA)
        assert found is not None
        return found


async def test_the_newest_telling_of_each_attribute_wins_in_any_order(db: Database) -> None:
    told = [
        said(1, plan="trial", seats=3),
        said(2, plan="standard"),
        said(3, seats=None),
        said(4, name="Ada"),
    ]
    for order in itertools.permutations(told):
        customer_id = customer_id_of(repr(order))
        for telling in order:
            await take(db, replace(telling, customer_id=customer_id))
        async with db.begin() as session:
            customer = await session.get(Customer, customer_id)
        assert customer is not None
        assert customer.attributes == {"plan": "standard", "name": "Ada"}


async def test_a_repeat_changes_nothing(db: Database) -> None:
    assert await take(db, said(1, plan="trial"))
    assert not await take(db, said(1, plan="trial"))
    assert not await take(db, said(5, plan="trial"))
    assert await take(db, said(6, plan="standard"))


async def test_a_date_attribute_is_kept_as_the_moment_its_day_begins_there(db: Database) -> None:
    async def renewal() -> datetime | None:
        signal = (await signals(db)).get((ADA, "@renewal"))
        return signal.last_at if signal else None

    await take(db, said(1, renewal="2026-12-03"))
    assert await renewal() == datetime(2026, 12, 2, 15, tzinfo=UTC)
    await take(db, said(2, timezone="America/New_York"))
    assert await renewal() == datetime(2026, 12, 3, 5, tzinfo=UTC)
    await take(db, said(3, renewal="2027-01-03"))
    assert await renewal() == datetime(2027, 1, 3, 5, tzinfo=UTC)
    await take(db, said(4, renewal="soon"))
    assert await renewal() is None


async def test_the_policys_zone_counts_where_the_customer_has_none(db: Database) -> None:
    await take(db, said(1, renewal="2026-12-03"), timezone="Europe/Berlin")
    assert (await signals(db))[ADA, "@renewal"].last_at == datetime(2026, 12, 2, 23, tzinfo=UTC)


async def test_a_device_tells_zone_and_language_only_while_nothing_better_is_known(db: Database) -> None:
    device = Telling(customer_id=ADA, external_id="ada", at=NOW, timezone="Europe/Berlin", language="de")
    await take(db, device)
    assert ((await ada(db)).timezone, (await ada(db)).language) == ("Europe/Berlin", "de")
    await take(db, said(1, timezone="Asia/Seoul", language="ko-KR"))
    await take(db, device)
    assert ((await ada(db)).timezone, (await ada(db)).language) == ("Asia/Seoul", "ko")


async def test_a_customer_belongs_to_the_account_told_last(db: Database) -> None:
    def member(minutes: int, account: str, **attributes: object) -> Telling:
        return Telling(
            customer_id=ADA,
            external_id="ada",
            at=NOW + timedelta(minutes=minutes),
            account=account,
            account_attributes=attributes,  # type: ignore[arg-type]
        )

    await take(
        db, member(2, "acme", seats=5), member(1, "old", seats=1), member(0, "acme", seats=2, tier="gold")
    )
    assert (await ada(db)).account == "acme"
    async with db.begin() as session:
        accounts = {row.account: row.attributes for row in (await session.execute(select(Account))).scalars()}
    assert accounts == {"acme": {"seats": 5, "tier": "gold"}, "old": {"seats": 1}}


@pytest.mark.parametrize(
    ("tag", "language"),
    [("ja-JP", "ja"), ("en_US", "en"), ("JA", "ja"), ("", None), ("日本語", None), (5, None)],
)
def test_languages_are_read_from_tags_and_locales(tag: object, language: str | None) -> None:
    assert language_of(tag) == language


def test_a_customers_id_is_the_same_everywhere() -> None:
    assert str(customer_id_of("ada")) == str(customer_id_of("ada"))
    assert customer_id_of("ada") != customer_id_of("Ada")

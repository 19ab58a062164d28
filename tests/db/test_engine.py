"""What is one transaction, when does it run again, and what is a person told when there is no database?"""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Misconfigured, Unavailable
from db.engine import Database
from db.people.customers import Customer, add_customers, customer_id_of, lock_customers
from tests.db.test_events import ADA, BOB, NOW


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
async def test_every_way_to_write_the_address_works(database_url: str, scheme: str) -> None:
    database = Database(database_url.replace("postgresql", scheme, 1))
    await database.check()
    await database.dispose()


@pytest.mark.parametrize(
    "url",
    ["mysql://u:hush@h/n", "nonsense", "postgresql://u:hush@h:port/n", "postgresql+asyncpg://u:hush@h/n"],
)
def test_an_address_that_cannot_be_read_is_named_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL") as told:
        Database(url)
    assert "hush" not in str(told.value)


async def test_a_database_out_of_reach_is_named_without_its_password() -> None:
    database = Database("postgresql://u:hush@127.0.0.1:1/n")
    with pytest.raises(Misconfigured, match="DATABASE_URL") as told:
        await database.check()
    assert "hush" not in str(told.value)
    assert "127.0.0.1:1" in str(told.value)
    with pytest.raises(Unavailable):
        await database.run(lambda session: session.execute(select(1)))
    await database.dispose()


async def test_every_connection_has_limits_and_utc(db: Database) -> None:
    names = [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
        "timezone",
        "application_name",
    ]
    async with db.begin() as session:
        found = [await session.scalar(select(func.current_setting(name))) for name in names]
    assert found == ["1min", "10s", "1min", "UTC", "yorisoi"]


async def test_what_the_address_itself_asks_for_wins(database_url: str) -> None:
    database = Database(database_url + "&options=-c%20statement_timeout%3D7s")
    async with database.begin() as session:
        assert await session.scalar(select(func.current_setting("statement_timeout"))) == "7s"
        assert await session.scalar(select(func.current_setting("lock_timeout"))) == "10s"
    await database.dispose()


async def test_a_deadlock_runs_the_loser_again_from_the_top(db: Database) -> None:
    async with db.begin() as session:
        await add_customers(session, {ADA: "ada", BOB: "bob"}, now=NOW)
    begun: list[str] = []
    holding = asyncio.Barrier(2)

    async def cross(name: str, first: UUID, second: UUID) -> str:
        async def story(session: AsyncSession) -> str:
            begun.append(name)
            await lock_customers(session, [first])
            if len(begun) <= 2:
                await holding.wait()
            await lock_customers(session, [second])
            return name

        return await db.run(story)

    assert await asyncio.gather(cross("one", ADA, BOB), cross("two", BOB, ADA)) == ["one", "two"]
    assert len(begun) == 3


async def test_a_failed_block_leaves_nothing_and_other_errors_are_not_repeated(db: Database) -> None:
    tries = []

    async def story(session: AsyncSession) -> None:
        tries.append(1)
        await add_customers(session, {customer_id_of("x"): "x"}, now=NOW)
        await session.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError):
        await db.run(story)
    assert len(tries) == 1
    async with db.begin() as session:
        assert await session.scalar(select(func.count()).select_from(Customer)) == 0

"""Do many callers share a transaction, each told of its own outcome, and only after the commit?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Unavailable
from db.engine import Database
from db.group_commit import GroupCommit
from db.people.customers import Customer, add_customers, customer_id_of
from tests.db.test_events import NOW


class Writer:
    """Stores a customer per name; counts transactions; fails where it is told to."""

    def __init__(self) -> None:
        self.transactions: list[int] = []

    async def write(self, session: AsyncSession, names: Sequence[str]) -> list[str]:
        self.transactions.append(len(names))
        await add_customers(session, {customer_id_of(name): name for name in names}, now=NOW)
        if "poison" in names:
            raise ValueError("poison")
        return [name.upper() for name in names]


async def stored(db: Database) -> int:
    async with db.begin() as session:
        return await session.scalar(select(func.count()).select_from(Customer)) or 0


async def test_waiting_callers_share_transactions_and_get_their_own_result(db: Database) -> None:
    writer = Writer()
    commits = GroupCommit(db, writer.write, at_most=50)
    names = [f"c{n}" for n in range(200)]
    assert await asyncio.gather(*(commits.submit(name) for name in names)) == [name.upper() for name in names]
    assert await stored(db) == 200
    assert len(writer.transactions) < 20
    assert max(writer.transactions) <= 50


async def test_an_answer_comes_only_after_the_commit(db: Database) -> None:
    commits = GroupCommit(db, Writer().write)
    for number in range(5):
        await commits.submit(f"c{number}")
        assert await stored(db) == number + 1


async def test_only_the_caller_at_fault_is_told_and_the_others_are_stored(db: Database) -> None:
    commits = GroupCommit(db, Writer().write)
    asked = [commits.submit(name) for name in ["a", "poison", "b", "c"]]
    a, poison, b, c = await asyncio.gather(*asked, return_exceptions=True)
    assert (a, b, c) == ("A", "B", "C")
    assert isinstance(poison, ValueError)
    assert await stored(db) == 3


async def test_a_caller_who_leaves_takes_nobody_along(db: Database) -> None:
    commits = GroupCommit(db, Writer().write)
    leaving = asyncio.create_task(commits.submit("leaves"))
    staying = asyncio.create_task(commits.submit("stays"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == "STAYS"
    await commits.drain()
    assert await stored(db) == 2


async def test_too_much_waiting_is_refused_and_nothing_of_it_stored(db: Database) -> None:
    commits = GroupCommit(db, Writer().write, at_most=1, waiting_at_most=3)
    asked = [asyncio.create_task(commits.submit(f"c{n}")) for n in range(5)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(outcome, Unavailable) for outcome in outcomes] == [False, False, False, True, True]
    assert await stored(db) == 3


async def test_callers_are_told_when_the_database_is_gone() -> None:
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")
    commits = GroupCommit(nowhere, Writer().write)
    outcomes = await asyncio.gather(*(commits.submit(f"c{n}") for n in range(3)), return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    with pytest.raises(Unavailable):
        await commits.submit("once more")
    await nowhere.dispose()

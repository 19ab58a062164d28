"""Do we know who is a friend, and who is whom?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from bot.clock import Ids, TurnableClock
from db.engine import Database
from db.people.customers import Customer, customer_id_of, customer_id_of_line_user
from db.people.line_users import (
    LinkOutcome,
    befriend,
    block,
    code_in,
    create_link_code,
    hold,
    link,
    spend,
    spoke_at,
    unreachable,
    user_of,
    user_of_customer,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
IDS = Ids(TurnableClock(NOW))
TANAKA = "U" + "1" * 32
CUSTOMER = customer_id_of("c1")


async def known(db: Database, *external_ids: str) -> None:
    async with db.begin() as session:
        session.add_all(
            [Customer(customer_id=customer_id_of(e), external_id=e, created_at=NOW) for e in external_ids]
        )


async def test_a_stranger_becomes_a_customer_of_their_own(db: Database) -> None:
    async with db.begin() as session:
        user = await hold(session, TANAKA, destination="U0", now=NOW)
        assert user.customer_id == customer_id_of_line_user(TANAKA)
        assert (user.is_friend, user.is_blocked) == (False, False)
        again = await hold(session, TANAKA, destination="U0", now=NOW)
        assert again.customer_id == user.customer_id


@pytest.mark.parametrize("is_reversed", [False, True])
async def test_the_newest_event_decides_who_is_a_friend(db: Database, is_reversed: bool) -> None:
    turns = [(befriend, 1), (block, 2), (befriend, 3), (block, 3)]
    async with db.begin() as session:
        await hold(session, TANAKA, destination=None, now=NOW)
        for turn, minute in reversed(turns) if is_reversed else turns:
            await turn(session, TANAKA, at=NOW + timedelta(minutes=minute))
        user = await user_of(session, TANAKA)
        assert user is not None
        assert (user.is_friend, user.is_blocked) == (False, True), "at the same moment, blocking wins"


async def test_whoever_wrote_after_blocking_has_come_back(db: Database) -> None:
    async with db.begin() as session:
        await hold(session, TANAKA, destination=None, now=NOW)
        await block(session, TANAKA, at=NOW)
        assert await unreachable(session, [TANAKA]) == {TANAKA}
        await spoke_at(session, TANAKA, at=NOW + timedelta(seconds=1))
        assert await unreachable(session, [TANAKA]) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("YR-ABCD2345", "YR-ABCD2345"),
        ("ｙｒ－ａｂｃｄ２３４５", "YR-ABCD2345"),
        ("コード: yrABCD2345 です", "YR-ABCD2345"),
        ("YR-ABCD234", None),
        ("YR-ABCD23456", None),
        ("YR-ABCDO345", None),
        ("XYR-ABCD2345", None),
        ("こんにちは", None),
    ],
)
def test_a_code_is_found_in_any_width_and_case(text: str, code: str | None) -> None:
    assert code_in(text) == code


async def test_codes_are_new_each_time_and_can_be_read_back(db: Database) -> None:
    await known(db, "c1")
    async with db.begin() as session:
        codes = {(await create_link_code(session, CUSTOMER, now=NOW, ids=IDS)).code for _ in range(50)}
    assert len(codes) == 50
    assert all(code_in(f"…{code}。") == code for code in codes)


async def test_a_code_is_spent_once_and_in_time(db: Database) -> None:
    await known(db, "c1")
    async with db.begin() as session:
        first = await create_link_code(session, CUSTOMER, now=NOW, ids=IDS)
        second = await create_link_code(session, CUSTOMER, now=NOW, ids=IDS)
        assert await spend(session, first.code, line_user_id=TANAKA, now=NOW)
        assert not await spend(session, first.code, line_user_id=TANAKA, now=NOW)
        assert not await spend(session, second.code, line_user_id=TANAKA, now=NOW + timedelta(hours=24))


async def test_one_line_user_is_one_customer(db: Database) -> None:
    await known(db, "c1", "c2")
    sato = "U" + "2" * 32
    async with db.begin() as session:
        assert await link(session, line_user_id=TANAKA, customer_id=CUSTOMER, now=NOW) is LinkOutcome.LINKED
        again = await link(session, line_user_id=TANAKA, customer_id=CUSTOMER, now=NOW)
        assert again is LinkOutcome.ALREADY_LINKED
        taken = await link(session, line_user_id=sato, customer_id=CUSTOMER, now=NOW)
        assert taken is LinkOutcome.CUSTOMER_IS_TAKEN
        other = await link(session, line_user_id=TANAKA, customer_id=customer_id_of("c2"), now=NOW)
        assert other is LinkOutcome.LINE_USER_IS_TAKEN
        gone = await link(session, line_user_id=sato, customer_id=UUID(int=9), now=NOW)
        assert gone is LinkOutcome.CUSTOMER_IS_GONE
        user = await user_of_customer(session, CUSTOMER)
        assert user is not None
        assert user.line_user_id == TANAKA


async def test_of_two_people_who_link_to_one_customer_at_once_one_wins(db: Database) -> None:
    await known(db, "c1")
    people = ["U" + str(number) * 32 for number in range(1, 5)]

    async def try_to_link(line_user_id: str) -> LinkOutcome:
        return await db.run(
            lambda session: link(session, line_user_id=line_user_id, customer_id=CUSTOMER, now=NOW)
        )

    outcomes = await asyncio.gather(*(try_to_link(person) for person in people))
    assert sorted(outcomes) == sorted([LinkOutcome.LINKED, *[LinkOutcome.CUSTOMER_IS_TAKEN] * 3])

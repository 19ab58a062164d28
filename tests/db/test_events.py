"""Do events become the same signals as the pure fold makes of them, each event once, in any order?"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from bot.errors import Refused
from db.deciding.ticks import dirty
from db.engine import Database
from db.intake.events import Event, FutureEvent, NewEvent, fold_due, take_in
from db.intake.signals import SignalRow, WatchRow
from db.people.customers import Customer, customer_id_of
from followups.facts import Signal
from followups.signals import Watch, first_key, fold_all, nth_key

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
WATCHES = (
    Watch(event="login", depth=3, ranks=frozenset({1, 3}), is_first_watched=True),
    Watch(event="view", depth=0, is_first_watched=True),
    Watch(event="buy", depth=5, ranks=frozenset({2})),
)
ADA, BOB = customer_id_of("ada"), customer_id_of("bob")


async def watch(db: Database, *watches: Watch) -> None:
    async with db.begin() as session:
        for wanted in watches:
            session.add(
                WatchRow(
                    event=wanted.event,
                    depth=wanted.depth,
                    ranks=sorted(wanted.ranks),
                    is_first_watched=wanted.is_first_watched,
                )
            )


async def signals(db: Database) -> dict[tuple[object, str], Signal]:
    async with db.begin() as session:
        rows = await session.scalars(select(SignalRow))
        return {
            (row.customer_id, row.key): Signal(
                key=row.key, count=row.n, first_at=row.first_at, last_at=row.last_at, recent=tuple(row.recent)
            )
            for row in rows
        }


def expected(
    events: Iterable[NewEvent], watches: Sequence[Watch] = WATCHES
) -> dict[tuple[object, str], Signal]:
    """What the pure fold makes of the distinct events, with the derived rows beside."""
    by_watch = {wanted.event: wanted for wanted in watches}
    distinct = {(event.customer_id, event.message_id): event for event in reversed(list(events))}
    times: dict[tuple[object, str], list[datetime]] = {}
    for event in distinct.values():
        times.setdefault((event.customer_id, event.name), []).append(event.at)
    result: dict[tuple[object, str], Signal] = {}
    for (customer_id, name), moments in times.items():
        wanted = by_watch.get(name, Watch(event=name))
        signal = fold_all(name, moments, depth=wanted.depth)
        assert signal is not None
        result[customer_id, name] = signal
        derived = {nth_key(name, k): signal.recent[k - 1] for k in wanted.ranks if k <= len(signal.recent)}
        if wanted.is_first_watched:
            derived[first_key(name)] = signal.first_at
        for key, at in derived.items():
            result[customer_id, key] = Signal(key=key, count=1, first_at=at, last_at=at)
    return result


def history(rng: random.Random, size: int) -> list[NewEvent]:
    """Events of few customers in few months, many at one moment, some of them repeats of each other."""
    events: list[NewEvent] = []
    for number in range(size):
        if events and rng.random() < 0.2:
            events.append(rng.choice(events))
            continue
        at = NOW - timedelta(hours=rng.choice([0, 1, 24, 24, 700, 1500, rng.randrange(4000)]))
        customer_id = rng.choice([ADA, BOB, customer_id_of("cyd")])
        name = rng.choice(["login", "view", "buy", "export"])
        events.append(NewEvent(customer_id, name, at, f"m{number}", {"n": number}))
    return events


@pytest.mark.parametrize("seed", range(12))
async def test_any_batches_in_any_order_fold_as_the_pure_reducer_does(db: Database, seed: int) -> None:
    rng = random.Random(seed)
    await watch(db, *WATCHES)
    events = history(rng, 120)
    rest = list(events)
    new = 0
    while rest:
        size = rng.choice([1, 2, 7, 40])
        batch, rest = rest[:size], rest[size:]
        async with db.begin() as session:
            new += sum(await take_in(session, batch, now=NOW))
    assert await signals(db) == expected(events)
    assert new == len({(event.customer_id, event.message_id) for event in events})


async def test_batches_at_the_same_time_lose_nothing_and_count_nothing_twice(db: Database) -> None:
    await watch(db, *WATCHES)
    rng = random.Random(7)
    events = history(rng, 400)
    batches = [rng.sample(events, 60) for _ in range(20)] + [events[i : i + 50] for i in range(0, 400, 50)]

    async def take(batch: list[NewEvent]) -> int:
        return sum(await db.run(lambda session: take_in(session, batch, now=NOW)))

    new = sum(await asyncio.gather(*(take(batch) for batch in batches)))
    assert new == len({(event.customer_id, event.message_id) for event in events})
    assert await signals(db) == expected(events)


async def test_a_repeat_within_and_across_batches_is_one_event_and_told_so(db: Database) -> None:
    event = NewEvent(ADA, "login", NOW, "m1", {"a": 'q"uote\\'})
    async with db.begin() as session:
        assert await take_in(session, [event, event], now=NOW) == [True, False]
    async with db.begin() as session:
        assert await take_in(session, [event, NewEvent(BOB, "login", NOW, "m1")], now=NOW) == [False, True]
        stored = await session.scalar(select(Event).where(col(Event.customer_id) == ADA))
        assert stored is not None
        assert stored.properties == {"a": 'q"uote\\'}


async def test_a_repeat_of_an_event_without_a_time_is_known_although_it_arrives_later(db: Database) -> None:
    first = NewEvent(ADA, "login", NOW, "m1", is_timed=False)
    later = NOW + timedelta(hours=30)
    async with db.begin() as session:
        assert await take_in(session, [first], now=NOW) == [True]
    again = NewEvent(ADA, "login", later, "m1", is_timed=False)
    async with db.begin() as session:
        assert await take_in(session, [again], now=later) == [False]
    assert (await signals(db))[ADA, "login"].count == 1


async def test_two_arrivals_at_once_of_an_event_without_a_time_are_one(db: Database) -> None:
    async def arrive(number: int) -> bool:
        at = NOW + timedelta(milliseconds=number)
        event = NewEvent(ADA, "login", at, "m1", is_timed=False)
        (is_new,) = await db.run(lambda session: take_in(session, [event], now=at))
        return is_new

    assert sum(await asyncio.gather(*(arrive(number) for number in range(8)))) == 1


async def test_an_event_dated_ahead_waits_until_its_time_and_is_folded_once(db: Database) -> None:
    soon = NOW + timedelta(minutes=4)
    ahead = NOW + timedelta(days=40)
    async with db.begin() as session:
        events = [NewEvent(ADA, "login", soon, "soon"), NewEvent(ADA, "login", ahead, "ahead")]
        assert await take_in(session, events, now=NOW) == [True, True]
    assert (await signals(db))[ADA, "login"].last_at == soon
    async with db.begin() as session:
        assert await fold_due(session, now=ahead - timedelta(seconds=1)) == 0

    async def fold() -> int:
        return await db.run(lambda session: fold_due(session, now=ahead))

    assert sorted(await asyncio.gather(fold(), fold(), fold())) == [0, 0, 1]
    signal = (await signals(db))[ADA, "login"]
    assert (signal.count, signal.last_at) == (2, ahead)
    async with db.begin() as session:
        assert await session.scalar(select(func.count()).select_from(FutureEvent)) == 0
        assert await take_in(session, [NewEvent(ADA, "login", ahead, "ahead")], now=ahead) == [False]


async def test_a_customer_is_marked_once_a_batch_and_not_for_repeats(db: Database) -> None:
    batch = [NewEvent(ADA, "login", NOW - timedelta(minutes=n), f"m{n}") for n in range(5)]
    batch.append(NewEvent(BOB, "login", NOW + timedelta(days=3), "ahead"))
    for _ in range(2):
        async with db.begin() as session:
            await take_in(session, batch, now=NOW)
    async with db.begin() as session:
        marked = (await session.execute(select(dirty.c.customer_id, dirty.c.at))).all()
    assert [tuple(row) for row in marked] == [(ADA, NOW)]


async def test_customers_are_made_with_the_products_id(db: Database) -> None:
    async with db.begin() as session:
        await take_in(session, [NewEvent(ADA, "login", NOW, "m1", external_id="ada")], now=NOW)
        customer = await session.get(Customer, ADA)
    assert customer is not None
    assert (customer.external_id, customer.attributes, customer.created_at) == ("ada", {}, NOW)


@pytest.mark.parametrize("at", [datetime(1989, 12, 31, tzinfo=UTC), NOW + timedelta(days=367)])
async def test_times_that_cannot_be_meant_are_refused_and_nothing_is_stored(
    db: Database, at: datetime
) -> None:
    with pytest.raises(Refused):
        async with db.begin() as session:
            await take_in(session, [NewEvent(ADA, "x", NOW, "a"), NewEvent(ADA, "x", at, "b")], now=NOW)
    async with db.begin() as session:
        assert await session.scalar(select(func.count()).select_from(Event)) == 0


async def test_a_month_first_needed_by_two_transactions_at_once_is_made_once(db: Database) -> None:
    async def take(number: int) -> None:
        at = datetime(1999, 5, 1, tzinfo=UTC) + timedelta(days=number % 3 * 31)
        event = NewEvent(ADA, "old", at, f"m{number}")
        await db.run(lambda session: take_in(session, [event], now=NOW))

    await asyncio.gather(*(take(number) for number in range(12)))
    assert (await signals(db))[ADA, "old"].count == 12


async def test_a_month_made_by_a_transaction_that_was_undone_is_made_again(db: Database) -> None:
    event = NewEvent(ADA, "old", datetime(2001, 5, 1, tzinfo=UTC), "m1")

    async def fail() -> None:
        async with db.begin() as session:
            await take_in(session, [event], now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with db.begin() as session:
        assert await take_in(session, [event], now=NOW) == [True]

"""Do the events that have certain properties become signals of their own, whenever rules begin to ask?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta

import pytest

from db.engine import Database
from db.intake.events import NewEvent, fold_due, take_in
from db.intake.histories import times_of, unkept
from db.intake.signals import WatchRow, backfill, hold_watch_changes
from db.people.customers import customer_id_of
from followups.facts import Signal
from followups.signals import Watch, filtered_key, first_key, fold_all, has_properties, nth_key
from tests.db.test_events import ADA, BOB, NOW, signals

PRO, THREE = filtered_key("buy", {"plan": "pro"}), filtered_key("buy", {"n": 3, "is_new": True})
WATCHES = (
    Watch(event="buy", depth=2, ranks=frozenset({2})),
    Watch(event=PRO, depth=3, ranks=frozenset({1, 3}), is_first_watched=True),
    Watch(event=THREE),
    Watch(event=filtered_key("view", {"plan": "pro"}), depth=1),
)
VALUES = ("pro", "Pro", "free", 3, 3.0, "3", True, None, ["pro"], {"plan": "pro"})


async def watch(db: Database, *watches: Watch) -> None:
    async with db.begin() as session:
        for each in watches:
            row = WatchRow(event=each.event, depth=each.depth, ranks=sorted(each.ranks))
            row.source, row.filter = (each.source, dict(each.where)) if each.where else (None, None)
            row.is_first_watched = each.is_first_watched
            session.add(row)


def history(rng: random.Random, size: int) -> list[NewEvent]:
    """Events with all sorts of properties, or none; some dated ahead."""
    events = []
    for number in range(size):
        at = NOW + timedelta(hours=rng.choice([0, -1, -24, -24, -700, 30]))
        properties = {
            name: rng.choice(VALUES) for name in ("plan", "n", "is_new") if rng.random() < 0.7
        } or None
        name = rng.choice(["buy", "buy", "view", "export"])
        events.append(NewEvent(rng.choice([ADA, BOB]), name, at, f"m{number}", properties))
    return events


def expected(events: Iterable[NewEvent], watches: Sequence[Watch]) -> dict[tuple[object, str], Signal]:
    """What the pure fold makes of the events and of each filter."""
    plain = [Watch(event=name) for name in ("buy", "view", "export")]
    by_key = {each.event: each for each in (*plain, *watches)}
    result: dict[tuple[object, str], Signal] = {}
    for customer_id in (ADA, BOB):
        own = [event for event in events if event.customer_id == customer_id]
        for key, wanted in by_key.items():
            times = [
                event.at
                for event in own
                if event.name == wanted.source and has_properties(_read(event), wanted.where)
            ]
            signal = fold_all(key, times, depth=wanted.depth)
            if signal is None:
                continue
            result[customer_id, key] = signal
            rows = {nth_key(key, k): signal.recent[k - 1] for k in wanted.ranks if k <= len(signal.recent)}
            if wanted.is_first_watched:
                rows[first_key(key)] = signal.first_at
            for name, at in rows.items():
                result[customer_id, name] = Signal(key=name, count=1, first_at=at, last_at=at)
    return result


def _read(event: NewEvent) -> dict[str, object]:
    assert not isinstance(event.properties, bytes)
    return event.properties or {}


@pytest.mark.parametrize("seed", range(6))
async def test_filtered_events_fold_like_events_of_their_own(db: Database, seed: int) -> None:
    await watch(db, *WATCHES)
    rng = random.Random(seed)
    events = history(rng, 150)
    rest = list(events)
    while rest:
        size = rng.choice([1, 5, 40])
        batch, rest = rest[:size], rest[size:]
        async with db.begin() as session:
            await take_in(session, [*batch, batch[0]], now=NOW)
    present = [event for event in events if event.at <= NOW]
    assert await signals(db) == expected(present, WATCHES)
    async with db.begin() as session:
        assert await fold_due(session, now=NOW + timedelta(hours=30)) == len(events) - len(present)
    assert await signals(db) == expected(events, WATCHES)


@pytest.mark.parametrize("before", [(), (Watch(event=PRO),), WATCHES], ids=["nothing", "less", "the same"])
async def test_backfill_makes_filtered_signals_from_the_events(
    db: Database, before: tuple[Watch, ...]
) -> None:
    await watch(db, *before)
    events = [event for event in history(random.Random(3), 200) if event.at <= NOW]
    async with db.begin() as session:
        await take_in(session, events, now=NOW)
    known = {each.event for each in before}
    async with db.begin() as session:
        await hold_watch_changes(session)
        for each in WATCHES:
            if each.event in known:
                row = await session.get(WatchRow, each.event)
                assert row is not None
                row.depth, row.ranks = each.depth, sorted(each.ranks)
                row.is_first_watched = each.is_first_watched
    await watch(db, *(each for each in WATCHES if each.event not in known))
    async with db.begin() as session:
        await hold_watch_changes(session)
        for each in WATCHES:
            await backfill(session, each)
    assert await signals(db) == expected(events, WATCHES)


async def test_histories_tell_filtered_times_and_what_is_not_kept(db: Database) -> None:
    events = [event for event in history(random.Random(5), 200) if event.at <= NOW]
    async with db.begin() as session:
        await take_in(session, events, now=NOW)
        keys = ["buy", PRO, THREE]
        found = await times_of(session, [ADA, BOB, customer_id_of("cyd")], keys, until=NOW)
        lacking = await unkept(session, [Watch(event="buy"), Watch(event=PRO)])
    wanted = expected([event for event in events if event.at < NOW], [Watch(event=key) for key in keys])
    assert lacking == {PRO}
    assert set(found) == {ADA, BOB}
    for customer_id, times in found.items():
        counts = {key: len(moments) for key, moments in times.items()}
        assert counts == {key: wanted[customer_id, key].count for key in keys if (customer_id, key) in wanted}

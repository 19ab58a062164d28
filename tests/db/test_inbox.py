"""Is every event kept once, and taken by one at a time, in order?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from db.engine import Database
from db.intake.inbox import (
    FIRST_PAUSE,
    MOST_ATTEMPTS,
    InboxRow,
    done,
    failed,
    forget_raw,
    store,
    store_batches,
    take,
    take_next,
    waiting_sources,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


def row(source: str, event_id: str, *, minute: int = 0, raw: bytes = b'{"a":"\\u0000"}') -> InboxRow:
    at = NOW + timedelta(minutes=minute)
    return InboxRow(source=source, event_id=event_id, kind="message", raw=raw, at=at, received_at=at)


async def test_an_event_is_kept_once_whole(db: Database) -> None:
    raw = bytes(range(256))
    async with db.begin() as session:
        assert (
            await store(session, [row("line:a", "1", raw=raw), row("line:a", "1"), row("slack:a", "1")]) == 2
        )
        assert await store(session, [row("line:a", "1")]) == 0
        assert await store(session, []) == 0
        assert await store_batches(session, [[row("line:b", "1")], [], [row("line:b", "2")]]) == [1, 0, 1]
        found = await session.get(InboxRow, ("line:a", "1"))
        assert found is not None
        assert (found.raw, found.destination, found.attempts, found.is_redelivery) == (raw, None, 0, False)


async def test_whole_sources_are_taken_in_order_of_time(db: Database) -> None:
    async with db.begin() as session:
        rows = [row("line:b", "1"), row("line:a", "2", minute=2), row("line:a", "1", minute=1)]
        await store(session, [*rows, row("slack:x", "1")])
    async with db.begin() as session:
        taken = await take(session, "line:", limit=10)
        assert [(each.source, each.event_id) for each in taken] == [
            ("line:a", "1"),
            ("line:a", "2"),
            ("line:b", "1"),
        ]
        await done(session, taken, now=NOW)
        assert await take(session, "line:", limit=10) == []
        assert len(await take(session, "slack:", limit=10)) == 1


async def test_a_source_that_somebody_holds_is_skipped(db: Database) -> None:
    async with db.begin() as session:
        await store(session, [row("line:a", "1"), row("line:b", "1")])
    async with db.begin() as first, db.begin() as second:
        held = await take_next(first, "line:a", now=NOW)
        assert held is not None
        assert await take_next(second, "line:a", now=NOW) is None
        assert [each.source for each in await take(second, "line:", limit=10)] == ["line:b"]
        assert await waiting_sources(second, "line:", limit=10) == ["line:a", "line:b"]


async def test_what_was_taken_in_is_forgotten(db: Database) -> None:
    async with db.begin() as session:
        await store(session, [row("line:a", "1")])
        await done(session, [row("line:a", "1")], now=NOW, because="nothing to do")
    async with db.begin() as session:
        found = await session.get(InboxRow, ("line:a", "1"))
        assert found is not None
        assert (found.raw, found.done_at, found.because) == (b"", NOW, "nothing to do")


async def test_a_failing_row_rests_longer_each_time_and_is_put_aside_at_last(db: Database) -> None:
    now = NOW
    async with db.begin() as session:
        await store(session, [row("line:a", "1"), row("line:a", "2", minute=1)])
    for attempt in range(1, MOST_ATTEMPTS + 1):
        async with db.begin() as session:
            taken = await take_next(session, "line:a", now=now)
            assert taken is not None
            assert taken.event_id == "1"
            is_parked = await failed(session, taken, because="Oops", now=now)
            assert is_parked == (attempt == MOST_ATTEMPTS)
        async with db.begin() as session:
            after = await take_next(session, "line:a", now=now)
            assert after is not None
            assert after.event_id == "2", "the others go on"
        now += FIRST_PAUSE * 2 ** (attempt - 1)
    async with db.begin() as session:
        parked = await session.get(InboxRow, ("line:a", "1"))
        assert parked is not None
        assert (parked.because, parked.raw != b"") == ("Oops", True)
        await forget_raw(session, "line:a")
        await session.refresh(parked)
        assert parked.raw == b""

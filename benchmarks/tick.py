"""Does a tick cost what is newly due, or what there is? 10,000 against 100,000 customers.

Customers log in; twenty rules look at how long ago that was and at an attribute. In every tick the same
number of customers crosses a threshold; only how many others there are differs. Beside it the full statement
of the same rules, which finds the same people without ticks. Median of the ticks, decisions not included.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import delete, func, select

from bot.clock import Ids, TurnableClock, system_random
from bot.deps import Deps
from bot.flows.rules.publish import publish, rulebook
from bot.flows.rules.tick import tick
from bot.settings import Settings
from db import embedded
from db.candidates import full, use_custom_plans
from db.customers import customer_id_of
from db.engine import Database
from db.migrate import migrate
from db.ticks import dirty

SIZES = (10_000, 100_000)
RULES = 20
NEWLY_DUE = 200
"""Customers who cross a threshold in each tick, whatever the size."""
TICKS = 40
AIM = 1.5
START = datetime(2026, 11, 2, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_SPANS = [timedelta(days=3 * number) for number in range(1, RULES + 1)]


class _Nobody:
    async def wake(self, story: str) -> None:
        """Nobody decides here."""


def _rules() -> dict[str, str]:
    return {
        f"quiet-{span.days}d.yaml": json.dumps(
            {
                "id": f"quiet-{span.days}d",
                "name": f"quiet for {span.days} days",
                "state": "shadow",
                "goal": {"event": "login", "within": "7d"},
                "when": {
                    "all": [
                        {"event": "login", "last": {"more_than": f"{span.days}d"}},
                        {"attribute": "plan", "in": ["trial"]},
                    ]
                },
                "then": [{"escalate": {"reason": "quiet"}}],
            }
        )
        for span in _SPANS
    }


def _due(begin: datetime) -> Iterator[datetime]:
    """When those logged in who cross a threshold, evenly over rules and ticks after `begin`."""
    for number in range(NEWLY_DUE * TICKS):
        ahead = (number // NEWLY_DUE) * _MINUTE + _MINUTE / 2
        yield begin + ahead - _SPANS[number % RULES]


def _others(number: int, begin: datetime, rng: random.Random) -> Iterator[datetime]:
    """When everyone else did: any time in 70 days, hours away from every threshold."""
    for _ in range(number):
        yield begin - timedelta(days=3 * rng.randrange(23), hours=rng.uniform(6, 66))


def _fill(url: str, first: int, upto: int, begin: datetime) -> None:
    """Add the customers numbered from `first` to `upto`, by COPY."""
    due = list(_due(begin))
    rng = random.Random(first)
    times = [*due, *_others(upto - first - len(due), begin, rng)]
    rng.shuffle(times)
    people: list[tuple[UUID, str, datetime]] = [
        (customer_id_of(f"customer-{number}"), f"customer-{number}", at)
        for number, at in zip(range(first, upto), times, strict=True)
    ]
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.cursor().copy(
            "COPY customer (customer_id, external_id, attributes, attribute_times, created_at) FROM STDIN"
        ) as rows:
            for customer_id, external_id, _ in people:
                rows.write_row((customer_id, external_id, '{"plan": "trial"}', "{}", begin))
        with connection.cursor().copy(
            "COPY signal (customer_id, key, n, first_at, last_at, recent) FROM STDIN"
        ) as rows:
            for customer_id, _, at in people:
                rows.write_row((customer_id, "login", 3, at - timedelta(days=90), at, "{}"))
        connection.execute("VACUUM (ANALYZE) customer")
        connection.execute("VACUUM (ANALYZE) signal")


def _deps(database: Database, clock: TurnableClock) -> Deps:
    return Deps(
        settings=Settings.of(),
        clock=clock,
        ids=Ids(clock),
        rng=system_random(),
        db=database,
        waker=_Nobody(),
    )


async def _ticks(deps: Deps, clock: TurnableClock) -> float:
    """The median seconds of a tick in which `NEWLY_DUE` customers cross."""
    took = []
    for _ in range(TICKS):
        clock.turn(_MINUTE)
        begin = time.perf_counter()
        found = await tick(deps)
        took.append(time.perf_counter() - begin)
        if found.crossed != NEWLY_DUE:
            raise AssertionError(f"{found.crossed} customers crossed, not {NEWLY_DUE}")
    return statistics.median(took)


async def _full(deps: Deps) -> float:
    """The seconds that the full statements of all rules take, counting only."""
    begin = time.perf_counter()
    for rule in (await rulebook(deps)).rules:
        async with deps.db.begin() as session:
            await use_custom_plans(session)
            found = full(rule.when, now=deps.clock.now()).subquery()
            await session.scalar(select(func.count()).select_from(found))
    return time.perf_counter() - begin


async def run(url: str) -> list[str]:
    """Measure on this empty, migrated database."""
    database = Database(url)
    clock = TurnableClock(START)
    deps = _deps(database, clock)
    rows, medians, filled = [], [], 0
    try:
        await publish(deps, _rules(), by="benchmark")
        for size in SIZES:
            await asyncio.to_thread(_fill, url, filled, size, clock.now())
            filled = size
            clock.turn(timedelta(microseconds=1))
            await tick(deps)
            median = await _ticks(deps, clock)
            whole = await _full(deps)
            async with database.begin() as session:
                await session.execute(delete(dirty))
            medians.append(median)
            rows.append(
                f"{size:>7,} customers, {RULES} rules, {NEWLY_DUE} newly due: tick {median * 1000:.1f} ms,"
                f" full statements {whole * 1000:.0f} ms (x{whole / median:.0f})"
            )
    finally:
        await database.dispose()
    ratio = medians[-1] / medians[0]
    rows.append(f"{SIZES[-1] // SIZES[0]} times the customers: tick x{ratio:.2f} (aim: at most x{AIM})")
    return rows


def main() -> None:
    """Measure on a server of its own and print."""
    with tempfile.TemporaryDirectory(prefix="yb", dir="/tmp", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder) / "data")
        try:
            migrate(server.url)
            for row in asyncio.run(run(server.url)):
                print(row)
        finally:
            server.stop()


if __name__ == "__main__":
    main()

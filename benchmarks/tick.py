"""Does a tick cost what is newly due, or what there is? 10,000 against 1,000,000 customers.

Customers log in; twenty rules look at how long ago that was and at an attribute. Before every tick the same
number of customers is marked as changed, and in it the same number crosses a threshold; only how many others
there are differs. Beside it the full statements of the same rules, which find the same people without ticks:
CPU of both, server and program. Decisions are not included. Then the preview of one rule for all of them.

`TICK_CUSTOMERS=1000000` measures the whole size (about two minutes); without it the larger size is 200,000.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from benchmarks.silence import Nobody
from bot.clock import Ids, TurnableClock, system_random
from bot.deps import Deps
from bot.flows.rules.preview import preview
from bot.flows.rules.publish import publish, rulebook
from bot.flows.rules.tick import tick
from bot.settings import Settings
from db import embedded
from db.deciding.ticks import dirty, mark_dirty
from db.engine import Database
from db.migrate import migrate
from db.people.customers import Customer, customer_id_of
from db.rulebook.candidates import full, use_custom_plans

SIZES = (10_000, int(os.environ.get("TICK_CUSTOMERS", "200000")))
RULES = 20
NEWLY_DUE = 350
"""Customers who cross a threshold in each tick, whatever the size."""
CHANGED = 1000
"""Customers of whom something changed before each tick: marked, and taken up again as deciding does."""
TICKS = 20
AIM = 1.5
AIM_FULL = 100
AIM_PREVIEW = 3.0
START = datetime(2026, 11, 2, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_SPANS = [timedelta(days=3 * number) for number in range(1, RULES + 1)]


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
        waker=Nobody(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds by the clock, and seconds of CPU of the server process and of this one."""

    wall: float
    cpu: float


def _stat(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text()


async def _cpu(session: AsyncSession) -> float:
    """Seconds of CPU that the server process of this connection and this process have used."""
    pid = await session.scalar(select(func.pg_backend_pid()))
    fields = _stat(int(pid or 0)).rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.process_time()


async def _measured(deps: Deps, work: Callable[[], Awaitable[None]]) -> Cost:
    """On the one connection there is, so the server's work is counted whole."""
    async with deps.db.begin() as session:
        before = await _cpu(session)
    begin = time.perf_counter()
    await work()
    wall = time.perf_counter() - begin
    async with deps.db.begin() as session:
        return Cost(wall=wall, cpu=await _cpu(session) - before)


async def _ticks(deps: Deps, clock: TurnableClock, ids: list[UUID]) -> Cost:
    """A tick in which `NEWLY_DUE` customers cross, with `CHANGED` others marked before it."""
    costs: list[Cost] = []

    async def one() -> None:
        found = await tick(deps)
        if found.crossed != NEWLY_DUE:
            raise AssertionError(f"{found.crossed} customers crossed, not {NEWLY_DUE}")

    for number in range(TICKS):
        clock.turn(_MINUTE)
        async with deps.db.begin() as session:
            await mark_dirty(session, ids[number * CHANGED % len(ids) :][:CHANGED], now=clock.now())
        costs.append(await _measured(deps, one))
        async with deps.db.begin() as session:
            await session.execute(delete(dirty))
    return Cost(
        wall=statistics.median(cost.wall for cost in costs), cpu=sum(cost.cpu for cost in costs) / TICKS
    )


async def _full(deps: Deps) -> Cost:
    """The full statements of all rules, counting only."""

    async def all_of_them() -> None:
        for rule in (await rulebook(deps)).rules:
            async with deps.db.begin() as session:
                await use_custom_plans(session)
                found = full(rule.when, now=deps.clock.now()).subquery()
                await session.scalar(select(func.count()).select_from(found))

    return await _measured(deps, all_of_them)


async def _some_ids(deps: Deps, number: int) -> list[UUID]:
    async with deps.db.begin() as session:
        return list(await session.scalars(select(col(Customer.customer_id)).limit(number)))


async def run(url: str) -> list[str]:
    """Measure on this empty, migrated database."""
    database = Database(url, pool_size=1)
    clock = TurnableClock(START)
    deps = _deps(database, clock)
    rows, costs, filled, seen = [], list[Cost](), 0, ""
    try:
        await publish(deps, _rules(), by="benchmark")
        for size in SIZES:
            await asyncio.to_thread(_fill, url, filled, size, clock.now())
            filled = size
            clock.turn(timedelta(microseconds=1))
            await tick(deps)
            async with database.begin() as session:
                await session.execute(delete(dirty))
            cost = await _ticks(deps, clock, await _some_ids(deps, CHANGED * TICKS))
            whole = await _full(deps)
            begin = time.perf_counter()
            answer = await preview(deps, f"quiet-{_SPANS[0].days}d")
            seen = (
                f"preview of one rule at {size:,} customers, {answer.matched:,} match:"
                f" {time.perf_counter() - begin:.1f} s (aim: under {AIM_PREVIEW:.0f} s)"
            )
            costs.append(cost)
            rows.append(
                f"{size:>9,} customers, {RULES} rules, {NEWLY_DUE} newly due, {CHANGED:,} changed:"
                f" tick {cost.wall * 1000:.1f} ms, CPU {cost.cpu * 1000:.0f} ms;"
                f" full statements CPU {whole.cpu * 1000:.0f} ms (x{whole.cpu / cost.cpu:.0f})"
            )
    finally:
        await database.dispose()
    by_clock, by_cpu = costs[-1].wall / costs[0].wall, costs[-1].cpu / costs[0].cpu
    rows.append(
        f"{SIZES[-1] // SIZES[0]} times the customers: tick x{by_clock:.2f} by the clock,"
        f" x{by_cpu:.2f} of CPU (aim: at most x{AIM}; full statements at 1,000,000: at least x{AIM_FULL})"
    )
    return [*rows, seen]


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

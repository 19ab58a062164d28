"""Does bringing scores up to date cost what happened, or how many customers there are?

Everybody has a past of scored events; then 1,000 of them do one more thing. Measured: taking these events in,
folding them, and deciding about whoever they concern, leads by points included. The others' scores fade by
themselves: they are a function of what is known, and nothing is stored that would have to be renewed.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from benchmarks.silence import Nobody
from bot import logs
from bot.clock import Ids, TurnableClock
from bot.deps import Deps
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import publish
from bot.flows.rules.tick import tick
from bot.settings import Settings
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.people.customers import customer_id_of

SIZES = (10_000, 100_000)
EVENTS = 1_000
TURNS = 7
AIM = 1.5
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
SCORING = """\
events:
  pricing_viewed: {points: 25, half_life: 3d, per_day: 2}
  report_viewed: {points: 8, half_life: 7d, per_day: 2}
  login: {points: 3, half_life: 14d, per_day: 1}
threshold: 70
"""
_NAMES = ("pricing_viewed", "report_viewed", "login")


def _fill(url: str, first: int, upto: int) -> list[UUID]:
    """Add the customers numbered from `first` to `upto`, each with a past of every event; by COPY."""
    rng = random.Random(first)
    ids = [customer_id_of(f"customer-{number}") for number in range(first, upto)]
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.cursor().copy(
            "COPY customer (customer_id, external_id, attributes, attribute_times, created_at) FROM STDIN"
        ) as rows:
            for each in ids:
                rows.write_row((each, str(each), "{}", "{}", NOON))
        with connection.cursor().copy(
            "COPY signal (customer_id, key, n, first_at, last_at, recent) FROM STDIN"
        ) as rows:
            for each in ids:
                for name in _NAMES:
                    latest = NOON - timedelta(days=rng.uniform(2, 40))
                    times = [latest - n * timedelta(days=rng.uniform(0.5, 4)) for n in range(10)]
                    times.sort(reverse=True)
                    rows.write_row((each, name, 10, times[-1], times[0], times))
        connection.execute("VACUUM (ANALYZE) customer")
        connection.execute("VACUUM (ANALYZE) signal")
    return ids


async def _turn(deps: Deps, clock: TurnableClock, ids: list[UUID], turn: int) -> float:
    """The seconds from 1,000 events handed in to everybody concerned decided about."""
    clock.turn(timedelta(minutes=1))
    now, rng = clock.now(), random.Random(turn)
    events = [
        NewEvent(each, rng.choice(_NAMES), now, f"{turn}-{number}")
        for number, each in enumerate(rng.sample(ids, EVENTS))
    ]
    begin = time.perf_counter()
    async with deps.db.begin() as session:
        await take_in(session, events, now=now)
    await tick(deps)
    decided = await decide_due(deps)
    took = time.perf_counter() - begin
    if decided != EVENTS:
        raise AssertionError(f"{decided} customers were decided about, not {EVENTS}")
    return took


async def run(url: str) -> list[str]:
    """One line a size, and the ratio."""
    logs.configure("WARNING")
    database, clock = Database(url), TurnableClock(NOON)
    deps = Deps(
        settings=Settings.of(),
        clock=clock,
        ids=Ids(clock),
        rng=random.Random(1),
        db=database,
        waker=Nobody(),
    )
    lines, medians, ids = [], [], list[UUID]()
    try:
        await publish(deps, {"scoring.yaml": SCORING}, by="benchmark")
        for size in SIZES:
            ids += _fill(url, len(ids), size)
            await _turn(deps, clock, ids, -size)  # warm
            took = [await _turn(deps, clock, ids, size + turn) for turn in range(TURNS)]
            medians.append(statistics.median(took))
            lines.append(
                f"{size:,} customers, {EVENTS:,} new events: scores up to date in {medians[-1] * 1000:.0f} ms"
                f" ({min(took) * 1000:.0f} to {max(took) * 1000:.0f})"
            )
    finally:
        await database.dispose()
    lines.append(f"ratio: {medians[1] / medians[0]:.2f} (aim: at most {AIM})")
    return lines

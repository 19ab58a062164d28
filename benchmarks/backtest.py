"""How long does going back over eighteen months of a shop's orders take, with three rules?

The past is made here: as many customers and orders as a mid-sized shop has, many of whom buy once. Measured
beside it: the same past with LINE's monthly messages kept to, where all customers touch one another; and each
day's look at everybody (what a backtest without moments of its own would do), reckoned from one `decide`.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from benchmarks.silence import Nobody
from bot import logs
from bot.clock import Ids, TurnableClock
from bot.deps import Deps
from bot.flows.rules.backtest import Backtested, backtest
from bot.flows.rules.publish import publish
from bot.settings import Settings
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.people.customers import customer_id_of
from followups.rules.parsing import PolicyText

CUSTOMERS = 23_570
ORDERS = 69_659
DAYS = 546
AIM = 60.0
START = datetime(2025, 1, 1, 3, tzinfo=UTC)
RULES = {
    "first.yaml": """\
id: first
goal: {event: order_completed, within: 30d}
when: {event: order_completed, first: {more_than: 3d, less_than: 10d}}
then: [{send: {text: はじめてのお買い物、ありがとうございました。}}]
""",
    "quiet.yaml": """\
id: quiet
goal: {event: order_completed, within: 30d}
when: {event: order_completed, last: {more_than: 60d, less_than: 90d}}
again_after: 90d
then: [{send: {text: お変わりありませんか。}}]
""",
    "regular.yaml": """\
id: regular
goal: {event: order_completed, within: 60d}
when: {event: order_completed, count: {at_least: 5, within: 90d}}
again_after: 180d
then: [{escalate: {reason: 常連のお客様}}]
""",
}


async def _fill(database: Database, url: str) -> None:
    """Everybody comes in the first quarter; the orders are shared out as unevenly as in shops."""
    rng = random.Random(2026)
    ids = [customer_id_of(f"customer-{number}") for number in range(CUSTOMERS)]
    joined = {each: START + timedelta(days=rng.uniform(0, 90)) for each in ids}
    with (
        psycopg.connect(url, autocommit=True) as connection,
        connection.cursor().copy(
            "COPY customer (customer_id, external_id, attributes, attribute_times, created_at) FROM STDIN"
        ) as rows,
    ):
        for each in ids:
            rows.write_row((each, str(each), "{}", "{}", joined[each]))
    weights = [rng.paretovariate(1.2) for _ in ids]
    buyers = [*ids, *rng.choices(ids, weights, k=ORDERS - CUSTOMERS)]
    events = [_order(each, joined[each], number, rng) for number, each in enumerate(buyers)]
    for start in range(0, len(events), 5_000):
        async with database.begin() as session:
            await take_in(session, events[start : start + 5_000], now=START + timedelta(days=DAYS))


def _order(customer_id: UUID, joined: datetime, number: int, rng: random.Random) -> NewEvent:
    at = joined if number < CUSTOMERS else joined + timedelta(days=rng.uniform(0, DAYS - 91))
    return NewEvent(customer_id, "order_completed", at, f"order-{number}")


async def run(url: str) -> list[str]:
    """Fill one shop and go back over its past twice."""
    logs.configure("CRITICAL")
    database = Database(url)
    clock = TurnableClock(START + timedelta(days=DAYS))
    deps = Deps(
        settings=Settings.of(database_url=url),
        db=database,
        clock=clock,
        ids=Ids(clock),
        rng=random.Random(7),
        waker=Nobody(),
    )
    try:
        await _fill(database, url)
        await publish(deps, RULES, by="benchmark")
        free = await _measured(deps)
        policy = PolicyText(path="policy.yaml", source="quota: {monthly: 2000}")
        await publish(deps, RULES, by="benchmark", policy=policy)
        kept = await _measured(deps)
    finally:
        await database.dispose()
    return [*_told("no limit", *free), *_told("2,000 messages a month", *kept)]


async def _measured(deps: Deps) -> tuple[Backtested, float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    answer = await backtest(deps, [name.removesuffix(".yaml") for name in RULES], start=START)
    return answer, time.perf_counter() - began, time.process_time() - cpu


def _told(name: str, answer: Backtested, wall: float, cpu: float) -> list[str]:
    forecast = answer.forecast
    daily = forecast.customers * len(forecast.days)
    return [
        f"{name}: {forecast.events:,} events of {forecast.customers:,} customers, {len(RULES)} rules,"
        f" {len(forecast.days)} days: {wall:.1f} s ({cpu:.1f} s of Python), aim {AIM:.0f} s:"
        f" {'kept' if wall < AIM else 'MISSED'}",
        f"{name}: {forecast.moments:,} decisions, {daily / forecast.moments:,.0f} times fewer than looking at"
        f" everybody every day; {sum(forecast.sends):,} messages, {sum(forecast.escalations):,} leads",
    ]

"""How many decisions a second, pure and with everything that is read and written around them?

Twenty live rules of every kind of condition look at each customer; about one customer in twenty is due.
Pure: `followups.decide.decide` on facts in memory, one core; the aim is 20,000 decisions/s, a thousand
customers with twenty rules each. `decide_due`: customers marked dirty are taken, locked, their facts loaded,
decided about, and what follows is stored: first when nothing was ever decided about them, then again.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from benchmarks.silence import Nobody
from bot import logs
from bot.clock import Ids, TurnableClock
from bot.deps import Deps
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import publish, rulebook
from bot.settings import Settings
from db.deciding.facts import load_facts
from db.deciding.ticks import mark_dirty
from db.engine import Database
from db.people.customers import customer_id_of
from db.rulebook.rules import RuleBook
from followups.decide import decide
from followups.facts import Facts
from followups.verdicts import NotDue

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
CUSTOMERS = 4_000
TURNS = 5
AIM_PURE, AIM_WHOLE = 20_000, 2_000
EVENTS = ("login", "signup", "report_viewed", "export_done", "data_connected")
_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"event": "login", "last": {"more_than": "14d", "less_than": "15d"}},
    {"event": "login", "last": {"more_than": "60d"}},
    {"event": "login", "count": {"fewer_than": 2, "within": "28d"}},
    {"event": "report_viewed", "count": {"at_least": 90, "within": "28d"}},
    {"event": "signup", "first": {"less_than": "2h"}},
    {"event": "churned", "never": False},
    {"stalled": {"since": {"event": "signup"}, "without": {"event": "login"}, "for": "3d"}},
    {"used": {"at_least": 3, "of": ["import", "chart", "alert", "share"], "within": "30d"}},
    {"attribute": "renewal_date", "within": "3d"},
    {"attribute": "seats", "at_least": 100},
)


def _rules() -> dict[str, str]:
    """Each condition twice, with an attribute beside it that half of the customers have."""
    return {
        f"rule-{number:02}.yaml": json.dumps(
            {
                "id": f"rule-{number:02}",
                "name": f"rule {number}",
                "state": "live",
                "goal": {"event": "login", "within": "7d"},
                "when": {"all": [condition, {"attribute": "plan", "in": [plan]}]},
                "priority": number,
                "holdout": "0%",
                "then": [{"send": {"text": "こんにちは"}}],
            }
        )
        for number, (condition, plan) in enumerate(
            (condition, plan) for condition in _CONDITIONS for plan in ("trial", "standard")
        )
    }


def _fill(url: str) -> list[UUID]:
    """Customers on LINE who agreed, who came yesterday or the like and so seldom are due; by COPY."""
    rng = random.Random(1)
    ids = [customer_id_of(f"customer-{number}") for number in range(CUSTOMERS)]
    with psycopg.connect(url, autocommit=True) as connection:
        tables: dict[str, list[tuple[Any, ...]]] = {
            "customer (customer_id, external_id, attributes, attribute_times, created_at)": [
                (each, str(each), json.dumps(_attributes(rng)), "{}", NOON) for each in ids
            ],
            "line_user (line_user_id, customer_id, is_friend, is_blocked, created_at)": [
                (f"U{number:032x}", each, True, False, NOON) for number, each in enumerate(ids)
            ],
            "consent_entry (customer_id, purpose, consent_id, is_granted, at, source, recorded_at)": [
                (each, "support", uuid4(), True, NOON, "benchmark", NOON) for each in ids
            ],
            "signal (customer_id, key, n, first_at, last_at, recent)": [
                (each, event, len(times), times[-1], times[0], times)
                for each in ids
                for event in EVENTS
                for times in (_times(rng),)
            ],
        }
        for columns, rows in tables.items():
            with connection.cursor().copy(f"COPY {columns} FROM STDIN") as out:
                for row in rows:
                    out.write_row(row)
        connection.execute("ANALYZE")
    return ids


def _attributes(rng: random.Random) -> dict[str, Any]:
    ahead = timedelta(days=rng.randrange(8, 300))
    return {
        "plan": rng.choice(["trial", "standard"]),
        "seats": rng.randrange(1, 106),
        "renewal_date": f"{NOON + ahead:%Y-%m-%d}",
    }


def _times(rng: random.Random) -> list[datetime]:
    latest = NOON - timedelta(hours=rng.uniform(3, 40))
    return [latest - number * timedelta(days=2) for number in range(rng.randint(3, 20))]


def _pure(facts: list[Facts], book: RuleBook) -> tuple[float, float]:
    """(decisions a second, the share of customers for whom a rule is due)."""
    due = 0
    began = time.process_time()
    for each in facts:
        decision = decide(each, book.rules, book.policy, now=NOON)
        due += any(not isinstance(rule.verdict, NotDue) for rule in decision.rules)
    return len(facts) * len(book.rules) / (time.process_time() - began), due / len(facts)


async def _whole(deps: Deps, ids: list[UUID]) -> tuple[float, float]:
    """(customers a second, microseconds of this process's CPU each)."""
    async with deps.db.begin() as session:
        await mark_dirty(session, ids, now=deps.clock.now())
    began, used = time.perf_counter(), time.process_time()
    decided = await decide_due(deps)
    assert decided == len(ids), decided
    cpu = (time.process_time() - used) / len(ids) * 1e6
    return len(ids) / (time.perf_counter() - began), cpu


async def run(url: str) -> list[str]:
    """One line per figure."""
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
    try:
        await publish(deps, _rules(), by="benchmark")
        ids = _fill(url)
        book = await rulebook(deps)
        async with database.begin() as session:
            facts = list((await load_facts(session, ids[:1_000], now=NOON)).values())
        pure, due = zip(*[_pure(facts, book) for _ in range(TURNS)], strict=True)
        del facts  # held, they would be looked through by the garbage collector again and again
        first = await _whole(deps, ids)
        again = []
        for _ in range(TURNS):
            clock.turn(timedelta(minutes=1))
            again.append(await _whole(deps, ids))
    finally:
        await database.dispose()
    return [
        f"decide, pure, {len(book.rules)} rules, {due[0]:.0%} of the customers due:"
        f" {_said(pure)} decisions a second of CPU (aim: {AIM_PURE:,})",
        f"decide_due, never decided before: {first[0]:,.0f} customers/s, CPU {first[1]:.0f} µs each"
        f" (aim: {AIM_WHOLE:,} customers/s)",
        f"decide_due, again: {_said([rate for rate, _ in again])} customers/s,"
        f" CPU {statistics.median(cpu for _, cpu in again):.0f} µs each",
    ]


def _said(rates: tuple[float, ...] | list[float]) -> str:
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"

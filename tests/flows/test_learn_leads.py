"""Is something learned from the leads that people closed, told on the next one, and never loudly missing?"""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from bot.clock import TurnableClock
from bot.deps import Deps
from bot.errors import Refused
from bot.flows.measure.learn import learn_leads
from bot.flows.measure.predict import predict
from bot.flows.rules.publish import publish
from db.desk.leads import Lead, LeadState
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.people.customers import Customer, customer_id_of
from db.rulebook.learned import LEARNED, learned_score
from db.rulebook.rules import setting
from tests.wiring import deps_without_platforms

SCORING = (
    "events:\n  pricing_viewed: {points: 30, half_life: 3d}\n  report_viewed: {points: 3, half_life: 7d}\n"
)


async def past(deps: Deps, *, leads: int) -> None:
    """Leads that are won by how often reports were looked at."""
    rng, now = random.Random(5), deps.clock.now()
    events = []
    async with deps.db.begin() as session:
        for number in range(leads):
            customer_id, opened_at = customer_id_of(f"c{number}"), now - timedelta(hours=2 * (leads - number))
            session.add(Customer(customer_id=customer_id, external_id=f"c{number}", created_at=opened_at))
            reports = rng.randrange(20)
            is_won = rng.random() < reports / 20
            events += [
                NewEvent(customer_id, name, opened_at - timedelta(minutes=n + 1), f"{name}{n}")
                for name, times in (("report_viewed", reports), ("pricing_viewed", rng.randrange(3)))
                for n in range(times)
            ]
            session.add(
                Lead(
                    customer_id=customer_id,
                    lead_id=deps.ids.uuid(),
                    state=(LeadState.WON if is_won else LeadState.LOST).value,
                    source="rule",
                    opened_at=opened_at,
                    closed_at=opened_at + timedelta(hours=1),
                )
            )
        await session.flush()
        await take_in(session, events, now=now)


async def test_closed_leads_teach_once_a_night(db: Database) -> None:
    pytest.importorskip("sklearn")
    deps = deps_without_platforms(db)
    assert isinstance(deps.clock, TurnableClock)
    await publish(deps, {"rules/scoring.yaml": SCORING}, by="test")
    await past(deps, leads=400)
    assert await learn_leads(deps) == 400
    assert await learn_leads(deps) == 0
    async with db.begin() as session:
        learned = await learned_score(session)
    assert learned is not None
    assert (
        learned.chance({"points:report_viewed": 50.0}) > learned.chance({"points:report_viewed": 1.0}) + 0.3
    )


async def test_with_few_leads_it_says_why_the_points_stand_alone(db: Database) -> None:
    deps = deps_without_platforms(db)
    await publish(deps, {"rules/scoring.yaml": SCORING}, by="test")
    await past(deps, leads=30)
    assert await learn_leads(deps) == 30
    async with db.begin() as session:
        assert await learned_score(session) is None
        kept = await setting(session, LEARNED)
    assert kept is not None
    assert kept["because"]["en"].startswith("too few to learn from (30 of 200 leads")


async def test_a_ranking_comes_with_its_own_trial(db: Database) -> None:
    deps = deps_without_platforms(db)
    rng, now, events = random.Random(7), deps.clock.now(), []
    async with db.begin() as session:
        for number in range(120):
            of = customer_id_of(f"c{number}")
            session.add(Customer(customer_id=of, external_id=f"c{number}", created_at=now))
            at, gap = now - timedelta(days=rng.uniform(300, 390)), rng.uniform(5, 90)
            leaves = now - timedelta(days=rng.uniform(-200, 390))
            while at < min(now, leaves) or not any(event.customer_id == of for event in events):
                events.append(NewEvent(of, "order_completed", at, f"{number}-{at}"))
                at += timedelta(days=rng.expovariate(1 / gap))
        await session.flush()
        await take_in(session, [event for event in events if event.at <= now], now=now)
    seen: list[tuple[int, int]] = []
    answer = await predict(deps, days=120, on_customers=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (120, 120)
    assert answer.judgement is not None
    assert answer.judgement.auc is not None
    assert answer.judgement.auc > 0.6
    ranked = [each.expected for each in answer.likely]
    assert ranked == sorted(ranked, reverse=True)
    assert len(ranked) == 120


async def test_too_few_purchases_are_refused_with_what_to_check(db: Database) -> None:
    with pytest.raises(Refused, match="life_cycle: purchase"):
        await predict(deps_without_platforms(db), days=30)

"""Does a score that comes up to the threshold open one lead, with its reasons, and only one?"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import select

from bot.clock import TurnableClock
from bot.deps import Deps
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import publish
from bot.flows.rules.tick import tick
from bot.flows.rules.why import why
from db.desk import leads
from db.desk.leads import Lead, LeadState
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.people.customers import Customer, customer_id_of
from tests.wiring import deps_without_platforms

SCORING = """\
events:
  pricing_viewed: {points: 40, half_life: 3d, per_day: 2, label: {ja: 料金ページの閲覧, en: pricing page}}
threshold: 70
"""
CUSTOMER = customer_id_of("c1")


async def started(db: Database) -> tuple[Deps, TurnableClock]:
    deps = deps_without_platforms(db)
    assert isinstance(deps.clock, TurnableClock)
    async with db.begin() as session:
        session.add(Customer(customer_id=CUSTOMER, external_id="c1", created_at=deps.clock.now()))
    await publish(deps, {"rules/scoring.yaml": SCORING}, by="test")
    return deps, deps.clock


async def views(deps: Deps, number: int, at: datetime) -> None:
    async with deps.db.begin() as session:
        events = [NewEvent(CUSTOMER, "pricing_viewed", at, f"{at}{n}") for n in range(number)]
        await take_in(session, events, now=deps.clock.now())
    await decided(deps)


async def decided(deps: Deps) -> None:
    await tick(deps)
    await decide_due(deps)


async def all_leads(deps: Deps) -> list[Lead]:
    async with deps.db.begin() as session:
        return list((await session.scalars(select(Lead).order_by(Lead.opened_at))).all())  # type: ignore[arg-type]


async def dismiss(deps: Deps) -> None:
    async with deps.db.begin() as session:
        lead = await leads.lead_of(session, CUSTOMER, is_locked=True)
        assert lead is not None
        assert await leads.close(
            session, lead, state=LeadState.DISMISSED, by="U1", disposition="x", now=deps.clock.now()
        )


async def test_coming_up_to_the_threshold_opens_a_lead_that_says_why(db: Database) -> None:
    deps, clock = await started(db)
    await views(deps, 1, clock.now())
    assert await all_leads(deps) == []
    await views(deps, 1, clock.now() - timedelta(minutes=5))
    (lead,) = await all_leads(deps)
    assert (lead.source, lead.score, lead.rule_id) == ("score", 79, "$hot-lead")
    assert lead.reasons[0]["ja"].startswith("点数が79点に: 料金ページの閲覧 2回")
    assert lead.reasons[0]["en"].startswith("score now 79: pricing page 2 times")


async def test_an_episode_opens_one_lead_and_the_next_one_opens_when_the_score_had_fallen(
    db: Database,
) -> None:
    deps, clock = await started(db)
    await views(deps, 2, clock.now())
    await dismiss(deps)
    clock.turn(timedelta(hours=30))
    await views(deps, 1, clock.now())  # 80 halved by a fourth, and 40: but it had fallen below 70
    assert len(await all_leads(deps)) == 2
    await dismiss(deps)
    await views(deps, 1, clock.now() + timedelta(seconds=1))
    assert len(await all_leads(deps)) == 2
    clock.turn(timedelta(days=30))
    await decided(deps)
    assert len(await all_leads(deps)) == 2
    await views(deps, 2, clock.now())
    assert len(await all_leads(deps)) == 3


async def test_a_lead_that_people_closed_is_not_opened_again_by_more_of_the_same(db: Database) -> None:
    deps, clock = await started(db)
    await views(deps, 2, clock.now())
    clock.turn(timedelta(hours=2))
    await dismiss(deps)
    clock.turn(timedelta(minutes=30))
    await views(deps, 2, clock.now())
    assert len(await all_leads(deps)) == 1


async def test_why_tells_the_score_like_every_other_reason(db: Database) -> None:
    deps, clock = await started(db)
    await views(deps, 1, clock.now())
    said = "\n".join(await why(deps, "c1"))
    assert "点数は40（相性100・関心40）: 料金ページの閲覧 1回（たった今） +40（条件: 70以上）" in said

"""Is only what nobody needs any longer removed, once a night, and does what rules look at stay?"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, text
from sqlmodel import col

from bot.flows.operate.tidy import tidy
from db.deciding.followups import DecisionRow
from db.intake.events import Event
from db.intake.inbox import InboxRow
from db.intake.signals import SignalRow
from db.people.customers import customer_id_of
from followups.rules.parsing import PolicyText
from sandbox.world import World
from tests.stories.shop import BOUGHT, hanako

POLICY = PolicyText(path="policy.yaml", source="retention: {events: 60d, decisions: 90d, inbox: 3d}\n")


async def count(world: World, of: type) -> int:
    async with world.deps.db.begin() as session:
        found = await session.scalar(select(func.count()).select_from(of))
    return int(found or 0)


async def test_old_months_of_events_go_and_their_signals_stay(world: World) -> None:
    from bot.flows.rules.publish import publish

    await publish(world.deps, {"thanks.yaml": BOUGHT}, by="test", policy=POLICY)
    for days in (400, 100, 20):
        at = (world.clock.now() - timedelta(days=days)).isoformat()
        await world.batch([{"type": "track", "userId": "c-1", "event": "bought", "timestamp": at}])
    assert await count(world, Event) == 3
    await world.turn(timedelta(days=1))
    assert await count(world, Event) == 1
    async with world.deps.db.begin() as session:
        signal = await session.get(SignalRow, (customer_id_of("c-1"), "bought"))
        assert signal is not None
        assert signal.n == 3
        assert (world.clock.now() - signal.first_at).days == 401
        pieces = await session.scalar(
            text("select count(*) from pg_inherits where inhparent = 'event'::regclass")
        )
    assert pieces <= 3
    late = (world.clock.now() - timedelta(days=399)).isoformat()
    await world.batch([{"type": "track", "userId": "c-2", "event": "bought", "timestamp": late}])
    assert await count(world, Event) == 2


async def test_each_rules_latest_answer_stays_and_what_was_received_goes(world: World) -> None:
    from bot.flows.rules.publish import publish

    await publish(world.deps, {"thanks.yaml": BOUGHT}, by="test", policy=POLICY)
    await hanako(world)
    await world.track("c-1", "bought")
    await world.settle()
    decided = await count(world, DecisionRow)
    assert decided
    await world.turn(timedelta(days=200))
    async with world.deps.db.begin() as session:
        kept = (await session.execute(select(col(DecisionRow.at), col(DecisionRow.rule_id)))).all()
        waiting = await session.scalar(
            select(func.count())
            .select_from(InboxRow)
            .where(col(InboxRow.done_at) < world.clock.now() - timedelta(days=3))
        )
    assert kept
    assert waiting == 0


async def test_it_is_done_once_a_night(world: World) -> None:
    await world.settle()
    assert await tidy(world.deps) == 0
    await hanako(world)
    await world.turn(timedelta(days=40))
    assert await tidy(world.deps) == 0

"""Do rules find the customers whom the newer words of the language mean, and only those?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col

from bot.flows.rules.publish import rulebook
from bot.flows.rules.refresh_rhythms import is_moved, refresh_rhythms
from db.deciding.followups import DecisionRow, FollowUpRow
from db.engine import Database
from db.intake.rhythms import FEWEST_CUSTOMERS, rhythms_of
from db.intake.signals import SignalRow, WatchRow
from db.rulebook.rules import RuleRow
from followups.rules.parsing import load_folder
from followups.signals import filtered_key
from tests.flows.shop import Shop, inactive

DAY = timedelta(days=1)
PRO = filtered_key("order", {"plan": "pro"})


async def entered(shop: Shop, rule_id: str) -> set[UUID]:
    return {row.customer_id for row in await shop.rows(FollowUpRow, col(FollowUpRow.rule_id) == rule_id)}


async def test_a_rule_about_properties_sees_past_and_future_events_that_have_them(db: Database) -> None:
    shop = Shop(db)
    before, after, other = [await shop.customer(name) for name in ("a", "b", "c")]
    await shop.track(before, "order", plan="pro")
    await shop.publish(inactive(when="{event: order, where: {plan: pro}, count: {at_least: 1}}"))
    await shop.settle()
    assert await entered(shop, "inactive") == {before}
    await shop.track(other, "order", plan="free")
    await shop.track(other, "order")
    await shop.track(after, "order", plan="pro")
    await shop.settle()
    assert await entered(shop, "inactive") == {before, after}
    keys = {row.key for row in await shop.rows(SignalRow, col(SignalRow.customer_id) == other)}
    assert PRO not in keys


async def test_a_goal_with_properties_is_reached_by_such_an_event_alone(db: Database) -> None:
    shop = Shop(db)
    ada = await shop.customer("a")
    await shop.track(ada, "login", shop.ago(days=20))
    await shop.publish(inactive(goal="{event: order, where: {plan: pro}, within: 7d}"))
    await shop.settle()
    await shop.accept_all()
    shop.clock.turn(timedelta(hours=1))
    await shop.track(ada, "order", plan="free")
    await shop.settle()
    [passage] = await shop.rows(FollowUpRow)
    assert (passage.state, passage.ended_because) == ("active", None)
    shop.clock.turn(timedelta(hours=1))
    await shop.track(ada, "order", plan="pro")
    reached_at = shop.clock.now()
    await shop.turn(minutes=5)
    [passage] = await shop.rows(FollowUpRow)
    assert (passage.ended_because, passage.goal_reached_at) == ("goal", reached_at)


async def test_filters_that_nobody_asks_for_any_more_are_no_longer_kept(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive(when="{event: order, where: {plan: pro}, never: false}"))
    [row] = await shop.rows(WatchRow, col(WatchRow.event) == PRO)
    assert (row.source, row.filter) == ("order", {"plan": "pro"})
    for priority in ("1", "2"):  # one version back is kept: somebody may just be entering it
        await shop.publish(inactive(when="{event: order, never: false}", priority=priority))
    assert await shop.rows(WatchRow, col(WatchRow.event) == PRO) == []


async def test_a_falling_trend_is_found_at_the_very_moment_though_nothing_happens(db: Database) -> None:
    shop = Shop(db)
    ada, steady = await shop.customer("a"), await shop.customer("b")
    for age in (1, 2, 3, 4, 5, 6):
        await shop.track(ada, "export", shop.ago(days=age))
    await shop.track(steady, "export", shop.ago(days=1))
    await shop.publish(inactive(when="{event: export, trend: {down_by: 50%, over: 7d, at_least: 4}}"))
    await shop.settle()
    await shop.turn(days=3, hours=23)
    assert await entered(shop, "inactive") == set()
    await shop.turn(hours=2)
    assert await entered(shop, "inactive") == {ada}
    await shop.turn(days=20)
    assert await entered(shop, "inactive") == {ada}


async def _weekly(shop: Shop, name: str, *, quiet_for: int, every: int = 7) -> UUID:
    customer_id = await shop.customer(name)
    for number in range(5):
        await shop.track(customer_id, "login", shop.ago(days=quiet_for + every * number))
    return customer_id


IDLE = "{idle: {event: login, rhythm: 3, min: 7d, max: 60d}}"


async def test_everyone_is_asked_by_their_own_rhythm(db: Database) -> None:
    shop = Shop(db)
    weekly = await _weekly(shop, "weekly", quiet_for=18)
    daily = await _weekly(shop, "daily", quiet_for=5, every=1)
    monthly = await _weekly(shop, "monthly", quiet_for=20, every=30)
    await shop.publish(inactive(when=IDLE))
    await shop.settle()
    assert await entered(shop, "inactive") == set()
    await shop.turn(days=2)
    assert await entered(shop, "inactive") == {daily}
    await shop.turn(days=1)
    assert await entered(shop, "inactive") == {daily, weekly}
    await shop.turn(days=30)
    assert monthly not in await entered(shop, "inactive")


async def _population(shop: Shop, *, every: int, name: str = "p", quiet_for: int = 1) -> None:
    for number in range(FEWEST_CUSTOMERS):
        await _weekly(shop, f"{name}{number}", quiet_for=quiet_for, every=every)


async def _figures(shop: Shop) -> dict[str, timedelta]:
    async with shop.deps.db.begin() as session:
        return await rhythms_of(session)


async def test_the_populations_rhythm_is_measured_at_once_and_then_once_a_night(db: Database) -> None:
    shop = Shop(db)
    newcomer = await shop.customer("new")
    await shop.track(newcomer, "login", shop.ago(days=13))
    await shop.publish(inactive(when=IDLE))
    assert await refresh_rhythms(shop.deps) == 0  # too few customers: kept as not known
    await _population(shop, every=4)
    assert await refresh_rhythms(shop.deps) == 0
    assert await _figures(shop) == {}
    await shop.settle()
    assert newcomer not in await entered(shop, "inactive")
    shop.clock.turn(timedelta(hours=14, minutes=59))  # 2:59 at night
    assert await refresh_rhythms(shop.deps) == 0
    shop.clock.turn(timedelta(minutes=1))
    assert sum(await asyncio.gather(*(refresh_rhythms(shop.deps) for _ in range(4)))) == 1
    assert await _figures(shop) == {"login": 4 * DAY}
    assert "tick" in shop.woken.stories
    assert [row.scan_from for row in await shop.rows(RuleRow)] == [UUID(int=0)]
    await shop.turn(hours=12)
    assert newcomer in await entered(shop, "inactive") or await _is_due(shop, newcomer)
    assert await refresh_rhythms(shop.deps) == 0


async def _is_due(shop: Shop, customer_id: UUID) -> bool:
    decisions = await shop.rows(DecisionRow, col(DecisionRow.customer_id) == customer_id)
    return any(row.verdict != "not_due" for row in decisions)


async def test_a_figure_that_hardly_moved_is_left_and_nobody_is_looked_at(db: Database) -> None:
    shop = Shop(db)
    await _population(shop, every=10)
    await shop.publish(inactive(when=IDLE))
    assert await refresh_rhythms(shop.deps) == 1
    await shop.settle()
    await _population(shop, every=11, name="q")
    shop.clock.turn(DAY)
    assert await refresh_rhythms(shop.deps) == 0
    assert await _figures(shop) == {"login": 10 * DAY}
    assert [row.scan_from for row in await shop.rows(RuleRow)] == [None]


async def test_without_a_rule_that_asks_nothing_is_measured(db: Database) -> None:
    shop = Shop(db)
    await _population(shop, every=4)
    await shop.publish(inactive())
    assert await refresh_rhythms(shop.deps) == 0
    assert await _figures(shop) == {}


@pytest.mark.parametrize(
    ("before", "now", "is_changed"),
    [
        (None, None, False),
        (None, DAY, True),
        (DAY, None, True),
        (DAY, 1.09 * DAY, False),
        (DAY, 0.88 * DAY, True),
    ],
    ids=str,
)
def test_a_tenth_is_worth_a_change(before: timedelta | None, now: timedelta | None, is_changed: bool) -> None:
    assert is_moved(before, now) is is_changed


async def test_a_stored_rule_still_knows_the_message_whose_clicks_it_asks_for(db: Database) -> None:
    shop = Shop(db)
    files = {
        **inactive(when="{clicked: checkin, within: 7d}"),
        "messages/checkin.yaml": "text: お困りではありませんか。",
    }
    assert load_folder(files).rules
    ada, bob = await shop.customer("a"), await shop.customer("b")
    await shop.publish(files)
    assert not (await rulebook(shop.deps)).broken
    await shop.track(ada, "$clicked:checkin")
    await shop.track(bob, "$clicked:other")
    await shop.settle()
    assert await entered(shop, "inactive") == {ada}

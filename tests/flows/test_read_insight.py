"""Is what LINE tells of our messages read once a day, through the real SDK, and shown as it is?"""

from __future__ import annotations

from datetime import timedelta

from bot.flows.measure.read_insight import last_insight, read_insight, told
from bot.line.account import unit_name
from sandbox.world import World
from tests.flows.shop import inactive


async def send_to(world: World, number: int) -> None:
    """A rule writes to so many people, and a day goes by."""
    long_ago = (world.clock.now() - timedelta(days=30)).isoformat()
    for n in range(number):
        await world.friend(f"c{n}", f"田中{n}")
        await world.batch([{"type": "track", "userId": f"c{n}", "event": "login", "timestamp": long_ago}])
    await world.publish(inactive())
    await world.turn(timedelta(days=1))


async def test_small_numbers_are_told_as_fewer_than_twenty(world: World) -> None:
    await send_to(world, 2)
    found = await last_insight(world.deps)
    assert found is not None
    assert [(each.rule_id, each.seen_by) for each in found.seen] == [("inactive", None)]
    assert "  inactive: seen by fewer than 20, tapped by fewer than 20" in told(found, "en")
    assert any("20人未満" in line for line in told(found, "ja"))
    assert world.line.channel.units[world.line.channel.month(), unit_name("inactive")] == 2
    assert await read_insight(world.deps) == 0, "once a day"


async def test_larger_ones_and_the_rate_of_blocks_are_told_as_they_are(world: World) -> None:
    await send_to(world, 2)
    world.line.channel.units[world.line.channel.month(), unit_name("inactive")] = 40
    await world.line.unfollow(world.phones["c1"])
    await world.turn(timedelta(days=1))
    found = await last_insight(world.deps)
    assert found is not None
    assert found.seen[0].seen_by == 40
    assert found.block_rate == 0.5
    assert "  inactive: 表示 40、タップ 20人未満" in told(found, "ja")
    assert told(found, "ja", rule_id="other") == []


async def test_too_many_questions_leave_what_was_told_so_far(world: World) -> None:
    await send_to(world, 1)
    world.line.limit_rate("/v2/bot/insight/message/event/aggregation")
    await world.turn(timedelta(days=1))
    found = await last_insight(world.deps)
    assert found is not None
    assert (found.seen, found.followers is not None) == ((), True)


def test_unit_names_are_line_s_and_differ_for_every_rule_and_variant() -> None:
    rules = ["inactive-14d", "inactive_14d", "a" * 64, "a" * 63 + "b"]
    names = [unit_name(rule, variant) for rule in rules for variant in (None, "a", "b")]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 30 and name.replace("_", "").isalnum() and name.isascii() for name in names)
    assert unit_name("inactive-14d", "a") == unit_name("inactive-14d", "a")

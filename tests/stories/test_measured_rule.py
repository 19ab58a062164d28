"""A shop whose customers were randomised by the program itself: does its report find what is true?"""

from __future__ import annotations

from datetime import timedelta
from random import Random

from bot.cli.report.text import told
from bot.flows.measure.report import figures
from db.deciding.expected import expected_values
from db.people.customers import customer_id_of
from followups.experiments import is_held_out, rule_salt
from followups.measure import EffectState, RuleFigures
from sandbox.world import World
from tests.stories.shop import CHECKIN, INACTIVE

PEOPLE = 70
MEASURED = INACTIVE.replace("holdout: 0%", "holdout: 40%")
WEEK = timedelta(days=7)


async def open_shop(world: World) -> dict[str, str]:
    """Customers who are friends, linked and agreed, and were here once; LINE user ids by external id."""
    await world.publish({"inactive.yaml": MEASURED})
    phones = {}
    for number in range(PEOPLE):
        external_id, phone = f"c-{number}", world.line.add_person(f"客{number}")
        phones[external_id] = phone
        await world.line.follow(phone)
        await world.line.press(phone, "consent:yes", display_text="受け取る")
    await world.settle()
    for external_id, phone in phones.items():
        await world.identify(external_id, name="客", line_user_id=phone)
        await world.track(external_id, "login")
    await world.settle()
    return phones


async def react(world: World, phones: dict[str, str], *, written_to: float, left_alone: float) -> None:
    """After a day they come back with these chances, as the story has it; then their windows close."""
    chance = Random(7)
    await world.turn(timedelta(days=1))
    for external_id, phone in phones.items():
        is_written_to = CHECKIN in world.heard(phone)
        if chance.random() < (written_to if is_written_to else left_alone):
            await world.track(external_id, "login")
    await world.turn(timedelta(days=8))


async def reported(world: World) -> RuleFigures:
    rule = (await figures(world.deps)).of("inactive")
    assert rule is not None
    return rule


async def test_a_message_that_brings_people_back_is_found_to_do_so(world: World):
    phones = await open_shop(world)
    await world.turn(timedelta(days=14, seconds=1))
    await react(world, phones, written_to=0.9, left_alone=0.1)
    rule = await reported(world)
    held = {each for each in phones if is_held_out(rule_salt("inactive"), str(customer_id_of(each)), 0.4)}
    assert {each for each, phone in phones.items() if CHECKIN not in world.heard(phone)} == held
    assert (rule.held_out.eligible, rule.treated.eligible) == (len(held), PEOPLE - len(held))
    assert rule.treated.accepted == PEOPLE - len(held)
    assert rule.effect.state is EffectState.HELPS
    assert rule.effect.interval is not None
    assert rule.effect.interval.holds(0.8)
    assert any("it helps" in line for line in told(await figures(world.deps), "en"))
    async with world.deps.db.begin() as session:
        assert (await expected_values(session, now=world.clock.now()))["inactive"] > 0


async def test_a_message_that_changes_nothing_is_not_called_a_success(world: World):
    """Half of everybody comes back anyway: attributed figures praise the rule, the comparison does not."""
    phones = await open_shop(world)
    await world.turn(timedelta(days=14, seconds=1))
    await react(world, phones, written_to=0.5, left_alone=0.5)
    rule = await reported(world)
    assert rule.treated.attributed > 15
    assert rule.effect.state is EffectState.WAITING
    assert rule.effect.interval is not None
    assert rule.effect.interval.holds(0.0)
    said = "\n".join(told(await figures(world.deps), "ja"))
    assert "差はまだ分かりません" in said
    assert f"参考（送信のあとに達成した数）: {rule.treated.attributed}" in said

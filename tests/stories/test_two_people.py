"""What happens when two people of the company act on one customer at the same moment?"""

from __future__ import annotations

import asyncio

import pytest

from sandbox.world import World
from tests.stories.shop import UNDO, buttons, card_of, hanako, press


@pytest.fixture
async def asked(world: World) -> str:
    """A customer has asked something, drafts stand on the card; returns the LINE user id."""
    phone = await hanako(world)
    await world.line.say(phone, "書き出しの方法を教えてください。")
    await world.settle()
    assert "lead.send:1" in buttons(world)
    return phone


def _whispers(world: World, who: str) -> str:
    return "\n".join(each.text for each in world.slack.ephemerals(who))


@pytest.mark.parametrize("numbers", [(1, 1), (1, 2)], ids=["the same draft", "different drafts"])
async def test_two_sends_at_the_same_moment_make_one_message_and_the_other_is_told(
    world: World, asked: str, numbers: tuple[int, int]
):
    known, card = len(world.heard(asked)), card_of(world)
    people = (world.sato, world.suzuki)
    await asyncio.gather(
        *(
            world.slack.press(who, world.leads_channel, card.ts, f"lead.send:{number}")
            for who, number in zip(people, numbers, strict=True)
        )
    )
    await world.settle()
    await world.turn(UNDO)
    assert len(world.heard(asked)) == known + 1
    told = [who for who in people if _whispers(world, who)]
    assert len(told) == 1
    first = next(who for who in people if who not in told)
    name = world.slack.workspace.members[first].real_name
    assert name in _whispers(world, told[0]), "the other learns who was first"


async def test_two_claims_at_the_same_moment_make_one_owner(world: World, asked: str):
    card = card_of(world)
    people = (world.sato, world.suzuki)
    await asyncio.gather(
        *(world.slack.press(who, world.leads_channel, card.ts, "lead.claim") for who in people)
    )
    await world.settle()
    told = [who for who in people if "担当になっています" in _whispers(world, who)]
    assert len(told) == 1
    assert "lead.claim" not in buttons(world)


async def test_a_reply_to_what_was_said_before_is_refused_and_the_news_shown(world: World, asked: str):
    card = card_of(world)
    known = len(world.heard(asked))
    await world.line.say(asked, "解決しました。")
    await world.slack.press(world.sato, world.leads_channel, card.ts, "lead.send:1")
    await world.settle()
    await world.turn(UNDO)
    assert len(world.heard(asked)) == known
    assert "解決しました。" in _whispers(world, world.sato)


async def test_what_is_written_in_the_thread_stays_inside(world: World, asked: str):
    await press(world, world.sato, "lead.claim")
    known = len(world.heard(asked))
    await world.slack.write(
        world.sato, world.leads_channel, "値引きしてもいいかな?", thread_ts=card_of(world).ts
    )
    await world.settle()
    await world.turn(UNDO)
    assert len(world.heard(asked)) == known

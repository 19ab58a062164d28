"""When does the program keep quiet, and can it say why?"""

from __future__ import annotations

from datetime import timedelta

from bot.flows.rules.why import why
from sandbox.world import World
from tests.stories.shop import BOUGHT, CHECKIN, INACTIVE, THANKS, UNDO, card_of, hanako, press

EVENING = timedelta(hours=11)
"""From the world's 10:00 to 21:00, within quiet hours."""


async def _why(world: World) -> str:
    return "\n".join(await why(world.deps, "c-1"))


async def test_nobody_is_written_to_before_they_agreed(world: World):
    await world.publish({"thanks.yaml": BOUGHT})
    await world.identify("c-1", name="山田 花子")
    phone = world.line.add_person("山田 花子")
    await world.line.follow(phone)
    await world.settle()
    await world.link("c-1", phone)
    await world.track("c-1", "bought")
    await world.settle()
    assert THANKS not in world.heard(phone)
    assert "✗ 同意" in await _why(world)

    await world.line.press(phone, "consent:yes", display_text="受け取る")
    await world.settle()
    assert world.heard(phone).count(THANKS) == 1


async def test_quiet_hours_move_a_message_to_the_morning(world: World):
    await world.publish({"thanks.yaml": BOUGHT})
    phone = await hanako(world)
    await world.turn(EVENING)
    await world.track("c-1", "bought")
    await world.settle()
    assert THANKS not in world.heard(phone)
    told = await _why(world)
    assert "✗ 時間帯" in told
    assert "11月3日(火) 9:00" in told
    await world.turn(timedelta(hours=11, minutes=59))
    assert THANKS not in world.heard(phone)
    await world.turn(timedelta(minutes=1))
    assert world.heard(phone).count(THANKS) == 1


async def test_a_stop_word_stops_what_is_queued_and_everything_after_it(world: World):
    await world.publish({"thanks.yaml": BOUGHT, "inactive.yaml": INACTIVE})
    phone = await hanako(world)
    await world.track("c-1", "login")
    await world.turn(EVENING)
    await world.track("c-1", "bought")
    await world.settle()
    await world.line.say(phone, "停止")
    await world.settle()
    assert "お知らせを停止しました" in world.heard(phone)[-1]
    known = len(world.heard(phone))
    await world.pass_time(timedelta(days=20))
    assert world.heard(phone)[known:] == []
    assert "✗ 同意" in await _why(world)


async def test_an_opt_out_also_stops_a_reply_that_can_still_be_undone(world: World):
    phone = await hanako(world)
    await world.line.say(phone, "書き出しの方法を教えてください。")
    await world.settle()
    await press(world, world.sato, "lead.send")
    await world.line.say(phone, "配信停止")
    await world.settle()
    known = len(world.heard(phone))
    await world.turn(UNDO)
    assert world.heard(phone)[known:] == []


async def test_taking_an_opt_out_back_brings_messages_back(world: World):
    await world.publish({"inactive.yaml": INACTIVE})
    phone = await hanako(world)
    await world.track("c-1", "login")
    await world.turn(timedelta(seconds=5))
    await world.line.say(phone, "停止")
    await world.turn(timedelta(seconds=5))
    await world.line.tap_button(phone, "元に戻す")
    await world.settle()
    assert "お知らせを再開しました" in world.heard(phone)[-1]
    await world.turn(timedelta(days=14, seconds=1))
    assert world.heard(phone).count(CHECKIN) == 1


async def test_while_people_talk_automatic_messages_hold_and_come_afterwards(world: World):
    await world.publish({"thanks.yaml": BOUGHT})
    phone = await hanako(world)
    await world.line.say(phone, "書き出しの方法を教えてください。")
    await world.settle()
    await press(world, world.sato, "lead.claim")
    await world.track("c-1", "bought")
    await world.settle()
    await world.turn(timedelta(hours=3))
    assert THANKS not in world.heard(phone)
    assert "✗ 会話" in await _why(world)

    await press(world, world.sato, "lead.won")
    assert "受注" in card_of(world).plain_text()
    await world.pass_time(timedelta(days=3))
    assert world.heard(phone).count(THANKS) == 1


async def test_nothing_is_sent_to_somebody_who_blocked_us(world: World):
    await world.publish({"thanks.yaml": BOUGHT})
    phone = await hanako(world)
    await world.line.unfollow(phone)
    await world.settle()
    calls = len(world.line.journal)
    await world.track("c-1", "bought")
    await world.settle()
    assert not [call for call in world.line.journal[calls:] if "/message/push" in call.path]
    assert "✗ ブロック" in await _why(world)

"""From what a customer does in the product to a person's reply on their phone."""

from __future__ import annotations

from datetime import timedelta

from bot.flows.rules.why import why
from sandbox.world import World
from tests.stories.shop import BOUGHT, CHECKIN, INACTIVE, THANKS, UNDO, buttons, card_of, hanako, press

SHADOW = INACTIVE.replace("state: live", "state: shadow")


async def test_going_quiet_brings_one_message_and_its_answer_a_lead_and_a_reply(world: World):
    await world.publish({"inactive.yaml": INACTIVE})
    phone = await hanako(world)
    await world.track("c-1", "login")
    await world.settle()
    greeted = len(world.heard(phone))

    await world.turn(timedelta(days=14, seconds=1))
    assert world.heard(phone)[greeted:] == [CHECKIN]
    assert world.slack.messages(world.leads_channel) == []

    await world.line.tap_quick_reply(phone, "困っている")
    await world.settle()
    assert "「困っている」を選びました" in card_of(world).plain_text()

    await world.turn(timedelta(seconds=5))
    await world.line.say(phone, "請求書の日付を変えたいのですが、やり方が分かりません。")
    await world.settle()
    known = len(world.heard(phone))
    assert "「請求書の日付を変えたい」" in card_of(world).plain_text()

    await press(world, world.sato, "lead.send")
    assert len(world.heard(phone)) == known, "nothing leaves while it can be undone"
    assert "lead.undo" in buttons(world)
    await world.turn(UNDO)
    (reply,) = world.heard(phone)[known:]
    assert "「請求書の日付を変えたい」" in reply
    assert "送信済み" in card_of(world).plain_text()
    assert "lead.undo" not in buttons(world)

    lines = "\n".join(await why(world.deps, "c-1"))
    assert "→ 送る: inactive" in lines
    assert "person  LINE が受け付けた" in lines


async def test_an_undone_reply_never_reaches_the_phone(world: World):
    phone = await hanako(world)
    await world.line.say(phone, "書き出しの方法を教えてください。")
    await world.settle()
    known = len(world.heard(phone))
    await press(world, world.sato, "lead.send")
    await press(world, world.sato, "lead.undo")
    await world.turn(timedelta(hours=1))
    assert world.heard(phone)[known:] == []
    assert "送信を取り消しました" in card_of(world).plain_text()


async def test_the_same_rule_does_not_write_twice(world: World):
    await world.publish({"inactive.yaml": INACTIVE})
    phone = await hanako(world)
    await world.track("c-1", "login")
    await world.pass_time(timedelta(days=40))
    assert world.heard(phone).count(CHECKIN) == 1
    await world.publish({"inactive.yaml": INACTIVE.replace("90d", "91d")})
    await world.pass_time(timedelta(days=3))
    assert world.heard(phone).count(CHECKIN) == 1
    await world.track("c-1", "login")
    await world.pass_time(timedelta(days=15))
    assert world.heard(phone).count(CHECKIN) == 1, "not again before again_after"
    assert any("前回から間もない" in line for line in await why(world.deps, "c-1", "inactive"))


async def test_the_same_event_sent_twice_is_one_event(world: World):
    await world.publish({"thanks.yaml": BOUGHT})
    phone = await hanako(world)
    bought = {
        "userId": "c-1",
        "event": "bought",
        "messageId": "order-1",
        "timestamp": world.clock.now().isoformat(),
    }
    for _ in range(3):
        status, _answer = await world.post("/v1/track", bought)
        assert status == 200
        await world.settle()
    assert world.heard(phone).count(THANKS) == 1


async def test_a_rule_in_shadow_decides_and_sends_nothing(world: World):
    await world.publish({"inactive.yaml": SHADOW})
    phone = await hanako(world)
    await world.track("c-1", "login")
    await world.turn(timedelta(days=14, seconds=1))
    assert CHECKIN not in world.heard(phone)
    lines = await why(world.deps, "c-1", "inactive")
    assert any("試運転" in line and "→ 送る" in line for line in lines)

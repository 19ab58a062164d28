"""Does what a customer takes back disappear from everywhere staff could read it?"""

from __future__ import annotations

from sandbox.world import World


async def test_what_is_unsent_on_line_disappears_from_the_card_and_the_thread_in_slack(world: World) -> None:
    tanaka = await world.friend("tanaka", "田中")
    said = await world.line.say(tanaka, "ひみつの番号は1234です")
    await world.settle()
    (card,) = world.slack.messages(world.leads_channel)

    def shown() -> str:
        thread = world.slack.thread(world.leads_channel, card.ts)
        return "".join(message.plain_text() for message in thread)

    assert shown().count("ひみつ") >= 2, "on the card and in its thread"
    assert said.message_id is not None
    await world.line.unsend(tanaka, said.message_id)
    await world.settle()
    assert "ひみつ" not in shown()
    assert "送信が取り消されました" in shown()

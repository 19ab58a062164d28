"""Which rules and people do the stories share?"""

from __future__ import annotations

from datetime import timedelta

from sandbox.slack import Message
from sandbox.world import World

CHECKIN = "手が止まっている所はありませんか。"
THANKS = "ご購入ありがとうございました。"
INACTIVE = f"""\
id: inactive
name: しばらくご利用のない方へ
state: live
goal: {{event: login, within: 7d}}
when:
  event: login
  last: {{more_than: 14d, less_than: 60d}}
again_after: 90d
holdout: 0%
then:
  - send:
      text: {{ja: "{CHECKIN}"}}
      quick_replies:
        - {{label: 困っている, signal: needs_help, lead: true}}
"""
BOUGHT = f"""\
id: thanks
name: 購入のお礼
state: live
goal: {{event: reviewed, within: 7d}}
when:
  event: bought
  count: {{at_least: 1}}
holdout: 0%
then:
  - send: {{text: {{ja: "{THANKS}"}}}}
"""
UNDO = timedelta(seconds=16)


async def hanako(world: World) -> str:
    """A customer who is known, a friend, linked and agreed; returns her LINE user id."""
    return await world.friend("c-1", "山田 花子", plan="standard")


def card_of(world: World) -> Message:
    """The one lead card there is."""
    (card,) = world.slack.messages(world.leads_channel)
    return card


def buttons(world: World) -> list[str]:
    """What can be pressed on the card."""
    return [each.action_id for each in card_of(world).buttons()]


async def press(world: World, who: str, action: str) -> None:
    """Press the first button of this action on the card; everything that follows happens."""
    found = next(each for each in buttons(world) if each.split(":")[0] == action)
    answer = await world.slack.press(who, world.leads_channel, card_of(world).ts, found)
    assert answer.is_good, answer
    await world.settle()

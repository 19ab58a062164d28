"""Does the App Home show what needs a person, and does what they press there happen once?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlmodel import col

from db.desk.audit import AuditEntry
from db.talk.messages import Message
from sandbox.world import World
from tests.stories.shop import INACTIVE, hanako, press

DAY = timedelta(days=1)


async def home(world: World, who: str) -> str:
    """Open the tab; what stands on it."""
    answer = await world.slack.open_home(who)
    assert answer.is_good, answer
    await world.settle()
    return shown(world, who)


def shown(world: World, who: str) -> str:
    view = world.slack.home(who)
    assert view is not None
    return view.plain_text()


def ids(world: World, who: str) -> list[str]:
    view = world.slack.home(who)
    assert view is not None
    return [each.action_id for each in view.buttons()]


async def press_home(world: World, who: str, action: str) -> None:
    view = world.slack.home(who)
    assert view is not None
    answer = await world.slack.press_in_view(who, view.id, action)
    assert answer.is_good, answer
    await world.settle()


async def troubled(world: World, state: str) -> Message:
    """A message of a person that ended in this state."""
    line_user_id = await hanako(world)
    await world.line.say(line_user_id, "相談したいです")
    await world.settle()
    await press(world, world.sato, "lead.send")
    await world.turn(timedelta(seconds=20))
    async with world.deps.db.begin() as session:
        message: Message | None = await session.scalar(select(Message).where(col(Message.kind) == "person"))
        assert message is not None
        assert message.state == "accepted"
        await session.execute(
            update(Message).where(col(Message.kind) == "person").values(state=state, because="LINE said 400")
        )
    return message


async def all_of(world: World, table: Any) -> list[Any]:
    async with world.deps.db.begin() as session:
        return list((await session.scalars(select(table))).all())


async def test_a_sales_person_sees_their_leads_and_nothing_to_steer(world: World) -> None:
    line_user_id = await hanako(world)
    await world.line.say(line_user_id, "相談したいです")
    await world.settle()
    words = await home(world, world.sato)
    assert "担当している見込み (0)" in words
    assert "担当を待っている見込み (1)" in words
    assert "山田 花子" in words
    assert "すべて止める" not in words
    assert ids(world, world.sato) == []

    await press(world, world.sato, "lead.claim")
    words = shown(world, world.sato)
    assert "担当している見込み (1)" in words, "the tab follows what happens, without being opened again"
    assert "返事を待っている人 (1)" in words
    assert "担当を待っている見込み (0)" in words


async def test_a_support_lead_sees_rules_figures_and_health(world: World) -> None:
    await world.publish({"inactive.yaml": INACTIVE})
    words = await home(world, world.suzuki)
    for part in (
        "しばらくご利用のない方へ",
        "対応が必要なものはありません",
        "配信停止",
        "PostgreSQL",
        "状態",
    ):
        assert part in words
    assert "pause.all" in ids(world, world.suzuki)
    assert "rule.toggle" in ids(world, world.suzuki)


async def test_a_tab_on_which_nothing_changed_is_not_published_again(world: World) -> None:
    await world.publish({"inactive.yaml": INACTIVE})
    await home(world, world.suzuki)
    before = len([each for each in world.slack.journal if each.method == "views.publish"])
    await world.turn(timedelta(minutes=7))
    assert len([each for each in world.slack.journal if each.method == "views.publish"]) == before


async def test_a_message_that_failed_is_sent_again_by_one_press(world: World) -> None:
    message = await troubled(world, "dead")
    assert "LINE said 400" in await home(world, world.suzuki)
    heard = len(world.heard(message.line_user_id))
    await press_home(world, world.suzuki, "message.replay")
    await world.turn(timedelta(seconds=20))
    assert "対応が必要なものはありません" in shown(world, world.suzuki)
    (sent,) = [each for each in await all_of(world, Message) if each.kind == "person"]
    assert sent.state == "accepted"
    assert len(world.heard(message.line_user_id)) == heard, "LINE knew the key: it came once"
    (entry,) = [each for each in await all_of(world, AuditEntry) if each.action == "message.replayed"]
    assert entry.actor == world.suzuki


async def test_whether_an_unknown_message_arrived_is_a_persons_word(world: World) -> None:
    message = await troubled(world, "unknown")
    await home(world, world.suzuki)
    await press_home(world, world.suzuki, "message.arrived")
    (row,) = [each for each in await all_of(world, Message) if each.kind == "person"]
    assert (row.state, row.reviewed_by) == ("accepted", world.suzuki)
    assert world.heard(message.line_user_id).count(message.plain_text) == 1


async def test_an_unknown_message_sent_again_is_a_message_of_its_own(world: World) -> None:
    message = await troubled(world, "unknown")
    await home(world, world.suzuki)
    await press_home(world, world.suzuki, "message.again")
    await world.turn(timedelta(seconds=20))
    rows = [each for each in await all_of(world, Message) if each.kind == "person"]
    assert sorted(each.state for each in rows) == ["accepted", "unknown"]
    assert world.heard(message.line_user_id).count(message.plain_text) == 2
    assert "届いたか分からない" not in shown(world, world.suzuki)


async def test_leaving_it_takes_it_off_the_list_and_sends_nothing(world: World) -> None:
    message = await troubled(world, "dead")
    await home(world, world.suzuki)
    await press_home(world, world.suzuki, "message.leave")
    assert "対応が必要なものはありません" in shown(world, world.suzuki)
    assert world.heard(message.line_user_id).count(message.plain_text) == 1


async def test_only_support_leads_may_settle_messages(world: World) -> None:
    message = await troubled(world, "dead")
    await home(world, world.suzuki)
    view = world.slack.home(world.suzuki)
    assert view is not None
    (button,) = [each for each in view.buttons() if each.action_id == "message.replay"]
    await home(world, world.sato)
    payload_of_somebody_else = button  # the same press, by somebody who is no support lead
    assert payload_of_somebody_else is not None
    from bot.flows.staff.keep import Keeper
    from bot.slack.ids import Action
    from bot.slack.overview.orders import Order, message_value

    order = Order(
        action=Action.REPLAY,
        about=message_value(message.customer_id, message.message_id),
        slack_user_id=world.sato,
    )
    await Keeper(world.deps).order(order, event_id="forged")
    await world.settle()
    (row,) = [each for each in await all_of(world, Message) if each.kind == "person"]
    assert row.state == "dead"
    assert "サポート責任者" in shown(world, world.sato)
    assert "order.refused" in [each.action for each in await all_of(world, AuditEntry)]

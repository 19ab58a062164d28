"""Is LINE's month watched, shared out, and told of in time, through the real SDK?"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from bot.cli.line_account import quota_lines
from bot.flows.operate.watch_quota import EVERY, read_quota, watch_quota
from db.deciding.followups import DecisionRow
from db.deciding.quota import quota_left
from db.deciding.rooms import room_of
from db.desk.posts import Post
from db.rulebook.rules import current_rulebook
from db.talk.messages import Message, MessageState
from followups.rules.model import Policy
from sandbox.world import World
from tests.flows.shop import inactive

POLICY = "caps: null\napproval_above: 1000\nquiet_hours: null\n"


async def quiet_friends(world: World, number: int, *, attribute: str = "x") -> list[str]:
    """Friends who agreed, and were last seen weeks ago."""
    phones = []
    long_ago = (world.clock.now() - timedelta(days=30)).isoformat()
    for n in range(number):
        name = f"{attribute}{n}"
        phones.append(await world.friend(name, f"田中{n}", kind=attribute))
        await world.batch(
            [{"type": "track", "userId": name, "event": "login", "timestamp": long_ago, "messageId": name}]
        )
    await world.settle()
    return phones


async def alerts(world: World) -> list[str]:
    async with world.deps.db.begin() as session:
        posts = await session.scalars(select(Post).where(col(Post.dedupe_key).like("alert:line_quota%")))
        return [each.content["ja"] for each in posts]


async def publish(world: World, *rules: dict[str, str], more: str = "") -> None:
    from bot.flows.rules.publish import publish as put
    from followups.rules.parsing import PolicyText

    files = {path: text for rule in rules for path, text in rule.items()}
    await put(world.deps, files, by="test", policy=PolicyText(path="policy.yaml", source=POLICY + more))
    await world.settle()


async def test_rules_leave_the_people_s_reserve_alone_and_the_rest_wait_for_the_new_month(
    world: World,
) -> None:
    phones = await quiet_friends(world, 5)
    used = world.line.consumed
    world.line.quota = used + 4
    world.clock.turn(EVERY)
    await publish(world, inactive(), more="quota: {reserve_for_people: 100%}\n")
    assert not any("お困り" in text for phone in phones for text in world.heard(phone))
    world.line.quota = used + 4 + 10  # 14 with a reserve of half of it: 7 of which rules get what is left
    world.clock.turn(EVERY)
    await publish(world, inactive(), more="quota: {reserve_for_people: 50%}\n")
    await world.turn(EVERY)
    assert world.line.quota is not None
    kept = -(-world.line.quota // 2)
    told = sum("お困り" in text for phone in phones for text in world.heard(phone))
    assert told == min(5, world.line.quota - used - kept)
    assert world.line.quota - world.line.consumed >= kept


async def test_who_waits_is_told_why_and_until_when_and_writes_in_the_new_month(world: World) -> None:
    phones = await quiet_friends(world, 4)
    world.line.quota = world.line.consumed + 2
    world.clock.turn(EVERY)
    await world.settle()
    await publish(world, inactive(), more="quota: {reserve_for_people: 0%}\n")
    async with world.deps.db.begin() as session:
        rows = list(await session.scalars(select(DecisionRow).where(col(DecisionRow.gate) == "quota")))
        sent = list(await session.scalars(select(Message).where(col(Message.kind) == "rule")))
    assert len(rows) == 2
    assert {row.until.isoformat() for row in rows if row.until} == {"2026-11-30T15:00:00+00:00"}
    assert [each.state for each in sent] == [MessageState.ACCEPTED] * 2, "LINE was never asked for more"
    world.line.quota = 100
    await world.turn(datetime.fromisoformat("2026-12-01T01:00:00+00:00") - world.clock.now())
    assert sum("お困り" in text for phone in phones for text in world.heard(phone)) == 4


async def test_more_quota_is_noticed_within_the_hour(world: World) -> None:
    phones = await quiet_friends(world, 3)
    world.line.quota = world.line.consumed
    world.clock.turn(EVERY)
    await world.settle()
    await publish(world, inactive(), more="quota: {reserve_for_people: 0%}\n")
    assert not any("お困り" in text for phone in phones for text in world.heard(phone))
    world.line.quota += 100
    await world.turn(EVERY)
    assert all(any("お困り" in text for text in world.heard(phone)) for phone in phones)


async def test_what_matters_more_goes_first_and_keeps_what_it_will_need(world: World) -> None:
    await quiet_friends(world, 2)
    world.clock.turn(EVERY)
    await publish(
        world,
        inactive("first", priority="90", when="{event: login, last: {more_than: 29d}}"),
        inactive("later", priority="10", state="shadow"),
        more="quota: {reserve_for_people: 0%}\n",
    )
    await world.turn(timedelta(hours=2))
    world.line.quota = world.line.consumed + 1
    world.clock.turn(EVERY)
    known = await read_quota(world.deps)
    assert known is not None
    assert known.left == 1
    [share] = [each for each in known.allotment.shares if each.rule_id == "first"]
    assert share.wanted > 1, "the month goes on as it began"
    async with world.deps.db.begin() as session:
        room = await room_of(session, await current_rulebook(session), now=world.clock.now())
    assert (room.quota_left, room.floor) == (1, (90, 0.0))
    assert "first" in "\n".join(quota_lines(known, "ja", is_from_line=True))


async def test_each_mark_is_told_once_a_month_with_what_to_do(world: World) -> None:
    world.line.quota = 100
    for used, told in ((49, 0), (1, 1), (0, 1), (46, 2), (1, 2)):
        world.line.consume(used)
        await world.turn(EVERY)
        assert len(await alerts(world)) == told
    [half, most] = sorted(await alerts(world))
    assert "50%" in half
    assert "yorisoi quota" in half
    assert "95%" in most, "80 % was passed between two readings: the higher mark is told alone"
    assert any(
        "LINE の今月の通数" in text
        for text in [each.text for each in world.slack.messages(world.alerts_channel)]
    )
    await world.turn(datetime.fromisoformat("2026-12-01T01:00:00+00:00") - world.clock.now())
    world.line.consume(50)
    await world.turn(EVERY)
    assert len(await alerts(world)) == 3, "a new month"


async def test_line_is_asked_once_an_hour_however_many_ask(world: World) -> None:
    def asked() -> int:
        return sum(each.path == "/v2/bot/message/quota" for each in world.line.journal)

    await world.settle()
    before = asked()
    for _ in range(5):
        await watch_quota(world.deps)
    assert asked() == before
    world.clock.turn(EVERY)
    assert [await watch_quota(world.deps) for _ in range(3)] == [1, 0, 0]
    assert asked() == before + 1


async def test_where_line_does_not_answer_what_is_known_holds_and_it_is_asked_again(world: World) -> None:
    world.line.quota = world.line.consumed + 50
    world.clock.turn(EVERY)
    await world.settle()
    world.clock.turn(EVERY)
    world.line.faults.add("/v2/bot/message/quota", times=1, status=500, body={})
    assert await watch_quota(world.deps) == 0
    async with world.deps.db.begin() as session:
        assert (await quota_left(session, Policy(), now=world.clock.now())).messages is not None
    assert await watch_quota(world.deps) == 0, "not at once"
    world.clock.turn(timedelta(minutes=5))
    assert await watch_quota(world.deps) == 1


async def test_an_account_without_a_limit_holds_nobody_back(world: World) -> None:
    phones = await quiet_friends(world, 2)
    await publish(world, inactive())
    async with world.deps.db.begin() as session:
        left = await quota_left(session, Policy(), now=world.clock.now())
    assert left.messages is None
    assert all(any("お困り" in text for text in world.heard(phone)) for phone in phones)

"""Does what is known of a customer stay where it belongs, and does erasing reach every copy?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from sqlalchemy import column, func, literal_column, select, table, text

from bot import logs
from bot.flows.privacy.keep_record import consent_record, erase_customer
from sandbox.world import World
from sandbox.world import world as open_world
from tests.stories.life import ADDRESS, CANARIES, EXTERNAL_ID, WORD, live


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    """With an address of its own, so that files can go to customers."""
    start = datetime(2026, 11, 2, 1, tzinfo=UTC)
    async with open_world(start, database_url=database_url, extra=[ADDRESS]) as running:
        yield running


async def kept(world: World) -> dict[str, str]:
    """Every table of the database, Procrastinate's too, as text."""
    named = table("pg_tables", column("schemaname"), column("tablename"))
    async with world.deps.db.begin() as session:
        names = await session.scalars(select(named.c.tablename).where(named.c.schemaname == "public"))
        found = {}
        for name in names:
            of = table(name)
            row = select(func.coalesce(func.string_agg(literal_column(f'"{name}"::text'), "\n"), ""))
            found[name] = (await session.execute(row.select_from(of))).scalar_one()
    return found


def shown(world: World) -> str:
    """What staff can read in Slack, files included; without what they wrote themselves."""
    bot = world.slack.bot.id
    written = [
        each
        for channel in (world.leads_channel, world.alerts_channel)
        for each in world.slack.workspace.channel(channel).messages
        if each.user == bot
    ]
    files = [each for each in world.slack.workspace.files.values() if each.user == bot]
    return json.dumps([*written, *files], ensure_ascii=False, default=repr)


async def test_erasing_leaves_nothing_in_any_table_nor_in_slack(world: World) -> None:
    user = await live(world)
    before = await kept(world)
    held = {name for name, rows in before.items() if any(each in rows for each in CANARIES)}
    assert {"customer", "message", "inbound_line", "event_2026_11", "offered_file"} <= held
    assert before["draft"]
    assert before["answer"]
    assert before["click"]
    assert WORD in shown(world)
    pictures = [each for each in world.slack.workspace.files.values() if each.user == world.slack.bot.id]
    assert pictures

    await erase_customer(world.deps, EXTERNAL_ID, by="test")
    await world.settle()
    await world.turn(timedelta(hours=1))

    after = await kept(world)
    assert {name: each for name, rows in after.items() for each in CANARIES if each in rows} == {}
    with_id = {name for name, rows in after.items() if user in rows}
    assert with_id <= {"line_user", "inbox", "customer"}, "the tombstone that keeps the refusal"
    assert after["answer"] == after["offered_file"] == after["media_link"] == after["media"] == ""
    assert [each for each in CANARIES if each in shown(world)] == []
    assert [each for each in world.slack.workspace.files.values() if each.user == world.slack.bot.id] == []
    record = await consent_record(world.deps, user)
    assert set(record.standing.values()) == {False}


async def test_nothing_personal_is_logged_counted_or_given_to_the_model(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    logs.configure("DEBUG")
    user = await live(world)
    await _go_wrong(world, user)
    async with aiohttp.ClientSession() as session, session.get(f"{world.address}/metrics") as answer:
        counted = await answer.text()
    logged = "".join(capfd.readouterr())
    assert "messages.delivered" in logged
    assert "yorisoi_messages_total" in counted
    asked = json.dumps([each.body for each in world.openai.journal], ensure_ascii=False)
    assert len(world.openai.journal) >= 2
    personal = (*CANARIES, user)
    assert [each for each in personal if each in logged] == []
    assert [each for each in personal if each in counted] == []
    # What was said is what the model is asked about; who said it is not.
    assert [each for each in personal if each in asked and each != WORD] == []
    assert WORD in asked


async def _go_wrong(world: World, user: str) -> None:
    """Refusals and breakdowns of every door and platform, with the same words in them."""
    about = {"userId": EXTERNAL_ID, "event": WORD * 90}
    await world.post("/v1/track", about)
    await world.post("/v1/track", about, key=WORD.encode().hex())
    await world.post("/v1/identify", {"userId": EXTERNAL_ID, "traits": {"line_user_id": f"U{WORD}"}})
    world.line.faults.add("/v2/bot/message/push", status=400)
    world.line.faults.add("/v2/bot/message/reply", status=500)
    world.slack.faults.add("chat.update", drop=True)
    world.slack.faults.add("chat.postMessage", drop=True)
    await world.line.say(user, f"{WORD}についての質問です")
    broken = world.line.event("message", user, message={"type": "text", "id": "1", "text": "\ud800" + WORD})
    await world.line.deliver([broken, {"type": WORD, "source": {"type": "user", "userId": user}}])
    await world.line.deliver([world.line.event("postback", user, postback={"data": f"qr:{WORD}:lead:x"})])
    await world.settle()
    async with world.deps.db.begin() as session:  # a table in a shape nobody expects
        await session.execute(text("ALTER TABLE conversation RENAME COLUMN mode TO modus"))
    await world.line.say(user, f"もういちど{WORD}")
    try:
        await world.settle()
    except Exception:
        logs.structlog.get_logger().exception("story.failed")
    async with world.deps.db.begin() as session:
        await session.execute(text("ALTER TABLE conversation RENAME COLUMN modus TO mode"))

"""Does each press of a support lead take effect once, on the present, and survive a crash?"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.errors import Refused
from bot.flows.rules.publish import publish, switch
from bot.flows.staff.explain import explain
from bot.flows.staff.post import post
from bot.flows.staff.press import press
from bot.flows.steering.forecast import forecast
from db.deciding.forecasts import LEASE, ForecastRow, take_forecast
from db.desk.audit import AuditEntry
from db.engine import Database
from db.people.customers import Customer
from db.rulebook.rules import RuleRow
from db.talk.messages import Message
from followups.rules.model import RuleState
from tests.flows.desk import Desk, desk
from tests.flows.shop import inactive


async def _listed(d: Desk, who: str) -> Any:
    before = len(d.slack.ephemerals(who))
    await d.slack.command(who, "/followups", "", d.leads)
    for _ in range(200):
        await asyncio.sleep(0.05)
        if len(d.slack.ephemerals(who)) > before:
            return d.slack.ephemerals(who)[-1]
    raise AssertionError("no list")


async def _state(d: Desk, rule_id: str = "quiet") -> str:
    (row,) = [each for each in await d.rows(RuleRow) if each.rule_id == rule_id]
    return str(row.state)


async def test_a_switch_pressed_twice_takes_effect_once_and_a_stale_one_says_who_was_first(
    db: Database,
) -> None:
    async with desk(db) as d:
        await publish(d.deps, inactive("quiet", state="shadow"), by="test")
        shown = await _listed(d, d.sato)
        for _ in range(2):
            assert (await d.slack.press(d.sato, d.leads, shown.ts, "rule.toggle:2")).is_good
        await press(d.deps)
        assert await _state(d) == RuleState.PAUSED
        done, refused = d.whispers(d.sato)[-2:]
        assert "「一時停止」にしました" in done
        assert "いまは「一時停止」です" in refused
        assert "佐藤" in refused
        switched = [each for each in await d.rows(AuditEntry) if each.action == "rule.switched"]
        assert [(each.actor, each.details["after"]) for each in switched] == [(d.sato, "paused")]


async def test_people_outside_the_group_are_refused_in_their_language_and_it_is_written_down(
    db: Database,
) -> None:
    async with desk(db) as d:
        await publish(d.deps, inactive("quiet", state="shadow"), by="test")
        shown = await _listed(d, d.sato)
        d.set(slack_support_leads_group=d.slack.add_user_group("heads", [d.suzuki]))
        d.set(slack_sales_group=d.slack.add_user_group("sellers", [d.sato]))
        await d.slack.press(d.sato, d.leads, shown.ts, "rule.toggle")
        await press(d.deps)
        assert await _state(d) == RuleState.SHADOW
        assert "サポート責任者" in d.whispers(d.sato)[-1]
        (entry,) = [each for each in await d.rows(AuditEntry) if each.action == "press.refused"]
        assert (entry.actor, entry.details) == (d.sato, {"asked": "rule.toggle"})


async def test_a_rule_switched_elsewhere_is_not_switched_by_an_old_list(db: Database) -> None:
    async with desk(db) as d:
        await publish(d.deps, inactive("quiet", state="shadow"), by="test")
        shown = await _listed(d, d.sato)
        await switch(d.deps, "quiet", RuleState.LIVE, by="cli")
        await d.slack.press(d.sato, d.leads, shown.ts, "rule.toggle")
        await press(d.deps)
        assert await _state(d) == RuleState.LIVE
        assert "cli" in d.whispers(d.sato)[-1]


async def test_a_backtest_whose_runner_died_is_begun_again_and_posted_once(db: Database) -> None:
    async with desk(db) as d:
        await d.customer()
        await publish(d.deps, inactive("quiet", state="shadow"), by="test")
        shown = await _listed(d, d.sato)
        for _ in range(2):
            await d.slack.press(d.sato, d.leads, shown.ts, "rule.more", selected_option="backtest")
        await press(d.deps)
        assert "いま試しています" in d.whispers(d.sato)[-1]
        async with db.begin() as session:
            taken = await take_forecast(session, now=d.clock.now())
        assert taken is not None  # and its runner dies
        assert await forecast(d.deps) == 0
        await post(d.deps)
        (shown,) = d.slack.messages(d.leads)
        assert "試します" in shown.plain_text()
        d.clock.turn(LEASE + timedelta(seconds=1))
        assert await forecast(d.deps) == 1
        await post(d.deps)
        (shown,) = d.slack.messages(d.leads)
        assert "日で試しました" in shown.plain_text()
        (row,) = await d.rows(ForecastRow)
        assert (row.state, row.attempts) == ("done", 2)
        assert await forecast(d.deps) == 0
        assert await d.rows(Message) == []


async def test_why_finds_people_however_they_are_called(db: Database) -> None:
    async with desk(db) as d:
        await publish(d.deps, inactive("quiet"), by="test")
        for name in ("山田 花子", "山田 太郎", "佐々木 Ken"):
            await d.customer(name)
        async with db.begin() as session:
            await session.execute(
                update(Customer)
                .where(col(Customer.external_id) == "cust-3")
                .values(attributes={"name": "佐々木 Ken", "email": "Ken_100%@example.com"})
            )
        for asked, said in (
            ("cust-1", "山田 花子"),
            ("山田花子", "山田 花子"),
            ("山田　花子", "山田 花子"),
            ("佐々木ken", "佐々木 Ken"),
            ("ken_100%@example.com", "佐々木 Ken"),
            ("佐々", "佐々木 Ken"),
            ("山田 太郎 quiet", "山田 太郎"),
        ):
            assert said in (await explain(d.deps, asked, language="ja")).text, asked
        written = await explain(d.deps, "山田", language="en")
        assert "2 customers found" in written.text
        assert len([e for block in written.blocks for e in block.get("elements", [])]) == 2
        for nobody in ("k%", "_", "'; --", "\0", "だれか"):
            with pytest.raises(Refused, match="Nobody is called"):
                await explain(d.deps, nobody, language="ja")


async def test_what_the_parser_finds_stands_at_the_value_and_nothing_typed_is_lost(db: Database) -> None:
    async with desk(db) as d:
        await publish(d.deps, inactive("quiet", state="shadow", priority="40"), by="test")
        shown = await _listed(d, d.sato)
        await d.slack.press(d.sato, d.leads, shown.ts, "rule.edit")
        view = await _view(d, "規則を編集", "priority")
        (block,) = [each for each in view.blocks if each.get("label", {}).get("text") == "priority"]
        await d.slack.submit(d.sato, view.id, {(block["block_id"], "field.number"): "500"})
        view = await _view(d, "規則を編集", "⚠️")
        at = [each.get("block_id") for each in view.blocks].index(block["block_id"])
        assert "100" in view.blocks[at + 1]["elements"][0]["text"]
        assert view.state[block["block_id"]]["field.number"]["value"] == "500"
        (row,) = await d.rows(RuleRow)
        assert row.version == 1


async def _view(d: Desk, *words: str) -> Any:
    for _ in range(200):
        await asyncio.sleep(0.05)
        views = d.slack.open_views(d.sato)
        if views and all(word in views[-1].plain_text() for word in words):
            return views[-1]
    raise AssertionError([each.plain_text() for each in d.slack.open_views(d.sato)])

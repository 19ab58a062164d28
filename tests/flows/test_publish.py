"""Do rules come into force whole, once, and without anybody being missed?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from bot.errors import Misconfigured, Refused
from bot.flows.rules.publish import overview, publish_at_start, rulebook, switch
from bot.flows.rules.tick import tick
from bot.settings import Settings
from db.deciding.followups import DecisionRow
from db.deciding.ticks import move_watermark
from db.desk.audit import AuditEntry
from db.engine import Database
from db.intake.signals import SignalRow, WatchRow
from db.rulebook.rules import RuleRow, RuleVersion, Setting
from db.talk.messages import Message
from followups.rules.model import RuleState
from followups.rules.parsing import RuleError
from tests.flows.shop import Shop, inactive

WORDS = {"messages/checkin.yaml": "text: お困りではありませんか。"}
OTHER_WORDS = {"messages/checkin.yaml": "text: お手伝いできることはありますか。"}
UNUSED = {"messages/other.yaml": "text: こんにちは。"}
NAMED = inactive(then="[{send: checkin}]")
SELDOM = {"when": "{event: login, count: {fewer_than: 3, within: 28d}}"}


async def everything(shop: Shop) -> list[Any]:
    return [
        [row.model_dump() for row in await shop.rows(table)]
        for table in (RuleRow, RuleVersion, Setting, WatchRow, AuditEntry)
    ]


async def test_a_new_rule_starts_in_the_state_its_file_names(db: Database) -> None:
    shop = Shop(db)
    published = await shop.publish(inactive("a"), inactive("b", state="shadow"), inactive("c", state=None))
    assert published.applied.added == ("a", "b", "c")
    book = await rulebook(shop.deps)
    assert {rule.id: (rule.state, rule.version) for rule in book.rules} == {
        "a": (RuleState.LIVE, 1),
        "b": (RuleState.SHADOW, 1),
        "c": (RuleState.SHADOW, 1),
    }
    assert book.revision == 1
    assert sorted(row.action for row in await shop.rows(AuditEntry)) == ["rule.published"] * 3


async def test_publishing_the_same_again_changes_nothing(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(NAMED, WORDS)
    before = await everything(shop)
    published = await shop.publish(NAMED, WORDS, UNUSED)
    assert published.applied.unchanged == ("inactive",)
    assert await everything(shop) == before


@pytest.mark.parametrize("edit", ["rule", "message"])
async def test_an_edit_of_the_rule_or_of_its_message_is_a_new_version(db: Database, edit: str) -> None:
    shop = Shop(db)
    await shop.publish(NAMED, WORDS)
    edited = inactive(then="[{send: checkin}]", priority=90) if edit == "rule" else NAMED
    published = await shop.publish(edited, OTHER_WORDS if edit == "message" else WORDS)
    assert published.applied.changed == ("inactive",)
    assert [(rule.id, rule.version) for rule in (await rulebook(shop.deps)).rules] == [("inactive", 2)]
    assert len(await shop.rows(RuleVersion)) == 2


async def test_the_file_does_not_undo_what_people_switched(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive(state="shadow"))
    await switch(shop.deps, "inactive", RuleState.LIVE, by="U1")
    await shop.publish(inactive(state="shadow", priority=90))
    [rule] = (await rulebook(shop.deps)).rules
    assert (rule.state, rule.version, rule.priority) == (RuleState.LIVE, 2, 90)
    switched = await shop.rows(AuditEntry, col(AuditEntry.action) == "rule.switched")
    assert [(row.actor, row.details["before"], row.details["after"]) for row in switched] == [
        ("U1", "shadow", "live")
    ]


async def test_a_folder_with_a_mistake_changes_nothing_at_all(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    before = await everything(shop)
    with pytest.raises(RuleError):
        await shop.publish(inactive(priority=90), inactive("b", priority=900))
    with pytest.raises(RuleError):
        await shop.publish(inactive(priority=90), policy="caps: {per_day: often}")
    assert await everything(shop) == before


async def test_everyone_who_matches_a_new_rule_is_looked_at_at_once(db: Database) -> None:
    shop = Shop(db)
    for number in range(20):
        customer_id = await shop.customer(f"c{number}")
        await shop.track(customer_id, "login", shop.ago(days=number))
    await shop.settle()
    published = await shop.publish(inactive())
    assert published.scanned == 6
    await shop.settle()
    assert len(await shop.rows(Message)) == 6


async def test_what_a_rule_counts_is_kept_from_history_when_it_is_published(db: Database) -> None:
    shop = Shop(db)
    often, seldom = await shop.customer("often"), await shop.customer("seldom")
    for days in (1, 2, 3, 40):
        await shop.track(often, "login", shop.ago(days=days))
    for days in (1, 2, 40):
        await shop.track(seldom, "login", shop.ago(days=days))
    await shop.settle()
    await shop.publish(inactive(**SELDOM))
    await shop.settle()
    assert [row.customer_id for row in await shop.rows(Message)] == [seldom]
    kept = await shop.rows(SignalRow, col(SignalRow.key) == "login#3")
    assert {row.customer_id for row in kept} == {often, seldom}

    assert (await shop.turn(days=25)).crossed == 1
    assert {row.customer_id for row in await shop.rows(Message)} == {often, seldom}


async def test_only_rules_that_run_say_what_is_watched(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive(**SELDOM))
    [watch] = await shop.rows(WatchRow)
    assert (watch.event, watch.depth, watch.ranks) == ("login", 3, [3])
    await switch(shop.deps, "inactive", RuleState.PAUSED, by="test")
    assert await shop.rows(WatchRow) == []
    customer_id = await shop.customer()
    for days in (1, 2, 3):
        await shop.track(customer_id, "login", shop.ago(days=days))
    await switch(shop.deps, "inactive", RuleState.LIVE, by="test")
    assert [row.ranks for row in await shop.rows(WatchRow)] == [[3]]
    assert len(await shop.rows(SignalRow, col(SignalRow.key) == "login#3")) == 1


async def test_a_paused_rule_decides_nothing_and_enabling_it_looks_at_everyone(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    await switch(shop.deps, "inactive", RuleState.PAUSED, by="test")
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=20))
    await shop.settle()
    assert await shop.rows(DecisionRow) == []
    assert await switch(shop.deps, "inactive", RuleState.LIVE, by="test") == 1
    await shop.settle()
    assert len(await shop.rows(Message)) == 1


async def test_a_stored_rule_this_program_cannot_read_is_left_out_and_the_others_go_on(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive("a"), inactive("b"))
    async with db.begin() as session:
        await session.execute(
            update(RuleVersion).where(col(RuleVersion.rule_id) == "a").values(source="when: {moon: full}")
        )
        await session.execute(
            update(Setting)
            .where(col(Setting.name) == "config_revision")
            .values(content={"revision": 2, "digest": "other"})
        )
    book = await rulebook(shop.deps)
    assert [rule.id for rule in book.rules] == ["b"]
    assert "moon" in book.broken["a"]
    assert "moon" in next(row.name for row in await overview(shop.deps) if row.rule_id == "a")
    with pytest.raises(Refused, match="cannot be read"):
        await switch(shop.deps, "a", RuleState.SHADOW, by="test")
    await shop.publish(inactive("a"))
    assert [rule.id for rule in (await rulebook(shop.deps)).rules] == ["b"]
    await shop.publish(inactive("a", priority=90))
    assert [rule.id for rule in (await rulebook(shop.deps)).rules] == ["a", "b"]


async def test_publishing_at_once_from_several_processes_makes_one_version(db: Database) -> None:
    shop = Shop(db)
    await asyncio.gather(*(shop.publish(inactive()) for _ in range(4)))
    assert [row.version for row in await shop.rows(RuleVersion)] == [1]
    assert (await rulebook(shop.deps)).revision == 1


async def test_nobody_is_missed_who_crosses_while_rules_are_published(db: Database) -> None:
    shop = Shop(db)
    await tick(shop.deps)
    customers = [await shop.customer(f"c{number}") for number in range(10)]
    for number, customer_id in enumerate(customers):
        await shop.track(customer_id, "login", shop.ago(days=14) + timedelta(seconds=30 * number))

    async def time_goes_on() -> None:
        for _ in range(20):
            shop.clock.turn(timedelta(seconds=15))
            await tick(shop.deps)

    await asyncio.gather(time_goes_on(), shop.publish(inactive()))
    await shop.settle()
    assert {row.customer_id for row in await shop.rows(Message)} == set(customers)


async def test_nobody_is_missed_behind_a_tick_of_a_faster_clock_that_knew_the_old_rules(db: Database) -> None:
    shop = Shop(db)
    await tick(shop.deps)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=14) + timedelta(seconds=30))
    await shop.settle()
    async with db.begin() as ticking:
        await move_watermark(ticking, now=shop.clock.now() + timedelta(minutes=1))
        publishing = asyncio.create_task(shop.publish(inactive()))
        await asyncio.wait([publishing], timeout=0.5)
    assert (await publishing).scanned == 1
    await shop.settle()
    assert len(await shop.rows(Message)) == 1


async def test_a_new_policy_counts_for_everybody_at_once(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=20))
    await shop.publish(inactive(), policy="quiet_hours: {from: '11:00', to: '13:00'}")
    await shop.settle()
    assert [row.gate for row in await shop.rows(DecisionRow)] == ["quiet_hours"]
    published = await shop.publish(policy="quiet_hours: null")
    assert published.applied.is_policy_changed
    assert published.applied.absent == ("inactive",)
    await shop.settle()
    assert len(await shop.rows(Message)) == 1


async def test_an_unknown_rule_is_refused_with_the_nearest_name(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    with pytest.raises(Refused, match="did you mean inactive") as refused:
        await switch(shop.deps, "inactiv", RuleState.LIVE, by="test")
    assert "inactive" in refused.value.ja


async def test_at_start_the_folder_named_in_the_settings_is_published(db: Database, tmp_path: Path) -> None:
    shop = Shop(db)
    folder = tmp_path / "rules"
    (folder / "messages").mkdir(parents=True)
    for path, text in {**NAMED, **WORDS, "policy.yaml": "timezone: Europe/London"}.items():
        (folder / path).write_text(text)
    deps = replace(shop.deps, settings=Settings.of(yorisoi_rules=folder))
    published = await publish_at_start(deps)
    assert published is not None
    assert published.applied.added == ("inactive",)
    assert (await rulebook(deps)).policy.timezone == "Europe/London"

    (folder / "inactive.yaml").write_text("id: [")
    assert await publish_at_start(deps) is None
    assert [rule.version for rule in (await rulebook(deps)).rules] == [1]

    elsewhere = replace(deps, settings=Settings.of(yorisoi_rules=tmp_path / "nowhere"))
    with pytest.raises(Misconfigured, match="is no folder"):
        await publish_at_start(elsewhere)
    assert await publish_at_start(shop.deps) is None

"""Do the product's own tables become events once each, in order, and on where reading stopped?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from bot.errors import Misconfigured
from bot.flows.signals.pull import Pulled, pull, pull_source
from bot.intake.rows import opened, rows_after
from bot.intake.sources import Source, parse_sources, sources_of
from db.intake.events import Event
from db.intake.pulls import all_pulls
from db.people.customers import Customer
from followups.rules.parsing import RuleError
from sandbox.world import World
from sandbox.world import world as open_world
from tests.flows.test_restore import START

SOURCES = """
- name: orders
  url: SHOP_DATABASE_URL
  every: 10m
  query: select id, member, paid_at, total, plan from orders
  customer: member
  time: paid_at
  id: id
  event: order_completed
  properties: [total, plan]
- name: members
  url: SHOP_DATABASE_URL
  query: select * from members
  customer: id
  time: changed_at
  id: id
  traits: [name, plan]
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.executescript(
        "create table orders (id integer primary key, member text, paid_at text, total real, plan text);"
        "create table members (id text primary key, changed_at text, name text, plan text, secret text);"
    )
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    (tmp_path / "sources.yaml").write_text(SOURCES)
    yield connection
    connection.close()


@pytest.fixture
async def reader(database_url: str, tmp_path: Path, shop: sqlite3.Connection):
    extra = [("yorisoi_sources", tmp_path / "sources.yaml")]
    async with open_world(START, database_url=database_url, extra=extra) as world:
        yield world


def sell(shop: sqlite3.Connection, number: int, member: str, at: str, total: float = 100.0) -> None:
    shop.execute("insert into orders values (?, ?, ?, ?, 'pro')", (number, member, at, total))
    shop.commit()


async def names(world: World) -> list[tuple[str, str]]:
    async with world.deps.db.begin() as session:
        rows = await session.execute(select(col(Event.message_id), col(Event.name)).order_by(col(Event.at)))
        return [(row[0], row[1]) for row in rows]


async def read(world: World, name: str = "orders") -> Pulled:
    [source] = [each for each in sources_of(world.settings.yorisoi_sources) if each.name == name]
    pulled = await pull_source(world.deps, source, is_forced=True)
    assert pulled is not None
    return pulled


async def test_each_row_is_one_event_however_often_the_table_is_read(
    reader: World, shop: sqlite3.Connection
) -> None:
    for number in range(4500):
        shop.execute(
            "insert into orders values (?, ?, ?, ?, 'pro')",
            (number, f"m{number % 7}", f"2026-10-{1 + number % 28:02d} 09:00:00", number),
        )
    shop.commit()
    first = await read(reader)
    assert (first.rows, first.new, first.refused) == (4500, 4500, [])
    again = await read(reader)
    assert again.new == 0
    sell(shop, 9000, "m1", "2026-10-30 09:00:00")
    assert (await read(reader)).new == 1
    assert len(await names(reader)) == 4501


async def test_rows_become_events_with_their_time_zone_and_properties(
    reader: World, shop: sqlite3.Connection
) -> None:
    sell(shop, 1, "c-1", "2026-10-01 09:00:00", 1250.5)
    await read(reader)
    async with reader.deps.db.begin() as session:
        [event] = (await session.execute(select(Event))).scalars()
    assert (event.name, event.message_id) == ("order_completed", "pull:orders:1")
    assert event.at.isoformat() == "2026-10-01T00:00:00+00:00"
    assert event.properties == {"total": 1250.5, "plan": "pro"}


async def test_rows_of_customers_become_attributes_and_only_the_columns_named(
    reader: World, shop: sqlite3.Connection
) -> None:
    shop.execute("insert into members values ('c-1', '2026-10-01 09:00:00', '山田 花子', 'trial', 'x')")
    shop.commit()
    assert (await read(reader, "members")).changed == 1
    async with reader.deps.db.begin() as session:
        [customer] = (await session.execute(select(Customer))).scalars()
    assert customer.attributes == {"name": "山田 花子", "plan": "trial"}


async def test_a_row_that_cannot_be_taken_is_told_and_holds_up_nothing(
    reader: World, shop: sqlite3.Connection
) -> None:
    sell(shop, 1, "", "2026-10-01 09:00:00")
    sell(shop, 2, "c-2", "someday")
    sell(shop, 3, "c-3", "2026-10-02 09:00:00")
    pulled = await read(reader)
    assert pulled.new == 1
    assert [because.split(":")[0] for because in pulled.refused] == ["1", "2"]


async def test_a_source_is_read_when_it_is_due_and_by_one_process(
    reader: World, shop: sqlite3.Connection
) -> None:
    sell(shop, 1, "c-1", "2026-10-01 09:00:00")
    assert await pull(reader.deps) == 1
    sell(shop, 2, "c-1", "2026-10-02 09:00:00")
    assert await pull(reader.deps) == 0
    reader.clock.turn(sources_of(reader.settings.yorisoi_sources)[0].every)
    assert await pull(reader.deps) >= 1
    assert len(await names(reader)) == 2


async def test_a_source_that_cannot_be_read_is_told_once_and_rests(
    reader: World, shop: sqlite3.Connection
) -> None:
    shop.execute("drop table orders")
    shop.commit()
    pulled = await read(reader)
    assert pulled.because is not None
    assert "no such table" in pulled.because
    await reader.settle()
    [row] = [each for each in await _pulls(reader) if each.name == "orders"]
    assert row.failures == 1
    assert row.due_at > reader.clock.now()
    alerts = reader.slack.messages(reader.alerts_channel)
    assert len(alerts) == 1
    await read(reader)
    await reader.settle()
    assert len(reader.slack.messages(reader.alerts_channel)) == 1


async def _pulls(world: World):
    async with world.deps.db.begin() as session:
        return await all_pulls(session)


def test_nothing_can_be_changed_in_the_products_database(
    database_url: str, shop: sqlite3.Connection, tmp_path: Path
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("create table orders (id int, member text, paid_at timestamptz)")
        connection.execute("insert into orders values (1, 'c-1', '2026-10-01T09:00:00Z')")
    [source, _] = parse_sources(SOURCES, path="sources.yaml")
    sneaky = "with gone as (delete from orders returning *) select * from gone"
    with opened(source, database_url) as engine:
        with pytest.raises(Misconfigured, match=r"read-only|WITH clause|only be used"):
            rows_after(engine, _with(source, sneaky), None, limit=10)
        [row] = rows_after(engine, _with(source, "select * from orders"), None, limit=10)
        assert row.place[1] == 1
        with engine.connect() as connection, pytest.raises(Exception, match="read-only"):
            connection.execute(text("delete from orders"))


def _with(source: Source, query: str) -> Source:
    from dataclasses import replace

    return replace(source, query=query)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("url: SHOP_DATABASE_URL", "url: postgresql://u:p@h/d", "environment variable"),
        ("select * from members", "delete from members", "one SELECT"),
        ("select * from members", "select 1; drop table x", "one SELECT"),
        ("every: 10m", "every: 10s", "duration"),
        ("every: 10m", "evry: 10m", "did you mean “every”"),
        ("traits: [name, plan]", "properties: [name]", "traits go with"),
        ("name: members", "name: orders", "there twice"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_place(before: str, after: str, told: str) -> None:
    with pytest.raises(RuleError, match=told) as caught:
        parse_sources(SOURCES.replace(before, after, 1), path="sources.yaml")
    assert str(caught.value).startswith("sources.yaml:")

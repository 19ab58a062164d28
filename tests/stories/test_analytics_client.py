"""Does an official analytics library work unchanged, pointed at this program?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from segment.analytics.client import Client
from sqlalchemy import select
from sqlmodel import col

from db.intake.events import Event
from db.people.customers import Customer
from sandbox.world import INGEST_KEY, World


def say_everything(address: str, *, gzip: bool, errors: list[Any]) -> None:
    client = Client(
        INGEST_KEY,
        host=address,
        sync_mode=True,
        gzip=gzip,
        max_retries=0,
        on_error=lambda error, batch: errors.append(error),
    )
    at = datetime(2026, 11, 1, tzinfo=UTC)
    client.identify("c-1", {"name": "山田 花子", "plan": "trial", "company": {"name": "花屋"}}, timestamp=at)
    client.group("c-1", "hanaya", {"industry": "retail"}, timestamp=at)
    client.track("c-1", "login", {"device": "phone"}, timestamp=at)
    client.page("c-1", "Docs", "Pricing", {"url": "https://app.example.com/pricing"}, timestamp=at)
    client.screen("c-1", "Docs", "Home", timestamp=at)
    client.flush()


@pytest.mark.parametrize("gzip", [False, True])
async def test_the_official_python_library_reaches_us_with_nothing_but_host_and_key(
    world: World, gzip: bool
) -> None:
    errors: list[Any] = []
    await asyncio.to_thread(say_everything, world.address, gzip=gzip, errors=errors)
    assert errors == []
    async with world.deps.db.begin() as session:
        [customer] = (await session.execute(select(Customer))).scalars()
        events = (await session.execute(select(Event).order_by(col(Event.name)))).scalars().all()
    assert (customer.external_id, customer.account) == ("c-1", "hanaya")
    assert customer.attributes["company"] == "花屋"
    assert [event.name for event in events] == ["login", "page_viewed", "screen_viewed"]
    assert events[1].properties["name"] == "Pricing"
    assert events[1].properties["url"] == "https://app.example.com/pricing"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"not gzip", 400), (b"", 400)],
)
async def test_a_damaged_body_is_told_and_nothing_grows_beyond_the_limit(
    world: World, body: bytes, status: int
) -> None:
    import gzip as packer

    import aiohttp

    headers = {"Authorization": f"Bearer {INGEST_KEY}", "Content-Encoding": "gzip"}
    bomb = packer.compress(b" " * 50_000_000)
    assert len(bomb) < 500_000
    async with aiohttp.ClientSession(trust_env=False, headers=headers) as session:
        async with session.post(world.address + "/v1/track", data=body) as answer:
            assert answer.status == status
        async with session.post(world.address + "/v1/track", data=bomb) as answer:
            assert answer.status == 413
        async with session.post(world.address + "/v1/track", data=bomb[:-20]) as answer:
            assert answer.status in {400, 413}

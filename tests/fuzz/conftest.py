"""One running program for all bad input, because what it leaves behind must be nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import psycopg
import pytest

from sandbox.world import INGEST_KEY, World
from sandbox.world import world as open_world


@pytest.fixture(scope="module")
async def town(server_url: str, template: str) -> AsyncIterator[World]:
    """A world that all tests of a file share."""
    name = f"f{uuid4().hex[:12]}"
    with psycopg.connect(server_url.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        url = server_url.format(name)
        async with open_world(datetime(2026, 11, 2, 1, tzinfo=UTC), database_url=url) as running:
            yield running
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def product(town: World) -> AsyncIterator[httpx.AsyncClient]:
    """The product's server, with the right key."""
    headers = {"Authorization": f"Bearer {INGEST_KEY}"}
    async with httpx.AsyncClient(
        base_url=town.address, headers=headers, trust_env=False, timeout=60
    ) as client:
        yield client

"""How is the database found and opened, for a command that needs no platform and for the whole program?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from bot.clock import Clock, Ids, SystemClock, system_random
from bot.deps import Deps
from bot.jobs import Jobs
from bot.settings import Settings
from db import embedded
from db.engine import Database
from db.migrate import migrate


@contextlib.asynccontextmanager
async def database_of(settings: Settings) -> AsyncIterator[str]:
    """The address of the database, as it stands; the embedded one runs until the block ends.

    Raises:
        Misconfigured: the embedded one does not start; the message says how to fix it.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    server = await asyncio.to_thread(embedded.start, settings.yorisoi_data_dir)
    try:
        yield server.url
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def connected(
    settings: Settings, *, clock: Clock | None = None, pool_size: int = 4
) -> AsyncIterator[Deps]:
    """The database, migrated, and the way to wake others; LINE, Slack and the model are left out.

    Raises:
        Misconfigured: the database cannot be used; the message says how to fix it.
    """
    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_of(settings))
        await asyncio.to_thread(migrate, url)
        database = Database(url, pool_size=pool_size)
        stack.push_async_callback(database.dispose)
        jobs = Jobs(url)
        await jobs.open()
        stack.push_async_callback(jobs.close)
        now = clock or SystemClock()
        yield Deps(settings=settings, clock=now, ids=Ids(now), rng=system_random(), db=database, waker=jobs)

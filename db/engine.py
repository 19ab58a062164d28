"""Where is PostgreSQL, and what is one transaction? Nothing else commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


class Database:
    """A pool of connections to one PostgreSQL. `begin()` is the only way to write."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        """Connect lazily to `url` (`postgresql://…`; the driver is psycopg 3)."""
        self.url = url
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=pool_size, max_overflow=0
        )

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

"""Where is PostgreSQL, and what is one transaction? Nothing else commits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import URL, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bot.errors import Misconfigured, Unavailable

Answer = TypeVar("Answer")

STATEMENT_TIMEOUT = "60s"
LOCK_TIMEOUT = "10s"
IDLE_IN_TRANSACTION_TIMEOUT = "60s"

_AGAIN = frozenset({"40001", "40P01"})
"""Serialisation failure and deadlock: PostgreSQL asks for the whole transaction again."""
_GONE = ("08", "57P", "53300")
"""Connection lost, server shutting down or starting, too many connections."""
_ATTEMPTS = 6


class Again(Exception):
    """Raised inside a story: what it read was taken by another transaction meanwhile; begin from the top."""


def url_of(text: str) -> URL:
    """Read a database address; the driver becomes psycopg 3.

    Args:
        text: `postgresql://…`, `postgres://…` or `postgresql+psycopg://…`.

    Raises:
        Misconfigured: it is none of these; the message does not repeat it, because it may hold a password.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise Misconfigured(
            "DATABASE_URL cannot be read. Write postgresql://USER:PASSWORD@HOST:5432/NAME (percent-encode"
            " special characters of the password), or leave it empty to use the embedded PostgreSQL."
        ) from None
    if url.drivername not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise Misconfigured(
            f"DATABASE_URL begins with {url.drivername}://, but only PostgreSQL works."
            " Write postgresql://…, or leave it empty to use the embedded PostgreSQL."
        )
    return url.set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """The address without its password, for people."""
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def options_of(url: URL, *, statement_timeout: str = STATEMENT_TIMEOUT) -> str:
    """What every connection asks of the server; options that the address itself names come last and win."""
    ours = {
        "statement_timeout": statement_timeout,
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
        "timezone": "UTC",
        "jit": "off",
    }
    theirs = url.query.get("options", "")
    given = theirs if isinstance(theirs, str) else " ".join(theirs)
    return " ".join([*(f"-c {name}={value}" for name, value in ours.items()), given]).strip()


def unreachable(url: URL, error: BaseException) -> Misconfigured:
    """What to tell the person who starts the program against this address."""
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()
    told = reason[0] if reason else type(error).__name__
    if url.password:
        told = told.replace(str(url.password), "***")
    return Misconfigured(
        f"The database at {shown(url)} cannot be used: {told}. Check that PostgreSQL runs there and that"
        " DATABASE_URL names the right host, user, password and database; or leave DATABASE_URL empty to"
        " use the embedded PostgreSQL."
    )


def sqlstate_of(error: BaseException) -> str | None:
    """PostgreSQL's five-letter reason, if the error carries one."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _is_gone(error: DBAPIError) -> bool:
    state = sqlstate_of(error)
    if state is None:  # the driver itself: no connection
        return isinstance(error, OperationalError | InterfaceError)
    return error.connection_invalidated or state.startswith(_GONE)


def _jitter() -> float:
    return int.from_bytes(os.urandom(2), "big") / 0x10000


class Database:
    """A pool of connections to one PostgreSQL. `begin()` and `run()` are the only ways to write."""

    def __init__(self, url: str, *, pool_size: int = 8, application: str = "yorisoi") -> None:
        """Connect lazily.

        Args:
            url: `postgresql://…` (also `postgres://…`, `postgresql+psycopg://…`).
            application: what `pg_stat_activity` shows.

        Raises:
            Misconfigured: the address cannot be read.
        """
        self._url = url_of(url)
        self.url = url
        self._engine = create_async_engine(
            self._url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,  # values are personal; errors name the statement
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={
                "options": options_of(self._url),
                "application_name": application,
                "connect_timeout": 10,
            },
        )

    async def check(self) -> None:
        """Ask the server for a sign of life.

        Raises:
            Misconfigured: it cannot be reached or refuses us; the message names what to set.
        """
        try:
            async with self._engine.connect() as connection:
                await connection.execute(select(1))
        except DBAPIError as error:
            raise unreachable(self._url, error) from None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    async def run(self, story: Callable[[AsyncSession], Awaitable[Answer]]) -> Answer:
        """Run `story` in one transaction, again from the top after a deadlock or serialisation failure.

        Raises:
            Unavailable: the database is out of reach. A commit whose answer was lost counts as such too, so
                what `story` writes must be harmless to repeat.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self.begin() as session:
                    return await story(session)  # leaving the block commits
            except Again as error:
                if attempt == _ATTEMPTS:
                    raise Unavailable(f"the database ({error})", retry_after=1.0) from error
                await asyncio.sleep(0.005 * 2**attempt * (0.5 + _jitter()))
            except DBAPIError as error:
                if sqlstate_of(error) in _AGAIN and attempt < _ATTEMPTS:
                    await asyncio.sleep(0.005 * 2**attempt * (0.5 + _jitter()))
                    continue
                if _is_gone(error):
                    raise Unavailable("the database", retry_after=2.0) from error
                raise
        raise AssertionError("the last attempt answers or raises")

    async def dispose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

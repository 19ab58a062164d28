"""Which rows does the product's own database have that are new, without ever changing anything there?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, and_, column, create_engine, literal, or_, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.sql import Select

from bot.errors import Misconfigured, Unavailable
from bot.intake.sources import Source
from followups.facts import AttributeValue

ROWS_AT_ONCE = 2000
Place = tuple[Any, Any]
"""The time and the id of a row, as the database gives them."""
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "postgresql": "SET default_transaction_read_only = on",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. `place`: for reading on after it."""

    values: dict[str, Any]
    place: Place


@contextlib.contextmanager
def opened(source: Source, address: str) -> Iterator[Engine]:
    """A connection pool to the product's database, set to reading.

    Raises:
        Misconfigured: the address cannot be used, or its driver is not installed.
    """
    try:
        engine = create_engine(_with_driver(address), hide_parameters=True, pool_size=1, max_overflow=0)
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"{source.url}: the driver {error.name} is not installed. Install it into Yorisoi's environment"
            f" (.venv/bin/pip install {error.name})."
        ) from None
    except (ArgumentError, NoSuchModuleError):
        raise Misconfigured(
            f"{source.url} cannot be read. Write dialect+driver://USER:PASSWORD@HOST:PORT/NAME, as SQLAlchemy"
            " does."
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()


def _with_driver(address: str) -> str:
    """psycopg 3 comes along; without a driver SQLAlchemy would look for version 2."""
    for begins in ("postgresql://", "postgres://"):
        if address.startswith(begins):
            return f"postgresql+psycopg://{address.removeprefix(begins)}"
    return address


def rows_after(engine: Engine, source: Source, place: Place | None, *, limit: int) -> list[Row]:
    """The next rows in order of time and id, after `place`; None: from the first.

    Runs in a thread. The transaction is read-only and rolled back.

    Raises:
        Misconfigured: the query, or a column that the source names, is wrong.
        Unavailable: the database does not answer.
    """
    query = _asking(source, place).limit(limit)
    try:
        with engine.connect() as connection:
            if statement := _READ_ONLY.get(engine.dialect.name):
                connection.execute(text(statement))
                if engine.dialect.name != "sqlite":
                    connection.commit()
            found = connection.execute(query)
            keys = list(found.keys())
            rows = [dict(zip(keys, row, strict=True)) for row in found]
            connection.rollback()
    except SQLAlchemyError as error:
        told = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
        is_gone = getattr(error, "connection_invalidated", False) or isinstance(error, OperationalError)
        if is_gone and engine.dialect.name != "sqlite":  # SQLite says so of a wrong query, too
            raise Unavailable(f"the database of the source {source.name}") from error
        raise Misconfigured(f"The source {source.name}: {told[0][:300]} (correct its query).") from None
    for name in (source.customer, source.time, source.id, source.event_column):
        if rows and name is not None and name not in rows[0]:
            raise Misconfigured(f"The source {source.name}: its query gives no column {name}.")
    return [Row(values=row, place=(row[source.time], row[source.id])) for row in rows]


def _asking(source: Source, place: Place | None) -> Select[Any]:
    given = text(source.query).columns(column(source.time), column(source.id)).subquery("given")
    at, row_id = given.c[source.time], given.c[source.id]
    query = select(text("given.*")).select_from(given).where(at.is_not(None)).order_by(at, row_id)
    if place is None:
        return query
    since = literal(place[0])
    if place[1] is None:
        return query.where(at > since)
    return query.where(or_(at > since, and_(at == since, row_id > literal(place[1]))))


def begun_before(place: Place, overlap: timedelta) -> Place | None:
    """A place some time before: rows with earlier times may have been committed since then."""
    at, _ = place
    return (at - overlap, None) if isinstance(at, datetime) else place


def place_kept(place: Place) -> list[list[str]]:
    """A place as plain values; `place_of` reads it back."""
    return [_kept(each) for each in place]


def place_of(kept: list[list[str]]) -> Place:
    """Read a kept place."""
    at, row_id = (_read(kind, value) for kind, value in kept)
    return at, row_id


def _kept(value: Any) -> list[str]:
    match value:
        case datetime():
            return ["datetime", value.isoformat()]
        case date():
            return ["date", value.isoformat()]
        case int():
            return ["int", str(value)]
        case float() | Decimal():
            return ["decimal", str(value)]
        case UUID():
            return ["uuid", str(value)]
        case _:
            return ["text", str(value)]


def _read(kind: str, value: str) -> Any:
    readers: dict[str, Callable[[str], Any]] = {
        "datetime": datetime.fromisoformat,
        "date": date.fromisoformat,
        "int": int,
        "decimal": Decimal,
        "uuid": UUID,
    }
    return readers.get(kind, str)(value)


def plain(value: Any, zone: ZoneInfo) -> AttributeValue:
    """A column's value as an attribute or property; what cannot be one becomes None."""
    match value:
        case bool() | int() | float() | str() | None:
            return value
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime():
            return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).isoformat()
        case date() | UUID():
            return str(value)
        case _:
            return None

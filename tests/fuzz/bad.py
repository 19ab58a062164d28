"""What is put in the place of every value of a sound payload, and how is a database seen not to change?"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from db.engine import Database

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Raw:
    """Text that stands in a JSON body as it is."""

    token: str


GONE = Raw("")
"""The key and its value are left out."""

VALUES: dict[str, Any] = {
    "gone": GONE,
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -1,
    "fraction": 1.5,
    "huge": 10**400,
    "empty": "",
    "blank": " \t",
    "word": "x",
    "long": "長" * 40_000,
    "nul": "a\0b",
    "surrogate": "\ud800",
    "control": "\x07\u202e\uffff",
    "percent": "%s{0}';--",
    "list": [],
    "object": {},
    "list of null": [None],
    "deep list": json.loads("[" * 150 + "]" * 150),
    "deep object": json.loads('{"a":' * 150 + "1" + "}" * 150),
    "NaN": Raw("NaN"),
    "Infinity": Raw("-Infinity"),
    "1e400": Raw("1e400"),
    "nested 1e400": Raw('{"a":[1e400]}'),
    "too deep": Raw("[" * 3000 + "]" * 3000),
    "long number": Raw("9" * 5000),
}


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place in a payload, the whole of it first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


def put(payload: Any, path: Path, value: Any) -> str:
    """The payload as JSON text with another value in one place."""
    token = value.token if isinstance(value, Raw) else json.dumps(value)
    if not path:
        return token
    changed = copy.deepcopy(payload)
    at = changed
    for key in path[:-1]:
        at = at[key]
    if value is GONE:
        del at[path[-1]]
        return json.dumps(changed)
    at[path[-1]] = "@@here@@"
    return json.dumps(changed).replace('"@@here@@"', token)


def variants(payload: Any) -> Iterator[tuple[str, Path, str]]:
    """What was done where, the place, and the text of the body; for every place and value."""
    for path in places(payload):
        for name, value in VALUES.items():
            yield f"{name} at {'.'.join(map(str, path)) or 'the top'}", path, put(payload, path, value)


async def state_of(db: Database) -> dict[str, str]:
    """Every table with a fingerprint of its rows."""
    async with db.begin() as session:
        tables = list(
            await session.scalars(
                text(
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
                    " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
                    " AND tablename NOT LIKE 'procrastinate%' ORDER BY 1"
                )
            )
        )
        each = " UNION ALL ".join(
            f"SELECT '{name}', count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)), 0)"
            f" FROM {name} t"
            for name in tables
        )
        return {row[0]: row[1] for row in await session.execute(text(each))}

"""How does a whole set of values travel to PostgreSQL as one parameter?

As the text of an array, read by the server. Element-wise adaptation by the driver costs several times
more than everything else Python does for a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import ARRAY, BindParameter, Cast, TableValuedAlias, Text, bindparam, cast, column, func
from sqlalchemy.types import TypeEngine

_GAP = "\0"
"""PostgreSQL's text cannot hold it, so it cannot occur in a value."""


def array(name: str, of: TypeEngine[Any]) -> Cast[Any]:
    """The parameter `name`, whose value is array text, read as an array of this type."""
    parameter: BindParameter[str] = bindparam(name, type_=Text())
    return cast(parameter, ARRAY(of))


def rows(name: str, **columns: TypeEngine[Any]) -> TableValuedAlias:
    """A table of given rows: each column is the parameter of its name, an array of this type."""
    unnested = func.unnest(*(array(parameter, of) for parameter, of in columns.items()))
    named = [column(parameter, of) for parameter, of in columns.items()]
    return unnested.table_valued(*named, name=name).render_derived()


def uuids(values: Iterable[UUID]) -> str:
    """Array text of ids."""
    return "{" + ",".join([value.hex for value in values]) + "}"


def moments(values: Iterable[datetime]) -> str:
    """Array text of aware datetimes."""
    return "{" + ",".join([value.isoformat() for value in values]) + "}"


def numbers(values: Iterable[int]) -> str:
    """Array text of whole numbers."""
    return "{" + ",".join(map(str, values)) + "}"


def truths(values: Iterable[bool]) -> str:
    """Array text of booleans."""
    return "{" + ",".join(["t" if value else "f" for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """Array text of strings.

    Raises:
        ValueError: a string holds NUL, which PostgreSQL cannot store.
    """
    given = values if isinstance(values, list | tuple) else list(values)
    if not given:
        return "{}"
    joined = _GAP.join(given)
    if joined.count(_GAP) != len(given) - 1:
        raise ValueError("text with a NUL character cannot be stored")
    escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace(_GAP, '","')
    return '{"' + escaped + '"}'


def documents(values: Iterable[Any]) -> str:
    """Array text of JSON documents (bytes: written already).

    None travels as JSON's null, and so do infinite numbers.
    """
    return texts([_document(value) for value in values])


def _document(value: Any) -> str:
    if type(value) is bytes:
        return value.decode()
    return "null" if value is None else to_json(value, inf_nan_mode="null").decode()

"""Which column types do all tables share?

Keys begin with `customer_id` (hash partitions, many servers later); ids and times come from the
application, never from the server.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Timestamp = DateTime(timezone=True)

Json = dict[str, Any]


def moment(**options: Any) -> Any:
    """A `timestamptz` column."""
    return Field(sa_type=Timestamp, **options)


def document(**options: Any) -> Any:
    """A `jsonb` column."""
    return Field(sa_type=JSONB, **options)


def customer_key() -> Any:
    """The first part of every table's primary key."""
    return Field(primary_key=True)


__all__ = ["UUID", "Json", "Timestamp", "customer_key", "datetime", "document", "moment"]

"""Which tables are the models' own?

Not Procrastinate's, and not the monthly pieces of `event`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Any

from sqlalchemy import MetaData
from sqlmodel import SQLModel

import db

_FOREIGN = re.compile(r"procrastinate_|event_\d{4}_\d{2}|alembic_version$")


def is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """True where autogenerate may compare; Alembic asks for every name it finds."""
    return not (kind == "table" and name is not None and _FOREIGN.match(name))


def every_table() -> MetaData:
    """All tables the models declare."""
    for module in pkgutil.walk_packages(db.__path__, "db."):
        if not module.name.startswith("db.migrations."):
            importlib.import_module(module.name)
    return SQLModel.metadata

"""How does a database get the schema this program expects?"""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import create_engine
from sqlmodel import SQLModel

import db


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest schema."""
    for module in pkgutil.iter_modules(db.__path__):
        importlib.import_module(f"db.{module.name}")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    SQLModel.metadata.create_all(engine)
    engine.dispose()

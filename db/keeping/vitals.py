"""Is this PostgreSQL fit to be trusted with promises, and does it have the schema this program expects?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import cast, column, exists, func, select, table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Integer, String


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What the server says of itself.

    `version` as PostgreSQL counts (180004 is 18.4); `now` is the server's clock; `revision` is the schema's,
    None where there is none yet; `has_vectors`: pgvector can be used.
    """

    version: int
    fsync: str
    synchronous_commit: str
    full_page_writes: str
    is_read_only: bool
    now: datetime
    revision: str | None
    has_vectors: bool = True


async def vitals(session: AsyncSession) -> Vitals:
    """Ask; reads only."""
    setting = func.current_setting
    row = (
        await session.execute(
            select(
                cast(setting("server_version_num"), Integer),
                setting("fsync"),
                setting("synchronous_commit"),
                setting("full_page_writes"),
                setting("transaction_read_only"),
                func.clock_timestamp(),
                func.to_regclass("alembic_version").is_not(None),
                exists().where(column("name") == "vector").select_from(table("pg_available_extensions")),
            )
        )
    ).one()
    version, fsync, synchronous, pages, read_only, now, has_schema, has_vectors = row
    revision = None
    if has_schema:
        version_num = column("version_num", String)
        found = select(version_num).select_from(table("alembic_version"))
        revision = (await session.execute(found)).scalar_one_or_none()
    return Vitals(
        version=version,
        fsync=fsync,
        synchronous_commit=synchronous,
        full_page_writes=pages,
        is_read_only=read_only == "on",
        now=now,
        revision=revision,
        has_vectors=has_vectors,
    )


def known_revisions() -> tuple[str, ...]:
    """The schema's revisions that this program knows, newest first."""
    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.set_main_option("path_separator", "os")
    return tuple(each.revision for each in ScriptDirectory.from_config(config).walk_revisions())

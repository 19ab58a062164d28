"""Which versions have policy.yaml and scoring.yaml had, from whom, and does a folder know of the newest?"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.clock import Ids
from db.columns import datetime, moment
from db.desk import audit
from db.rulebook.rules import put_setting, setting
from db.rulebook.versions import EDIT, FILE
from followups.versions.leaves import knows, leaves_of

_EXPORTED = "exported:"


class SettingVersion(SQLModel, table=True):
    """One version of such a file as written. `origin`: `file` (a folder was applied) or `edit` (Slack)."""

    __tablename__ = "setting_version"

    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    source: str
    path: str
    origin: str = FILE
    created_at: datetime = moment()
    created_by: str


async def setting_versions(session: AsyncSession, name: str) -> list[SettingVersion]:
    """Every version, the oldest first."""
    return list(
        await session.scalars(
            select(SettingVersion)
            .where(col(SettingVersion.name) == name)
            .order_by(col(SettingVersion.version))
            .execution_options(populate_existing=True)
        )
    )


async def setting_version(session: AsyncSession, name: str) -> int:
    """The version in force; 0: never stored."""
    found: int | None = await session.scalar(
        select(func.max(col(SettingVersion.version))).where(col(SettingVersion.name) == name)
    )
    return found or 0


async def would_undo(session: AsyncSession, name: str, source: str) -> bool:
    """Would storing a folder's text take back a change made in Slack that its writer did not know of?"""
    versions = await setting_versions(session, name)
    if not versions or versions[-1].origin == FILE:
        return False
    exported = await setting(session, f"{_EXPORTED}{name}")
    is_exported = exported is not None and exported["version"] == versions[-1].version
    base = next((each for each in reversed(versions) if each.origin == FILE), versions[0])
    if any(each.source == source for each in versions[:-1]):
        return True
    return not knows(
        leaves_of(base.source, {}),
        leaves_of(versions[-1].source, {}),
        leaves_of(source, {}),
        is_exported=is_exported,
    )


async def note_setting_exported(session: AsyncSession, name: str, *, now: datetime) -> None:
    """A folder holds the version in force now: what is written there next knows of it."""
    if version := await setting_version(session, name):
        await put_setting(session, f"{_EXPORTED}{name}", {"version": version}, now=now)


async def put_setting_version(
    session: AsyncSession, name: str, source: str, path: str, *, origin: str, by: str, ids: Ids, now: datetime
) -> int:
    """Store the next version and put it into force; its number. Call it with the configuration held."""
    version = await setting_version(session, name)
    if version == 0 and (known := await setting(session, name)) is not None:
        version = 1  # stored before versions were kept
        session.add(
            SettingVersion(
                name=name,
                version=1,
                source=known["source"],
                path=known["path"],
                created_at=now,
                created_by="?",
            )
        )
    session.add(
        SettingVersion(
            name=name,
            version=version + 1,
            source=source,
            path=path,
            origin=origin,
            created_at=now,
            created_by=by,
        )
    )
    await put_setting(session, name, {"source": source, "path": path}, now=now)
    await audit.record(
        session,
        actor=by,
        action="setting.changed",
        ids=ids,
        now=now,
        setting=name,
        version=version + 1,
        origin=origin,
    )
    await session.flush()
    return version + 1


__all__ = [
    "EDIT",
    "FILE",
    "SettingVersion",
    "note_setting_exported",
    "put_setting_version",
    "setting_version",
    "setting_versions",
    "would_undo",
]

"""Which versions has a rule had, from whom, and does a folder know of the newest?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePosixPath

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from db.columns import UUID, datetime
from db.deciding.followups import FollowUpRow
from db.desk import audit
from db.desk.audit import AuditEntry
from db.rulebook.rules import RuleRow, RuleVersion
from followups.facts import FollowUpState
from followups.rules.model import Rule, RuleState
from followups.rules.parsing import RuleSet, RuleSource
from followups.scenario import place_in
from followups.signals import clicked_template
from followups.versions.leaves import knows, leaves_of, message_name
from followups.versions.summary import files_of

FILE, EDIT, ROLLBACK = "file", "edit", "rollback"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A rule as somebody wrote it: its text, those of the messages it uses (by path), and its tests'."""

    rule_id: str
    source: str
    path: str
    messages: Mapping[str, str]
    tests: str | None = None

    @property
    def digest(self) -> str:
        """Stands for all of it, wherever the folder lies."""
        parts = [self.source, *(f"{message_name(path)}\n{text}" for path, text in self.messages.items())]
        if self.tests is not None:
            parts.append(f"tests\n{self.tests}")
        return digest_of(parts)

    @property
    def files(self) -> dict[str, str]:
        """By their names in a folder."""
        return files_of(self.rule_id, self.source, self.messages, self.tests)


def digest_of(parts: Iterable[str]) -> str:
    """Stands for these texts in this order."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


def written_in(source: RuleSource, rule_set: RuleSet, files: Mapping[str, str]) -> Written:
    """One rule of a folder."""
    tests = str(PurePosixPath(source.path).with_name(f"{source.rule.id}.test.yaml"))
    return Written(
        rule_id=source.rule.id,
        source=files[source.path],
        path=source.path,
        messages=_message_texts(source.rule, rule_set, files),
        tests=files.get(tests),
    )


def _message_texts(rule: Rule, rule_set: RuleSet, files: Mapping[str, str]) -> dict[str, str]:
    """The texts of the message files this rule names, by path."""
    asked = {clicked_template(watch.event) for condition in rule.conditions for watch in condition.watches()}
    named = {message.name for message in rule.messages} | asked
    named &= rule_set.messages.keys()
    wanted = {("messages", f"{name}.yaml") for name in named}
    return {path: files[path] for path in sorted(files) if PurePosixPath(path).parts[-2:] in wanted}


def written_at(version: RuleVersion) -> Written:
    """A stored version."""
    return Written(
        rule_id=version.rule_id,
        source=version.source,
        path=version.path,
        messages=version.messages,
        tests=version.tests,
    )


async def versions_of(session: AsyncSession, rule_id: str) -> list[RuleVersion]:
    """Every version of a rule, the oldest first."""
    return list(
        await session.scalars(
            select(RuleVersion)
            .where(col(RuleVersion.rule_id) == rule_id)
            .order_by(col(RuleVersion.version))
            .execution_options(populate_existing=True)
        )
    )


async def put_version(
    session: AsyncSession,
    written: Written,
    known: RuleRow | None,
    *,
    origin: str,
    state: RuleState,
    by: str,
    ids: Ids,
    now: datetime,
    because: Mapping[str, object] | None = None,
) -> RuleRow:
    """Store a new version and make it the current one.

    Args:
        known: the rule's row, held; None: it is new, and begins in `state`.
        because: more for the audit trail (`{"to": 3}` of a rollback).
    """
    version = known.version + 1 if known is not None else 1
    session.add(
        RuleVersion(
            rule_id=written.rule_id,
            version=version,
            source=written.source,
            path=written.path,
            messages=dict(written.messages),
            tests=written.tests,
            origin=origin,
            digest=written.digest,
            created_at=now,
            created_by=by,
        )
    )
    if known is None:
        row = RuleRow(
            rule_id=written.rule_id,
            version=1,
            state=state.value,
            changed_at=now,
            changed_by=by,
            file_version=1,
        )
        session.add(row)
    else:
        row = known
        row.version, row.changed_at, row.changed_by = version, now, by
        if origin == FILE:
            row.file_version = version
    await audit.record(
        session,
        actor=by,
        action="rule.published" if known is None else "rule.changed",
        ids=ids,
        now=now,
        rule_id=written.rule_id,
        version=version,
        origin=origin,
        because=dict(because or {}),
    )
    await session.flush()
    return row


# --- conflicts --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A folder's text of a rule that does not know of the current version, which was made elsewhere.

    Attributes:
        base: the version both began from.
        incoming: the folder's text. Where it equals `base`, the folder is only old.
    """

    rule_id: str
    base: RuleVersion
    current: RuleVersion
    incoming: Written

    @property
    def is_only_old(self) -> bool:
        """The folder holds an earlier version, unchanged."""
        return self.incoming.files == written_at(self.base).files


async def conflict_with(session: AsyncSession, row: RuleRow, incoming: Written) -> Conflict | None:
    """Would applying this text undo a change that its writer did not know of? None: it would not."""
    versions = await versions_of(session, row.rule_id)
    current = versions[-1]
    older = next((each for each in reversed(versions[:-1]) if each.digest == incoming.digest), None)
    if older is not None:
        is_elsewhere = any(each.origin != FILE for each in versions if each.version > older.version)
        if not is_elsewhere:
            return None
        return Conflict(rule_id=row.rule_id, base=older, current=current, incoming=incoming)
    base = next((each for each in reversed(versions) if each.origin == FILE), versions[0])
    if base.version == current.version:
        return None
    is_known = knows(
        leaves_of(base.source, base.messages),
        leaves_of(current.source, current.messages),
        leaves_of(incoming.source, incoming.messages),
        is_exported=row.file_version == current.version,
    )
    return None if is_known else Conflict(rule_id=row.rule_id, base=base, current=current, incoming=incoming)


async def note_exported(session: AsyncSession, versions: Mapping[str, int]) -> None:
    """A folder holds these versions now: what is written there next knows of them."""
    for rule_id, version in sorted(versions.items()):
        await session.execute(
            update(RuleRow)
            .where(col(RuleRow.rule_id) == rule_id, col(RuleRow.version) == version)
            .values(file_version=version)
            .execution_options(synchronize_session=False)
        )


# --- who is in it, who changed it -------------------------------------------------------------------------


async def people_in(session: AsyncSession, rule_id: str) -> dict[int, int]:
    """How many customers are under way in a rule, by version."""
    rows = await session.execute(
        select(col(FollowUpRow.rule_version), func.count())
        .where(col(FollowUpRow.rule_id) == rule_id, col(FollowUpRow.state) == FollowUpState.ACTIVE)
        .group_by(col(FollowUpRow.rule_version))
        .order_by(col(FollowUpRow.rule_version))
    )
    return {version: number for version, number in rows}  # noqa: C416 (rows are no pairs to mypy)


async def move_people(session: AsyncSession, rule: Rule) -> list[UUID]:
    """Take customers under way in older versions over to this one, each to the place of their step.

    Returns:
        Who moved. For whom the new version has nothing left to do, they only wait for the goal.
    """
    is_older = and_(
        col(FollowUpRow.rule_id) == rule.id,
        col(FollowUpRow.state) == FollowUpState.ACTIVE,
        col(FollowUpRow.rule_version) < rule.version,
    )
    steps = await session.scalars(select(col(FollowUpRow.step)).where(is_older).distinct())
    moved: list[UUID] = []
    for step in sorted(steps, key=lambda each: each or ""):
        place = place_in(rule, step) if step is not None else None
        moved += await session.scalars(
            update(FollowUpRow)
            .where(is_older, col(FollowUpRow.step).is_not_distinct_from(step))
            .values(rule_version=rule.version, step=place)
            .returning(col(FollowUpRow.customer_id))
            .execution_options(synchronize_session=False)
        )
    return moved


async def trail_of(session: AsyncSession, rule_id: str, *, limit: int = 200) -> list[AuditEntry]:
    """What was done to a rule, the newest first."""
    return list(
        await session.scalars(
            select(AuditEntry)
            .where(
                col(AuditEntry.customer_id) == audit.NOBODY,
                col(AuditEntry.details)["rule_id"].astext == rule_id,
            )
            .order_by(col(AuditEntry.at).desc(), col(AuditEntry.audit_id).desc())
            .limit(limit)
        )
    )

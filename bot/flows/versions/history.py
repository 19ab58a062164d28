"""Which versions has a rule had, who changed what, and who is in which of them now?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.deps import Deps
from bot.errors import Refused
from db.rulebook.publications import held_row
from db.rulebook.versions import people_in, trail_of, versions_of, written_at
from followups.rules.conditions import Text
from followups.versions.summary import difference, summary


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version. `changes`: what it changed against the one before, in words; `people`: under way in it."""

    version: int
    at: datetime
    by: str
    origin: str
    changes: tuple[Text, ...]
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailLine:
    """One entry of the audit trail; `details` as stored (ids, states, counts)."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A rule's versions and what was done to it, both newest first."""

    rule_id: str
    state: str
    versions: tuple[VersionLine, ...]
    trail: tuple[TrailLine, ...]


async def history(deps: Deps, rule_id: str) -> History:
    """Everything that was written down about a rule's changes.

    Raises:
        Refused: there is no such rule.
    """
    async with deps.db.begin() as session:
        row = await held_row(session, rule_id)
        versions = await versions_of(session, rule_id)
        people = await people_in(session, rule_id)
        trail = await trail_of(session, rule_id)
    lines = []
    before = None
    for each in versions:
        changes = (
            summary((before.source, before.messages), (each.source, each.messages))
            if before is not None
            else ()
        )
        lines.append(
            VersionLine(
                version=each.version,
                at=each.created_at,
                by=each.created_by,
                origin=each.origin,
                changes=tuple(changes),
                people=people.get(each.version, 0),
            )
        )
        before = each
    return History(
        rule_id=rule_id,
        state=row.state,
        versions=tuple(reversed(lines)),
        trail=tuple(
            TrailLine(at=each.at, actor=each.actor, action=each.action, details=each.details)
            for each in trail
        ),
    )


async def between(deps: Deps, rule_id: str, one: int, other: int) -> list[str]:
    """The unified difference of the texts of two versions.

    Raises:
        Refused: there is no such rule or version.
    """
    async with deps.db.begin() as session:
        await held_row(session, rule_id)
        versions = {each.version: each for each in await versions_of(session, rule_id)}
    for number in (one, other):
        if number not in versions:
            raise unknown_version(rule_id, number, max(versions))
    return difference(
        written_at(versions[one]).files, written_at(versions[other]).files, old=f"v{one}", new=f"v{other}"
    )


def unknown_version(rule_id: str, version: int, latest: int) -> Refused:
    """What to tell someone who names a version that never was."""
    return Refused(
        ja=f"規則 {rule_id} にバージョン {version} はありません（1〜{latest}）",
        en=f"the rule {rule_id} has no version {version} (1 to {latest})",
    )

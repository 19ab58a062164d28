"""How do the rules in force come out as a folder, byte for byte as they were written?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlmodel import col

from bot.deps import Deps
from bot.errors import Misconfigured, Refused
from db.keeping.setting_versions import note_setting_exported
from db.rulebook.publications import unknown_rule
from db.rulebook.rules import POLICY, SCORING, RuleVersion, current_versions, setting
from db.rulebook.versions import note_exported, written_at
from followups.versions.summary import files_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written.

    Attributes:
        files: names in the folder that were written anew; `same`: those that said it already.
        disputed: messages of which rules hold different texts; written as the newest version says.
    """

    files: tuple[str, ...]
    same: tuple[str, ...]
    disputed: tuple[str, ...]


async def export(
    deps: Deps, folder: Path, *, rule_id: str | None = None, is_overwriting: bool = False
) -> Exported:
    """Write the current rules, messages, tests and policy into a folder; other files there stay.

    The folder is known to hold these versions from then on: what is changed in it next is no conflict.

    Args:
        rule_id: only this rule, with its messages and tests.
        is_overwriting: also over files that say something that was never stored.

    Raises:
        Refused: there is no such rule, or a file would be lost; nothing was written.
        Misconfigured: the folder cannot be written.
    """
    async with deps.db.begin() as session:
        current = await current_versions(session)
        if rule_id is not None:
            if rule_id not in (known := {row.rule_id for row, _ in current}):
                raise unknown_rule(rule_id, known)
            current = [(row, version) for row, version in current if row.rule_id == rule_id]
        policy, scoring = await setting(session, POLICY), await setting(session, SCORING)
        past = list(
            await session.scalars(
                select(RuleVersion).where(col(RuleVersion.rule_id).in_([row.rule_id for row, _ in current]))
            )
        )
    wanted, disputed = _together([version for _, version in current])
    if rule_id is None:
        wanted |= {
            name: content["source"]
            for name, content in (("policy.yaml", policy), ("scoring.yaml", scoring))
            if content is not None
        }
    stored: dict[str, set[str]] = defaultdict(set)
    for version in past:
        for name, text in written_at(version).files.items():
            stored[name].add(text)
    written, same = _write(folder, wanted, stored, is_overwriting=is_overwriting)
    versions = {row.rule_id: row.version for row, _ in current}
    async with deps.db.begin() as session:
        await note_exported(session, versions)
        if rule_id is None:
            await note_setting_exported(session, SCORING, now=deps.clock.now())
    return Exported(files=tuple(written), same=tuple(same), disputed=tuple(disputed))


def _together(versions: list[RuleVersion]) -> tuple[dict[str, str], list[str]]:
    """All files by name; and the messages of which two rules hold different texts."""
    wanted: dict[str, str] = {}
    disputed: set[str] = set()
    for version in sorted(versions, key=lambda each: (each.created_at, each.rule_id)):
        for name, text in files_of(version.rule_id, version.source, version.messages, version.tests).items():
            if wanted.get(name, text) != text:
                disputed.add(name)
            wanted[name] = text
    return wanted, sorted(disputed)


def _write(
    folder: Path, wanted: Mapping[str, str], stored: Mapping[str, set[str]], *, is_overwriting: bool
) -> tuple[list[str], list[str]]:
    written, same = [], []
    try:
        there = {name: (folder / name).read_bytes() for name in wanted if (folder / name).exists()}
        known = {name: {text.encode() for text in texts} for name, texts in stored.items()}
        lost = [
            name
            for name, content in sorted(there.items())
            if content != wanted[name].encode() and content not in known.get(name, set())
        ]
        if lost and not is_overwriting:
            names = ", ".join(lost)
            raise Refused(
                ja=f"{folder} の {names} には、まだ rules apply していない内容があります"
                "（上書きしてよければ --yes を付けてください）",
                en=f"{names} in {folder} would lose what was never applied (add --yes to overwrite)",
            )
        for name, text in sorted(wanted.items()):
            path = folder / name
            if there.get(name) == text.encode():
                same.append(name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            written.append(name)
    except OSError as error:
        raise Misconfigured(f"{folder}: {error.strerror} (書き込めません: choose another folder)") from None
    return written, same

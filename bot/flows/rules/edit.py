"""How does a change made outside of files (Slack) become a new version of a rule, its layout untouched?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.publish import backfill_all, hold_time, scan_all
from db.rulebook.publications import Outdated, replace_version, unknown_rule
from db.rulebook.rules import RuleVersion, current_rulebook, current_versions
from db.rulebook.versions import EDIT, Written, versions_of, written_at
from followups.rules.model import Rule
from followups.rules.parsing import load_folder
from followups.versions.edits import CannotEdit, edited
from followups.versions.leaves import Path, Value, message_name
from followups.versions.summary import difference, summary

log = structlog.get_logger()

Changes = Sequence[tuple[Path, Value]]


class ChangedMeanwhile(Refused):
    """Somebody else changed the rule since it was read; nothing was changed.

    Attributes:
        version: the one in force.
        difference: of the texts, from the one that was read to the one in force.
    """

    def __init__(self, base: RuleVersion, current: RuleVersion) -> None:
        self.version = current.version
        self.difference = difference(
            written_at(base).files,
            written_at(current).files,
            old=f"v{base.version}",
            new=f"v{current.version}",
        )
        words = summary((base.source, base.messages), (current.source, current.messages))
        said_ja, said_en = "、".join(each.ja for each in words), "; ".join(each.en for each in words)
        super().__init__(
            ja=f"規則 {current.rule_id} は {current.created_by} が先に変更しました"
            f"（バージョン {current.version}: {said_ja}）。開き直してください",
            en=f"{current.created_by} changed the rule {current.rule_id} meanwhile"
            f" (version {current.version}: {said_en}); open it again",
        )


async def edit_rule(
    deps: Deps,
    rule_id: str,
    changes: Changes,
    *,
    base_version: int,
    by: str,
    is_moving: bool = False,
) -> int:
    """As `edit`, in a transaction of its own; everyone who may match is looked through afterwards."""

    async def write(session: AsyncSession) -> int:
        return await edit(
            deps, session, rule_id, changes, base_version=base_version, by=by, is_moving=is_moving
        )

    version = await deps.db.run(write)
    await scan_all(deps)
    log.info("rule.edited", rule_id=rule_id, version=version, by=by)
    return version


async def edit(
    deps: Deps,
    session: AsyncSession,
    rule_id: str,
    changes: Changes,
    *,
    base_version: int,
    by: str,
    is_moving: bool = False,
) -> int:
    """Change single values of a rule and of its messages; the new version.

    A message belongs to every rule that names it: the others get a new version too. The next tick looks
    through everyone who may match now.

    Args:
        changes: (path, new value); a path that begins with `messages/<name>.yaml` leads into that message.
        base_version: the version the person saw.
        is_moving: customers under way go over to the new version.

    Raises:
        ChangedMeanwhile: it is not the current one any more.
        Refused: there is no such rule or no such place in it.
        RuleError: the result is no valid rule; nothing was changed.
    """
    now = deps.clock.now()
    await hold_time(session, deps)
    stored = {row.rule_id: version for row, version in await current_versions(session)}
    if rule_id not in stored:
        raise unknown_rule(rule_id, stored)
    if stored[rule_id].version != base_version:
        raise await _outdated(session, rule_id, base_version)
    touched = {str(path[0]) for path, _ in changes if _is_in_message(path)}
    result = base_version
    for each in sorted(stored):
        written = written_at(stored[each])
        own = changes if each == rule_id else [one for one in changes if _is_in_message(one[0])]
        is_sharing = touched & {message_name(path) for path in written.messages}
        if each != rule_id and not is_sharing:
            continue
        new = await _changed(session, written, own, is_strict=each == rule_id)
        if new == written:
            continue
        try:
            row, watches = await replace_version(
                session,
                new,
                base_version=stored[each].version,
                origin=EDIT,
                by=by,
                ids=deps.ids,
                now=now,
                is_moving=is_moving,
            )
        except Outdated:
            raise await _outdated(session, each, stored[each].version) from None
        await backfill_all(session, watches)
        if each == rule_id:
            result = row.version
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A change that was not made. `shared`: other rules that would get a new version."""

    rule: Rule
    before: Written
    after: Written
    shared: tuple[str, ...]


async def try_edit(session: AsyncSession, rule_id: str, changes: Changes, *, base_version: int) -> Tried:
    """What `edit` would make of the rule; nothing is written.

    Raises:
        ChangedMeanwhile, Refused, RuleError: as `edit`.
    """
    stored = {row.rule_id: version for row, version in await current_versions(session)}
    if rule_id not in stored:
        raise unknown_rule(rule_id, stored)
    if stored[rule_id].version != base_version:
        raise await _outdated(session, rule_id, base_version)
    before = written_at(stored[rule_id])
    after = await _changed(session, before, changes, is_strict=True)
    book = await current_rulebook(session)
    files = {after.path: after.source, **after.messages}
    read = await asyncio.to_thread(load_folder, files, policy=book.policy, scoring=book.scoring)
    touched = {str(path[0]) for path, _ in changes if _is_in_message(path)}
    shared = [
        each
        for each, version in sorted(stored.items())
        if each != rule_id and touched & {message_name(path) for path in version.messages}
    ]
    return Tried(
        rule=replace(read.rules[0], version=base_version), before=before, after=after, shared=tuple(shared)
    )


def _is_in_message(path: Path) -> bool:
    return bool(path) and str(path[0]).startswith("messages/")


async def _outdated(session: AsyncSession, rule_id: str, base_version: int) -> Refused:
    versions = await versions_of(session, rule_id)
    base = next((each for each in versions if each.version == base_version), versions[0])
    return ChangedMeanwhile(base, versions[-1])


async def _changed(session: AsyncSession, written: Written, changes: Changes, *, is_strict: bool) -> Written:
    """The rule with these changes, found valid.

    Args:
        is_strict: a path into a message that this rule does not use is a mistake.
    """
    in_rule = [change for change in changes if not _is_in_message(change[0])]
    by_name: dict[str, list[tuple[Path, Value]]] = {}
    for path, value in changes:
        if _is_in_message(path):
            by_name.setdefault(str(path[0]), []).append((path[1:], value))
    names = {message_name(path): path for path in written.messages}
    if is_strict and (unknown := sorted(by_name.keys() - names.keys())):
        raise Refused(
            ja=f"規則 {written.rule_id} に {unknown[0]} はありません",
            en=f"the rule {written.rule_id} has no {unknown[0]}",
        )
    messages: Mapping[str, str] = written.messages
    try:
        source = edited(written.source, in_rule)
        messages = {
            path: edited(text, by_name.get(message_name(path), [])) for path, text in messages.items()
        }
    except CannotEdit as error:
        raise Refused(
            ja=f"規則 {written.rule_id} のこの箇所は変更できません: {error}",
            en=f"this place of the rule {written.rule_id} cannot be changed: {error}",
        ) from None
    book = await current_rulebook(session)
    files = {written.path: source, **messages}
    await asyncio.to_thread(load_folder, files, policy=book.policy, scoring=book.scoring)
    return replace(written, source=source, messages=messages)

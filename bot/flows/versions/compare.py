"""What would applying a folder change, before anything is changed?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.deps import Deps
from db.rulebook.rules import POLICY, current_rulebook, current_versions, setting
from db.rulebook.versions import Conflict, conflict_with, people_in, written_at, written_in
from followups.rules.conditions import Text
from followups.rules.parsing import PolicyText, load_folder, parse_policy
from followups.versions.summary import difference, summary

_FOLDER = "folder"


class Standing(StrEnum):
    """How a rule of a folder stands to the stored one."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    CONFLICT = "conflict"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One rule, in the folder and as stored.

    Attributes:
        version: the stored one's; None: the rule is new.
        lines: the unified difference, stored to folder; in a conflict both ways from the common base.
        words: what changes in behaviour.
        people: customers under way in it now.
        conflict: set where the folder does not know of a change made elsewhere.
    """

    rule_id: str
    standing: Standing
    version: int | None = None
    lines: tuple[str, ...] = ()
    words: tuple[Text, ...] = ()
    people: int = 0
    conflict: Conflict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A folder beside what is stored; `policy`: the difference of the policies, empty when it stays."""

    rules: tuple[Compared, ...]
    policy: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[str, ...]:
        """The rules that would be left as they are."""
        return tuple(each.rule_id for each in self.rules if each.standing is Standing.CONFLICT)

    @property
    def is_changing(self) -> bool:
        """Would a stored rule or the policy change?"""
        return bool(self.policy) or any(each.standing is Standing.CHANGED for each in self.rules)


async def compare(
    deps: Deps, files: Mapping[str, str], *, policy: PolicyText | None = None, rule_id: str | None = None
) -> Comparison:
    """Compare a folder with what is stored; nothing is written.

    Args:
        rule_id: only this rule.

    Raises:
        RuleError: something in the files is wrong.
    """
    async with deps.db.begin() as session:
        book = await current_rulebook(session)
        against = parse_policy(policy.source, path=policy.path) if policy is not None else book.policy
        rule_set = await asyncio.to_thread(load_folder, files, policy=against, scoring=book.scoring)
        stored = {row.rule_id: (row, version) for row, version in await current_versions(session)}
        found: list[Compared] = []
        for source in rule_set.sources:
            written = written_in(source, rule_set, files)
            if rule_id is not None and written.rule_id != rule_id:
                continue
            if written.rule_id not in stored:
                words = (Text(ja=f"新しい規則（{source.rule.name}）", en=f"a new rule ({source.rule.name})"),)
                found.append(Compared(rule_id=written.rule_id, standing=Standing.NEW, words=words))
                continue
            row, version = stored[written.rule_id]
            if version.digest == written.digest:
                found.append(Compared(rule_id=written.rule_id, standing=Standing.SAME, version=row.version))
                continue
            conflict = await conflict_with(session, row, written)
            old = (version.source, version.messages)
            found.append(
                Compared(
                    rule_id=written.rule_id,
                    standing=Standing.CONFLICT if conflict is not None else Standing.CHANGED,
                    version=row.version,
                    lines=tuple(
                        three_ways(conflict)
                        if conflict is not None
                        else difference(
                            written_at(version).files, written.files, old=f"v{row.version}", new=_FOLDER
                        )
                    ),
                    words=tuple(summary(old, (written.source, written.messages))),
                    people=sum((await people_in(session, written.rule_id)).values()),
                    conflict=conflict,
                )
            )
        known = await setting(session, POLICY)
    in_folder = {rule.id for rule in rule_set.rules}
    absent = sorted(each for each in stored if each not in in_folder and rule_id in {None, each})
    found += [Compared(rule_id=each, standing=Standing.ABSENT) for each in absent]
    before = {"policy.yaml": known["source"]} if known is not None else {}
    after = {"policy.yaml": policy.source} if policy is not None else before
    return Comparison(rules=tuple(found), policy=tuple(difference(before, after, old="stored", new=_FOLDER)))


def three_ways(conflict: Conflict) -> list[str]:
    """What was done elsewhere and what the folder does, each from the version both began from."""
    base, current = written_at(conflict.base).files, written_at(conflict.current).files
    root = f"v{conflict.base.version}"
    elsewhere = difference(
        base, current, old=root, new=f"v{conflict.current.version}, {conflict.current.created_by}"
    )
    return [*elsewhere, *difference(base, conflict.incoming.files, old=root, new=_FOLDER)]

"""How are differences and histories of rules told as lines?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING

import typer

from bot.cli.running import as_text

if TYPE_CHECKING:
    from bot.flows.versions.compare import Compared, Comparison
    from bot.flows.versions.history import History
    from db.rulebook.publications import Applied, Side


def sides_of(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, Side]:
    """Whose text is taken in a conflict, by rule.

    Raises:
        BadParameter: a rule is named on both sides.
    """
    from db.rulebook.publications import Side

    sides = {str(as_text(rule)): Side.FILE for rule in ours}
    for rule in theirs:
        if rule in sides:
            raise typer.BadParameter(f"{rule}: --ours or --theirs, not both")
        sides[str(as_text(rule))] = Side.STORED
    return sides


def compared(comparison: Comparison, language: str, *, is_brief: bool = False) -> Iterator[str]:
    """What applying would change.

    Args:
        is_brief: only what changes in behaviour, and conflicts in full.
    """
    for each in comparison.rules:
        match each.standing.value:
            case "changed":
                yield from _changed(each, language, is_brief=is_brief)
            case "conflict":
                yield from _conflict(each, language)
            case "new" if not is_brief:
                yield f"+ {each.rule_id}: {each.words[0].ja if language == 'ja' else each.words[0].en}"
            case "absent" if not is_brief:
                yield f"? {each.rule_id}: " + (
                    "このフォルダにはない" if language == "ja" else "not in this folder"
                )
            case _:
                pass
    if comparison.policy:
        yield "policy.yaml:"
        yield from (f"  {line}" for line in comparison.policy)


def _changed(each: Compared, language: str, *, is_brief: bool) -> Iterator[str]:
    is_ja = language == "ja"
    people = f"進行中 {each.people} 人" if is_ja else f"{each.people} customers under way"
    yield f"~ {each.rule_id} (v{each.version}; {people})"
    for word in each.words:
        yield f"    {word.ja if is_ja else word.en}"
    if not each.words:
        yield (
            "    動作は変わりません（注釈・書式・テストだけ）"
            if is_ja
            else "    only comments, layout or tests"
        )
    if not is_brief:
        yield from (f"  {line}" for line in each.lines)


def _conflict(each: Compared, language: str) -> Iterator[str]:
    assert each.conflict is not None
    conflict, rule_id = each.conflict, each.rule_id
    by, version = conflict.current.created_by, conflict.current.version
    if language == "ja":
        yield f"! {rule_id}: {by} が別の場所で変更しました（v{version}）。このフォルダはそれを知りません。"
    else:
        yield f"! {rule_id}: {by} changed it elsewhere (v{version}), and this folder does not know of that."
    yield from (f"  {line}" for line in each.lines)
    if language == "ja":
        yield "  何も変えていません。rules export で書き出してから編集するか、次のどちらかを付けてください:"
        yield f"    --theirs {rule_id}（今の規則を残す） / --ours {rule_id}（このフォルダの内容にする）"
    else:
        yield "  Nothing of it is changed. Run yorisoi rules export and edit what it writes, or add one of:"
        yield f"    --theirs {rule_id} (keep what is stored), --ours {rule_id} (take this folder's text)"


def applied_lines(applied: Applied, scanned: int, language: str) -> Iterator[tuple[str, bool]]:
    """What publishing did: (line, whether it is only a remark)."""
    is_ja = language == "ja"
    for mark, rule_ids in (
        ("+", applied.added),
        ("~", applied.changed),
        ("=", applied.unchanged),
        ("<", applied.kept),
        ("!", [conflict.rule_id for conflict in applied.conflicts]),
    ):
        yield from ((f"{mark} {rule_id}", False) for rule_id in rule_ids)
    for rule_id in applied.absent:
        said = f"このフォルダにはありません（止めるには: yorisoi rules pause {rule_id}）"
        if not is_ja:
            said = f"not in this folder (to stop it: yorisoi rules pause {rule_id})"
        yield f"? {rule_id}: {said}", True
    if applied.is_scoring_kept:
        said = "Slackでの変更を知りません（yorisoi rules export で書き出してから編集を）"
        if not is_ja:
            said = "does not know of a change made in Slack (run yorisoi rules export, then edit)"
        yield f"! scoring.yaml: {said}", True
    if applied.moved:
        number = applied.moved
        yield (
            f"新しいバージョンへ移ったお客様 {number} 人" if is_ja else f"{number} customers moved over",
            False,
        )
    yield (
        f"リビジョン {applied.revision}、確認するお客様 {scanned} 人"
        if is_ja
        else f"revision {applied.revision}, {scanned} customers to look at",
        False,
    )


def told(history: History, language: str, zone: tzinfo) -> Iterator[str]:
    """A rule's versions, then its audit trail, newest first."""
    is_ja = language == "ja"
    yield f"{history.rule_id}: {history.state}"
    for each in history.versions:
        people = ""
        if each.people:
            people = f"  進行中 {each.people} 人" if is_ja else f"  {each.people} customers under way"
        at = f"{each.at.astimezone(zone):%Y-%m-%d %H:%M}"
        yield f"v{each.version}  {at}  {each.by}  ({each.origin}){people}"
        for word in each.changes:
            yield f"    {word.ja if is_ja else word.en}"
    yield ""
    yield "操作の記録" if is_ja else "Audit trail"
    for entry in history.trail:
        details = " ".join(
            f"{key}={value}"
            for key, value in entry.details.items()
            if key != "rule_id" and value not in ({}, "")
        )
        yield f"  {entry.at.astimezone(zone):%Y-%m-%d %H:%M}  {entry.actor}  {entry.action}  {details}"

"""What does a new version of a rule change in behaviour, in words?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff

from followups.rules.conditions import Text
from followups.versions.leaves import Leaves, Path, Value, changed_paths, leaves_of, message_name

_WORDS: Mapping[str, Text] = {
    "when": Text(ja="条件", en="condition"),
    "then": Text(ja="内容", en="what it does"),
    "goal": Text(ja="目標", en="goal"),
    "priority": Text(ja="優先度", en="priority"),
    "again_after": Text(ja="次に送れるまで", en="earliest return"),
    "holdout": Text(ja="比較対象の割合", en="holdout"),
    "approval": Text(ja="承認", en="approval"),
    "during_conversation": Text(ja="会話中の扱い", en="during a conversation"),
    "name": Text(ja="名前", en="name"),
    "state": Text(ja="はじめの状態", en="starting state"),
}
_AUDIENCE = frozenset(
    {"attribute", "equals", "in", "not_in", "at_least", "at_most", "exists", "segment", "stage"}
)
_WORDING = frozenset({"text", "label", "button", "quick_replies"})


def changes_in_words(before: Leaves, after: Leaves) -> list[Text]:
    """One line for each value that differs: of what kind it is, where, from what to what."""
    return [_change(path, before, after) for path in changed_paths(before, after)]


def _change(path: Path, before: Leaves, after: Leaves) -> Text:
    kind = _kind(path)
    place = ".".join(map(str, path))
    if path not in before:
        return Text(
            ja=f"{kind.ja}: {place} を追加: {_said(after[path])}",
            en=f"{kind.en}: {place} added: {_said(after[path])}",
        )
    if path not in after:
        return Text(
            ja=f"{kind.ja}: {place} を削除（{_said(before[path])}）",
            en=f"{kind.en}: {place} removed ({_said(before[path])})",
        )
    return Text(
        ja=f"{kind.ja}: {place}: {_said(before[path])} → {_said(after[path])}",
        en=f"{kind.en}: {place}: {_said(before[path])} → {_said(after[path])}",
    )


def _kind(path: Path) -> Text:
    words = {word for word in path if isinstance(word, str)}
    head = str(path[0]) if path else ""
    if words & _WORDING:
        return Text(ja="文面", en="text")
    if head.startswith("messages/"):
        return Text(ja="メッセージ", en="message")
    if head == "when" and words & _AUDIENCE:
        return Text(ja="対象", en="audience")
    if head == "when" and isinstance(path[-1], str):
        return Text(ja="しきい値", en="threshold")
    return _WORDS.get(head, Text(ja="設定", en="setting"))


def _said(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).replace("\n", "⏎")


def difference(before: Mapping[str, str], after: Mapping[str, str], *, old: str, new: str) -> list[str]:
    """A unified difference of files by name, `old` and `new` said beside the names."""
    lines: list[str] = []
    for name in sorted({*before, *after}):
        one, other = before.get(name, ""), after.get(name, "")
        if one != other:
            lines += [
                line.rstrip("\r\n")
                for line in unified_diff(
                    one.splitlines(keepends=True),
                    other.splitlines(keepends=True),
                    f"{name} ({old})",
                    f"{name} ({new})",
                )
            ]
    return lines


def files_of(rule_id: str, source: str, messages: Mapping[str, str], tests: str | None) -> dict[str, str]:
    """A version as the files of a folder, by their names in it."""
    files = {f"{rule_id}.yaml": source}
    files |= {message_name(path): text for path, text in messages.items()}
    return {**files, f"{rule_id}.test.yaml": tests} if tests is not None else files


def summary(before: tuple[str, Mapping[str, str]], after: tuple[str, Mapping[str, str]]) -> Sequence[Text]:
    """`changes_in_words` of two versions, each given as (source, messages by path)."""
    return changes_in_words(leaves_of(*before), leaves_of(*after))

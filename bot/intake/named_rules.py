"""Which rule does a person mean: a stored one by its id, or one in a file that is not published yet?"""

from __future__ import annotations

from pathlib import Path

from bot.errors import Misconfigured, Refused
from bot.intake.rule_files import read_folder
from db.rulebook.publications import unknown_rule
from db.rulebook.rules import RuleBook
from followups.rules.model import Rule
from followups.rules.parsing import load_folder


def rule_named(name: str, book: RuleBook) -> Rule:
    """The stored rule of this id, whatever its state; or the rule in this file (`*.yaml`).

    Raises:
        Refused: there is no such rule, or the stored one cannot be read.
        RuleError: the file has mistakes.
        Misconfigured: there is no such file.
    """
    if name.endswith((".yaml", ".yml")):
        return _in_file(Path(name), book)
    return stored_rule(name, book)


def stored_rule(name: str, book: RuleBook) -> Rule:
    """The stored rule of this id, whatever its state.

    Raises:
        Refused: there is no such rule, or it cannot be read.
    """
    rule = book.by_id.get(name)
    if rule is not None:
        return rule
    if name in book.broken:
        raise Refused(
            ja=f"規則 {name} は読み取れません: {book.broken[name]}",
            en=f"the rule {name} cannot be read: {book.broken[name]}",
        )
    raise unknown_rule(name, book.by_id)


def _in_file(path: Path, book: RuleBook) -> Rule:
    """The rule of one file; it may use the messages and the scoring of the folder beside it."""
    if not path.is_file():
        raise Misconfigured(
            f"{path} does not exist (ファイルがありません: name a rule's *.yaml, or a stored rule's id)"
        )
    files = read_folder(path.parent)
    chosen = {
        name: text
        for name, text in files.items()
        if Path(name) in {path, path.parent / "scoring.yaml"} or Path(name).parent != path.parent
    }
    read = load_folder(chosen, policy=book.policy, scoring=book.scoring)
    if not read.rules:
        raise Misconfigured(f"{path}:1:1: no rule (規則がありません: it must hold id, when and then)")
    return read.rules[0]

"""What do the files of a rule folder say, and what exactly is wrong with them?

The caller reads the files; here is only text. Everything wrong with a file is told in one go, as
`file:line:column: what is wrong (what to do)`; no input makes this crash or hang.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from followups.rules.binding import bound_source
from followups.rules.model import MessageTemplate, Policy, Rule
from followups.rules.yaml.messages import read_message
from followups.rules.yaml.policies.policy import read_policy
from followups.rules.yaml.policies.scoring import read_scoring
from followups.rules.yaml.problems import Problem, Problems, RuleError, nearest
from followups.rules.yaml.rules import RuleSource, Words, read_rule
from followups.rules.yaml.tests import RuleTests, read_tests
from followups.rules.yaml.tree import Node, read_tree
from followups.standing.scoring import Scoring

__all__ = [
    "PolicyText",
    "Problem",
    "RuleError",
    "RuleSet",
    "RuleSource",
    "RuleTests",
    "load_folder",
    "parse_message",
    "parse_policy",
    "parse_rule",
    "parse_scoring",
    "parse_tests",
    "read_folder",
]

_TEST = ".test.yaml"
_RULE = ".yaml"
_POLICY, _SCORING = "policy.yaml", "scoring.yaml"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyText:
    """policy.yaml as written."""

    path: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A rule folder, read.

    Attributes:
        rules: in order of id.
        messages: by name, those of `messages/*.yaml`.
        tests: by rule id.
        sources: the rules with where they were written.
        scoring: the folder's scoring.yaml; None: it has none.
        scoring_path: where that was written.
        problems: what is wrong; empty after `load_folder`.
    """

    rules: tuple[Rule, ...] = ()
    messages: Mapping[str, MessageTemplate] = field(default_factory=dict)
    tests: Mapping[str, RuleTests] = field(default_factory=dict)
    sources: tuple[RuleSource, ...] = ()
    scoring: Scoring | None = None
    scoring_path: str | None = None
    problems: tuple[Problem, ...] = ()


def _parse(text: str, path: str, reader: Callable[[Node, Problems], T | None]) -> T:
    problems = Problems(path)
    found = reader(read_tree(text, path=path), problems)
    problems.stop()
    if found is None:  # every reader that answers None notes why; this keeps a slip from passing silently
        raise RuleError(
            [Problem(path, 1, 1, "読めません（書き直してください）", "cannot be read (rewrite it)")]
        )
    return found


def _rule_source(text: str, *, path: str, words: Words) -> RuleSource:
    source = _parse(text, path, lambda node, problems: read_rule(node, problems, words, path=path))
    return bound_source(source, life=words.life_cycle, scoring=words.scoring)


def parse_rule(
    text: str,
    *,
    path: str,
    messages: Mapping[str, MessageTemplate],
    policy: Policy | None = None,
    scoring: Scoring | None = None,
) -> Rule:
    """Read one rule file.

    Args:
        path: how problems name the file.
        messages: the templates that `send` may name.
        policy: for the hosts that messages in place may link to, and what `segment` and `stage` rest on.
        scoring: what `score` rests on.

    Raises:
        RuleError: with everything that is wrong.
    """
    return _rule_source(text, path=path, words=_words(messages, policy, scoring)).rule


def _words(messages: Mapping[str, MessageTemplate], policy: Policy | None, scoring: Scoring | None) -> Words:
    against = policy or Policy()
    return Words(
        messages=messages,
        link_hosts=against.link_hosts,
        life_cycle=against.life_cycle,
        scoring=scoring,
    )


def parse_message(
    text: str, *, path: str, name: str | None = None, policy: Policy | None = None
) -> MessageTemplate:
    """Read one message file; its name is the file's.

    Raises:
        RuleError: with everything that is wrong.
    """
    hosts = policy.link_hosts if policy is not None else ()
    title = name if name is not None else _stem(path)
    return _parse(
        text, path, lambda node, problems: read_message(node, problems, name=title, link_hosts=hosts)
    )


def parse_policy(text: str, *, path: str = "policy.yaml") -> Policy:
    """Read policy.yaml; every key is optional, and a file of comments alone is the default policy.

    Raises:
        RuleError: with everything that is wrong.
    """
    lines = (line.strip() for line in text.splitlines())
    if all(not line or line.startswith("#") for line in lines):
        return Policy()
    return _parse(text, path, read_policy)


def parse_tests(text: str, *, path: str, rule_id: str | None = None) -> RuleTests:
    """Read one test file; it belongs to the rule whose file it is named after.

    Raises:
        RuleError: with everything that is wrong.
    """
    of = rule_id if rule_id is not None else _stem(path)
    return _parse(text, path, lambda node, problems: read_tests(node, problems, path=path, rule_id=of))


def parse_scoring(text: str, *, path: str = _SCORING) -> Scoring:
    """Read scoring.yaml.

    Raises:
        RuleError: with everything that is wrong.
    """
    return _parse(text, path, read_scoring)


def _stem(path: str) -> str:
    last = path.replace("\\", "/").rsplit("/", 1)[-1]
    for ending in (_TEST, _RULE):
        if last.endswith(ending):
            return last.removesuffix(ending)
    return last


def _kind(path: str) -> str:
    parts = path.replace("\\", "/").split("/")
    last = parts[-1]
    if last.startswith(".") or last == _POLICY:
        return "other"
    if last == _SCORING and parts[-2:-1] != ["messages"]:
        return "scoring"
    if len(parts) > 1 and parts[-2] in {"scripts", "rich-menus"}:
        return "other"  # read by followups.answers.scripts and followups.rules.yaml.menus
    if last.endswith(".yml"):
        return "misnamed"
    if not last.endswith(_RULE):
        return "other"
    if len(parts) > 1 and parts[-2] == "messages":
        return "message"
    return "test" if last.endswith(_TEST) else "rule"


def read_folder(
    files: Mapping[str, str], *, policy: Policy | None = None, scoring: Scoring | None = None
) -> RuleSet:
    """Read a rule folder and keep what is sound; the rest is told in `problems`.

    Args:
        files: text by path: `*.yaml` rules, `*.test.yaml` their tests, `messages/*.yaml` messages,
            `scoring.yaml`. Other files and `policy.yaml` are passed over.
        policy: for the hosts that messages may link to, and what `segment` and `stage` rest on.
        scoring: what `score` rests on where the folder has no scoring.yaml.
    """
    found: list[Problem] = []
    by_kind: dict[str, list[str]] = {
        kind: [] for kind in ("rule", "message", "test", "scoring", "misnamed", "other")
    }
    for path in sorted(files):
        by_kind[_kind(path)].append(path)
    for path in by_kind["misnamed"]:
        ja, en = "拡張子は .yaml です（名前を変えてください）", "files end in .yaml (rename it)"
        found.append(Problem(path, 1, 1, ja, en))
    messages: dict[str, MessageTemplate] = {}
    broken: set[str] = set()
    for path in by_kind["message"]:
        try:
            messages[_stem(path)] = parse_message(files[path], path=path, policy=policy)
        except RuleError as error:
            found += error.problems
            broken.add(_stem(path))
    sources: dict[str, RuleSource] = {}
    unread: set[str] = set()
    own = _folder_scoring(files, by_kind["scoring"], found)
    known = _words(
        {**{name: MessageTemplate(name=name, text={}) for name in broken}, **messages},
        policy,
        own if own is not None else scoring,
    )
    for path in by_kind["rule"]:
        try:
            source = _rule_source(files[path], path=path, words=known)
        except RuleError as error:
            found += error.problems
            unread.add(_stem(path))
            continue
        mistakes = _misplaced(source, sources)
        found += mistakes
        if not mistakes and not _names(source.rule) & broken:
            sources[source.rule.id] = source
        else:
            unread.add(_stem(path))
    tests = _tests(files, by_kind["test"], set(sources) | unread, found)
    ordered = [sources[each] for each in sorted(sources)]
    return RuleSet(
        rules=tuple(source.rule for source in ordered),
        messages=messages,
        tests={each: test for each, test in tests.items() if each in sources},
        sources=tuple(ordered),
        scoring=own,
        scoring_path=by_kind["scoring"][0] if by_kind["scoring"] else None,
        problems=tuple(sorted(set(found))),
    )


def _folder_scoring(files: Mapping[str, str], paths: list[str], found: list[Problem]) -> Scoring | None:
    """The folder's scoring; an empty one where it cannot be read, so that no rule is blamed for that too."""
    for path in paths[1:]:
        ja, en = f"{paths[0]} もあります（一つにしてください）", f"there is {paths[0]} too (keep one)"
        found.append(Problem(path, 1, 1, ja, en))
    try:
        return parse_scoring(files[paths[0]], path=paths[0]) if paths else None
    except RuleError as error:
        found += error.problems
        return Scoring()


def _names(rule: Rule) -> set[str]:
    return {message.name for message in rule.messages}


def _misplaced(source: RuleSource, sources: Mapping[str, RuleSource]) -> list[Problem]:
    rule, at = source.rule, source.id_at
    if rule.id in sources:
        first = sources[rule.id].path
        ja = f"id「{rule.id}」が {first} と重複しています（別の id にしてください）"
        en = f"the id “{rule.id}” is also in {first} (choose another)"
        return [Problem(source.path, at.line, at.column, ja, en)]
    if rule.id != _stem(source.path):
        ja = f"id「{rule.id}」がファイル名と違います（{rule.id}.yaml にするか id を直してください）"
        en = f"the id “{rule.id}” is not the file's name (call the file {rule.id}.yaml, or change the id)"
        return [Problem(source.path, at.line, at.column, ja, en)]
    return []


def _tests(
    files: Mapping[str, str], paths: list[str], rules: set[str], found: list[Problem]
) -> dict[str, RuleTests]:
    tests: dict[str, RuleTests] = {}
    for path in paths:
        of = _stem(path)
        try:
            tests[of] = parse_tests(files[path], path=path, rule_id=of)
        except RuleError as error:
            found += error.problems
        if of not in rules:
            near = nearest(of, rules)
            ja = f"このテストの規則 {of}.yaml がありません" + (
                f"（{near}.yaml ではありませんか）" if near else "（作ってください）"
            )
            en = f"there is no rule {of}.yaml for this test" + (
                f" (did you mean {near}.yaml?)" if near else " (write it)"
            )
            found.append(Problem(path, 1, 1, ja, en))
    return tests


def load_folder(
    files: Mapping[str, str], *, policy: Policy | None = None, scoring: Scoring | None = None
) -> RuleSet:
    """Read a whole rule folder, or nothing of it.

    Raises:
        RuleError: with everything that is wrong in any file.
    """
    rule_set = read_folder(files, policy=policy, scoring=scoring)
    if rule_set.problems:
        raise RuleError(rule_set.problems)
    return rule_set

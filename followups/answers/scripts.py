"""Which scripted answer belongs to what a customer wrote, and what does a script file hold?

A script has triggers (a whole message, or words in it, however they are spelt), a text by language, perhaps
another one outside business hours, and up to thirteen choices that lead to other scripts or record an event.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.problems import Problem, Problems, RuleError
from followups.rules.yaml.tree import MapNode, Node, read_tree
from followups.words.lint import MAX_LABEL, MAX_TEXT, Finding, grapheme_length, lint, utf16_length

SLOTS = frozenset({"hours", "next_opening"})
"""What may stand in braces: the business hours, and when people answer next."""
MAX_CHOICES = 13
"""LINE's limit of quick replies."""
_KEYS = ("id", "exact", "contains", "text", "off_hours", "choices", "lead", "signal", "hand_over")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_SLOT = re.compile(r"\{([^{}]*)\}")
_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_NOISE = re.compile(r"[^\w]|_|[ー\u3099\u309a]")
_SHORTEST_KANA = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One quick reply: leads to the script `to`, or records the event `signal` (and opens a lead)."""

    label: Mapping[str, str]
    to: str | None = None
    signal: str | None = None
    is_lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One scripted answer.

    Attributes:
        exact: whole messages it answers, spelt plainly (`plain`).
        contains: words it answers wherever they stand.
        text: by language. `off_hours`: instead of it outside business hours.
        lead: why a lead is opened, by language; None: none is.
        signal: the event that is recorded when it is given.
        is_handing_over: a person answers from then on.
    """

    id: str
    text: Mapping[str, str]
    exact: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    off_hours: Mapping[str, str] | None = None
    choices: tuple[Choice, ...] = ()
    lead: Mapping[str, str] | None = None
    signal: str | None = None
    is_handing_over: bool = False

    def words(self, language: str, *, is_open: bool) -> str:
        """Its text for a reader of this language at this hour."""
        texts = self.text if is_open or self.off_hours is None else self.off_hours
        return in_language(texts, language)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSet:
    """The scripts in force, by id, and what is wrong with those that could not be read."""

    by_id: Mapping[str, Script] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[Problem, ...] = ()

    def answer_to(self, text: str) -> Script | None:
        """The script that a message triggers: a whole message first, then the longest word in it."""
        said = plain(text)
        if not said:
            return None
        for script in self.by_id.values():
            if said in script.exact:
                return script
        found = [
            (len(word), script) for script in self.by_id.values() for word in script.contains if word in said
        ]
        return max(found, key=lambda pair: pair[0])[1] if found else None


def in_language(texts: Mapping[str, str], language: str) -> str:
    """The text for this language, else the Japanese one for Japanese, else English, else any."""
    code = language.lower().split("-")[0]
    for key in (code, "ja" if code == "ja" else "en", "ja"):
        if key in texts:
            return texts[key]
    return next(iter(texts.values()))


def plain(text: str) -> str:
    """A message without its spelling: width, case, kana, long vowels, spaces and marks do not count."""
    narrow = unicodedata.normalize("NFKC", text).casefold().translate(_KATAKANA)
    return _NOISE.sub("", narrow)


def read_scripts(
    files: Mapping[str, str], *, known: Collection[str] = (), are_targets_known: bool = False
) -> ScriptSet:
    """Read script files (text by path) and keep what is sound; the rest is told in `problems`.

    Args:
        known: ids of scripts elsewhere that choices may lead to.
        are_targets_known: where choices lead was looked at before.
    """
    problems: list[Problem] = []
    found: dict[str, Script] = {}
    leads_to: list[tuple[Problems, Node, str]] = []
    for path in sorted(files):
        noted = Problems(path)
        try:
            node = read_tree(files[path], path=path)
            script = _script(node, noted, leads_to)
            if script is not None and script.id in found:
                noted.add(
                    node,
                    f"id「{script.id}」が重複しています（別の id にしてください）",
                    f"the id “{script.id}” is there twice (choose another)",
                )
            elif script is not None:
                found[script.id] = script
        except RuleError as error:
            problems += error.problems
        problems += noted.found
    ids = {*found, *known}
    for noted, at, target in leads_to:
        if target not in ids and not are_targets_known:
            noted.unknown(at, target, sorted(ids), ja="応答", en="script")
            problems += noted.found
    return ScriptSet(by_id=MappingProxyType(found), problems=tuple(sorted(set(problems))))


def joined(shipped: ScriptSet, own: ScriptSet) -> ScriptSet:
    """Our scripts with the user's over them: the same id replaces ours."""
    return ScriptSet(by_id=MappingProxyType({**shipped.by_id, **own.by_id}), problems=own.problems)


def lint_script(script: Script) -> tuple[Finding, ...]:
    """What a careful colleague would object to in its texts; a short answer is a good one."""
    texts = [*script.text.items(), *(script.off_hours or {}).items()]
    return tuple(
        finding
        for language, text in texts
        for finding in lint(text, language=language, is_template=True, is_answer=True)
    )


def _script(node: Node, problems: Problems, leads_to: list[tuple[Problems, Node, str]]) -> Script | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    before = len(problems.found)
    keys = Fields(found, problems, _KEYS)
    name = keys.need("id", _id)
    text = keys.need("text", read.by_language(_body))
    off_hours = keys.get("off_hours", read.by_language(_body))
    exact, contains = keys.get("exact", _words), keys.get("contains", _words)
    choices = keys.get("choices", lambda each, noted: _choices(each, noted, leads_to))
    lead = keys.get("lead", read.by_language(lambda _node, _text, _problems: True))
    signal = keys.get("signal", read.name)
    is_handing_over = keys.get("hand_over", read.truth)
    if name is None or text is None or len(problems.found) > before:
        return None
    return Script(
        id=name,
        text=text,
        exact=tuple(map(plain, exact or ())),
        contains=tuple(map(plain, contains or ())),
        off_hours=off_hours,
        choices=choices or (),
        lead=lead,
        signal=signal,
        is_handing_over=bool(is_handing_over),
    )


def _id(node: Node, problems: Problems) -> str | None:
    found = read.text(node, problems)
    if found is None or _ID.fullmatch(found):
        return found
    read.wrong(
        node, problems, ja="id ではありません（例: opening-hours）", en="an id (for example opening-hours)"
    )
    return None


def _words(node: Node, problems: Problems) -> tuple[str, ...] | None:
    found: list[str] = []
    for each in read.items(node, problems) or ():
        word = read.text(each, problems)
        if word is None:
            continue
        if len(plain(word)) < _SHORTEST_KANA:
            read.wrong(
                each,
                problems,
                ja="短すぎます（2文字以上で書いてください）",
                en="long enough (two letters at least)",
            )
        else:
            found.append(word)
    return tuple(found) or None


def _body(node: Node, text: str, problems: Problems) -> bool:
    unknown: Iterable[str] = [each for each in _SLOT.findall(text) if each not in SLOTS]
    for each in unknown:
        problems.unknown(node, each, sorted(SLOTS), ja="差し込み", en="placeholder")
    if utf16_length(text) > MAX_TEXT:
        problems.add(
            node,
            f"本文が{MAX_TEXT}字を超えています（短くしてください）",
            f"the text is over {MAX_TEXT} units (make it shorter)",
        )
        return False
    return not unknown


def _label(node: Node, text: str, problems: Problems) -> bool:
    if grapheme_length(text) <= MAX_LABEL and "\n" not in text:
        return True
    problems.add(
        node,
        f"ラベル「{text[:40]}」が{MAX_LABEL}字を超えています（短くしてください）",
        f"the label “{text[:40]}” is over {MAX_LABEL} characters (make it shorter)",
    )
    return False


def _choices(
    node: Node, problems: Problems, leads_to: list[tuple[Problems, Node, str]]
) -> tuple[Choice, ...] | None:
    nodes = read.items(node, problems)
    if nodes is None:
        return None
    if len(nodes) > MAX_CHOICES:
        problems.add(
            nodes[MAX_CHOICES],
            f"選択肢は{MAX_CHOICES}個までです（3個までが読みやすい）",
            f"more than {MAX_CHOICES} choices (up to 3 read best)",
        )
    found = [_choice(each, problems, leads_to) for each in nodes]
    return tuple(each for each in found if each is not None)


def _choice(node: Node, problems: Problems, leads_to: list[tuple[Problems, Node, str]]) -> Choice | None:
    inner: MapNode | None = read.mapping(node, problems)
    if inner is None:
        return None
    keys = Fields(inner, problems, ("label", "to", "signal", "lead"))
    label = keys.need("label", read.by_language(_label))
    to, signal = keys.get("to", _id), keys.get("signal", read.name)
    is_lead = keys.get("lead", read.truth)
    if keys.has("to") == keys.has("signal"):
        problems.add(
            inner,
            "to か signal のどちらか一つを書いてください",
            "write either to (another script) or signal (an event)",
        )
    if to is not None:
        leads_to.append((Problems(problems.path), inner.values["to"], to))
    if label is None:
        return None
    return Choice(label=label, to=to, signal=signal, is_lead=bool(is_lead))

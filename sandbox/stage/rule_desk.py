"""How are rules read, checked, tried and changed from the page, by the same doors as anywhere else?"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.measure.report import figures
from bot.flows.rules.preview import Preview, gate_said, preview
from bot.flows.rules.publish import overview, publish, rulebook, switch
from db.rulebook.publications import Side
from db.rulebook.rules import current_versions
from db.rulebook.versions import written_at
from followups.measure.wording import effect_said
from followups.rules.conditions import Text
from followups.rules.model import RuleState
from followups.rules.parsing import Problem, RuleError, RuleSet, load_folder
from followups.words.text import lint_message

Json = dict[str, Any]
Files = dict[str, str]

STATES = frozenset({RuleState.SHADOW, RuleState.LIVE, RuleState.PAUSED})
MOST_FILES, MOST_LENGTH = 12, 40_000
_COUNTS = ("eligible", "sent", "accepted", "clicked", "tapped", "replied", "reached", "opted_out")
_OWN = """\
# あなたの規則です。書き換えると、すぐ確かめます。 / Your own rule: it is checked as you type.
id: my-rule
name: 請求書を作ったお客様へ
goal: {event: report_scheduled, within: 14d}
when:
  all:
    - event: invoice_created
      count: {at_least: 1, within: 30d}
    - event: report_scheduled
      never: true
priority: 60
again_after: 30d
then:
  - send:
      text:
        ja: "{customer.name}様、毎月の請求書は「定期作成」にしておくと、2回目から入力がいりません。"
        en: "Hi {customer.name}, a monthly invoice can make itself: turn on “repeat” once."
      button:
        label: {ja: 手順を見る, en: Show me how}
        url: "https://app.example.com/guide/repeat"
"""


class RuleDesk:
    """The rules of one running program."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def listed(self) -> Json:
        """`{rules: [{rule_id, name, state, version, matched, sent}], sample}`."""
        keys = ("rule_id", "name", "state", "version", "matched", "sent")
        lines = [{key: getattr(line, key) for key in keys} for line in await overview(self._deps)]
        return {"rules": lines, "sample": _OWN}

    async def files_of(self, rule_id: str) -> Files:
        """What was written of one rule, by file name; without its tests. Empty: there is no such rule."""
        stored = await self._stored(rule_id)
        return {path: text for path, text in stored.items() if not path.endswith(".test.yaml")}

    async def checked(self, files: Files) -> Json:
        """`{problems, notes, preview}`: what is wrong and where; with no mistake, whom it would reach now."""
        book = await rulebook(self._deps)
        try:
            read = await asyncio.to_thread(load_folder, files, policy=book.policy, scoring=book.scoring)
        except RuleError as error:
            return {"problems": [_told(each) for each in error.problems], "notes": [], "preview": None}
        if not read.rules:
            return {"problems": [_no_rule(files)], "notes": [], "preview": None}
        found = await self._previewed(files)
        return {"problems": [], "notes": _notes(read), "preview": _counted(found)}

    async def applied(self, files: Files) -> Json:
        """Publish these files; `{problems}` when they have mistakes, else `{rule_id, outcome}`."""
        rule_id = _rule_path(files).removesuffix(".yaml")
        tests = {
            path: text for path, text in (await self._stored(rule_id)).items() if path.endswith(".test.yaml")
        }
        try:
            done = await publish(self._deps, tests | files, by="page", sides={rule_id: Side.FILE})
        except RuleError as error:
            return {"problems": [_told(each) for each in error.problems]}
        applied = done.applied
        outcome = "added" if applied.added else "changed" if applied.changed else "unchanged"
        return {"problems": [], "rule_id": rule_id, "outcome": outcome, "scanned": done.scanned}

    async def switched(self, rule_id: str, state: str) -> Json:
        """Let a rule rehearse, send, or rest; `{error}` when it cannot."""
        if state not in STATES:
            return {"error": _both(Text(ja="その状態はありません", en="there is no such state"))}
        try:
            await switch(self._deps, rule_id, RuleState(state), by="page")
        except Refused as refused:
            return {"error": {"ja": refused.in_language("ja"), "en": refused.in_language("en")}}
        return {}

    async def report(self) -> Json:
        """`{rules: [{rule_id, name, held_out, said, <counts>}]}`: the same figures as every report."""
        told = await figures(self._deps)
        rules = [
            {
                "rule_id": rule.rule_id,
                "name": rule.name,
                "held_out": rule.held_out.eligible,
                "said": _both(effect_said(rule.effect)),
                **{name: getattr(rule.treated, name) for name in _COUNTS},
            }
            for rule in told.rules
        ]
        return {"rules": rules}

    async def _stored(self, rule_id: str) -> Files:
        async with self._deps.db.begin() as session:
            versions = [
                version for _, version in await current_versions(session) if version.rule_id == rule_id
            ]
        return dict(written_at(versions[0]).files) if versions else {}

    async def _previewed(self, files: Files) -> Preview:
        with tempfile.TemporaryDirectory(prefix="yorisoi-rule-") as folder:
            for path, text in files.items():
                place = Path(folder) / path
                place.parent.mkdir(exist_ok=True)
                place.write_text(text)
            return await preview(self._deps, str(Path(folder) / _rule_path(files)))


def files_asked(asked: Json) -> Files | None:
    """The files a page sent, named as a rule folder's are; None: they are no such files."""
    files = asked.get("files")
    if not isinstance(files, dict) or not 1 <= len(files) <= MOST_FILES:
        return None
    kept: Files = {}
    for path, text in files.items():
        parts = PurePosixPath(path).parts
        is_named = path.endswith(".yaml") and ".." not in parts and not path.startswith("/")
        is_placed = len(parts) == 1 or (len(parts) == 2 and parts[0] == "messages")
        if not (is_named and is_placed and isinstance(text, str) and len(text) <= MOST_LENGTH):
            return None
        kept[path] = text
    return kept if any("/" not in path for path in kept) else None


def _rule_path(files: Files) -> str:
    return next(path for path in files if "/" not in path)


def _told(problem: Problem) -> Json:
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "ja": problem.ja,
        "en": problem.en,
    }


def _no_rule(files: Files) -> Json:
    said = Problem(
        _rule_path(files),
        1,
        1,
        "規則がありません（id・when・then を書いてください）",
        "no rule (write id, when, then)",
    )
    return _told(said)


def _notes(read: RuleSet) -> list[Json]:
    """What a reader of the messages might stumble over; no mistakes."""
    return [_both(each.because) for message in read.messages.values() for each in lint_message(message)]


def _counted(found: Preview) -> Json:
    return {
        "matched": found.matched,
        "sends": found.sends,
        "escalations": found.escalations,
        "withheld": [
            {"number": number, "ja": gate_said(gate, "ja"), "en": gate_said(gate, "en")}
            for gate, number in found.withheld.items()
        ],
        "samples": [
            {"customer": each.customer, "said": _both(each.said), "is_sent": each.withheld is None}
            for each in found.samples
        ],
    }


def _both(text: Text) -> Json:
    return {"ja": text.ja, "en": text.en}

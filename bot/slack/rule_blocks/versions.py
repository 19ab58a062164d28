"""What do the versions of a rule look like in a modal, with the way back to each? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.ports import Json
from bot.slack.ids import Action
from bot.slack.mrkdwn import cut, escaped, marked, one_line, plain, when
from bot.slack.rule_blocks.pages import text_blocks
from bot.slack.rule_blocks.rows import confirm, who
from bot.slack.rule_blocks.steers import Subject
from bot.slack.rule_blocks.words import knows, say
from followups.rules.conditions import Text

MOST_VERSIONS = 25
MOST_TRAIL = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionShown:
    """One version. `changes`: against the one before; `people`: customers under way in it."""

    version: int
    at: datetime
    by: str
    origin: str
    changes: Sequence[Text] = ()
    people: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryShown:
    """A rule's past, newest first; or one `difference` of it (version, lines).

    `trail`: (when, who, what).
    """

    rule_id: str
    state: str
    versions: Sequence[VersionShown]
    trail: Sequence[tuple[datetime, str, str]] = ()
    difference: tuple[int, Sequence[str]] | None = None


def history_blocks(shown: HistoryShown, *, language: str) -> list[Json]:
    """The blocks of the modal: at most 80."""
    if shown.difference is not None:
        return _difference(shown, *shown.difference, language=language)
    state = say(shown.state, language) if knows(shown.state) else shown.state
    blocks: list[Json] = [
        {"type": "section", "text": marked(f"*{escaped(shown.rule_id)}* ・ {escaped(state)}")}
    ]
    current = max((each.version for each in shown.versions), default=0)
    people = sum(each.people for each in shown.versions)
    for each in shown.versions[:MOST_VERSIONS]:
        blocks += _version(shown, each, current=current, people=people, language=language)
    if shown.trail:
        lines = [
            f"{when(at)} {who(actor)} `{escaped(cut(one_line(action), 60))}`"
            for at, actor, action in shown.trail[:MOST_TRAIL]
        ]
        words = "\n".join([f"*{say('history.trail', language)}*", *lines])
        blocks += [{"type": "divider"}, {"type": "section", "text": marked(cut(words, 3_000))}]
    return blocks


def _version(
    shown: HistoryShown, each: VersionShown, *, current: int, people: int, language: str
) -> list[Json]:
    is_current = each.version == current
    origin = f"origin.{each.origin}"
    words = say(
        "history.current" if is_current else "history.line",
        language,
        version=each.version,
        at=when(each.at),
        by=who(each.by),
        origin=say(origin, language) if knows(origin) else escaped(each.origin),
        people=f"{each.people:,}",
    )
    told = [text.ja if language.startswith("ja") else text.en for text in each.changes]
    changes = [f"・{escaped(cut(one_line(line), 200))}" for line in told[:8]] or (
        [f"・{say('history.first', language)}"] if each.version == 1 else []
    )
    blocks: list[Json] = [{"type": "section", "text": marked(cut("\n".join([words, *changes]), 2_900))}]
    buttons: list[Json] = []
    if each.version > 1:
        subject = Subject(name=shown.rule_id, version=current, word=f"diff:{each.version}")
        buttons.append(_button(Action.RULE_HISTORY, say("history.diff", language), subject))
    if not is_current:
        subject = Subject(name=shown.rule_id, version=current, word=str(each.version))
        asked = {"version": each.version, "people": f"{people:,}"}
        buttons.append(
            {
                **_button(Action.RULE_ROLLBACK, say("history.rollback", language), subject),
                "confirm": confirm(
                    say("rollback.confirm", language, **asked),
                    say("rollback.confirm.text", language, **asked),
                    say("history.rollback", language),
                    language,
                ),
            }
        )
    if buttons:
        blocks.append({"type": "actions", "block_id": f"version{each.version}", "elements": buttons})
    return blocks


def _difference(shown: HistoryShown, version: int, lines: Sequence[str], *, language: str) -> list[Json]:
    subject = Subject(name=shown.rule_id, version=version)
    back = _button(Action.RULE_HISTORY, say("history.back", language), subject)
    title = f"{escaped(shown.rule_id)} v{version - 1} → v{version}"
    told = list(lines) or [say("history.same", language)]
    return [
        {"type": "section", "text": marked(f"*{title}*")},
        *text_blocks(told, most=20, language=language),
        {"type": "actions", "block_id": "back", "elements": [back]},
    ]


def _button(action: Action, text: str, subject: Subject) -> Json:
    return {"type": "button", "action_id": action.value, "text": plain(text), "value": subject.encode()}

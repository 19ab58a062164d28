"""What does a question to support leads look like among the alerts, before and after its answer? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.mrkdwn import clean, cut, escaped, marked, one_line, plain, when
from bot.slack.rule_blocks.rows import confirm, who
from bot.slack.rule_blocks.steers import Subject
from bot.slack.rule_blocks.words import say

_SECTION = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A day's crowd (`is_day`: `text` is a sample), or the exact text for one customer.

    Attributes:
        state: `asked`, `approved`, `refused` or `stale`.
        is_over: the day it was about has ended without an answer.
        waiting: other questions of the rule without an answer.
    """

    approval_id: UUID
    rule_id: str
    rule_name: str
    version: int
    is_day: bool
    recipients: int
    text: str
    state: str
    answered_by: str | None = None
    answered_at: datetime | None = None
    is_over: bool = False
    waiting: int = 0


def question(asked: Question, *, language: str) -> Written:
    """The post: with buttons while it waits, with who and when afterwards."""
    name = escaped(cut(one_line(asked.rule_name), 100) or asked.rule_id)
    rule = f"{name} ({escaped(asked.rule_id)} v{asked.version})"
    if asked.is_day:
        head = say("approval.day", language, rule=rule, recipients=f"{asked.recipients:,}")
    else:
        head = say("approval.text", language, rule=rule)
    blocks: list[Json] = [{"type": "section", "text": marked(head)}]
    text = clean(asked.text).strip()
    if text:
        if asked.is_day:
            blocks.append({"type": "context", "elements": [plain(say("approval.sample", language))]})
        parts = [text[at : at + _SECTION] for at in range(0, min(len(text), 6_000), _SECTION)]
        blocks += [{"type": "section", "text": plain(part)} for part in parts]
    if asked.state == "asked" and not asked.is_over:
        blocks += _buttons(asked, text, language)
    else:
        blocks.append({"type": "context", "elements": [marked(_outcome(asked, language))]})
    return Written(text=cut(head.replace("*", ""), 3_000), blocks=blocks)


def _buttons(asked: Question, text: str, language: str) -> list[Json]:
    value = Subject(name=str(asked.approval_id), version=asked.version).encode()
    title = "approve.confirm.day" if asked.is_day else "approve.confirm"
    shown = text or f"{asked.rule_id}: {asked.recipients:,}"
    blocks: list[Json] = [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": Action.APPROVE.value,
                    "style": "primary",
                    "text": plain(say("approve", language)),
                    "value": value,
                    "confirm": confirm(say(title, language), shown, say("approve", language), language),
                },
                {
                    "type": "button",
                    "action_id": Action.REFUSE.value,
                    "text": plain(say("refuse", language)),
                    "value": value,
                    "confirm": confirm(
                        say("refuse.confirm", language), shown, say("refuse", language), language
                    ),
                },
            ],
        }
    ]
    if asked.waiting:
        words = say("approval.waiting", language, number=f"{asked.waiting:,}")
        blocks.append({"type": "context", "elements": [plain(words)]})
    return blocks


def _outcome(asked: Question, language: str) -> str:
    if asked.state in {"approved", "refused"}:
        at = when(asked.answered_at) if asked.answered_at else ""
        return say(f"approval.{asked.state}", language, who=who(asked.answered_by or "?"), at=at)
    return say("approval.over" if asked.is_over else "approval.stale", language)

"""What does it look like in Slack why a customer got something, or nothing? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.mrkdwn import clean, cut, escaped, marked, one_line, plain
from bot.slack.rule_blocks.steers import Subject
from bot.slack.rule_blocks.words import say

MOST_RULES = 12
MOST_NOT_DUE = 3
MOST_CHARACTERS = 9_000
"""Over all blocks; Slack takes about 13,000 (seen, not documented)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonShown:
    """What one rule says. `lines`: verdict, what does not hold, next chance. `is_due`: it would act."""

    rule_id: str
    title: str
    lines: Sequence[str]
    is_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyShown:
    """What every rule says of one customer. `messages`: the latest, with LINE's answer."""

    customer_id: str
    name: str
    at: str
    reasons: Sequence[ReasonShown]
    messages: Sequence[str] = ()


def why_message(shown: WhyShown, *, language: str) -> Written:
    """Folded to what matters: due rules first, a few others, each with a button for its whole trace."""
    name = escaped(cut(one_line(shown.name), 120)) or say("nameless", language)
    title = say("why.title", language, name=name, at=escaped(shown.at))
    blocks: list[Json] = [{"type": "section", "text": marked(title)}]
    due = [each for each in shown.reasons if each.is_due]
    others = [each for each in shown.reasons if not each.is_due]
    listed = [*due, *others[: MOST_NOT_DUE if due else MOST_RULES]][:MOST_RULES]
    size = len(title)
    count = 0
    for each in listed:
        text = _told(each)
        if size + len(text) > MOST_CHARACTERS:
            break
        size, count = size + len(text), count + 1
        blocks.append(
            {
                "type": "section",
                "block_id": f"why{count}",
                "text": plain(text),
                "accessory": {
                    "type": "button",
                    "action_id": Action.WHY_RULE.value,
                    "text": plain(say("why.more", language)),
                    "value": Subject(name=shown.customer_id, word=cut(each.rule_id, 300)).encode(),
                },
            }
        )
    notes = []
    if not shown.reasons:
        notes.append(say("why.none", language))
    if len(shown.reasons) > count:
        notes.append(say("why.rest", language, number=len(shown.reasons) - count))
    blocks += [{"type": "context", "elements": [plain(note)]} for note in notes]
    if shown.messages:
        told = "\n".join(cut(one_line(each), 200) for each in shown.messages[:5])
        words = f"{say('why.messages', language)}\n{told}"
        blocks.append({"type": "context", "elements": [plain(cut(words, 1_500))]})
    text = "\n".join([title.replace("*", ""), *(escaped(_told(each)) for each in listed)])
    return Written(text=cut(text, 2_900), blocks=blocks)


def _told(each: ReasonShown) -> str:
    lines = [
        cut(one_line(each.title), 150),
        *(cut(clean(line).replace("\n", " "), 300) for line in each.lines[:6]),
    ]
    return "\n".join(line for line in lines if line.strip()) or "–"


def pick_message(found: Sequence[tuple[str, str]], *, word: str, language: str) -> Written:
    """Which of several customers is meant: (our id, how they are shown).

    Args:
        word: the rule asked about, or empty.
    """
    title = say("why.pick", language, number=len(found))
    buttons: list[Json] = [
        {
            "type": "button",
            "action_id": f"{Action.WHY.value}:{number}",
            "text": plain(cut(one_line(label), 75) or customer_id[:75]),
            "value": Subject(name=customer_id, word=cut(word, 300)).encode(),
        }
        for number, (customer_id, label) in enumerate(found[:20], start=1)
    ]
    blocks: list[Json] = [{"type": "section", "text": plain(title)}]
    blocks += [
        {"type": "actions", "block_id": f"pick{at}", "elements": buttons[at : at + 5]}
        for at in range(0, len(buttons), 5)
    ]
    return Written(text=title, blocks=blocks)

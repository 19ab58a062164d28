"""What does a rule look like on a list, with the buttons that steer it? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.mrkdwn import cut, escaped, marked, mention, one_line, plain, when
from bot.slack.rule_blocks.steers import Subject
from bot.slack.rule_blocks.words import knows, say

ROWS_AT_ONCE = 10
_NEXT: Mapping[str, tuple[str, ...]] = {
    "draft": ("shadow",),
    "shadow": ("canary", "paused"),
    "canary": ("live", "paused"),
    "live": ("paused",),
    "paused": ("shadow", "live"),
}
"""Where a state leads by one press, what comes next first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleShown:
    """One rule on a list.

    Attributes:
        matched: customers it had something to say about; `sent`: messages LINE accepted.
        opted_out: customers who stopped messages after one of its; `under_way`: in it now.
        waiting: its messages that have not gone out yet.
        broken: why it cannot be read; None: it can.
    """

    rule_id: str
    name: str
    state: str
    version: int
    matched: int = 0
    sent: int = 0
    opted_out: int = 0
    under_way: int = 0
    waiting: int = 0
    broken: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseShown:
    """Is everything paused (`by`, `at`), and how many messages of rules wait?"""

    by: str | None = None
    at: datetime | None = None
    waiting: int = 0


def rule_row(rule: RuleShown, *, language: str, number: int = 0) -> list[Json]:
    """A section and its buttons: two blocks.

    Args:
        number: tells rows of one surface apart.
    """
    subject = Subject(name=rule.rule_id, version=rule.version)
    name = escaped(cut(one_line(rule.name), 150)) or escaped(rule.rule_id)
    state = say(rule.state, language) if knows(rule.state) else rule.state
    words = f"*{name}* `{escaped(rule.rule_id)}` ・ {state} ・ v{rule.version}\n"
    if rule.broken is not None:
        words += say("row.broken", language, because=escaped(cut(one_line(rule.broken), 300)))
    else:
        words += say(
            "row",
            language,
            matched=f"{rule.matched:,}",
            sent=f"{rule.sent:,}",
            opted_out=f"{rule.opted_out:,}",
            under_way=f"{rule.under_way:,}",
        )
    elements = [
        _toggle(rule, state, language, place=place) for place, state in enumerate(_NEXT.get(rule.state, ()))
    ]
    elements.append(_button(Action.RULE_EDIT.value, say("edit", language), subject))
    elements.append(
        {
            "type": "overflow",
            "action_id": Action.RULE_MORE.value,
            "options": [
                {"text": plain(say(f"more.{word}", language)), "value": word}
                for word in ("preview", "backtest", "history")
            ],
        }
    )
    return [
        {"type": "section", "text": marked(words)},
        {"type": "actions", "block_id": f"rule{number}/{subject.encode()}", "elements": elements},
    ]


def _toggle(rule: RuleShown, state: str, language: str, *, place: int) -> Json:
    action = Action.RULE_TOGGLE.value if place == 0 else f"{Action.RULE_TOGGLE.value}:{place + 1}"
    subject = Subject(name=rule.rule_id, version=rule.version, word=f"{rule.state}>{state}")
    text = say(f"toggle.{state}", language, waiting=f"{rule.waiting:,}", under_way=f"{rule.under_way:,}")
    return {
        **_button(action, say(f"to.{state}", language), subject),
        **({"style": "danger"} if state == "paused" else {"style": "primary"} if place == 0 else {}),
        "confirm": confirm(
            say("toggle.confirm", language, state=say(state, language)),
            f"{cut(one_line(rule.name), 80)}: {text}",
            say(f"to.{state}", language),
            language,
        ),
    }


def pause_row(pause: PauseShown, *, language: str) -> list[Json]:
    """Everything can be paused, or goes on again: one or two blocks."""
    waiting = f"{pause.waiting:,}"
    subject = Subject(name="all")
    if pause.at is None:
        button = {
            **_button(Action.PAUSE_ALL.value, say("pause.all", language), subject),
            "style": "danger",
            "confirm": confirm(
                say("pause.confirm", language),
                say("pause.confirm.text", language, waiting=waiting),
                say("yes", language),
                language,
            ),
        }
        return [{"type": "actions", "block_id": "pause", "elements": [button]}]
    button = {
        **_button(Action.RESUME_ALL.value, say("pause.end", language), subject),
        "style": "primary",
        "confirm": confirm(
            say("resume.confirm", language),
            say("resume.confirm.text", language, waiting=waiting),
            say("yes", language),
            language,
        ),
    }
    words = say("pause.in_force", language, by=who(pause.by or "?"), at=when(pause.at))
    return [
        {"type": "section", "text": marked(words)},
        {"type": "actions", "block_id": "pause", "elements": [button]},
    ]


def rules_list(rules: Sequence[RuleShown], pause: PauseShown, *, language: str, page: int = 0) -> Written:
    """The list as a message: at most 26 blocks."""
    last_page = max(0, (len(rules) - 1) // ROWS_AT_ONCE)
    page = min(max(page, 0), last_page)
    first = page * ROWS_AT_ONCE
    some = rules[first : first + ROWS_AT_ONCE]
    blocks: list[Json] = [{"type": "header", "text": plain(say("rules", language))}]
    blocks += pause_row(pause, language=language)
    for number, rule in enumerate(some):
        blocks += rule_row(rule, language=language, number=number)
    if not rules:
        blocks.append({"type": "context", "elements": [plain(say("rules.none", language))]})
    if last_page:
        shown = {"number": len(rules), "first": first + 1, "last": first + len(some)}
        blocks.append({"type": "context", "elements": [plain(say("rules.count", language, **shown))]})
        turns = [("previous", page - 1)] * (page > 0) + [("next", page + 1)] * (page < last_page)
        elements = [
            _button(f"{Action.RULE_LIST.value}:{word}", say(word, language), Subject(name="", word=str(to)))
            for word, to in turns
        ]
        blocks.append({"type": "actions", "block_id": "pages", "elements": elements})
    listed = ", ".join(f"{rule.rule_id} ({rule.state})" for rule in some)
    return Written(text=cut(f"{say('rules', language)}: {escaped(listed)}", 2_000), blocks=blocks)


def who(actor: str) -> str:
    """A person or a word like `cli`, as mrkdwn."""
    is_person = actor[:1] in {"U", "W"} and actor.isalnum() and actor.isupper()
    return mention(actor) if is_person else escaped(cut(actor, 40))


def confirm(title: str, text: str, yes: str, language: str) -> Json:
    """A confirm dialog within Slack's limits."""
    return {
        "title": plain(cut(title, 100)),
        "text": plain(cut(text, 300)),
        "confirm": plain(cut(yes, 30)),
        "deny": plain(say("no", language)),
    }


def _button(action_id: str, text: str, subject: Subject) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(text), "value": subject.encode()}

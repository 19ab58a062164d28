"""What does a person's App Home show? Pure: a view model in, a view that Slack takes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.ports import Json
from bot.slack.cards import LeadCard
from bot.slack.ids import Action
from bot.slack.mrkdwn import cut, escaped, marked, mention, one_line, plain, when
from bot.slack.overview.digest import OfferShown, Said, offer_blocks
from bot.slack.overview.health import HEALTH, HealthShown, health_blocks
from bot.slack.overview.orders import message_value
from bot.slack.overview.words import say
from bot.slack.rule_blocks import PauseShown, RuleShown, pause_row, rule_row
from bot.slack.words import say as say_of_cards

MOST_BLOCKS = 100
MOST_LEADS = 8
"""In each of the lists of leads."""
MOST_FAILED = 4
MOST_APPROVALS = 3
RULES_AT_ONCE = 6
NOTICE, AS_OF = "notice", "as_of"
PASSING = frozenset({NOTICE, AS_OF, HEALTH})
"""Ids of blocks that say something about the moment: they alone are no reason to publish anew."""
_BAR = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadShown:
    """One open lead in one line. `link`: to its card. `waits_since`: what they said has no answer since."""

    name: str | None
    state: str
    reason: str = ""
    score: int | None = None
    waits_since: datetime | None = None
    snoozed_until: datetime | None = None
    due_at: datetime | None = None
    offered_to: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedShown:
    """One message that failed (`dead`), or may have (`unknown`)."""

    customer_id: UUID
    message_id: UUID
    state: str
    name: str
    kind: str
    rule_id: str | None
    because: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule with its state, and what its figures say: reached, of so many whose window is over."""

    shown: RuleShown
    reached: int = 0
    judged: int = 0
    effect: Said | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaShown:
    """LINE's month. `limit` None: none is known; `left`: what rules may still send."""

    used: int
    limit: int | None
    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What only support leads see.

    Attributes:
        failed, failed_number: the latest of them, and how many there are.
        approvals: blocks of the questions that wait, each with its buttons.
        notes: what else needs a person, most pressing first.
        page: of the rules.
        opted_out: (customers who stopped messages, of how many).
    """

    pause: PauseShown
    failed: tuple[FailedShown, ...] = ()
    failed_number: int = 0
    approvals: tuple[list[Json], ...] = ()
    notes: tuple[Said, ...] = ()
    offer: OfferShown | None = None
    rules: tuple[RuleLine, ...] = ()
    page: int = 0
    quota: QuotaShown | None = None
    opted_out: tuple[int, int] = (0, 0)
    added: Said | None = None
    learned: Said | None = None
    as_of: datetime | None = None
    health: HealthShown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeShown:
    """One person's tab. `notice`: what came of the button they just pressed."""

    mine: tuple[LeadShown, ...] = ()
    mine_number: int = 0
    unclaimed: tuple[LeadShown, ...] = ()
    unclaimed_number: int = 0
    steering: Steering | None = None
    notice: str | None = None


def home_view(home: HomeShown, *, language: str) -> Json:
    """The tab: what needs this person first; at most 100 blocks."""
    blocks: list[Json] = []
    if home.notice:
        text = marked(cut(home.notice, 2_900))
        blocks.append({"type": "section", "block_id": NOTICE, "text": text})
    if home.steering is not None:
        blocks += _needs(home.steering, language)
    blocks += _leads(home, language)
    if home.steering is not None:
        blocks += _rules(home.steering, language)
    return {"type": "home", "blocks": blocks[:MOST_BLOCKS]}


# --- leads --------------------------------------------------------------------------------------------


def _leads(home: HomeShown, language: str) -> list[Json]:
    waiting = [each for each in home.mine if each.waits_since is not None]
    due = sorted(
        (each for each in home.mine if each.waits_since is None and each.snoozed_until is not None),
        key=lambda each: each.snoozed_until.timestamp() if each.snoozed_until else 0.0,
    )
    rest = [each for each in home.mine if each.waits_since is None and each.snoozed_until is None]
    blocks: list[Json] = [_header("mine", language, number=home.mine_number)]
    if not home.mine:
        blocks.append(_quiet(say("mine.none", language)))
    for key, some in (("waiting", waiting), ("due", due), ("working", rest)):
        if some:
            blocks += _list(say(key, language, number=len(some)), some, len(some), language)
    if home.mine_number > len(home.mine):
        blocks.append(_quiet(say("more", language, number=home.mine_number - len(home.mine))))
    blocks.append(_header("unclaimed", language, number=home.unclaimed_number))
    if not home.unclaimed:
        blocks.append(_quiet(say("unclaimed.none", language)))
    else:
        blocks += _list(None, home.unclaimed, home.unclaimed_number, language)
    return blocks


def _list(title: str | None, some: Sequence[LeadShown], number: int, language: str) -> list[Json]:
    """One section for a few leads at a time: a section of mrkdwn holds 3,000 characters."""
    shown = [_lead(each, language) for each in some[:MOST_LEADS]]
    blocks: list[Json] = []
    if title is not None:
        blocks.append(_quiet(title))
    blocks += [{"type": "section", "text": marked(line)} for line in shown]
    if number > len(shown):
        blocks.append(_quiet(say("more", language, number=number - len(shown))))
    return blocks


def _lead(lead: LeadShown, language: str) -> str:
    name = escaped(cut(one_line(lead.name or ""), 60)) or say("nameless", language)
    parts = [f"*<{lead.link}|{name}>*" if lead.link else f"*{name}*"]
    if lead.score is not None:
        parts.append(say("score", language, score=lead.score))
    if lead.reason:
        parts.append(escaped(cut(one_line(lead.reason), 120)))
    if lead.waits_since is not None:
        parts.append(say("said_at", language, at=when(lead.waits_since)))
    if lead.snoozed_until is not None:
        parts.append(say("until", language, at=when(lead.snoozed_until)))
    if lead.offered_to is not None:
        parts.append(say("asked", language, who=mention(lead.offered_to)))
    if lead.due_at is not None:
        parts.append(say("claim_by", language, at=when(lead.due_at)))
    return " · ".join(parts)


# --- what needs a support lead ------------------------------------------------------------------------


def _needs(steering: Steering, language: str) -> list[Json]:
    blocks = pause_row(steering.pause, language=language)
    blocks.append(_header("needs", language))
    if not (steering.failed or steering.approvals or steering.notes):
        blocks.append(_quiet(say("needs.none", language)))
    if steering.notes:
        lines = [f"• {escaped(cut(one_line(each.read(language)), 150))}" for each in steering.notes[:3]]
        blocks.append({"type": "section", "text": marked("\n".join(lines))})
    for each in steering.failed[:MOST_FAILED]:
        blocks += _failed(each, language)
    if steering.failed_number > len(steering.failed[:MOST_FAILED]):
        blocks.append(_quiet(say("more", language, number=steering.failed_number - MOST_FAILED)))
    for question in steering.approvals[:MOST_APPROVALS]:
        blocks += question[:6]
    if steering.offer is not None:
        blocks += offer_blocks(steering.offer, language=language)
    return blocks


def _failed(failed: FailedShown, language: str) -> list[Json]:
    kind = say("kind.other", language)
    if failed.kind == "person":
        kind = say("kind.person", language)
    elif failed.rule_id is not None:
        kind = say("kind.rule", language, rule=escaped(cut(failed.rule_id, 60)))
    words = say(
        "message",
        language,
        name=escaped(cut(one_line(failed.name), 60)) or say("nameless", language),
        what=say("dead" if failed.state == "dead" else "unknown", language),
        kind=kind,
        at=when(failed.at),
        because=escaped(cut(one_line(failed.because), 200)),
    )
    value = message_value(failed.customer_id, failed.message_id)
    actions = [(Action.REPLAY, "replay"), (Action.LEAVE, "leave")]
    if failed.state != "dead":
        actions = [(Action.ARRIVED, "arrived"), (Action.AGAIN, "again"), (Action.LEAVE, "leave")]
    return [
        {"type": "section", "text": marked(words)},
        {
            "type": "actions",
            "block_id": f"failed/{failed.message_id}",
            "elements": [
                {
                    "type": "button",
                    "action_id": action.value,
                    "text": plain(say(word, language)),
                    "value": value,
                    "confirm": {
                        "title": plain(say(word, language)),
                        "text": plain(say(f"{word}.confirm", language)),
                        "confirm": plain(say(word, language)),
                        "deny": plain(say("cancel", language)),
                    },
                }
                for action, word in actions
            ],
        },
    ]


# --- rules and their figures --------------------------------------------------------------------------


def _rules(steering: Steering, language: str) -> list[Json]:
    last = max(0, (len(steering.rules) - 1) // RULES_AT_ONCE)
    page = min(max(steering.page, 0), last)
    some = steering.rules[page * RULES_AT_ONCE :][:RULES_AT_ONCE]
    blocks: list[Json] = [_header("rules", language, number=len(steering.rules))]
    if not steering.rules:
        blocks.append(_quiet(say("rules.none", language)))
    for number, rule in enumerate(some):
        blocks += rule_row(rule.shown, language=language, number=number)
        if rule.effect is not None:
            said = escaped(cut(one_line(rule.effect.read(language)), 300))
            line = say(
                "reached", language, reached=f"{rule.reached:,}", judged=f"{rule.judged:,}", effect=said
            )
            blocks.append({"type": "context", "elements": [marked(line)]})
    turns = [("previous", page - 1)] * (page > 0) + [("next", page + 1)] * (page < last)
    if turns:
        elements = [
            {
                "type": "button",
                "action_id": f"{Action.HOME_PAGE.value}:{number}",
                "text": plain(say(word, language)),
                "value": str(to),
            }
            for number, (word, to) in enumerate(turns)
        ]
        blocks.append({"type": "actions", "block_id": "pages", "elements": elements})
    blocks.append({"type": "divider"})
    blocks.append({"type": "section", "text": marked("\n".join(_standing(steering, language)))})
    if steering.as_of is not None:
        at = say("as_of", language, at=when(steering.as_of))
        blocks.append({"type": "context", "block_id": AS_OF, "elements": [marked(at)]})
    if steering.health is not None:
        blocks += health_blocks(steering.health, language=language)
    return blocks


def _standing(steering: Steering, language: str) -> list[str]:
    lines = []
    if (quota := steering.quota) is not None:
        lines.append(_quota(quota, language))
    number, people = steering.opted_out
    share = f"{number / people:.1%}" if people else "–"
    lines.append(say("opt_outs", language, number=f"{number:,}", people=f"{people:,}", share=share))
    for key, said in (("added", steering.added), ("learned", steering.learned)):
        if said is not None:
            lines.append(say(key, language, said=escaped(cut(one_line(said.read(language)), 250))))
    return lines


def _quota(quota: QuotaShown, language: str) -> str:
    if not quota.limit:
        return say("quota.free", language, used=f"{quota.used:,}")
    full = min(_BAR, round(_BAR * quota.used / quota.limit))
    left = f"{quota.left:,}" if quota.left is not None else "–"
    return say(
        "quota",
        language,
        bar="█" * full + "░" * (_BAR - full),
        used=f"{quota.used:,}",
        limit=f"{quota.limit:,}",
        left=left,
    )


def _header(key: str, language: str, **values: object) -> Json:
    return {"type": "header", "text": plain(cut(say(key, language, **values), 150))}


def _quiet(words: str) -> Json:
    return {"type": "context", "elements": [plain(words)]}


def lead_line(card: LeadCard, *, language: str) -> str:
    """One lead in one line of mrkdwn, as `/leads` lists it."""
    name = cut(one_line(card.name or ""), 60) or say_of_cards("nameless", language)
    parts = [f"*{escaped(name)}*"]
    if card.reasons:
        parts.append(escaped(cut(one_line(card.reasons[0].text), 120)))
    if card.state == "snoozed" and card.snoozed_until:
        parts.append(say_of_cards("state.snoozed", language, until=when(card.snoozed_until)))
    elif card.last_contact_at:
        parts.append(f"{say_of_cards('contact', language)}: {when(card.last_contact_at)}")
    return " · ".join(parts)

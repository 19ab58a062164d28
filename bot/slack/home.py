"""What does a person's App Home show? Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports import Json
from bot.slack.cards import LeadCard
from bot.slack.mrkdwn import cut, escaped, marked, one_line, plain, when
from bot.slack.words import say

MOST_LEADS = 20


def home_view(cards: Sequence[LeadCard], *, language: str) -> Json:
    """The tab: this person's open leads, the longest open first."""
    blocks: list[Json] = [{"type": "header", "text": plain(say("home.mine", language))}]
    blocks += [
        {"type": "section", "text": marked(lead_line(card, language=language))} for card in cards[:MOST_LEADS]
    ]
    if not cards:
        blocks.append({"type": "context", "elements": [plain(say("home.none", language))]})
    return {"type": "home", "blocks": blocks}


def lead_line(card: LeadCard, *, language: str) -> str:
    """One lead in one line of mrkdwn."""
    name = cut(one_line(card.name or ""), 60) or say("nameless", language)
    parts = [f"*{escaped(name)}*"]
    if card.reasons:
        parts.append(escaped(cut(one_line(card.reasons[0].text), 120)))
    if card.state == "snoozed" and card.snoozed_until:
        parts.append(say("state.snoozed", language, until=when(card.snoozed_until)))
    elif card.last_contact_at:
        parts.append(f"{say('contact', language)}: {when(card.last_contact_at)}")
    return " · ".join(parts)

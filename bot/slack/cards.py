"""What does a lead's card look like? Pure: a view model in, a message that Slack takes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.ports import Json
from bot.slack.ids import WISHES, Action, Target, draft_block, numbered
from bot.slack.limits.messages import read_characters
from bot.slack.mrkdwn import clean, cut, escaped, marked, mention, one_line, plain, when
from bot.slack.words import knows, say

MAX_BLOCKS = 12
MAX_CHARACTERS = 3_000
"""Of everything on the card together, confirm dialogs included: about one phone screen."""
MAX_REASONS = 3
MAX_LINES = 3
MAX_DRAFTS = 3
CONFIRM_CHARACTERS = 300
"""Slack's limit of a confirm dialog's text. A draft that does not fit whole has no Send button."""
_DRAFTS_CHARACTERS = 1_400
_LINES_CHARACTERS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason why now."""

    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLine:
    """One thing that was said. `speaker`: `customer` or `us`."""

    speaker: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDraft:
    """One proposed reply. `findings`: what its checks found; `is_blocked`: one of them forbids Send."""

    draft_id: UUID
    text: str
    source: str
    findings: tuple[str, ...] = ()
    is_blocked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The latest message sent from this card. `state`: the message's. `because`: why it failed."""

    by: str
    at: datetime
    state: str
    because: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCard:
    """Everything a card shows. Names and texts are as their owners wrote them.

    `unreachable`: `not_linked` or `blocked` when no message can go out. `is_drafting`: drafts will come.
    `offered_to`, `due_at`: who is asked to take it, and until when somebody has to.
    `is_persons`: the bot is silent in this conversation.
    """

    lead_id: UUID
    revision: int
    state: str
    name: str | None = None
    company: str | None = None
    plan: str | None = None
    score: int | None = None
    owner: str | None = None
    claimed_at: datetime | None = None
    snoozed_until: datetime | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None
    disposition: str | None = None
    last_contact_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    lines: tuple[CardLine, ...] = ()
    drafts: tuple[CardDraft, ...] = ()
    is_drafting: bool = False
    sent: Sent | None = None
    unreachable: str | None = None
    value: str | None = None
    offered_to: str | None = None
    due_at: datetime | None = None
    is_persons: bool = False

    @property
    def is_open(self) -> bool:
        """Still somebody's to act on."""
        return self.state in {"new", "claimed", "snoozed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A message for Slack: `text` for notifications and screen readers, and its blocks."""

    text: str
    blocks: list[Json]


def lead_card(card: LeadCard, *, language: str) -> Written:
    """The card in the channel's language: at most 12 blocks and 3,000 characters."""
    head = [_header(card, language), *_reasons(card), _fields(card, language)]
    drafts = _drafts(card, language) if card.is_open else []
    foot = [*_actions(card, language), _state(card, language)]
    taken = read_characters([*head, *drafts, *foot])
    said = _lines(card, language, most=min(_LINES_CHARACTERS, MAX_CHARACTERS - taken))
    name = one_line(card.name or "") or say("nameless", language)
    first = one_line(card.reasons[0].text) if card.reasons else ""
    summary = " — ".join(
        part for part in (say("header", language, name=cut(name, 80)), cut(first, 150)) if part
    )
    return Written(text=escaped(summary), blocks=[*head, *said, *drafts, *foot])


def sendable(draft: CardDraft) -> bool:
    """Whether Send may stand on the card: the whole text fits into the dialog, and no check forbids it."""
    shown = len(draft.text.encode("utf-16-le", "surrogatepass")) // 2
    is_exact = draft.text == clean(draft.text) and bool(draft.text.strip())
    return is_exact and shown <= CONFIRM_CHARACTERS and not draft.is_blocked


# --- blocks -------------------------------------------------------------------------------------------


def _header(card: LeadCard, language: str) -> Json:
    name = cut(one_line(card.name or ""), 60) or say("nameless", language)
    company = cut(one_line(card.company or ""), 50)
    title = say("header", language, name=name)
    if company:
        title = say("header.company", language, name=name, company=company)
    if card.score is not None:
        title += say("score", language, score=card.score)
    return {"type": "header", "text": plain(cut(title, 150))}


def _reasons(card: LeadCard) -> list[Json]:
    elements = []
    for reason in card.reasons[:MAX_REASONS]:
        moment = f" {when(reason.at)}" if reason.at else ""
        elements.append(marked(f"• {_cut_escaped(reason.text, 110)}{moment}"))
    return [{"type": "context", "elements": elements}] if elements else []


def _fields(card: LeadCard, language: str) -> Json:
    owner = mention(card.owner) if card.owner else say("nobody", language)
    if card.owner is None and card.offered_to:
        owner = say("asked", language, who=mention(card.offered_to))
    contact = when(card.last_contact_at) if card.last_contact_at else say("never", language)
    fields = [
        marked(f"*{say('owner', language)}*\n{owner}"),
        marked(f"*{say('contact', language)}*\n{contact}"),
    ]
    if card.state == "new" and card.due_at:
        fields.append(marked(f"*{say('due', language)}*\n{when(card.due_at)}"))
    for label, value in (("plan", card.plan), ("value", card.value), ("company", card.company)):
        if value and one_line(value):
            fields.append(plain(f"{say(label, language)}\n{cut(one_line(value), 50)}"))
    return {"type": "section", "fields": fields}


def _lines(card: LeadCard, language: str, *, most: int) -> list[Json]:
    shown: list[str] = []
    left = most
    for line in reversed(card.lines[-MAX_LINES:]):
        whole = f"{say(line.speaker, language)}: {clean(line.text).strip()}"
        text = cut(whole, min(left, 300))
        if len(text) < min(len(whole), 12):
            break
        shown.insert(0, text)
        left -= len(text) + 1
    return [{"type": "section", "text": plain("\n".join(shown))}] if shown else []


def _drafts(card: LeadCard, language: str) -> list[Json]:
    if card.unreachable or not card.drafts:
        key = f"unreachable.{card.unreachable}" if card.unreachable else "draft.pending"
        is_said = bool(card.unreachable) or card.is_drafting
        return [{"type": "context", "elements": [plain(say(key, language))]}] if is_said else []
    blocks: list[Json] = []
    shown = card.drafts[:MAX_DRAFTS]
    for number, draft in enumerate(shown, start=1):
        pair = _draft(card, draft, number, len(shown), language)
        if blocks and read_characters([*blocks, *pair]) > _DRAFTS_CHARACTERS:
            break
        blocks += pair
    return blocks


def _draft(card: LeadCard, draft: CardDraft, number: int, of: int, language: str) -> list[Json]:
    kind = f"draft.{draft.source}"
    label = say(kind if knows(kind) else "draft.model", language) + (f" ({number}/{of})" if of > 1 else "")
    notes = [f"⚠️ {cut(one_line(finding), 80)}" for finding in draft.findings[:3]]
    can_send = sendable(draft)
    if not notes:
        notes.append(say("draft.checked", language))
    if not can_send:
        notes.append(say("draft.blocked" if draft.is_blocked else "draft.too_long", language))
    text = draft.text if can_send else cut(clean(draft.text), 400)
    target = Target(lead_id=card.lead_id, draft_id=draft.draft_id, revision=card.revision)
    value = target.encode()
    elements: list[Json] = []
    if can_send:
        send = _button(numbered(Action.SEND, number, of=of), say("send", language), value, style="primary")
        send["confirm"] = {
            "title": plain(say("confirm.send", language)),
            "text": plain(draft.text),
            "confirm": plain(say("confirm.send.yes", language)),
            "deny": plain(say("cancel", language)),
        }
        elements.append(send)
    elements.append(_button(numbered(Action.EDIT, number, of=of), say("edit", language), value))
    if number == 1:
        elements.append(_button(Action.REGENERATE, say("regenerate", language), value))
    elements.append(_wishes(number, of, language))
    return [
        {
            "type": "rich_text",
            "elements": [
                _rich("rich_text_section", label, style={"bold": True}),
                *(_rich("rich_text_section", f"\n{note}") for note in notes),
                _rich("rich_text_quote", text or " "),
            ],
        },
        {"type": "actions", "block_id": draft_block(target, number), "elements": elements},
    ]


def _wishes(number: int, of: int, language: str) -> Json:
    options = [{"text": plain(say(f"more.{wish}", language)), "value": wish} for wish in WISHES]
    return {"type": "overflow", "action_id": numbered(Action.MORE, number, of=of), "options": options}


def _actions(card: LeadCard, language: str) -> list[Json]:
    value = Target(lead_id=card.lead_id, draft_id=None, revision=card.revision).encode()
    elements: list[Json] = []
    if card.sent is not None and card.sent.state == "queued":
        elements.append(_button(Action.UNDO, say("undo", language), value, style="danger"))
    if card.is_open:
        if card.owner is None:
            elements.append(_button(Action.CLAIM, say("claim", language), value))
        if card.state != "snoozed":
            elements.append(_button(Action.SNOOZE, say("snooze", language), value))
        elements.append(_button(Action.DISMISS, say("dismiss", language), value))
        elements.append(_closing(Action.WON, "won", value, language))
        elements.append(_closing(Action.LOST, "lost", value, language))
        if card.sent is not None and card.sent.state in {"accepted", "unknown"}:
            elements.append(_button(Action.SENT, say("sent", language), value))
        if card.is_persons:
            elements.append(_button(Action.GIVE_BACK, say("give_back", language), value))
    return [{"type": "actions", "elements": elements}] if elements else []


def _closing(action: Action, word: str, value: str, language: str) -> Json:
    button = _button(action, say(word, language), value)
    button["confirm"] = {
        "title": plain(say(f"confirm.{word}", language)),
        "text": plain(say("confirm.close", language)),
        "confirm": plain(say(word, language)),
        "deny": plain(say("cancel", language)),
    }
    return button


def _state(card: LeadCard, language: str) -> Json:
    parts = []
    if card.sent is not None and knows(f"sent.{card.sent.state}"):
        who, at = mention(card.sent.by), when(card.sent.at)
        parts.append(say(f"sent.{card.sent.state}", language, who=who, at=at))
        if card.sent.because and card.sent.state in {"dead", "superseded"}:
            parts.append(_cut_escaped(card.sent.because, 100))
    if not card.is_open:
        who = mention(card.closed_by) if card.closed_by else ""
        at = when(card.closed_at) if card.closed_at else ""
        parts.append(say(f"state.{card.state}", language, who=who, at=at))
        if card.disposition:
            key = f"reason.{card.disposition}"
            parts.append(say(key, language) if knows(key) else _cut_escaped(card.disposition, 60))
    elif card.state == "snoozed" and card.snoozed_until:
        parts.append(say("state.snoozed", language, until=when(card.snoozed_until)))
    elif card.owner and card.claimed_at:
        parts.append(say("state.claimed", language, who=mention(card.owner), at=when(card.claimed_at)))
    else:
        parts.append(say("state.new", language))
    return {"type": "context", "elements": [marked(" · ".join(parts))]}


# --- pieces -------------------------------------------------------------------------------------------


def _button(action_id: str, label: str, value: str, *, style: str | None = None) -> Json:
    button: Json = {"type": "button", "action_id": str(action_id), "text": plain(label), "value": value}
    return {**button, "style": style} if style else button


def _rich(kind: str, text: str, *, style: Json | None = None) -> Json:
    element: Json = {"type": "text", "text": text}
    return {"type": kind, "elements": [{**element, "style": style} if style else element]}


def _cut_escaped(text: str, most: int) -> str:
    """Escaped, at most `most` characters, never cut inside an escape."""
    kept = cut(one_line(text), most)
    while (excess := len(escaped(kept)) - most) > 0:
        kept = cut(kept, len(kept) - 1 - excess // 5)
    return escaped(kept)

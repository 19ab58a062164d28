"""What do a lead's rows say, put the way its card and thread show it?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.ports import Json
from bot.slack.cards import CardDraft, CardLine, LeadCard, Reason, Sent, Written
from bot.slack.ids import Action, Target
from bot.slack.mrkdwn import clean, cut, escaped, marked, mention, one_line, plain
from bot.slack.words import knows, say
from db.desk.lead_cards import LeadContext, SaidThing
from db.talk.conversations import PERSON, InboundLine
from db.talk.drafts import Draft
from db.talk.files import OfferedFile
from db.talk.messages import Message

_SECTION = 3_000
_LINE_MOST = 5_000


def card_of(context: LeadContext, *, language: str, value_attribute: str | None = None) -> LeadCard:
    """The view model of a lead's card.

    Args:
        value_attribute: of the customer, or of their company: what they are worth.
    """
    lead, conversation = context.lead, context.conversation
    contacts = [
        moment
        for moment in (
            conversation and conversation.last_inbound_at,
            conversation and conversation.last_outbound_at,
        )
        if moment
    ]
    return LeadCard(
        lead_id=lead.lead_id,
        revision=lead.revision,
        state=lead.state,
        name=name_of(context),
        company=_company(context),
        plan=_text(context.attributes.get("plan")),
        score=lead.score,
        owner=lead.owner,
        claimed_at=lead.claimed_at,
        snoozed_until=lead.snoozed_until,
        closed_by=lead.closed_by,
        closed_at=lead.closed_at,
        disposition=lead.disposition,
        last_contact_at=max(contacts, default=None),
        reasons=tuple(_reason(reason, language) for reason in lead.reasons),
        lines=tuple(card_line(thing, language) for thing in context.said if _is_talk(thing)),
        drafts=tuple(_draft(draft, language) for draft in context.proposals),
        is_drafting=context.is_to_be_drafted,
        sent=_sent(context.sent),
        unreachable=context.unreachable,
        value=_value(context, value_attribute),
        offered_to=lead.offered_to,
        due_at=lead.remind_at,
        is_persons=conversation is not None and conversation.mode == PERSON,
    )


def _is_talk(thing: SaidThing) -> bool:
    """Said by the customer or by a person of ours: the program's own notices only take room on a card."""
    return thing.outbound is None or thing.outbound.kind != "answer"


def name_of(context: LeadContext) -> str | None:
    """What the customer is called: as the product knows them, else as they call themselves on LINE."""
    told = _text(context.attributes.get("name"))
    return told or (context.line_user.display_name if context.line_user else None)


def card_line(thing: SaidThing, language: str) -> CardLine:
    """One thing that was said."""
    if thing.inbound is not None:
        return CardLine(speaker="customer", text=inbound_text(thing.inbound, language))
    return CardLine(speaker="us", text=thing.outbound.plain_text if thing.outbound else "")


def inbound_text(line: InboundLine, language: str) -> str:
    """What the customer said, or what kind of thing it was."""
    if line.unsent_at is not None:
        return say("unsent", language)
    if line.text:
        return line.text
    return say(f"kind.{line.kind}" if knows(f"kind.{line.kind}") else "kind.other", language)


def thread_line(
    content: Mapping[str, object],
    *,
    line: InboundLine | None = None,
    message: Message | None = None,
    file: OfferedFile | None = None,
    language: str,
) -> Written:
    """A line of a lead's thread: what the customer said, what we wrote, a file offered, or our sentence."""
    if "line_message_id" in content:
        return _quoted("💬", say("customer", language), inbound_text(line, language) if line else "…")
    if "message_id" in content:
        who = mention(message.approved_by) if message and message.approved_by else say("us", language)
        return _quoted("📤", who, message.plain_text if message else "…")
    if "file_id" in content and file is not None:
        return _offered(file, language)
    told = str(content.get("ja" if language.startswith("ja") else "en") or content.get("ja") or "…")
    text = cut(told, _SECTION)
    return Written(text=text, blocks=[{"type": "section", "text": marked(text)}])


def _offered(file: OfferedFile, language: str) -> Written:
    name = cut(one_line(file.name), 120) or "file"
    target = Target(lead_id=file.lead_id, draft_id=file.file_id, revision=0)
    button: Json = {
        "type": "button",
        "action_id": Action.FILE.value,
        "text": plain(say("file.send", language)),
        "value": target.encode(),
        "confirm": {
            "title": plain(say("confirm.file", language)),
            "text": plain(name),
            "confirm": plain(say("confirm.send.yes", language)),
            "deny": plain(say("cancel", language)),
        },
    }
    words = f"📎 {name}"
    return Written(
        text=escaped(words),
        blocks=[
            {"type": "section", "text": plain(words)},
            {"type": "actions", "elements": [button]},
        ],
    )


def _quoted(sign: str, who: str, text: str) -> Written:
    said = cut(clean(text), _LINE_MOST) or " "
    parts = [said[at : at + _SECTION] for at in range(0, len(said), _SECTION)]
    blocks: list[Json] = [{"type": "context", "elements": [marked(f"{sign} {who}")]}]
    blocks += [{"type": "section", "text": plain(part)} for part in parts]
    return Written(text=cut(f"{sign} {who}: {escaped(cut(said, 600))}", 3_500), blocks=blocks)


def _company(context: LeadContext) -> str | None:
    if context.account is not None and (name := _text(context.account.attributes.get("name"))):
        return name
    return _text(context.attributes.get("company"))


def _value(context: LeadContext, attribute: str | None) -> str | None:
    if attribute is None:
        return None
    value = context.attributes.get(attribute)
    if value is None and context.account is not None:
        value = context.account.attributes.get(attribute)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    return _text(value)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _reason(reason: Json, language: str) -> Reason:
    told = reason.get("ja" if language.startswith("ja") else "en") or reason.get("ja") or ""
    try:
        at = datetime.fromisoformat(str(reason.get("at")))
    except ValueError:
        at = None
    return Reason(text=str(told), at=at)


def _draft(draft: Draft, language: str) -> CardDraft:
    told = "ja" if language.startswith("ja") else "en"
    return CardDraft(
        draft_id=draft.draft_id,
        text=draft.text,
        source=draft.source,
        findings=tuple(str(finding.get(told) or "") for finding in draft.findings),
        is_blocked=draft.source != "person" and any(finding.get("is_blocking") for finding in draft.findings),
    )


def _sent(message: Message | None) -> Sent | None:
    if message is None:
        return None
    return Sent(
        by=message.approved_by or "",
        at=message.settled_at if message.settled_at and message.state != "queued" else message.promised_at,
        state=message.state,
        because=message.because,
    )

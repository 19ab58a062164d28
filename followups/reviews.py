"""Has a support lead approved this very message for this customer, as `approval: review` asks?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b

from followups.facts import Facts, FollowUpState, Review, ReviewState
from followups.rules.conditions import Text
from followups.rules.model import MessageTemplate, Rule
from followups.verdicts import GateResult
from followups.words.text import MissingValue, RenderedMessage, render_message

REVIEW = "review"
GATE = "approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a support lead is asked about: the text as the customer would read it."""

    step: str
    text: str
    text_hash: str
    revision: int


def text_hash(rendered: RenderedMessage) -> str:
    """Stands for everything the customer reads and can tap: text, button, address, quick replies."""
    parts = [
        rendered.text,
        rendered.button_label,
        rendered.button_url,
        [[reply.label, reply.signal, reply.is_lead] for reply in rendered.quick_replies],
    ]
    written = json.dumps(parts, ensure_ascii=True).encode()
    return blake2b(written, digest_size=16).hexdigest()


def review(
    facts: Facts, rule: Rule, message: MessageTemplate, *, step: str
) -> tuple[GateResult, Asked | None]:
    """The gate `approval` of one message, and what to ask where nothing that fits was asked yet.

    An answer counts for one version of the rule, one occasion, one step, one text and one revision of the
    conversation; whatever changes, it is asked anew.
    """
    if rule.approval != REVIEW:
        because = Text(ja="文面ごとの承認は不要", en="needs no approval of each text")
        return GateResult(gate=GATE, passes=True, because=because), None
    rendered = render_message(message, facts)
    if isinstance(rendered, MissingValue):
        return GateResult(gate=GATE, passes=False, because=rendered.because), None
    revision = facts.conversation.revision if facts.conversation is not None else 0
    wanted = Asked(step=step, text=rendered.text, text_hash=text_hash(rendered), revision=revision)
    answer = facts.reviews.get(rule.id)
    if answer is None or not _fits(answer, wanted, rule, facts):
        because = Text(ja="文面の承認を求めています", en="asks a support lead to approve the text")
        return GateResult(gate=GATE, passes=False, because=because), wanted
    match answer.state:
        case ReviewState.APPROVED:
            because = Text(ja="この文面は承認済み", en="this text was approved")
            return GateResult(gate=GATE, passes=True, because=because), None
        case ReviewState.REFUSED:
            because = Text(ja="この文面は承認されなかった", en="a support lead refused this text")
            return GateResult(gate=GATE, passes=False, because=because, is_final=True), None
        case ReviewState.ASKED:
            because = Text(ja="文面の承認待ち", en="the text waits for approval")
            return GateResult(gate=GATE, passes=False, because=because), None


def _fits(answer: Review, wanted: Asked, rule: Rule, facts: Facts) -> bool:
    passage = facts.follow_ups.get(rule.id)
    if passage is not None and passage.state is FollowUpState.ACTIVE:
        is_this_occasion = answer.occasion == passage.occasion
    else:
        is_this_occasion = answer.occasion > (passage.occasion if passage is not None else 0)
    return is_this_occasion and (answer.rule_version, answer.step, answer.text_hash, answer.revision) == (
        rule.version,
        wanted.step,
        wanted.text_hash,
        wanted.revision,
    )

"""What would our messages look like to LINE, in every language, before anybody gets them?"""

from __future__ import annotations

from bot.line.bubbles import Json, bubbles_of
from bot.line.limits import Problem, validate_messages
from followups.rules.model import MessageTemplate, Sender
from followups.words.placeholders import MissingValue, render, slots
from followups.words.text import RenderedMessage, RenderedQuickReply, choose

_LINK = "https://bot.example.com/r/abcdefghijklmnopqrstuv"
_NAME = "田中花子"


def examples(template: MessageTemplate, sender: Sender | None = None) -> list[tuple[str, list[Json]]]:
    """(language, message objects) of a template, its placeholders filled with a name."""
    found = []
    for language, text in template.text.items():
        rendered = render(text, dict.fromkeys(slots(text)[0], _NAME), language=language)
        if isinstance(rendered, MissingValue):
            continue
        message = RenderedMessage(
            language=language,
            text=rendered.text,
            button_label=choose(template.button_label, language)[1] if template.button_label else None,
            button_url=template.button_url,
            quick_replies=tuple(
                RenderedQuickReply(
                    label=choose(each.label, language)[1], signal=each.signal, is_lead=each.is_lead
                )
                for each in template.quick_replies
            ),
            image=template.image,
            coupon=template.coupon,
        )
        found.append((language, bubbles_of(message, link_of=lambda _: _LINK, sender=sender)))
    return found


def problems_of(template: MessageTemplate, sender: Sender | None = None) -> list[tuple[str, Problem]]:
    """(language, what LINE would refuse), by our own reading of its reference; nothing: it is sound."""
    return [
        (language, problem)
        for language, bubbles in examples(template, sender)
        for problem in validate_messages(bubbles)
    ]

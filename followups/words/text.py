"""What does a message read for this customer, in their language, and is anything wrong with it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from followups.facts import AttributeValue, Facts
from followups.rules.conditions import Text
from followups.rules.model import MessageTemplate, Picture
from followups.words.lint import (
    MAX_BUBBLE_TEXT,
    MAX_LABEL,
    MAX_TEXT,
    Finding,
    Severity,
    grapheme_length,
    lint,
    utf16_length,
)
from followups.words.placeholders import BadPlaceholder, MissingValue, Rendered, render, slots

__all__ = [
    "MAX_LABEL",
    "MAX_TEXT",
    "OPT_OUT",
    "BadPlaceholder",
    "Finding",
    "MissingValue",
    "Rendered",
    "RenderedMessage",
    "RenderedQuickReply",
    "Severity",
    "choose",
    "customer_values",
    "grapheme_length",
    "lint",
    "lint_message",
    "missing_value",
    "primary_language",
    "render",
    "render_message",
    "slots",
    "utf16_length",
]

DEFAULT_LANGUAGE = "ja"
OPT_OUT = "optout"
"""The reserved signal of a quick reply that stops messages: sent as the opt-out postback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedQuickReply:
    """An answer in one tap, its label in the customer's language. `signal` `optout` is the opt-out."""

    label: str
    signal: str
    is_lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """A message as the customer reads it. `button_url` is the untracked address."""

    language: str
    text: str
    button_label: str | None = None
    button_url: str | None = None
    quick_replies: tuple[RenderedQuickReply, ...] = ()
    image: Picture | None = None
    coupon: str | None = None
    is_salutation_dropped: bool = False


def primary_language(tag: str | None) -> str:
    """`ja-JP` → `ja`; nothing → `ja`."""
    return (tag or DEFAULT_LANGUAGE).replace("_", "-").split("-")[0].lower() or DEFAULT_LANGUAGE


def choose(by_language: Mapping[str, str], language: str | None) -> tuple[str, str]:
    """(language, text): the customer's language, else Japanese, else English, else the first there is."""
    for tag in (primary_language(language), DEFAULT_LANGUAGE, "en"):
        if tag in by_language:
            return tag, by_language[tag]
    return next(iter(by_language.items()), (DEFAULT_LANGUAGE, ""))


def customer_values(facts: Facts) -> dict[str, AttributeValue]:
    """What `customer.…` placeholders stand for: the attributes, `name` and `company` among them."""
    return {f"customer.{name}": value for name, value in facts.attributes.items()}


def render_message(
    template: MessageTemplate, facts: Facts, *, values: Mapping[str, AttributeValue] | None = None
) -> RenderedMessage | MissingValue:
    """A template for one customer, in their language.

    Args:
        values: what is known besides the customer: `staff.name`, `event.<property>`.
    """
    language, text = choose(template.text, facts.language)
    rendered = render(text, {**customer_values(facts), **(values or {})}, language=language)
    if isinstance(rendered, MissingValue):
        return rendered
    label = choose(template.button_label, language)[1] if template.button_label else None
    return RenderedMessage(
        language=language,
        text=rendered.text,
        button_label=label,
        button_url=template.button_url,
        quick_replies=tuple(
            RenderedQuickReply(
                label=choose(each.label, language)[1], signal=each.signal, is_lead=each.is_lead
            )
            for each in template.quick_replies
        ),
        image=template.image,
        coupon=template.coupon,
        is_salutation_dropped=rendered.is_salutation_dropped,
    )


def missing_value(template: MessageTemplate, facts: Facts) -> MissingValue | None:
    """The customer's value without which this message cannot be written; None: it can.

    Placeholders of `staff` and `event` are known only where the message is written and pass here.
    """
    language, text = choose(template.text, facts.language)
    others = {name: "…" for name in slots(text)[0] if not name.startswith("customer.")}
    rendered = render(text, {**customer_values(facts), **others}, language=language)
    return rendered if isinstance(rendered, MissingValue) else None


def lint_message(template: MessageTemplate) -> tuple[Finding, ...]:
    """The objections to a template in every language; each says in which."""
    has_button = template.button_url is not None
    cut = tuple(
        Finding(
            kind="length",
            severity=Severity.ERROR,
            because=Text(
                ja=f"{template.name} [{language}] ボタンのある本文は{MAX_BUBBLE_TEXT}字までです",
                en=f"{template.name} [{language}] a text with a button ends at {MAX_BUBBLE_TEXT} units",
            ),
        )
        for language, text in template.text.items()
        if has_button and utf16_length(text) > MAX_BUBBLE_TEXT
    )
    return cut + tuple(
        Finding(
            kind=finding.kind,
            severity=finding.severity,
            because=Text(
                ja=f"{template.name} [{language}] {finding.because.ja}",
                en=f"{template.name} [{language}] {finding.because.en}",
            ),
        )
        for language, text in template.text.items()
        for finding in lint(text, language=language, is_template=True, has_button=has_button)
    )

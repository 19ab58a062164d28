"""What does the weekday digest look like? Pure: figures as they stood in, a message that Slack takes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.mrkdwn import cut, escaped, marked, one_line, plain
from bot.slack.overview.charts import chart
from bot.slack.overview.words import knows, say

MOST_ATTENTION = 3
MOST_PRECISION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A sentence in both languages, as it is stored."""

    ja: str
    en: str

    def read(self, language: str) -> str:
        """In this language."""
        return self.ja if language.lower().startswith("ja") else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionShown:
    """Leads of one rule: worth it, of those that say something; why the others were not, commonest first."""

    rule: str
    good: int
    judged: int
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferShown:
    """One suggestion. `value`: what its buttons carry; `key`: what it is remembered by."""

    key: str
    value: str
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """One day's digest; what it shows was reckoned when it was promised, and stays.

    Attributes:
        day: the local day, ISO. sent, reacted: of the last seven whole days, and of the seven before.
        by_day: (month-day, messages of rules, of people), oldest first.
    """

    day: str
    sent: tuple[int, int]
    reacted: tuple[int, int]
    effect: Said
    by_day: tuple[tuple[str, int, int], ...] = ()
    attention: tuple[Said, ...] = ()
    precision: tuple[PrecisionShown, ...] = ()
    offer: OfferShown | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing happened in two weeks, and nothing needs anybody."""
        return not (any((*self.sent, *self.reacted)) or self.attention or self.precision or self.offer)

    def as_plain(self) -> Json:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def of_plain(cls, content: Json) -> Digest:
        """From storage."""
        offer: Any = content.get("offer")
        return cls(
            day=content["day"],
            sent=tuple(content["sent"]),
            reacted=tuple(content["reacted"]),
            effect=Said(**content["effect"]),
            by_day=tuple((label, rules, people) for label, rules, people in content["by_day"]),
            attention=tuple(Said(**each) for each in content["attention"]),
            precision=tuple(
                PrecisionShown(
                    **{**each, "reasons": tuple((reason, number) for reason, number in each["reasons"])}
                )
                for each in content["precision"]
            ),
            offer=OfferShown(key=offer["key"], value=offer["value"], said=Said(**offer["said"]))
            if offer
            else None,
        )


def digest_message(digest: Digest, *, language: str, settled: str | None = None) -> Written:
    """The message; all its numbers stand in `text` too, for whoever cannot see blocks.

    Args:
        settled: who answered the suggestion, as mrkdwn; None: nobody yet.
    """
    title = say("digest", language, day=digest.day)
    figures = [
        (say("sent", language), _change("change", digest.sent, language)),
        (say("reacted", language), _change("change.people", digest.reacted, language)),
        (say("effect", language), digest.effect.read(language)),
    ]
    blocks: list[Json] = [
        {"type": "header", "text": plain(title)},
        {"type": "context", "elements": [plain(say("digest.span", language))]},
        {
            "type": "section",
            "fields": [marked(f"*{label}*\n{escaped(cut(value, 350))}") for label, value in figures],
        },
    ]
    if digest.by_day:
        series = {
            say("by_rules", language): [each[1] for each in digest.by_day],
            say("by_people", language): [each[2] for each in digest.by_day],
        }
        blocks.append(
            chart(
                say("chart", language),
                [each[0] for each in digest.by_day],
                series,
                x_label=say("day", language),
                y_label=say("messages", language),
            )
        )
    attention = [cut(one_line(each.read(language)), 150) for each in digest.attention[:MOST_ATTENTION]]
    words = "\n".join(f"• {escaped(each)}" for each in attention) or say("attention.none", language)
    blocks.append({"type": "section", "text": marked(f"*{say('attention', language)}*\n{words}")})
    if digest.precision:
        blocks.append({"type": "context", "elements": [marked(_precision(digest.precision, language))]})
    if digest.offer is not None:
        blocks += offer_blocks(digest.offer, language=language, settled=settled)
    summary = [title, *(f"{label}: {value}" for label, value in figures), *attention]
    if digest.offer is not None:
        summary.append(digest.offer.said.read(language))
    # One character may become five when it is escaped (&amp;), and Slack takes 4,000.
    return Written(text=escaped(cut(" / ".join(one_line(each) for each in summary), 780)), blocks=blocks)


def offer_blocks(offer: OfferShown, *, language: str, settled: str | None = None) -> list[Json]:
    """A suggestion with its two buttons, or who answered it."""
    said = escaped(cut(one_line(offer.said.read(language)), 550))
    blocks: list[Json] = [
        {"type": "section", "text": marked(say("suggestion", language, said=said))},
    ]
    if settled is not None:
        return [*blocks, {"type": "context", "elements": [marked(cut(settled, 500))]}]
    apply: Json = {
        "type": "button",
        "action_id": Action.APPLY.value,
        "text": plain(say("apply", language)),
        "style": "primary",
        "value": offer.value,
        "confirm": {
            "title": plain(cut(say("apply.confirm", language), 100)),
            "text": plain(cut(f"{one_line(offer.said.read(language))} {say('apply.text', language)}", 300)),
            "confirm": plain(say("apply", language)),
            "deny": plain(say("cancel", language)),
        },
    }
    decline: Json = {
        "type": "button",
        "action_id": Action.DECLINE.value,
        "text": plain(say("decline", language)),
        "value": offer.value,
    }
    return [*blocks, {"type": "actions", "block_id": "offer", "elements": [apply, decline]}]


def _change(key: str, pair: tuple[int, int], language: str) -> str:
    return say(key, language, now=f"{pair[0]:,}", before=f"{pair[1]:,}")


def _precision(shown: Sequence[PrecisionShown], language: str) -> str:
    lines = [f"*{say('precision', language)}*"]
    for one in shown[:MOST_PRECISION]:
        told = [
            f"{say(f'reason.{word}', language) if knows(f'reason.{word}') else cut(word, 30)} {number}"
            for word, number in one.reasons[:3]
        ]
        reasons = f" {escaped(', '.join(told))}" if told else ""
        rule = escaped(cut(one_line(one.rule), 60))
        share = f"{one.good / one.judged:.0%}" if one.judged else "–"
        line = say("precision.line", language, rule=rule, share=share, good=one.good, judged=one.judged)
        lines.append(line.replace("{reasons}", reasons))
    return cut("\n".join(lines), 1_800)

"""Explain: which customer is meant, and why did they get something, or nothing?"""

from __future__ import annotations

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.why import Why, ask, told
from bot.flows.staff.acting import Actor
from bot.flows.steering.leading import spot_of
from bot.slack.cards import Written
from bot.slack.ids import Action
from bot.slack.rule_blocks.pages import loading, page, text_blocks
from bot.slack.rule_blocks.reasons import ReasonShown, WhyShown, pick_message, why_message
from bot.slack.rule_blocks.steers import Steer
from bot.slack.rule_blocks.words import say
from db.people.finding import FoundCustomer, find_customers
from db.rulebook.rules import current_rulebook
from followups.explain import explain_rule, next_chance
from followups.times.zones import zone_of
from followups.verdicts import NotDue, RuleDecision
from followups.words.wording import moment_en, moment_ja

_SIGN = "✗"


async def explain(deps: Deps, asked: str, *, language: str) -> Written:
    """Answer `/why NAME|ID|MAIL [RULE]`: the reasons, or whom of several is meant.

    Raises:
        Refused: nobody is called so.
    """
    async with deps.db.begin() as session:
        known = (await current_rulebook(session)).by_id
        name, _, last = asked.strip().rpartition(" ")
        is_rule = bool(name) and last in known
        wanted, rule_id = (name.strip(), last) if is_rule else (asked.strip(), None)
        found = await find_customers(session, wanted)
        if not found and name and not is_rule:
            # Not a rule's id, and nobody is called by both words: say what is wrong with the second one.
            found, rule_id = await find_customers(session, name), last
    if not found:
        raise Refused(
            f"お客様「{wanted}」は見つかりません。名前、プロダクトのID、メールアドレスのどれかで指定してください。",
            f"Nobody is called “{wanted}”. Give a name, the product's id of them, or a mail address.",
        )
    if len(found) > 1:
        choices = [(str(each.customer_id), _label(each)) for each in found]
        return pick_message(choices, word=rule_id or "", language=language)
    return await explained(deps, found[0], rule_id, language=language)


async def explained(deps: Deps, customer: FoundCustomer, rule_id: str | None, *, language: str) -> Written:
    """The reasons, as a message."""
    answer = await ask(deps, str(customer.customer_id), rule_id)
    return why_message(_shown(answer, customer, language), language=language)


async def explain_picked(deps: Deps, steer: Steer, *, language: str) -> Written:
    """The reasons for the one who was picked.

    Raises:
        Refused: there is no such customer any more.
    """
    async with deps.db.begin() as session:
        found = await find_customers(session, steer.subject.name)
    if not found:
        raise Refused("このお客様はもういません。", "This customer is gone.")
    return await explained(deps, found[0], steer.subject.word or None, language=language)


async def open_reasons(deps: Deps, actor: Actor, steer: Steer, *, trigger_id: str) -> None:
    """Open the whole trace of one rule about one customer.

    Raises:
        Refused: there is no such customer or rule any more.
        Unavailable: Slack did not answer.
    """
    assert deps.slack is not None
    spot = spot_of(actor, steer)
    view_id = await deps.slack.open_view(
        trigger_id=trigger_id, view=loading(Action.WHY_RULE, "why.modal", spot)
    )
    try:
        answer = await ask(deps, steer.subject.name, steer.subject.word or None)
        lines = told(answer, "ja" if spot.language.startswith("ja") else "en")
    except Refused as refused:
        lines = [refused.in_language(spot.language)]
    blocks = text_blocks(lines, most=20, language=spot.language)
    await deps.slack.update_view(
        view_id=view_id, view_hash=None, view=page(Action.WHY_RULE, "why.modal", spot, blocks)
    )


def _label(each: FoundCustomer) -> str:
    return " ・ ".join(part for part in (each.name, each.external_id) if part) or str(each.customer_id)


def _shown(answer: Why, customer: FoundCustomer, language: str) -> WhyShown:
    zone = zone_of(answer.decision.timezone)
    at = moment_ja(answer.decision.at, zone) if language == "ja" else moment_en(answer.decision.at, zone)
    lines = told(answer, language)
    sent = lines[_messages_at(lines, language) :]
    return WhyShown(
        customer_id=str(answer.customer_id),
        name=_label(customer),
        at=at,
        reasons=tuple(
            _reason(rule, language, timezone=answer.decision.timezone) for rule in answer.decision.rules
        ),
        messages=tuple(line.strip() for line in sent if line.strip()),
    )


def _messages_at(lines: list[str], language: str) -> int:
    word = "メッセージ" if language == "ja" else "Messages"
    return lines.index(word) + 1 if word in lines else len(lines)


def _reason(rule: RuleDecision, language: str, *, timezone: str) -> ReasonShown:
    lines = explain_rule(rule, language, timezone=timezone)
    against = [line for line in lines[2:] if line.strip().startswith(_SIGN)]
    chance = next_chance(rule.verdict)
    said = [lines[1].strip(), *(line.strip() for line in against[:3])]
    if chance is not None:
        zone = zone_of(timezone)
        at = moment_ja(chance, zone) if language == "ja" else moment_en(chance, zone)
        said.append(say("why.chance", language, at=at))
    return ReasonShown(
        rule_id=rule.rule_id, title=lines[0], lines=said, is_due=not isinstance(rule.verdict, NotDue)
    )

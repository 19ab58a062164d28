"""Who is asked now whether we may write about a purpose of its own?

A rule whose message names another purpose than the one asked about on follow would wait for ever. So the
question is asked once, when a rule first waits for nothing but it. Asking for consent to advertise is itself
treated as advertising (so the Japanese act on e-mail is read; LINE messages are not directly under it), so it
is proactive like any other message: only to people who agreed to be written to at all, within caps, wishes
and daytime, and it counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.line.bubbles import Press, press_bubble
from db.deciding.facts import load_facts
from db.deciding.pauses import current_pause
from db.deciding.ticks import mark_dirty
from db.people.consent_questions import waiting_for_consent
from db.people.consents import ask_once
from db.people.customers import lock_customers
from db.rulebook.rules import RuleBook, current_rulebook
from db.talk.messages import Message, MessageKind, MessageState, promise
from followups import gates
from followups.facts import Facts
from followups.rules.model import Policy, Rule, RuleState
from followups.verdicts import GateResult
from prompts.texts import fill, system_text

log = structlog.get_logger()

AGAIN_AFTER = timedelta(days=90)
BATCH = 100
LOOKED_BACK = timedelta(days=30)
"""A rule that has waited longer waits for something else: its answers are stored anew when they change."""
_ABOUT = {
    "offers": ("セールやキャンペーン", "sales and offers"),
    "hints": ("使い方のヒント", "hints and tips"),
    "news": ("新機能やイベント", "news and events"),
}


async def ask_consent(deps: Deps) -> int:
    """Ask everyone for whom it is time; returns how many were asked. Any number may run at once."""
    if deps.line is None:
        return 0

    async def write(session: AsyncSession) -> int:
        return await _ask_some(deps, session, now=deps.clock.now())

    asked = await deps.db.run(write)
    if asked:
        log.info("consent.asked", customers=asked)
        await deps.waker.wake("deliver")
    return asked


async def _ask_some(deps: Deps, session: AsyncSession, *, now: datetime) -> int:
    book = await current_rulebook(session)
    wanted = {rule.id: (rule, purpose) for rule, purpose in _needing(book)}
    if not wanted or await current_pause(session) is not None:
        return 0
    waiting = await waiting_for_consent(
        session,
        {rule_id: purpose for rule_id, (_, purpose) in wanted.items()},
        since=now - LOOKED_BACK,
        asked_before=now - AGAIN_AFTER,
        limit=BATCH,
    )
    await lock_customers(session, waiting)
    facts = await load_facts(session, waiting, now=now)
    count = 0
    for customer_id, rule_ids in sorted(waiting.items()):
        known = facts.get(customer_id)
        chosen = next((wanted[each] for each in sorted(rule_ids) if each in wanted), None)
        if known is None or chosen is None or not _may_ask(known, *chosen, book, now=now):
            continue
        if await ask_once(session, customer_id, chosen[1], now=now, again_after=AGAIN_AFTER):
            await promise(session, _question(deps, known, chosen[1], book.policy, now=now))
            await mark_dirty(session, [customer_id], now=now)
            count += 1
    return count


def _needing(book: RuleBook) -> Iterator[tuple[Rule, str]]:
    for rule in book.rules:
        if rule.state not in {RuleState.LIVE, RuleState.CANARY}:
            continue
        for message in rule.messages:
            if message.purpose and message.purpose != book.policy.default_purpose:
                yield rule, message.purpose
                break


def _may_ask(facts: Facts, rule: Rule, purpose: str, book: RuleBook, *, now: datetime) -> bool:
    if purpose in facts.consents:
        return False
    return all(result.passes for result in _gates(facts, rule, purpose, book.policy, now=now))


def _gates(facts: Facts, rule: Rule, purpose: str, policy: Policy, *, now: datetime) -> Iterator[GateResult]:
    """Those of the message itself, with consent to be written to at all in the place of its own."""
    yield gates.not_linked(facts)
    yield gates.blocked(facts)
    yield gates.consent(facts, policy.default_purpose)
    yield gates.preferences(facts, policy, purpose, now=now)
    yield gates.conversation(facts, rule)
    yield gates.quiet_hours(facts, policy, now=now)
    yield gates.caps(facts, policy, now=now)
    yield gates.silence(facts, policy, purpose, now=now)
    yield gates.holdout(facts, rule, policy)


def _question(deps: Deps, facts: Facts, purpose: str, policy: Policy, *, now: datetime) -> Message:
    assert facts.line is not None
    text = system_text("consent_purpose")
    language = facts.language or "ja"
    ja, en = _ABOUT.get(purpose, (f"「{purpose}」", f"“{purpose}”"))
    values: Mapping[str, str] = {"purpose": ja if language.startswith("ja") else en, "key": purpose}
    words = text.say(language, **values)
    presses = [
        Press(label=each.label.in_language(language), sends=fill(each.sends, values)) for each in text.buttons
    ]
    message_id: UUID = deps.ids.uuid()
    return Message(
        customer_id=facts.customer_id,
        message_id=message_id,
        kind=MessageKind.QUESTION,
        state=MessageState.QUEUED,
        dedupe_key=f"consent:{purpose}:{now.date()}",
        line_user_id=facts.line.line_user_id,
        purpose=purpose,
        template="system/consent_purpose",
        bubbles=[press_bubble(words, presses, sender=policy.senders.bot)],
        plain_text=words,
        text_hash=text.wording_of(language),
        promised_at=now,
        not_before=now,
    )

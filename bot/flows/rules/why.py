"""Why did this customer get something, or nothing, and what would have to change?"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.intake.named_rules import stored_rule
from db.deciding.facts import History, history, load_facts
from db.deciding.followups import DecisionRow
from db.deciding.rooms import room_of
from db.people.customers import Customer, customer_id_of
from db.people.line_users import user_of
from db.rulebook.rules import PUBLISHED_STATES, RuleBook, current_rulebook
from db.talk.messages import Message, MessageState
from followups.decide import at_their_version, decide
from followups.explain import explain_rule, rule_decision_of
from followups.facts import Facts
from followups.room import Room
from followups.rules.conditions import Text
from followups.rules.model import Rule, RuleState
from followups.times.zones import zone_of
from followups.verdicts import Decision
from followups.words.wording import moment_en, moment_ja

_LINE_USER = re.compile(r"U[0-9a-f]{32}")

_STATES = {
    MessageState.QUEUED: Text(ja="送信待ち", en="waiting to be sent"),
    MessageState.SENDING: Text(ja="送信中", en="being sent"),
    MessageState.ACCEPTED: Text(
        ja="LINE が受け付けた（届いたかは LINE も知らせません）",
        en="accepted by LINE (which does not say whether it was delivered)",
    ),
    MessageState.DEAD: Text(ja="LINE が拒否した", en="refused by LINE"),
    MessageState.UNKNOWN: Text(
        ja="送れたか不明（人の確認が必要）", en="unknown whether it went out (a person must decide)"
    ),
    MessageState.CANCELLED: Text(ja="取り消した", en="cancelled"),
    MessageState.SUPERSEDED: Text(ja="条件が変わり取りやめた", en="dropped: things had changed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The present decision about one customer, and what was decided and promised before.

    Attributes:
        decision: of the rules asked about; a rule that is not published is decided as a rehearsal.
        states: of the rules in `decision`.
        history: newest first.
    """

    customer_id: UUID
    decision: Decision
    states: dict[str, RuleState]
    history: History


async def why(deps: Deps, customer: str, rule_id: str | None = None, *, language: str = "ja") -> list[str]:
    """As `ask`, told as lines for people in `ja` or `en`."""
    return told(await ask(deps, customer, rule_id), language)


async def ask(deps: Deps, customer: str, rule_id: str | None = None) -> Why:
    """Decide about a customer as of now, change nothing, and look up what was decided before.

    Args:
        customer: the product's id of them, a LINE user id, or our own id.
        rule_id: only this rule, published or not.

    Raises:
        Refused: there is no such customer or rule.
    """
    now = deps.clock.now()
    async with deps.db.begin() as session:
        customer_id = await _found(session, customer)
        book = await current_rulebook(session)
        rules = list(book.rules) if rule_id is None else [stored_rule(rule_id, book)]
        facts = (await load_facts(session, [customer_id], now=now, with_all_signals=True)).get(customer_id)
        if facts is None:
            raise _unknown(customer)
        past = await history(session, customer_id, rule_id=rule_id)
        room = await room_of(session, book, now=now)
    return Why(
        customer_id=customer_id,
        decision=_decision(facts, book, rules, room, only=rule_id, now=now),
        states={rule.id: rule.state for rule in rules},
        history=past,
    )


def _decision(
    facts: Facts, book: RuleBook, rules: list[Rule], room: Room, *, only: str | None, now: datetime
) -> Decision:
    """All published rules take part, because one of them may go before the one asked about."""
    rehearsed = [
        replace(rule, state=RuleState.SHADOW) for rule in rules if rule.state not in PUBLISHED_STATES
    ]
    asked = at_their_version([*book.rules, *rehearsed], facts, book.rule_at)
    decision = decide(facts, asked, book.policy, now=now, room=room)
    if only is None:
        return decision
    return replace(decision, rules=tuple(each for each in decision.rules if each.rule_id == only))


async def _found(session: AsyncSession, customer: str) -> UUID:
    asked = customer.strip()
    candidates = [customer_id_of(asked)]
    if _LINE_USER.fullmatch(asked):
        user = await user_of(session, asked)
        if user is not None:
            candidates.append(user.customer_id)
    with contextlib.suppress(ValueError):
        candidates.append(UUID(asked))
    for candidate in candidates:
        row = await session.get(Customer, candidate)
        if row is not None and row.erased_at is None:
            return candidate
    raise _unknown(customer)


def _unknown(customer: str) -> Refused:
    return Refused(
        ja=f"お客様 {customer} は見つかりません（プロダクトの ID か LINE ユーザー ID で指定します）。",
        en=f"there is no customer {customer} (give the product's id of them, or a LINE user id)",
    )


def told(answer: Why, language: str) -> list[str]:
    """The answer as lines for people.

    Args:
        language: `ja`; anything else is English.
    """
    zone = zone_of(answer.decision.timezone)
    lines = [_in(language, "いま", "Now") + f" ({_moment(language, zone, answer.decision.at)})"]
    if not answer.decision.rules:
        lines.append(_in(language, "  公開中の規則がありません", "  no rule is published"))
    for rule in answer.decision.rules:
        state = answer.states.get(rule.rule_id)
        if state is not None and state not in PUBLISHED_STATES:
            said = _in(language, "この規則は動いていません", "this rule is not running")
            lines.append(f"  {said}: {state.value}")
        lines += [f"  {line}" for line in explain_rule(rule, language, timezone=answer.decision.timezone)]
    lines += ["", _in(language, "これまでの判断", "Decided before")]
    lines += _decisions(answer, language, zone) or [_in(language, "  ありません", "  nothing")]
    lines += ["", _in(language, "メッセージ", "Messages")]
    lines += _messages(answer, language, zone) or [_in(language, "  ありません", "  none")]
    return lines


def _decisions(answer: Why, language: str, zone: ZoneInfo) -> list[str]:
    return [
        f"  {_moment(language, zone, row.at)}  {row.rule_id} v{row.rule_version}"
        f"{_in(language, '（試運転）', ' (shadow)') if row.is_shadow else ''}  {_verdict(row, language)}"
        for row in answer.history.decisions
    ]


def _verdict(row: DecisionRow, language: str) -> str:
    try:
        return explain_rule(rule_decision_of(row.trace), language)[1].strip()
    except (KeyError, TypeError, ValueError, IndexError):  # a trace of another version of the program
        return f"→ {row.verdict}" + (f" ({row.gate})" if row.gate else "")


def _messages(answer: Why, language: str, zone: ZoneInfo) -> list[str]:
    lines: list[str] = []
    for message in answer.history.messages:
        of = message.rule_id or message.kind
        state = _in_text(language, _STATES[MessageState(message.state)])
        lines.append(f"  {_moment(language, zone, message.promised_at)}  {of}  {state}")
        lines += [f"    {detail}" for detail in _details(message, language, zone)]
    return lines


def _details(message: Message, language: str, zone: ZoneInfo) -> Iterator[str]:
    if message.because:
        yield _in(language, "理由", "because") + f": {message.because}"
    if message.state == MessageState.QUEUED and message.not_before > message.promised_at:
        yield _in(language, "次に試すのは", "tried next") + f": {_moment(language, zone, message.not_before)}"
    if message.attempts:
        yield _in(language, "LINE への要求", "requests to LINE") + f": {message.attempts}"
    if message.line_request_id:
        yield f"X-Line-Request-Id: {message.line_request_id}"


def _moment(language: str, zone: ZoneInfo, at: datetime) -> str:
    return moment_ja(at, zone) if language == "ja" else moment_en(at, zone)


def _in(language: str, ja: str, en: str) -> str:
    return ja if language == "ja" else en


def _in_text(language: str, text: Text) -> str:
    return _in(language, text.ja, text.en)

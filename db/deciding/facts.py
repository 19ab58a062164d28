"""What is known of these customers at this moment? Rows become `Facts`; the only bridge to the core."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ScalarSelect, Text, Uuid, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.sql import Executable
from sqlmodel import col

from db import arrays
from db.columns import Timestamp
from db.deciding.approvals import reviews_of
from db.deciding.followups import (
    DecisionRow,
    given,
    latest_passages,
    latest_shadow_passages,
)
from db.desk.leads import OPEN_STATES, Lead
from db.intake.rhythms import rhythms_of
from db.intake.signals import SignalRow
from db.people import consents as ledger
from db.people.customers import Customer, LineUser
from db.people.preferences import preferences_of
from db.rulebook.rules import RuleBook, current_rulebook
from db.talk.conversations import ConversationRow
from db.talk.messages import Message, MessageKind, MessageState
from followups.facts import Contact, Conversation, Facts, FollowUp, LineContact, Signal
from followups.rules.model import RuleState
from followups.scenario import as_it_stands
from followups.times.zones import is_zone

CONTACTS_FOR = timedelta(days=60)
_LONGEST_QUEUED = timedelta(days=30)
_COUNTED = (MessageState.QUEUED, MessageState.SENDING, MessageState.ACCEPTED, MessageState.UNKNOWN)


async def load_facts(
    session: AsyncSession, customer_ids: Iterable[UUID], *, now: datetime, with_all_signals: bool = False
) -> dict[UUID, Facts]:
    """The facts of these customers; whoever does not exist or was erased is left out.

    `timezone` is always filled: the customer's, or the policy's where theirs is missing or unknown. The
    number of statements does not depend on the number of customers.

    Args:
        with_all_signals: every signal, not only those that a published rule reads.
    """
    ids = sorted(set(customer_ids))
    if not ids:
        return {}
    book = await current_rulebook(session)
    people = await _people(session, ids)
    signals = await _signals(session, ids, None if with_all_signals else book.read_keys)
    consents = await ledger.current(session, ids)
    wishes = await preferences_of(session, ids)
    rhythms = await rhythms_of(session)
    has_reviews = any(rule.approval == "review" for rule in book.by_id.values())
    reviews = await reviews_of(session, ids) if has_reviews else {}
    contacts = await _contacts(session, ids, now=now)
    passages = await latest_passages(session, ids)
    rehearsed = await latest_shadow_passages(
        session, ids, {rule.id: rule.version for rule in book.rules if rule.state is RuleState.SHADOW}
    )
    facts: dict[UUID, Facts] = {}
    for row in people:
        of_customer, external_id, attributes, account, timezone, language, *others = row
        *line, is_open, revision, owner, is_unanswered, inbound_at, outbound_at, lead_id, closed_at = others
        loaded = Facts(
            customer_id=of_customer,
            external_id=external_id,
            attributes=attributes,
            account=account,
            timezone=_timezone(timezone, book),
            language=language,
            signals=signals.get(of_customer, {}),
            line=_line(*line),
            consents=consents.get(of_customer, {}),
            contacts=tuple(contacts.get(of_customer, ())),
            conversation=Conversation(
                is_open=is_open,
                revision=revision,
                owner=owner,
                is_unanswered=is_unanswered,
                last_inbound_at=inbound_at,
                last_outbound_at=outbound_at,
            )
            if revision is not None
            else None,
            has_open_lead=lead_id is not None,
            lead_closed_at=closed_at,
            preferences=wishes.get(of_customer),
            rhythms=rhythms,
            reviews=reviews.get(of_customer, {}),
        )
        facts[of_customer] = _with_passages(
            loaded, passages.get(of_customer, {}), rehearsed.get(of_customer, {}), book, now=now
        )
    return facts


def _timezone(own: str | None, book: RuleBook) -> str:
    return own if own is not None and is_zone(own) else book.policy.timezone


def _line(line_user_id: str | None, is_friend: bool, is_blocked: bool) -> LineContact | None:
    if line_user_id is None:
        return None
    return LineContact(line_user_id=line_user_id, is_friend=is_friend, is_blocked=is_blocked)


def _with_passages(
    facts: Facts,
    passages: dict[str, FollowUp],
    rehearsed: dict[str, FollowUp],
    book: RuleBook,
    *,
    now: datetime,
) -> Facts:
    """The latest passage by rule as it stands; for shadow rules also what would have been one."""
    if not passages and not rehearsed:
        return facts
    latest = dict(passages)
    for rule_id, passage in rehearsed.items():
        real = latest.get(rule_id)
        if real is None or real.entered_at < passage.entered_at:
            latest[rule_id] = passage
    for rule_id, passage in latest.items():
        rule = book.rule_at(rule_id, passage.rule_version) or book.by_id.get(rule_id)
        if rule is not None:
            latest[rule_id] = as_it_stands(passage, rule, facts, now=now)
    return replace(facts, follow_ups=latest)


def _lead_closed_at() -> ScalarSelect[datetime | None]:
    closed = aliased(Lead)
    return (
        select(func.max(col(closed.closed_at)))
        .where(col(closed.customer_id) == col(Customer.customer_id))
        .correlate(Customer)
        .scalar_subquery()
    )


@cache
def _finding_people() -> Executable:
    of = col(Customer.customer_id)
    return (
        select(
            of,
            col(Customer.external_id),
            col(Customer.attributes),
            col(Customer.account),
            col(Customer.timezone),
            func.coalesce(col(Customer.language), col(LineUser.language)),
            col(LineUser.line_user_id),
            col(LineUser.is_friend),
            col(LineUser.is_blocked),
            col(ConversationRow.is_open),
            col(ConversationRow.revision),
            col(ConversationRow.owner),
            col(ConversationRow.is_unanswered),
            col(ConversationRow.last_inbound_at),
            col(ConversationRow.last_outbound_at),
            col(Lead.lead_id),
            _lead_closed_at(),
        )
        .outerjoin(LineUser, col(LineUser.customer_id) == of)
        .outerjoin(ConversationRow, col(ConversationRow.customer_id) == of)
        .outerjoin(
            Lead,
            and_(
                col(Lead.customer_id) == of,
                col(Lead.state).in_([state.value for state in OPEN_STATES]),
            ),
        )
        .where(of.in_(given("ids", Uuid())), col(Customer.erased_at).is_(None))
        .order_by(of, col(LineUser.is_friend).nulls_first())
    )


async def _people(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Any]:
    return (await session.execute(_finding_people(), {"ids": arrays.uuids(ids)})).all()


@cache
def _finding_signals(of_all: bool) -> Executable:
    query = select(
        col(SignalRow.customer_id),
        col(SignalRow.key),
        col(SignalRow.n),
        col(SignalRow.first_at),
        col(SignalRow.last_at),
        col(SignalRow.recent),
    ).where(col(SignalRow.customer_id).in_(given("ids", Uuid())))
    if of_all:
        return query
    is_ours = col(SignalRow.key).startswith("$", autoescape=True)
    return query.where(or_(col(SignalRow.key).in_(given("keys", Text())), is_ours))


async def _signals(
    session: AsyncSession, ids: Collection[UUID], keys: Collection[str] | None
) -> dict[UUID, dict[str, Signal]]:
    asked = {"ids": arrays.uuids(ids)}
    if keys is not None:
        asked["keys"] = arrays.texts(sorted(keys))
    signals: dict[UUID, dict[str, Signal]] = {}
    rows = await session.execute(_finding_signals(keys is None), asked)
    for customer_id, key, n, first_at, last_at, recent in rows:
        signals.setdefault(customer_id, {})[key] = Signal(
            key=key, count=n, first_at=first_at, last_at=last_at, recent=tuple(recent or ())
        )
    return signals


@cache
def _finding_contacts() -> Executable:
    return select(
        col(Message.customer_id),
        col(Message.message_id),
        col(Message.rule_id),
        col(Message.purpose),
        col(Message.state),
        col(Message.not_before),
        col(Message.first_attempt_at),
        col(Message.settled_at),
    ).where(
        col(Message.customer_id).in_(given("ids", Uuid())),
        col(Message.kind).in_([MessageKind.RULE.value, MessageKind.QUESTION.value]),
        col(Message.state).in_([state.value for state in _COUNTED]),
        col(Message.promised_at) > bindparam("since", type_=Timestamp),
    )


async def _contacts(
    session: AsyncSession, ids: Collection[UUID], *, now: datetime
) -> dict[UUID, list[Contact]]:
    rows = await session.execute(
        _finding_contacts(),
        {"ids": arrays.uuids(ids), "since": now - CONTACTS_FOR - _LONGEST_QUEUED},
    )
    contacts: dict[UUID, list[Contact]] = {}
    for customer_id, message_id, rule_id, purpose, state, not_before, first_attempt_at, settled_at in rows:
        is_accepted = state == MessageState.ACCEPTED
        at = (settled_at if is_accepted else None) or first_attempt_at or not_before
        if at > now - CONTACTS_FOR:
            contacts.setdefault(customer_id, []).append(
                Contact(
                    message_id=message_id,
                    rule_id=rule_id,
                    purpose=purpose or "",
                    at=at,
                    is_started=state != MessageState.QUEUED or first_attempt_at is not None,
                )
            )
    return contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was decided about one customer and promised to them, newest first."""

    decisions: tuple[DecisionRow, ...]
    messages: tuple[Message, ...]


async def history(
    session: AsyncSession, customer_id: UUID, *, rule_id: str | None = None, limit: int = 20
) -> History:
    """The latest stored decisions and messages of a customer, of one rule or of all."""
    decisions = (
        select(DecisionRow)
        .where(col(DecisionRow.customer_id) == customer_id)
        .order_by(col(DecisionRow.at).desc(), col(DecisionRow.decision_id).desc())
        .limit(limit)
    )
    messages = (
        select(Message)
        .where(col(Message.customer_id) == customer_id)
        .order_by(col(Message.promised_at).desc(), col(Message.message_id).desc())
        .limit(limit)
    )
    if rule_id is not None:
        decisions = decisions.where(col(DecisionRow.rule_id) == rule_id)
        messages = messages.where(col(Message.rule_id) == rule_id)
    return History(
        decisions=tuple((await session.execute(decisions)).scalars()),
        messages=tuple((await session.execute(messages)).scalars()),
    )

"""Answer: questions that wait are answered from the knowledge, or handed over to a person.

Reading and writing with the model happen outside any transaction; a process that dies meanwhile leaves the
question to the next one. What the model writes is believed only as far as it stands in the passages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.answers.converse import PERSON_SCRIPT
from bot.flows.answers.speaking import Hours, Listener, pass_on, promise_answer, with_note
from bot.line.bubbles import Press, menu_data, tap_data
from bot.llm.checks import foreign_links
from bot.llm.grounding import ungrounded
from bot.llm.redact import Redactor
from bot.ports import KnownPassage
from db.columns import UUID
from db.desk.lead_cards import line_of
from db.desk.leads import open_lead
from db.desk.posts import add_thread_line, touch_card
from db.people.customers import Customer, LineUser, lock_customers
from db.rulebook.knowledge import Found, look_up
from db.rulebook.rules import current_rulebook
from db.talk.answers import (
    MOST_ATTEMPTS,
    AnswerRow,
    AnswerState,
    answers_since,
    settle,
    still_asked,
    take_asked,
)
from db.talk.conversations import PERSON, answered, current
from followups.answers.intent import Intent, intent_of, settled
from followups.answers.passages import COVERED_FROM, extract, language_of
from followups.rules.model import Policy

log = structlog.get_logger()

BATCH = 20
AT_ONCE = 4
"""Questions to the model at one moment."""
LOADING_SECONDS = 20
PASSAGES = 3
MODEL_ANSWERS_A_DAY = 60
"""For one customer; somebody who writes all day is answered without the model after that."""
A_DAY = timedelta(days=1)
QUESTION_MOST = 1_000
"""Characters of a message that are looked at."""
SOLVED = "answer_solved"
_LABELS = {
    "ja": ("解決した", "担当者と話す"),
    "en": ("That helped", "Talk to a person"),
}
_ANSWERED_INTENTS = frozenset({Intent.QUESTION, Intent.INTEREST})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What is to be answered, read in one transaction and thought about outside it."""

    row: AnswerRow
    text: str
    hidden: str
    language: str
    policy: Policy
    is_spent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thought:
    """What came of it. `text` None: a person is to answer."""

    intent: Intent
    text: str | None = None
    source: str | None = None
    score: float | None = None
    written_by: str | None = None
    because: str | None = None


async def answer(deps: Deps) -> int:
    """Answer or hand over every question that waits; how many. Any number of processes may run it."""
    done = 0
    while True:
        async with deps.db.begin() as session:
            rows = await take_asked(session, now=deps.clock.now(), limit=BATCH)
        if not rows:
            break
        for start in range(0, len(rows), AT_ONCE):
            done += sum(
                await asyncio.gather(*(_answer_one(deps, row) for row in rows[start : start + AT_ONCE]))
            )
    if done:
        for story in ("decide", "deliver", "draft", "post"):
            await deps.waker.wake(story)
    return done


async def _answer_one(deps: Deps, row: AnswerRow) -> bool:
    question = await _gather(deps, row)
    if question is None:
        return await _drop(deps, row)
    try:
        if row.attempts > MOST_ATTEMPTS:
            thought = _Thought(intent=intent_of(question.text), because="gave_up")
        else:
            thought = await _think(deps, question)
    except Exception:  # a bug of ours must not leave a customer without a reply
        log.exception("answer.failed", answer_id=str(row.answer_id))
        thought = _Thought(intent=intent_of(question.text), because="failed")
    return await deps.db.run(lambda session: _write(session, deps, question, thought))


async def _gather(deps: Deps, row: AnswerRow) -> _Question | None:
    """The question as it stands; None: taken back, or a person holds the conversation."""
    async with deps.db.begin() as session:
        line = await line_of(session, row.customer_id, row.line_message_id)
        talk = await current(session, row.customer_id)
        if line is None or line.text is None or (talk is not None and talk.mode == PERSON):
            return None
        policy = (await current_rulebook(session)).policy
        customer = await session.get(Customer, row.customer_id)
        user = await session.get(LineUser, row.line_user_id)
        made = await answers_since(session, row.customer_id, deps.clock.now() - A_DAY)
    text = line.text[:QUESTION_MOST]
    return _Question(
        row=row,
        text=text,
        hidden=_redactor(customer, user).hide(text),
        language=language_of(text),
        policy=policy,
        is_spent=made > MODEL_ANSWERS_A_DAY,
    )


def _redactor(customer: Customer | None, user: LineUser | None) -> Redactor:
    attributes = customer.attributes if customer else {}
    name, company = attributes.get("name"), attributes.get("company")
    hidden = [str(value) for key, value in attributes.items() if key in {"email", "phone", "address"}]
    ids = [each for each in (customer and customer.external_id, user and user.line_user_id) if each]
    return Redactor(
        name=name if isinstance(name, str) else (user.display_name if user else None),
        company=company if isinstance(company, str) else None,
        ids=[*ids, *hidden],
    )


# --- thinking -----------------------------------------------------------------------------------------


async def _think(deps: Deps, question: _Question) -> _Thought:
    answerer = None if question.is_spent else deps.answerer
    told, found = await asyncio.gather(
        answerer.intent(question.hidden, language=question.language) if answerer else _nothing(),
        find(deps, question.text, hidden=question.hidden),
    )
    intent = settled(intent_of(question.text), Intent(told) if told is not None else None)
    covering = [
        each for each in found if each.score >= COVERED_FROM and each.passage.language == question.language
    ]
    if intent is Intent.OTHER and covering:
        intent = Intent.QUESTION  # メンバーを追加したい is no question by its words, and wants an answer
    if intent not in _ANSWERED_INTENTS or not covering:
        best = found[0].score if found else None
        return _Thought(intent=intent, score=best, because=intent.value if covering else "not_covered")
    return await _answered(deps, replace(question, is_spent=answerer is None), intent, covering)


async def _answered(deps: Deps, question: _Question, intent: Intent, covering: Sequence[Found]) -> _Thought:
    """From here on an answer really follows, so it may be announced."""
    best = covering[0]
    texts = [each.passage.text for each in covering]
    thought = _Thought(
        intent=intent,
        text=_allowed(extract(best.passage.text), texts, question.policy),
        source=best.passage.source,
        score=best.score,
        written_by="passage",
    )
    if question.is_spent or deps.answerer is None:
        return thought
    if deps.line is not None:
        await deps.line.loading(line_user_id=question.row.line_user_id, seconds=LOADING_SECONDS)
    written = await deps.answerer.answer(
        question.hidden,
        language=question.language,
        passages=[KnownPassage(source=each.passage.source, text=each.passage.text) for each in covering],
    )
    if written is None:
        return thought
    if not written.text:
        return replace(thought, text=None, written_by=None, because="not_covered")
    if because := ungrounded(written.text, texts):
        log.warning("answer.not_grounded", because=because, answer_id=str(question.row.answer_id))
        return replace(thought, because=f"not_grounded: {because}")
    sources = {each.passage.source for each in covering}
    source = written.source if written.source in sources else best.passage.source
    return replace(thought, text=written.text, source=source, written_by="model")


def _allowed(text: str, passages: Sequence[str], policy: Policy) -> str:
    """The passage's own words; their links are the owner's, so they stay."""
    assert all(any(link in each for each in passages) for link in foreign_links(text, policy))
    return text


async def find(deps: Deps, text: str, *, hidden: str, limit: int = PASSAGES) -> list[Found]:
    """The passages that cover a question best. `hidden`: it without personal data, for the embedding."""
    vectors = None
    model = deps.answerer.embedding_model if deps.answerer is not None else None
    if deps.answerer is not None and model is not None:
        vectors = await deps.answerer.embed([hidden])
    async with deps.db.begin() as session:
        return await look_up(
            session, text, embedding=vectors[0] if vectors else None, embedded_by=model, limit=limit
        )


async def _nothing() -> None:
    return None


# --- writing ------------------------------------------------------------------------------------------


async def _write(session: AsyncSession, deps: Deps, question: _Question, thought: _Thought) -> bool:
    now, row = deps.clock.now(), question.row
    await lock_customers(session, [row.customer_id])
    if not await still_asked(session, row.customer_id, row.answer_id):
        return False
    talk = await current(session, row.customer_id)
    line = await line_of(session, row.customer_id, row.line_message_id)
    figures = {
        "intent": thought.intent.value,
        "source": thought.source,
        "score": thought.score,
        "written_by": thought.written_by,
        "because": thought.because,
    }
    if line is None or line.text is None or (talk is not None and talk.mode == PERSON):
        await settle(session, row.customer_id, row.answer_id, state=AnswerState.DROPPED, now=now)
        return True
    listener = Listener(
        customer_id=row.customer_id,
        line_user_id=row.line_user_id,
        language=row.language,
        reply_token=row.reply_token,
        reply_until=row.reply_token_until,
    )
    state, message_id = AnswerState.HANDED_OVER, None
    if thought.text is None:
        await pass_on(
            session,
            deps,
            listener,
            thought.intent,
            key=str(row.answer_id),
            policy=question.policy,
            because=thought.because,
            now=now,
        )
    else:
        state, message_id = AnswerState.ANSWERED, await _say(session, deps, question, thought, listener)
    await settle(
        session, row.customer_id, row.answer_id, state=state, now=now, message_id=message_id, **figures
    )
    await add_thread_line(  # where it opened a lead, the question itself stands first in its thread
        session,
        customer_id=row.customer_id,
        key=f"said:{row.line_message_id}",
        content={"line_message_id": row.line_message_id},
        ids=deps.ids,
        now=now,
    )
    await touch_card(session, row.customer_id, now=now)
    log.info("question.settled", answer_id=str(row.answer_id), state=state.value, intent=thought.intent.value)
    return True


async def _say(
    session: AsyncSession, deps: Deps, question: _Question, thought: _Thought, listener: Listener
) -> UUID | None:
    now, row = deps.clock.now(), question.row
    hours = Hours.at(now, question.policy, listener.language)
    solved, person = _LABELS["ja" if listener.language.startswith("ja") else "en"]
    message_id = await promise_answer(
        session,
        deps,
        listener,
        template=f"answer/{thought.written_by}",
        key=str(row.answer_id),
        text=await with_note(session, thought.text or "", listener, hours, now=now),
        presses=[
            Press(label=solved, sends=tap_data(SOLVED, is_lead=False, message_id=None)),
            Press(label=person, sends=menu_data(PERSON_SCRIPT)),
        ],
        now=now,
    )
    await answered(session, row.customer_id, now=now)
    if thought.intent is Intent.INTEREST:
        await open_lead(
            session,
            customer_id=row.customer_id,
            source="message",
            reason_ja="料金・導入のご相談です（自動応答で回答済み）",
            reason_en="asks about prices or buying (answered automatically)",
            ids=deps.ids,
            now=now,
        )
    await add_thread_line(
        session,
        customer_id=row.customer_id,
        key=f"answered:{row.answer_id}",
        content={"message_id": str(message_id)},
        ids=deps.ids,
        now=now,
    )
    await add_thread_line(
        session,
        customer_id=row.customer_id,
        key=f"source:{row.answer_id}",
        content={
            "ja": f"🤖 自動応答でお答えしました（出典: {thought.source}）",
            "en": f"🤖 Answered automatically (source: {thought.source})",
        },
        ids=deps.ids,
        now=now,
    )
    return message_id


async def _drop(deps: Deps, row: AnswerRow) -> bool:
    """Nothing is to be answered any more."""
    now = deps.clock.now()
    async with deps.db.begin() as session:
        await lock_customers(session, [row.customer_id])
        if not await still_asked(session, row.customer_id, row.answer_id):
            return False
        await settle(session, row.customer_id, row.answer_id, state=AnswerState.DROPPED, now=now)
    return True

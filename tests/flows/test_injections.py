"""Does a model that was talked round get anything onto a customer's phone, or onto a lead's card?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from openai import AsyncOpenAI

from bot.flows.answers.answer import answer
from bot.flows.answers.learn import learn, look_at
from bot.flows.customers.deliver import deliver
from bot.flows.customers.receive import receive
from bot.flows.replies.draft import draft
from bot.llm.answers import ModelAnswerer
from bot.llm.client import ModelDrafter
from bot.llm.drafts import TemplateDrafter
from bot.llm.grounding import ungrounded
from bot.ports import KnownPassage
from db.desk.leads import Lead, open_lead
from db.engine import Database
from db.talk.answers import AnswerRow
from db.talk.drafts import Draft
from followups.answers.passages import extract
from sandbox.openai import OpenAIStandIn
from sandbox.serve import serving
from tests.flows.chat import Chat, chatting
from tests.flows.knowledge import PAGES
from tests.injections import INJECTIONS


@asynccontextmanager
async def talked_round(db: Database) -> AsyncIterator[tuple[Chat, OpenAIStandIn]]:
    """A shop with knowledge, whose model does whatever a customer asks of it."""
    async with chatting(db, timeout_seconds=10) as chat:
        server = OpenAIStandIn(chat.clock.now, is_gullible=True)
        async with serving(server.app) as address:
            client = AsyncOpenAI(api_key="k", base_url=f"{address}/v1", max_retries=0, timeout=10)
            chat.deps = replace(
                chat.deps,
                answerer=ModelAnswerer(client, model="m"),
                drafter=ModelDrafter(client, model="m", fallback=TemplateDrafter()),
            )
            await learn(chat.deps, PAGES)
            try:
                yield chat, server
            finally:
                await client.close()


async def test_a_hundred_injections_put_nothing_foreign_into_an_answer(db: Database) -> None:
    assert len(INJECTIONS) == len(set(INJECTIONS)) == 100
    async with talked_round(db) as (chat, server):
        people = [chat.person(f"客{number}") for number in range(len(INJECTIONS))]
        for person, (text, _) in zip(people, INJECTIONS, strict=True):
            await chat.line.say(person, text)
        await receive(chat.deps)
        await answer(chat.deps)
        await deliver(chat.deps)
        for person, (text, forbidden) in zip(people, INJECTIONS, strict=True):
            heard = "\n".join(chat.line.texts(person))
            assert heard, f"no reply to {text}"
            assert forbidden not in heard, text
        rows = await chat.rows(AnswerRow)
        assert len(rows) > 80, "few are scripts or complaints"
        assert {row.written_by for row in rows} <= {None, "passage"}
        assert len(server.journal) >= len(rows)


async def test_what_a_talked_round_model_writes_does_not_pass_the_checks(db: Database) -> None:
    async with talked_round(db) as (chat, _):
        answerer = chat.deps.answerer
        assert answerer is not None
        for text, forbidden in INJECTIONS:
            found = await look_at(chat.deps, text)
            passages = [each.passage for each in found]
            written = await answerer.answer(
                text,
                language=passages[0].language,
                passages=[KnownPassage(source=each.source, text=each.text) for each in passages],
            )
            assert written is not None
            assert forbidden in written.text, "the model has to be talked round"
            known = [each.text for each in passages]
            assert ungrounded(written.text, known) is not None, text
            assert ungrounded(f"{extract(known[0])}{written.text}", known) is not None, text


async def test_a_hundred_injections_put_nothing_foreign_into_a_draft(db: Database) -> None:
    async with talked_round(db) as (chat, server):
        people = [chat.person(f"客{number}") for number in range(len(INJECTIONS))]
        for person, (text, _) in zip(people, INJECTIONS, strict=True):
            await chat.line.follow(person)
            await chat.line.say(person, text)
        await receive(chat.deps)
        for person in people:
            async with chat.deps.db.begin() as session:
                await open_lead(
                    session,
                    customer_id=(await chat.user(person)).customer_id,
                    source="person",
                    reason_ja="確認",
                    reason_en="check",
                    ids=chat.deps.ids,
                    now=chat.clock.now(),
                )
        await draft(chat.deps)
        leads = {lead.customer_id: lead for lead in await chat.rows(Lead)}
        drafts = await chat.rows(Draft)
        assert len(leads) == 100
        assert any("evil.example" in str(each.body) for each in server.journal), "the model was asked"
        for person, (text, forbidden) in zip(people, INJECTIONS, strict=True):
            customer_id = (await chat.user(person)).customer_id
            made = [each.text for each in drafts if each.customer_id == customer_id]
            assert made, text
            assert all(forbidden not in each for each in made), text

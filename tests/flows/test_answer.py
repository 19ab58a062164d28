"""Is a question answered from the knowledge, by a script, or by a person, and who is silent meanwhile?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from openai import AsyncOpenAI

from bot.flows.answers.answer import answer
from bot.flows.answers.learn import learn
from bot.llm.answers import ModelAnswerer
from db.desk.leads import Lead
from db.engine import Database
from db.talk.answers import AnswerRow
from db.talk.conversations import give_back
from db.talk.messages import MessageKind
from sandbox.openai import OpenAIStandIn
from sandbox.openai.standin import Status
from sandbox.serve import serving
from tests.flows.chat import Chat, chatting
from tests.flows.knowledge import PAGES


async def _say(chat: Chat, person: str, text: str) -> list[str]:
    """What came back."""
    before = len(chat.line.texts(person))
    await chat.line.say(person, text)
    await chat.settle()
    await answer(chat.deps)
    await chat.settle()
    chat.turn(seconds=30)
    return chat.line.texts(person)[before:]


async def test_a_covered_question_is_answered_free_of_charge_with_its_source_kept(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        [told] = await _say(chat, tanaka, "請求書はどこで発行できますか？")
        assert told.startswith("請求書は、画面右上の「設定」")
        assert "自動応答" in told
        [again] = await _say(chat, tanaka, "領収書はいつ発行できますか")
        assert "自動応答" not in again, "said once in a conversation"
        rows = sorted(await chat.rows(AnswerRow), key=lambda row: row.asked_at)
        assert [(row.state, row.source, row.written_by) for row in rows] == [
            ("answered", "billing.md#請求書の発行", "passage"),
            ("answered", "billing.md#領収書", "passage"),
        ]
        assert await chat.rows(Lead) == []
        assert chat.line.consumed == 0
        bubble = chat.replies()[-1].body["messages"][-1]
        assert bubble["sender"]["name"] == "自動応答"
        assert [each["action"]["label"] for each in bubble["quickReply"]["items"]] == [
            "解決した",
            "担当者と話す",
        ]
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert (talk.mode, talk.is_unanswered) == ("bot", False)


async def test_what_is_not_covered_goes_to_a_person_once_and_the_bot_is_silent_until_given_back(
    db: Database,
) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        [told] = await _say(chat, tanaka, "サーバーの所在地はどこですか")
        assert "担当者" in told
        assert len(await chat.rows(Lead)) == 1
        for text in ("請求書はどこで発行できますか？", "メニュー", "まだですか"):
            assert await _say(chat, tanaka, text) == []
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert (talk.mode, talk.mode_because) == ("person", "not_covered")
        async with chat.deps.db.begin() as session:
            assert await give_back(session, talk.customer_id, by="U1", now=chat.clock.now())
        [told] = await _say(chat, tanaka, "請求書はどこで発行できますか？")
        assert told.startswith("請求書は")


async def test_a_complaint_gets_an_apology_a_person_and_nothing_else(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        [told] = await _say(chat, tanaka, "請求書の発行の対応がひどいです")
        assert "申し訳ございません" in told
        assert "設定" not in told
        [lead] = await chat.rows(Lead)
        assert lead.reasons[0]["ja"] == "ご不満のご連絡です"


async def test_interest_that_is_covered_is_answered_and_opens_a_lead(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        [told] = await _say(chat, tanaka, "ビジネスプランの料金を教えて")
        assert "4,980円" in told
        assert len(await chat.rows(Lead)) == 1
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert talk.mode == "bot"


async def test_out_of_hours_an_answer_says_when_people_are_back(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        chat.clock.turn_to(datetime(2026, 12, 30, 12, tzinfo=UTC))
        chat.clock.turn_to(datetime(2026, 12, 31, 12, tzinfo=UTC))  # Thursday night before a holiday
        [told] = await _say(chat, tanaka, "請求書はどこで発行できますか？")
        assert "1月4日(月) 10:00以降" in told


async def test_a_menu_leads_to_scripts_by_tap_and_by_typing_and_ends_with_a_person(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        [menu] = await _say(chat, tanaka, "こんにちは")
        assert "ボタン" in menu
        await chat.line.tap_quick_reply(tanaka, "受付時間")
        await chat.settle()
        assert "平日10:00〜18:00" in chat.line.texts(tanaka)[-1]
        [told] = await _say(chat, tanaka, "担当者と話す")
        assert "おつなぎします" in told
        assert await _say(chat, tanaka, "メニュー") == []
        [lead] = await chat.rows(Lead)
        assert [each["ja"] for each in lead.reasons] == ["担当者との会話を希望されています"]


async def test_thanks_open_nothing_and_after_a_persons_reply_the_bot_stays_silent(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        assert await _say(chat, tanaka, "ありがとうございました！") == []
        assert await chat.rows(Lead) == []
        await chat.promise(tanaka, "担当の佐藤です。", kind=MessageKind.PERSON)
        await chat.settle()
        assert await _say(chat, tanaka, "請求書はどこで発行できますか？") == []


async def test_a_question_that_is_taken_back_is_not_answered(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await learn(chat.deps, PAGES)
        said = await chat.line.say(tanaka, "請求書はどこで発行できますか？")
        await chat.settle()
        await chat.line.unsend(tanaka, said.message_id or "")
        await chat.settle()
        assert await answer(chat.deps) == 1
        await chat.settle()
        assert chat.line.texts(tanaka) == []
        assert [row.state for row in await chat.rows(AnswerRow)] == ["dropped"]


async def test_the_model_writes_within_the_passages_and_the_passage_stands_in_for_it(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        server = OpenAIStandIn(chat.clock.now)
        async with serving(server.app) as address:
            client = AsyncOpenAI(api_key="k", base_url=f"{address}/v1", max_retries=0, timeout=5)
            chat.deps = replace(chat.deps, answerer=ModelAnswerer(client, model="m", embedding_model="e"))
            await learn(chat.deps, PAGES)
            source = "billing.md#請求書の発行"
            good = "請求書は「設定」→「お支払い」→「請求書」からダウンロードできます。"
            bad = "請求書は03-1111-2222にお電話ください。"
            for written, start in ((good, good), (bad, "請求書は、画面右上"), (None, "請求書は、画面右上")):
                server.answers += [{"intent": "question"}] if written else [Status(500), Status(500)]
                if written:
                    server.answers.append({"is_answerable": True, "answer": written, "source": source})
                # The embedding of the question takes no scripted answer.
                [told] = await _say(chat, tanaka, "請求書はどこで発行できますか？")
                assert told.startswith(start)
            assert any(each.path == "/v2/bot/chat/loading/start" for each in chat.line.journal)
            await client.close()
        rows = sorted(await chat.rows(AnswerRow), key=lambda row: row.asked_at)
        assert [row.written_by for row in rows] == ["model", "passage", "passage"]
        assert rows[1].because == "not_grounded: number"

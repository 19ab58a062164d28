"""Is everything a customer says kept, shown to people once, and answered with when they will reply?"""

from __future__ import annotations

from datetime import UTC, datetime

from db.desk.leads import Lead
from db.desk.posts import Post
from db.engine import Database
from db.intake.events import Event
from db.talk.conversations import InboundLine
from db.talk.messages import MessageKind
from tests.flows.chat import chatting


async def test_a_message_opens_the_conversation_and_a_lead_and_promises_a_person(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await chat.line.say(tanaka, "料金について教えてください")
        await chat.settle()

        [line] = await chat.heard()
        assert (line.kind, line.text, line.revision) == ("text", "料金について教えてください", 1)
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert (talk.is_open, talk.is_unanswered, talk.revision) == (True, True, 1)
        [lead] = await chat.rows(Lead)
        assert lead.customer_id == await chat.customer_id(tanaka)
        assert "担当者" in chat.line.texts(tanaka)[-1]
        assert chat.line.consumed == 0
        assert "$replied" in [event.name for event in await chat.rows(Event)]
        assert {"post", "decide", "draft"} <= chat.woken.stories


async def test_the_promise_is_made_once_per_conversation_and_lines_reach_the_thread(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        before = len(chat.line.texts(tanaka))
        for text in ("すみません", "料金について", "教えてください"):
            chat.turn(seconds=5)
            await chat.line.say(tanaka, text)
            await chat.settle()
        assert len(chat.line.texts(tanaka)) == before + 1
        posts = await chat.rows(Post)
        lines = [post for post in posts if post.kind == "line"]
        assert len(lines) == 3
        assert "料金" not in str([post.content for post in posts]), "texts stay where they can be removed"
        assert len(await chat.rows(Lead)) == 1


async def test_out_of_hours_the_next_opening_is_named(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        chat.clock.turn_to(datetime(2026, 11, 27, 12, tzinfo=UTC))  # a Friday, 21:00
        await chat.line.say(tanaka, "料金について教えてください")
        await chat.settle()
        assert "11月30日(月) 10:00以降" in chat.line.texts(tanaka)[-1]


async def test_a_sticker_is_kept_and_wants_no_answer(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        before = chat.line.texts(tanaka)
        await chat.line.send_sticker(tanaka)
        await chat.settle()
        [line] = await chat.heard()
        assert (line.kind, line.text) == ("sticker", "[スタンプ]")
        assert await chat.rows(Lead) == []
        assert chat.line.texts(tanaka) == before
        assert "$replied" in [event.name for event in await chat.rows(Event)]


async def test_what_is_unsent_is_removed(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        said = await chat.line.say(tanaka, "まちがえて書いた秘密")
        await chat.settle()
        await chat.line.unsend(tanaka, said.message_id or "")
        await chat.settle()
        [line] = await chat.heard()
        assert (line.text, line.unsent_at is not None) == (None, True)


async def test_what_is_unsent_before_it_arrives_is_never_kept(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        chat.line.hold_webhooks()
        said = await chat.line.say(tanaka, "まちがえて書いた秘密")
        await chat.line.unsend(tanaka, said.message_id or "")
        for event in [event for batch in reversed(chat.line.webhooks.held) for event in batch]:
            assert (await chat.line.deliver([event])).is_ok
            await chat.settle()
        [line] = await chat.rows(InboundLine)
        assert line.text is None
        assert await chat.rows(Lead) == []


async def test_a_person_s_reply_answers_the_conversation_and_makes_drafts_stale(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.say(tanaka, "料金について教えてください")
        await chat.settle()
        await chat.promise(tanaka, "月1,980円です", kind=MessageKind.PERSON)
        await chat.settle()
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert (talk.is_open, talk.is_unanswered, talk.revision) == (True, False, 2)


async def test_a_quiet_answered_conversation_is_over_after_a_day(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.say(tanaka, "料金について教えてください")
        await chat.settle()
        await chat.promise(tanaka, "月1,980円です", kind=MessageKind.PERSON)
        await chat.settle()
        chat.turn(hours=25)
        await chat.settle()
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert not talk.is_open

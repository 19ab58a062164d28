"""Is every answer to the consent question written down as said, and harmless when repeated?"""

from __future__ import annotations

from db.engine import Database
from db.people.consents import ConsentEntry
from db.talk.messages import MessageKind, MessageState
from prompts.texts import system_text
from tests.flows.chat import chatting


async def test_yes_is_written_down_with_the_words_it_answered(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        [entry] = await chat.rows(ConsentEntry)
        assert (entry.purpose, entry.is_granted, entry.source) == ("support", True, "line:button")
        assert entry.wording == system_text("consent").wording_of("ja")
        assert entry.line_user_id == tanaka
        assert "ありがとうございます" in chat.line.texts(tanaka)[-1]
        assert chat.line.consumed == 0


async def test_not_now_is_a_no_and_can_be_changed(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await chat.settle()
        await chat.line.tap_button(tanaka, "今はいい")
        await chat.settle()
        assert await chat.is_granted(tanaka) is False
        assert "送りません" in chat.line.texts(tanaka)[-1]
        chat.turn(seconds=5)
        await chat.line.tap_button(tanaka, "やっぱり受け取る")
        await chat.settle()
        assert await chat.is_granted(tanaka) is True


async def test_a_second_tap_is_not_thanked_for_again(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        before = len(chat.line.texts(tanaka))
        chat.turn(seconds=1)
        await chat.line.tap_button(tanaka, "受け取る")
        await chat.settle()
        assert await chat.is_granted(tanaka) is True
        assert len(chat.line.texts(tanaka)) == before


async def test_at_the_same_moment_a_no_wins(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await chat.settle()
        events = [
            chat.line.event("postback", tanaka, postback={"data": d}) for d in ("consent:no", "consent:yes")
        ]
        await chat.line.deliver(events)
        await chat.settle()
        assert await chat.is_granted(tanaka) is False


async def test_a_no_takes_back_what_waits(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        later = chat.clock.now().replace(hour=9)
        rule = await chat.promise(tanaka, kind=MessageKind.RULE, not_before=later)
        person = await chat.promise(tanaka, kind=MessageKind.PERSON, not_before=later)
        chat.turn(seconds=1)
        await chat.line.tap_button(tanaka, "今はいい")
        await chat.settle()
        assert (await chat.message(rule)).state == MessageState.CANCELLED
        assert (await chat.message(person)).state == MessageState.QUEUED

"""Do friends get asked once, and is blocking a no that coming back does not undo?"""

from __future__ import annotations

import pytest

from db.engine import Database
from db.talk.messages import MessageState
from tests.flows.chat import chatting


async def test_a_new_friend_is_asked_before_anything_is_sent_free_of_charge(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await chat.settle()

        [question] = chat.line.phone(tanaka)
        assert "受け取る" in [button["label"] for button in question["buttons"]]
        assert "送りません" in question["text"]
        assert question["via"] == "reply"
        assert chat.line.consumed == 0
        assert await chat.is_granted(tanaka) is None
        user = await chat.user(tanaka)
        assert (user.is_friend, user.is_blocked, user.display_name) == (True, False, "田中")


async def test_an_english_speaker_is_asked_in_english(db: Database) -> None:
    async with chatting(db) as chat:
        smith = chat.person("Smith", language="en")
        await chat.line.follow(smith)
        await chat.settle()
        assert "Yes, please" in [button["label"] for button in chat.line.phone(smith)[-1]["buttons"]]


async def test_the_same_webhook_twice_asks_once(db: Database) -> None:
    async with chatting(db) as chat:
        chat.line.webhooks.copies = 3
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await chat.settle()
        assert len(chat.line.phone(tanaka)) == 1


async def test_adding_again_after_agreeing_asks_nothing(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        before = len(chat.line.phone(tanaka))
        chat.turn(minutes=5)
        await chat.line.follow(tanaka)
        await chat.settle()
        assert len(chat.line.phone(tanaka)) == before


async def test_coming_back_after_a_block_asks_again_and_revives_nothing(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        assert await chat.is_granted(tanaka) is True
        chat.turn(hours=1)
        await chat.line.unfollow(tanaka)
        await chat.settle()
        assert (await chat.user(tanaka)).is_blocked

        chat.turn(hours=1)
        await chat.line.follow(tanaka)
        await chat.settle()

        assert not (await chat.user(tanaka)).is_blocked
        assert await chat.is_granted(tanaka) is False
        assert "受け取る" in [button["label"] for button in chat.line.phone(tanaka)[-1]["buttons"]]


async def test_blocking_stops_everything_that_waits(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        waiting = await chat.promise(tanaka, not_before=chat.clock.now().replace(hour=9))
        chat.turn(minutes=1)
        await chat.line.unfollow(tanaka)
        await chat.settle()
        assert (await chat.message(waiting)).state == MessageState.CANCELLED


async def test_a_late_block_of_before_the_return_changes_nothing(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        block = chat.line.event("unfollow", tanaka)
        chat.turn(minutes=5)
        await chat.line.follow(tanaka)
        await chat.settle()
        await chat.line.deliver([block])
        await chat.settle()
        user = await chat.user(tanaka)
        assert (user.is_friend, user.is_blocked) == (True, False)


@pytest.mark.parametrize("mode", ["standby", "something-new"])
async def test_while_another_module_holds_the_chat_nothing_is_sent(db: Database, mode: str) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        event = chat.line.event("follow", tanaka, follow={"isUnblocked": False})
        event["mode"] = mode
        await chat.line.deliver([event])
        await chat.settle()
        assert (await chat.user(tanaka)).is_friend
        assert await chat.messages() == []

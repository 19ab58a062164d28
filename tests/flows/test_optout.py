"""Does one word stop everything at once, and can it be taken back?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.engine import Database
from db.people.consents import EVERYTHING, ConsentEntry
from db.talk.messages import MessageKind, MessageState
from tests.flows.chat import chatting


@pytest.mark.parametrize("word", ["停止", "配信を停止してください", "ＳＴＯＰ", "もういらないです！"])
async def test_a_stop_word_stops_everything_that_waits_and_is_confirmed(db: Database, word: str) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        later = chat.clock.now() + timedelta(hours=6)
        waiting = [
            await chat.promise(tanaka, kind=kind, not_before=later)
            for kind in MessageKind
            if kind != "system"
        ]
        chat.turn(minutes=1)
        await chat.line.say(tanaka, word)
        await chat.settle()

        assert await chat.is_granted(tanaka) is False
        assert {(await chat.message(each)).state for each in waiting} == {MessageState.CANCELLED}
        confirmation = chat.line.phone(tanaka)[-1]
        assert "停止しました" in confirmation["text"]
        assert [button["label"] for button in confirmation["buttons"]] == ["元に戻す"]
        assert confirmation["via"] == "reply"


async def test_an_opt_out_is_for_every_purpose(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        async with db.begin() as session:
            session.add(
                ConsentEntry(
                    customer_id=await chat.customer_id(tanaka),
                    purpose="offers",
                    consent_id=chat.deps.ids.uuid(),
                    is_granted=True,
                    at=chat.clock.now(),
                    source="form",
                    recorded_at=chat.clock.now(),
                )
            )
        chat.turn(minutes=1)
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        refused = {e.purpose for e in await chat.rows(ConsentEntry) if not e.is_granted}
        assert refused == {"support", "offers", EVERYTHING}


async def test_undo_brings_back_what_was_agreed_before(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        chat.turn(minutes=1)
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        chat.turn(seconds=10)
        await chat.line.tap_button(tanaka, "元に戻す")
        await chat.settle()
        assert await chat.is_granted(tanaka) is True
        assert "再開しました" in chat.line.texts(tanaka)[-1]


async def test_undo_gives_no_consent_that_never_was(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await chat.settle()
        chat.turn(minutes=1)
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        chat.turn(seconds=10)
        await chat.line.tap_button(tanaka, "元に戻す")
        await chat.settle()
        assert await chat.is_granted(tanaka) is None, "nobody was ever asked"


async def test_a_message_that_may_have_arrived_is_not_called_cancelled(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        waiting = await chat.promise(tanaka)
        chat.line.faults.add("/v2/bot/message/push", status=500)
        await chat.settle()
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        row = await chat.message(waiting)
        assert row.state == MessageState.UNKNOWN
        assert len(chat.pushes()) == 1


async def test_an_opt_out_counts_however_late_it_arrives(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        chat.turn(minutes=1)
        stop = chat.line.event("postback", tanaka, postback={"data": "optout"})
        chat.turn(days=2)
        await chat.line.deliver([stop])
        await chat.settle()
        assert await chat.is_granted(tanaka) is False


async def test_a_yes_that_arrives_days_late_and_is_no_redelivery_is_a_replay(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await chat.settle()
        chat.turn(minutes=1)
        yes = chat.line.event("postback", tanaka, postback={"data": "consent:yes"})
        chat.turn(days=2)
        await chat.line.deliver([yes])
        await chat.settle()
        assert await chat.is_granted(tanaka) is None


async def test_an_opt_out_older_than_the_yes_changes_nothing(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        stop = chat.line.event("postback", tanaka, postback={"data": "optout"})
        chat.turn(minutes=1)
        await chat.agree(tanaka)
        before = len(chat.line.texts(tanaka))
        await chat.line.deliver([stop])
        await chat.settle()
        assert await chat.is_granted(tanaka) is True
        assert len(chat.line.texts(tanaka)) == before

"""Is a customer's wish about our messages kept, confirmed and undone?"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from db.engine import Database
from db.people.preferences import preferences_of
from followups.facts import Facts, Preferences
from followups.gates import preferences
from followups.rules.model import Policy
from tests.flows.chat import Chat, chatting

TOKYO = ZoneInfo("Asia/Tokyo")


async def wished(chat: Chat, user_id: str) -> Preferences | None:
    customer_id = await chat.customer_id(user_id)
    async with chat.deps.db.begin() as session:
        return (await preferences_of(session, [customer_id])).get(customer_id)


async def says(chat: Chat, user_id: str, text: str) -> str:
    chat.turn(minutes=1)
    await chat.line.say(user_id, text)
    await chat.settle()
    return chat.line.texts(user_id)[-1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("夜に送って", "18:00〜22:00"),
        ("月1回にして", "30日に1通まで"),
        ("しばらく止めて", "12月24日(木) 0:00まで"),
        ("配信設定", "受け取り方を変更"),
        ("深夜0時から6時に送って", "ありがとうございます"),
        ("21時以降に送って", "9:00〜20:00"),
    ],
)
async def test_words_are_confirmed_in_one_short_message(db: Database, text: str, said: str) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        before = len(chat.line.texts(tanaka))
        assert said in await says(chat, tanaka, text)
        assert len(chat.line.texts(tanaka)) == before + 1
        assert all(each.path != "/v2/bot/message/push" for each in chat.line.journal)


async def test_a_wish_can_be_undone_and_the_one_before_counts_again(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await says(chat, tanaka, "月1回にして")
        await says(chat, tanaka, "週1回にして")
        found = await wished(chat, tanaka)
        assert found is not None
        assert found.per_30_days == 4
        chat.turn(minutes=1)
        await chat.line.tap_button(tanaka, "元に戻す")
        await chat.settle()
        found = await wished(chat, tanaka)
        assert found is not None
        assert found.per_30_days == 1
        assert chat.line.texts(tanaka)[-1] == "元に戻しました。"


async def test_the_menu_pauses_until_a_date_that_is_picked(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await says(chat, tanaka, "配信設定")
        choices = {each["label"]: each for each in chat.line.phone(tanaka)[-1]["quick_replies"]}
        assert choices["日付まで休む"]["action"]["type"] == "datetimepicker"
        chat.turn(minutes=1)
        await chat.line.press(tanaka, "wish:pause", params={"date": "2027-01-08"})
        await chat.settle()
        found = await wished(chat, tanaka)
        assert found is not None
        assert found.paused_until == datetime(2027, 1, 8, tzinfo=TOKYO)


async def test_a_typed_label_of_the_menu_counts_too(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await says(chat, tanaka, "配信設定")
        assert "30日に2通まで" in await says(chat, tanaka, "回数を減らす")


async def test_as_usual_takes_every_wish_back_but_gives_no_consent(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await says(chat, tanaka, "月1回にして")
        await says(chat, tanaka, "停止")
        assert "受け取る" in await says(chat, tanaka, "お知らせを再開してください")
        assert await wished(chat, tanaka) is None
        assert await chat.is_granted(tanaka) is False


async def test_a_topic_that_we_cannot_keep_apart_is_read_by_a_person(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await says(chat, tanaka, "セールの案内はいらない")
        assert await wished(chat, tanaka) is None
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert talk.is_unanswered


@pytest.mark.parametrize(
    "sent",
    ["wish:", "wish:nothing", "wish:hours:x-y", "wish:often:x", "wish:undo:x", "wish:pause", "wish:topic:x"],
)
async def test_made_up_buttons_do_no_harm(db: Database, sent: str) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        chat.turn(minutes=1)
        await chat.line.press(tanaka, sent)
        await chat.settle()
        assert await wished(chat, tanaka) is None
        assert await chat.alerts() == []


def gate(now: datetime, **wishes: Any) -> tuple[bool, datetime | None]:
    facts = Facts(customer_id=UUID(int=1), external_id=None, preferences=Preferences(**wishes))
    found = preferences(facts, Policy(), "support", now=now)
    return found.passes, found.until


def test_the_gate_waits_for_the_hours_that_both_sides_allow() -> None:
    ten = datetime(2026, 11, 24, 10, tzinfo=TOKYO)
    assert gate(ten, hours=(time(18), time(22))) == (False, ten.replace(hour=18))
    assert gate(ten.replace(hour=19), hours=(time(18), time(22))) == (True, None)
    late = ten.replace(hour=21)
    assert gate(late, hours=(time(18), time(22))) == (False, late.replace(hour=18) + timedelta(days=1))
    assert gate(ten, hours=(time(6), time(11))) == (True, None)
    assert gate(ten, hours=(time(21), time(0))) == (True, None), "never both: it must not silence for ever"
    assert gate(ten, paused_until=ten + timedelta(days=3)) == (False, ten + timedelta(days=3))
    assert gate(ten, topics_off=frozenset({"support"})) == (False, None)
    assert gate(ten) == (True, None)

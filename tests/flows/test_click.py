"""Are clicks and answers in one tap recorded as what they are?"""

from __future__ import annotations

import pytest

from bot.flows.signals.click import click
from bot.line.bubbles import bubbles_of
from db.desk.leads import Lead
from db.engine import Database
from db.intake.events import Event
from db.talk.messages import Click, MessageKind, add_link
from followups.words.text import RenderedMessage, RenderedQuickReply
from tests.flows.chat import Chat, chatting

URL = "https://app.example.com/start?a=1&b=日本"


async def offered(chat: Chat, user_id: str) -> str:
    """A message with a tracked button and two quick replies; returns the token."""
    message_id, token = chat.deps.ids.uuid(), chat.deps.ids.token()
    rendered = RenderedMessage(
        language="ja",
        text="設定でお困りのことはありませんか。",
        button_label="続きから始める",
        button_url=URL,
        quick_replies=(
            RenderedQuickReply(label="困っている", signal="needs_help", is_lead=True),
            RenderedQuickReply(label="今は忙しい", signal="busy"),
            RenderedQuickReply(label="お知らせを停止", signal="optout"),
        ),
    )
    address = f"https://bot.example/r/{token}"
    await chat.promise(
        user_id,
        kind=MessageKind.PERSON,
        message_id=message_id,
        template="inactive-checkin",
        rule_id="inactive",
        bubbles=bubbles_of(rendered, link_of=lambda _: address, message_id=message_id),
    )
    async with chat.deps.db.begin() as session:
        await add_link(
            session,
            token=token,
            customer_id=await chat.customer_id(user_id),
            message_id=message_id,
            url=URL,
            now=chat.clock.now(),
        )
    await chat.settle()
    return token


async def test_opening_the_button_is_recorded_and_leads_on(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await offered(chat, tanaka)
        chat.line.local_hosts["https://bot.example"] = chat.address
        opened = await chat.line.tap_button(tanaka, "続きから始める")
        assert opened is not None
        assert opened.status == 302
        assert opened.location == "https://app.example.com/start?a=1&b=%E6%97%A5%E6%9C%AC"
        assert len(await chat.rows(Click)) == 1
        names = {event.name for event in await chat.rows(Event)}
        assert {"$clicked", "$clicked:inactive-checkin"} <= names
        assert "decide" in chat.woken.stories


@pytest.mark.parametrize(
    "agent", ["facebookexternalhit/1.1;line-poker/1.0", "Slackbot-LinkExpanding 1.0", "curl/8"]
)
async def test_robots_are_led_on_but_not_counted(db: Database, agent: str) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        token = await offered(chat, tanaka)
        assert await click(chat.deps, token, user_agent=agent) is not None
        assert await chat.rows(Click) == []


async def test_a_tap_that_asks_for_help_opens_a_lead(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await offered(chat, tanaka)
        await chat.line.tap_quick_reply(tanaka, "困っている")
        await chat.settle()
        [event] = [event for event in await chat.rows(Event) if event.name == "needs_help"]
        assert event.properties == {"template": "inactive-checkin", "rule": "inactive"}
        assert "$reacted:needs_help" in {event.name for event in await chat.rows(Event)}
        [lead] = await chat.rows(Lead)
        assert (lead.source, lead.rule_id) == ("quick_reply", "inactive")
        assert "困っている" in lead.reasons[0]["ja"]
        [line] = await chat.heard()
        assert (line.kind, line.text) == ("tap", "困っている")


async def test_a_tap_that_wants_no_answer_holds_nothing_up(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await offered(chat, tanaka)
        await chat.line.tap_quick_reply(tanaka, "今は忙しい")
        await chat.settle()
        assert await chat.rows(Lead) == []
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert not talk.is_unanswered


async def test_typing_the_label_counts_as_the_tap(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await offered(chat, tanaka)
        await chat.line.say(tanaka, " 今は忙しい ")
        await chat.settle()
        assert {"busy", "$reacted:busy"} <= {event.name for event in await chat.rows(Event)}
        assert await chat.rows(Lead) == []


async def test_the_quick_reply_that_stops_stops(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        await offered(chat, tanaka)
        chat.turn(seconds=5)
        await chat.line.tap_quick_reply(tanaka, "お知らせを停止")
        await chat.settle()
        assert await chat.is_granted(tanaka) is False

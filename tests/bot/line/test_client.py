"""What does the adapter make of everything LINE can answer, through the real SDK over a real socket?"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.clock import TurnableClock
from bot.errors import Misconfigured, Unavailable
from bot.line.answers import is_unauthorized, refusal_of
from bot.line.client import LineClient
from bot.ports import Accepted, QuotaExceeded, Rejected, TryLater
from bot.settings import Settings
from sandbox.line import LineStandIn
from sandbox.serve import serving

KEY = UUID("01935d2e-0000-7000-8000-000000000001")
PUSH, REPLY = "/v2/bot/message/push", "/v2/bot/message/reply"
HELLO = [{"type": "text", "text": "こんにちは🍎"}]


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[tuple[LineStandIn, LineClient, str]]:
    clock = TurnableClock(datetime(2026, 11, 24, 3, tzinfo=UTC))
    line = LineStandIn(channel_secret="s", access_token="t", clock=clock.now, **options)
    async with serving(line.app) as address:
        settings = Settings(_env_file=None, line_channel_access_token="t", line_api_base_url=f"{address}/")
        async with LineClient.connected(settings, timeout_seconds=0.5) as client:
            tanaka = line.add_person("田中", is_friend=True)
            yield line, client, tanaka


async def test_a_push_is_accepted_with_its_ids_and_its_words_arrive_whole() -> None:
    async with connected() as (line, client, tanaka):
        outcome = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        assert isinstance(outcome, Accepted)
        assert outcome.request_id == line.journal[0].request_id
        assert len(outcome.message_ids) == 1
        assert line.journal[0].retry_key == str(KEY)
        assert line.texts(tanaka) == ["こんにちは🍎"]


async def test_what_line_has_taken_before_is_accepted_too() -> None:
    async with connected() as (line, client, tanaka):
        first = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        second = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        assert line.journal[-1].status == 409
        assert isinstance(first, Accepted)
        assert second == first
        assert len(line.texts(tanaka)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502, "body": "<html>", "media_type": "text/html"},
        {"status": 503, "body": b"\xff\xfe"},
        {"drop": "before"},
        {"drop": "after"},
        {"hang_seconds": 2},
        {"status": 200, "body": b'{"sentMessages":[{"id"', "is_accepted": True},
        {"status": 200, "body": {"sentMessages": None}, "is_accepted": True},
        {"status": 200, "body": "<html>fine</html>", "media_type": "text/html", "is_accepted": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [PUSH, REPLY])
async def test_whatever_is_no_clear_answer_is_to_be_tried_later(path: str, fault: dict[str, Any]) -> None:
    async with connected() as (line, client, tanaka):
        line.faults.add(path, **fault)
        if path == PUSH:
            outcome: object = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        else:
            token = line.event("follow", tanaka)["replyToken"]
            outcome = await client.reply(reply_token=token, bubbles=HELLO)
        assert isinstance(outcome, TryLater)
        assert not outcome.is_rate_limit


async def test_without_a_connection_line_has_certainly_taken_nothing() -> None:
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        settings = Settings(_env_file=None, line_channel_access_token="t", line_api_base_url=address)
        async with LineClient.connected(settings, timeout_seconds=0.5) as client:
            for outcome in (
                await client.push(line_user_id="U" + "0" * 32, bubbles=HELLO, retry_key=KEY),
                await client.reply(reply_token="t", bubbles=HELLO),
            ):
                assert isinstance(outcome, TryLater)
                assert outcome.is_untaken


async def test_an_answer_that_got_lost_may_have_been_a_yes() -> None:
    async with connected() as (line, client, tanaka):
        line.faults.add(PUSH, drop="after")
        outcome = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        assert isinstance(outcome, TryLater)
        assert not outcome.is_untaken


async def test_a_proxy_that_the_environment_names_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        body = json.dumps({"sentMessages": [{"id": "1", "quoteToken": "q"}]}).encode()
        head = f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", "")
        settings = Settings(
            _env_file=None, line_channel_access_token="t", line_api_base_url="http://line.invalid"
        )
        async with LineClient.connected(settings, timeout_seconds=0.5) as client:
            outcome = await client.push(line_user_id="U" + "0" * 32, bubbles=HELLO, retry_key=KEY)
    assert isinstance(outcome, Accepted)
    assert asked == ["POST http://line.invalid/v2/bot/message/push HTTP/1.1"]


async def test_what_was_promised_is_what_line_gets() -> None:
    async with connected() as (line, client, tanaka):
        bubble = {
            "type": "flex",
            "altText": "こちらから",
            "contents": {
                "type": "bubble",
                "body": {"type": "box", "layout": "vertical", "contents": [{"type": "text", "text": "開く"}]},
            },
            "quickReply": {
                "items": [
                    {
                        "type": "action",
                        "action": {
                            "type": "postback",
                            "label": "はい",
                            "data": "qr:yes",
                            "displayText": "はい",
                        },
                    }
                ]
            },
        }
        outcome = await client.push(line_user_id=tanaka, bubbles=[bubble], retry_key=KEY)
        assert isinstance(outcome, Accepted)
        assert line.journal[0].body == {"to": tanaka, "messages": [bubble], "notificationDisabled": False}


async def test_the_two_kinds_of_429_are_told_apart() -> None:
    async with connected(quota=1) as (line, client, tanaka):
        line.limit_rate(PUSH)
        outcome = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        assert isinstance(outcome, TryLater)
        assert outcome.is_rate_limit
        line.consume(1)
        assert await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY) == QuotaExceeded()


async def test_a_refused_token_says_what_to_do() -> None:
    async with connected() as (line, client, tanaka):
        line.channel.access_token = "another"
        outcome = await client.push(line_user_id=tanaka, bubbles=HELLO, retry_key=KEY)
        assert isinstance(outcome, Rejected)
        assert is_unauthorized(outcome)
        assert "LINE_CHANNEL_ACCESS_TOKEN" in outcome.because
        with pytest.raises(Unavailable):
            await client.basic_id()


async def test_a_stranger_is_refused_for_good() -> None:
    async with connected() as (_, client, _tanaka):
        outcome = await client.push(line_user_id="U" + "0" * 32, bubbles=HELLO, retry_key=KEY)
        assert isinstance(outcome, Rejected)
        assert not is_unauthorized(outcome)


async def test_a_reply_token_is_good_once() -> None:
    async with connected() as (line, client, tanaka):
        token = line.event("follow", tanaka)["replyToken"]
        assert isinstance(await client.reply(reply_token=token, bubbles=HELLO), Accepted)
        second = await client.reply(reply_token=token, bubbles=HELLO)
        assert isinstance(second, Rejected)
        assert second.is_token_spent
        assert line.consumed == 0


async def test_a_reply_token_is_good_for_a_minute() -> None:
    async with connected() as (line, client, tanaka):
        token = line.event("follow", tanaka)["replyToken"]
        clock: TurnableClock = line.clock.__self__  # type: ignore[attr-defined]
        clock.turn(timedelta(seconds=61))
        outcome = await client.reply(reply_token=token, bubbles=HELLO)
        assert isinstance(outcome, Rejected)
        assert outcome.is_token_spent


@pytest.mark.parametrize(
    "bubbles",
    [
        [],
        HELLO * 6,
        [{"type": "text", "text": ""}],
        [{"type": "text", "text": "あ" * 5001}],
        [{"type": "text", "text": "a", "qickReply": {}}],
        [{"type": "flex", "altText": "a", "contents": {"type": "bubble"}}],
    ],
    ids=["none", "six", "empty", "too long", "misspelled", "empty bubble"],
)
async def test_what_line_would_refuse_never_leaves(bubbles: list[dict[str, Any]]) -> None:
    async with connected() as (line, client, tanaka):
        outcome = await client.push(line_user_id=tanaka, bubbles=bubbles, retry_key=KEY)
        assert isinstance(outcome, Rejected)
        assert "messages" in outcome.because
        assert isinstance(await client.reply(reply_token="t", bubbles=bubbles), Rejected)
        assert line.journal == []


async def test_a_profile_is_told_or_there_is_none() -> None:
    async with connected() as (line, client, tanaka):
        found = await client.profile(tanaka)
        assert found is not None
        assert (found.display_name, found.language) == ("田中", "ja")
        line.person(tanaka).has_blocked = True
        assert await client.profile(tanaka) is None
        assert await client.profile("nonsense") is None
        line.faults.add(status=500, times=9)
        with pytest.raises(Unavailable):
            await client.profile(tanaka)


async def test_the_account_s_id_is_asked_for_once() -> None:
    async with connected() as (line, client, _):
        assert [await client.basic_id(), await client.basic_id()] == ["@123abcde"] * 2
        assert len(line.journal) == 1


async def test_without_a_token_it_says_so() -> None:
    with pytest.raises(Misconfigured, match="LINE_CHANNEL_ACCESS_TOKEN"):
        async with LineClient.connected(Settings(_env_file=None)):
            pass


@pytest.mark.parametrize("body", [None, b"", "null", "[]", '{"message":null}', "<html>", "[" * 5000, b"\xff"])
def test_any_error_body_can_be_read(body: Any) -> None:
    assert isinstance(refusal_of(400, body), Rejected)
    assert isinstance(refusal_of(500, body), TryLater)
    assert refusal_of(429, body) != QuotaExceeded()

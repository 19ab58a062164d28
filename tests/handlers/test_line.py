"""Does the webhook's door store first and answer fast, and let in only LINE?"""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI

from bot.line.signature import signature_of
from bot.settings import Settings
from db.engine import Database
from db.intake.inbox import InboxRow
from handlers.line import router
from sandbox.serve import serving
from tests.flows.chat import SECRET, Chat, chatting
from tests.wiring import deps_without_platforms

BODY = json.dumps({"destination": "U0", "events": [{"type": "follow", "webhookEventId": "1"}]}).encode()


async def post(chat: Chat, body: bytes, headers: dict[str, str] | None = None) -> int:
    given = {"x-line-signature": signature_of(SECRET, body)} if headers is None else headers
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{chat.address}/line/webhook", data=BytesIO(body), headers=given) as answer,
    ):
        return answer.status


async def test_what_is_answered_200_is_stored(db: Database) -> None:
    async with chatting(db) as chat:
        assert await post(chat, BODY) == 200
        assert await post(chat, BODY) == 200
        [row] = await chat.rows(InboxRow)
        assert (row.event_id, row.kind, row.done_at) == ("1", "follow", None)
        assert chat.woken.stories == {"receive"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-line-signature": ""},
        {"x-line-signature": "nonsense"},
        {"x-line-signature": signature_of("another", BODY)},
        {"x-line-signature": signature_of(SECRET, BODY + b" ")},
        {"x-hub-signature": signature_of(SECRET, BODY)},
    ],
    ids=["absent", "empty", "nonsense", "other secret", "other body", "other header"],
)
async def test_what_line_did_not_sign_is_refused_and_not_stored(
    db: Database, headers: dict[str, str]
) -> None:
    async with chatting(db) as chat:
        assert await post(chat, BODY, headers) == 401
        assert await chat.rows(InboxRow) == []
        assert chat.woken.stories == set()


@pytest.mark.parametrize(
    "body",
    [
        b'{"destination":"U0","events":[]}',
        b"not json",
        b"[]",
        b'{"events":[null,1,"x",{}]}',
        b'{"events":[{"type":"fromTheFuture","mode":"sleeping"}]}',
        b"\xff\x00",
        b"",
    ],
    ids=repr,
)
async def test_whatever_line_signs_is_answered_200(db: Database, body: bytes) -> None:
    async with chatting(db) as chat:
        assert await post(chat, body) == 200


async def test_several_people_in_one_request_are_kept_apart(db: Database) -> None:
    async with chatting(db) as chat:
        people = [chat.person(f"客{number}") for number in range(3)]
        delivery = await chat.line.deliver([chat.line.event("follow", person) for person in people])
        assert delivery.status == 200
        assert {row.source for row in await chat.rows(InboxRow)} == {f"line:{person}" for person in people}


async def test_a_flood_of_one_body_is_cut_off(db: Database) -> None:
    async with chatting(db) as chat:
        assert await post(chat, b"x" * (2 * 1024 * 1024 + 1)) == 413
        assert await chat.rows(InboxRow) == []


async def test_without_a_database_line_is_asked_to_come_again() -> None:
    settings: Any = Settings(_env_file=None, line_channel_secret=SECRET)
    app = FastAPI()
    app.include_router(router(replace(deps_without_platforms(), settings=settings)))
    async with serving(app) as address, aiohttp.ClientSession() as http:
        headers = {"x-line-signature": signature_of(SECRET, BODY)}
        async with http.post(f"{address}/line/webhook", data=BODY, headers=headers) as answer:
            assert answer.status == 503

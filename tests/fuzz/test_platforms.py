"""Do LINE's and Slack's doors take whatever is signed, let in nothing else, and survive acting on it?"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import delete, func, select, text
from sqlmodel import col
from starlette.responses import Response

from db.intake.inbox import MOST_ATTEMPTS, InboxRow
from sandbox.line.webhooks import signature
from sandbox.serve import serving
from sandbox.world import CHANNEL_SECRET, SIGNING_SECRET, World
from tests.fuzz.bad import state_of, variants


@pytest.fixture
async def visitor(town: World) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=town.address, trust_env=False, timeout=60) as client:
        yield client


async def nothing_failed(town: World) -> None:
    """Everything that waits is taken in; no row raised, then or when tried again."""
    await town.settle()
    async with town.deps.db.begin() as session:
        failed = await session.execute(
            select(InboxRow.source, InboxRow.event_id, InboxRow.because).where(col(InboxRow.attempts) > 0)  # type: ignore[call-overload]
        )
        waiting = await session.scalar(
            select(func.count()).select_from(InboxRow).where(col(InboxRow.done_at).is_(None))
        )
    assert (list(failed), waiting) == ([], 0)
    assert MOST_ATTEMPTS > 1


# --- LINE ---------------------------------------------------------------------------------------------


async def webhook(client: httpx.AsyncClient, body: bytes, *, sign: bytes | str | None = None) -> int:
    header = signature(CHANNEL_SECRET, body) if sign is None else sign
    value = header if isinstance(header, bytes) else header.encode()
    answer = await client.post("/line/webhook", content=body, headers={b"X-Line-Signature": value})
    return answer.status_code


def event(user: str, at: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "mode": "active",
        "timestamp": at,
        "webhookEventId": f"event-{kind}",
        "deliveryContext": {"isRedelivery": False},
        "source": {"type": "user", "userId": user},
        "replyToken": "0123456789abcdef",
        **fields,
    }


EVENTS: dict[str, dict[str, Any]] = {
    "text": {"kind": "message", "message": {"id": "1", "type": "text", "text": "料金は", "quoteToken": "q"}},
    "location": {"kind": "message", "message": {"id": "2", "type": "location", "latitude": 35.6}},
    "file": {"kind": "message", "message": {"id": "3", "type": "file", "fileName": "a", "fileSize": 3}},
    "postback": {"kind": "postback", "postback": {"data": "consent:yes", "params": {"date": "2026-11-02"}}},
    "unsend": {"kind": "unsend", "unsend": {"messageId": "1"}},
    "follow": {"kind": "follow", "follow": {"isUnblocked": False}},
    "unfollow": {"kind": "unfollow"},
}


@pytest.mark.parametrize("name", EVENTS)
async def test_every_broken_event_is_kept_and_has_no_worse_effect_than_none(
    town: World, visitor: httpx.AsyncClient, name: str
) -> None:
    user = town.line.add_person("人")
    await town.line.follow(user)
    at = int(town.clock.now().timestamp() * 1000)
    whole = {"destination": "U" + "0" * 32, "events": [event(user, at, **EVENTS[name])]}
    own = {"message", "postback", "unsend", "follow"}  # the rest is the same in all of them
    bodies = [
        body.encode()
        for _, path, body in variants(whole)
        if name == "text" or path in {(), ("events", 0)} or own & {*path}
    ]
    gate = asyncio.Semaphore(8)

    async def one(body: bytes) -> int:
        async with gate:
            return await webhook(visitor, body)

    assert set(await asyncio.gather(*map(one, bodies[:: 2 if name == "text" else 1]))) == {200}
    await nothing_failed(town)


JUNK = {
    "nothing": b"", "word": b"x", "number": b"1", "list": b"[]", "object": b"{}", "null": b"null",
    "events is text": b'{"events":"x"}', "events of junk": b'{"events":[1,null,"x",[],{}]}',
    "no UTF-8": b"\xff\xfe\x00", "NULs": b"\0" * 50, "deep": b"[" * 50_000, "cut": b'{"events":[{"type":"me',
    "two keys": b'{"events":[],"events":[{"type":"follow"}]}',
    "BOM": b"\xef\xbb\xbf" + b'{"events":[{"type":"x"}]}',
    "UTF-16": '{"events":[{"type":"x"}]}'.encode("utf-16"),
    "long number": b'{"events":[{"timestamp":' + b"9" * 5000 + b"}]}",
    "many": json.dumps({"events": [{"type": "x", "webhookEventId": str(n)} for n in range(100)]}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", JUNK)
async def test_signed_junk_is_acknowledged_and_kept(
    town: World, visitor: httpx.AsyncClient, name: str
) -> None:
    async with town.deps.db.begin() as session:
        await session.execute(delete(InboxRow))
    assert await webhook(visitor, JUNK[name]) == 200
    async with town.deps.db.begin() as session:
        kept = list(await session.scalars(select(InboxRow)))
    assert len(kept) == {"events of junk": 5, "many": 100}.get(name, 1)
    assert all(row.source.startswith("line:") for row in kept)
    await nothing_failed(town)


async def test_what_line_did_not_sign_changes_nothing(town: World, visitor: httpx.AsyncClient) -> None:
    body = json.dumps({"events": [event("U" + "1" * 32, 0, "follow")]}).encode()
    before = await state_of(town.deps.db)
    right = signature(CHANNEL_SECRET, body)
    for wrong in (
        "", "x", right[:-1], right + "=", right.lower(), signature("another", body), "=" * 44, b"\xff\xfe",
        "署名".encode(), signature(CHANNEL_SECRET, body + b" "), "A" * 20_000,
    ):  # fmt: skip
        assert await webhook(visitor, body, sign=wrong) == 401, wrong
    assert (await visitor.post("/line/webhook", content=body)).status_code == 401
    assert await webhook(visitor, b"x" * (2 * 1024 * 1024 + 1)) == 413
    assert await state_of(town.deps.db) == before


# --- Slack --------------------------------------------------------------------------------------------


SAMPLE = 30
"""Of the ways to break a request to Slack's door; all of them take minutes, and find no more."""


async def slack(client: httpx.AsyncClient, body: bytes, kind: str, *, secret: str = SIGNING_SECRET) -> int:
    stamp = str(int(time.time()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}
    return (await client.post("/slack/events", content=body, headers=headers)).status_code


async def recorded(town: World) -> list[tuple[str, bytes]]:
    """What Slack sends while people press, fill in, type and open: content types and bodies."""
    seen: list[tuple[str, bytes]] = []
    recorder = FastAPI()

    @recorder.post("/slack/events")
    async def on_any(request: Request) -> Response:
        body = await request.body()
        seen.append((request.headers["content-type"], body))
        headers = {
            name: value for name, value in request.headers.items() if name.startswith(("x-", "content-t"))
        }
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{town.address}/slack/events", content=body, headers=headers)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

    user = await town.friend("tanaka", "田中")
    await town.line.say(user, "料金を教えてください")
    await town.settle()
    async with serving(recorder) as address:
        straight, town.slack.request_url = town.slack.request_url, f"{address}/slack/events"
        card = town.slack.messages(town.leads_channel)[-1]
        for action in ("lead.claim", "lead.send"):
            await town.slack.press(town.sato, town.leads_channel, card.ts, _numbered(card, action))
        for action in ("lead.snooze", "lead.dismiss", "lead.edit"):
            await town.slack.press(town.sato, town.leads_channel, card.ts, _numbered(card, action))
            await asyncio.sleep(0.3)
            view = town.slack.open_views(town.sato)[-1]
            values = {"reason": "duplicate"} if action == "lead.dismiss" else None
            await town.slack.submit(town.sato, view.id, values)
        for command in ("/why", "/reply"):
            await town.slack.command(town.sato, command, "tanaka", town.leads_channel)
        await town.slack.open_home(town.sato)
        await town.slack.write(town.sato, town.leads_channel, "値引きは", thread_ts=card.ts)
        await town.slack.shortcut(town.sato, "anything")
        town.slack.request_url = straight
    await town.settle()
    return seen


def _numbered(card: Any, action: str) -> str:
    return next(each.action_id for each in card.buttons() if each.action_id.partition(":")[0] == action)


def broken(kind: str, body: bytes) -> list[bytes]:
    """The recorded request with every value of it broken."""
    if kind.startswith("application/json"):
        return [each.encode() for _, _, each in variants(json.loads(body))]
    fields = dict(parse_qsl(body.decode()))
    if "payload" in fields:
        payload = json.loads(fields["payload"])
        payload.pop("message", None)  # the whole card: long, and not read
        return [urlencode({"payload": each}).encode() for _, _, each in variants(payload)]
    values = ["", " ", "x", "長" * 3000, "\0", "\ufffe", "%00", "{}", "null", "<@U1> & `", "-1", "//", "/why"]
    return [urlencode({**fields, name: value}).encode() for name in fields for value in values] + [
        urlencode({key: value for key, value in fields.items() if key != name}).encode() for name in fields
    ]


async def test_every_broken_request_that_slack_signed_is_answered_and_does_no_harm(
    town: World, visitor: httpx.AsyncClient
) -> None:
    seen = await recorded(town)
    kinds = {json.loads(dict(parse_qsl(body.decode())).get("payload", "{}")).get("type") for _, body in seen}
    assert {"block_actions", "view_submission"} <= kinds
    draw = random.Random(7)
    wrong: dict[int, int] = {}
    examples: Sequence[Any] = []
    for kind, body in seen:
        every = broken(kind, body)
        for each in draw.sample(every, min(len(every), SAMPLE)):
            status = await slack(visitor, each, kind)
            if status not in {200, 400, 401, 404}:
                wrong[status] = wrong.get(status, 0) + 1
                examples = [*examples, each[:3000]][:5]
    assert not wrong, examples
    await asyncio.sleep(0.5)
    await town.turn(timedelta(minutes=1))
    await nothing_failed(town)


async def test_what_slack_did_not_sign_changes_nothing(town: World, visitor: httpx.AsyncClient) -> None:
    before = await state_of(town.deps.db)
    body = b'{"type":"event_callback","event":{"type":"app_home_opened"},"event_id":"E1","team_id":"T1"}'
    for headers in (
        {}, {"X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": "9" * 30, "X-Slack-Signature": "v0=0"},
        {"X-Slack-Request-Timestamp": "-1", "X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Request-Timestamp": "NaN", "X-Slack-Signature": ""},
    ):  # fmt: skip
        answer = await visitor.post("/slack/events", content=body, headers=headers)
        assert answer.status_code == 401
    assert await slack(visitor, body, "application/json", secret="another") == 401
    assert await slack(visitor, b"x" * (1024 * 1024 + 1), "application/json") == 413
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        for junk in (
            b"",
            b"{",
            b"[]",
            b"null",
            b'"x"',
            b"\0",
            b"[" * 20_000,
            b"payload=",
            b"payload=%7B",
            b"a" * 9000,
        ):
            assert await slack(visitor, junk, kind) in {200, 400, 404}, (kind, junk)
    assert await state_of(town.deps.db) == before


async def test_the_doors_still_work_afterwards(town: World, visitor: httpx.AsyncClient) -> None:
    assert (await visitor.get("/healthz")).json() == {"status": "ok"}
    user = await town.friend("yamada", "山田")
    await town.line.say(user, "料金を教えてください")
    await town.settle()
    assert town.slack.messages(town.leads_channel)[-1].plain_text()
    async with town.deps.db.begin() as session:
        assert await session.scalar(text("SELECT 1")) == 1

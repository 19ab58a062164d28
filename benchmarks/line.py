"""How fast are LINE's webhooks acknowledged and messages handed to LINE, against doing nothing else?

Compared in one run. Webhooks: `POST /line/webhook` (signature checked, stored, answered after the commit)
against a handler on the same server that reads the body and answers, once as FastAPI has handlers written and
once as a plain route, which spares the reading of arguments; requests come from another process over
keep-alive connections. Pushes: `deliver` (claimed, facts loaded, every gate asked again, recorded), which has
at most 32 requests under way, against the SDK as its documentation uses it, with the same messages: once in
a plain loop, one awaited push after the other, and once with 32 under way. LINE is a socket in another
process that answers every request the same, and that can do several times of what is measured (printed).
Each figure is the middle of five, with the lowest and the highest; CPU is this process's own per message.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI, Request
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    Configuration,
    PushMessageRequest,
    TextMessage,
)
from sqlalchemy import delete, text
from starlette.responses import Response

from benchmarks.silence import Nobody
from bot import logs
from bot.clock import Ids, TurnableClock
from bot.deps import Deps
from bot.flows.customers.deliver import AT_ONCE, deliver
from bot.flows.rules.publish import publish
from bot.line.bubbles import text_bubble
from bot.line.client import LineClient
from bot.line.signature import signature_of
from bot.server import serving
from bot.settings import Settings
from db.engine import Database
from db.people.consents import ConsentEntry
from db.people.customers import Customer, LineUser, customer_id_of
from db.talk.messages import Message, MessageKind, MessageState, promise_all
from handlers.line import router

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
WEBHOOKS, CLIENTS = 6_000, 64
PUSHES = 2_000
TURNS = 5
SECRET = "benchmark"
ANSWER = b'{"sentMessages":[{"id":"461230966842064897","quoteToken":"IStG5h1Tz7b"}]}'
RULE = """
id: hello
name: hello
state: live
goal: {event: login, within: 7d}
when: {attribute: plan, equals: trial}
holdout: 0%
then:
  - send: {text: こんにちは}
"""


async def run(url: str) -> list[str]:
    """One line per figure, with its baseline."""
    logs.configure("WARNING")
    database = Database(url)
    clock = TurnableClock(NOON)
    async with _answering() as line_address:
        settings = Settings.of(
            line_channel_secret=SECRET, line_channel_access_token="t", line_api_base_url=line_address
        )
        deps = Deps(
            settings=settings,
            clock=clock,
            ids=Ids(clock),
            rng=random.Random(1),
            db=database,
            waker=Nobody(),
        )
        rows = [await _webhooks(deps)]
        async with LineClient.connected(settings) as client:
            rows += await _pushes(replace(deps, line=client), settings, line_address)
    await database.dispose()
    return rows


# --- webhooks -----------------------------------------------------------------------------------------


async def _webhooks(deps: Deps) -> str:
    app = FastAPI()
    app.include_router(router(deps))

    @app.post("/empty")
    async def on_nothing(request: Request) -> Response:
        await request.body()
        return Response(status_code=200)

    app.add_route("/plain", on_nothing, methods=["POST"])
    async with serving(app, host="127.0.0.1", port=0) as address:
        empty, plain, stored = [], [], []
        for _ in range(TURNS):
            empty.append(await _requests_a_second(address, "/empty"))
            stored.append(await _requests_a_second(address, "/line/webhook"))
            plain.append(await _requests_a_second(address, "/plain"))
    ratios = [rate / floor for rate, floor in zip(stored, empty, strict=True)]
    floor, rate, lean = _middle(empty), _middle(stored), _middle(plain)
    return (
        f"webhooks, {CLIENTS} at once: {rate:,.0f}/s acknowledged after the commit,"
        f" empty handler {floor:,.0f}/s, ratio {rate / floor:.2f} ({min(ratios):.2f}-{max(ratios):.2f});"
        f" empty plain route {lean:,.0f}/s, ratio {rate / lean:.2f}"
    )


async def _requests_a_second(address: str, path: str) -> float:
    return WEBHOOKS / float(await _in_another_process("client", address, path))


async def _post_all(address: str, path: str, number: str = str(WEBHOOKS)) -> None:
    """The other process: post this many prepared webhooks, print the seconds it took."""
    host, port = address.removeprefix("http://").split(":")
    requests = [_request(path) for _ in range(int(number))]

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while requests:
            writer.write(requests.pop())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            _, _, rest = head.lower().partition(b"content-length:")
            await reader.readexactly(int(rest.partition(b"\r\n")[0] or 0))
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    print(time.perf_counter() - began)


def _request(path: str) -> bytes:
    event = {
        "type": "message",
        "mode": "active",
        "timestamp": int(NOON.timestamp() * 1000),
        "source": {"type": "user", "userId": f"U{uuid4().hex}"},
        "webhookEventId": uuid4().hex,
        "deliveryContext": {"isRedelivery": False},
        "replyToken": uuid4().hex,
        "message": {"type": "text", "id": str(uuid4().int)[:18], "text": "料金について教えてください"},
    }
    body = json.dumps({"destination": "U" + "0" * 32, "events": [event]}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"x-line-signature: {signature_of(SECRET, body)}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# --- pushes -------------------------------------------------------------------------------------------


async def _pushes(deps: Deps, settings: Settings, address: str) -> list[str]:
    await publish(deps, {"hello.yaml": RULE}, by="benchmark")
    people = [(customer_id_of(str(number)), f"U{number:032x}") for number in range(PUSHES)]
    await _introduce(deps, people)
    loop, at_once, ours = _Runs(), _Runs(), _Runs()
    for turn in range(-1, TURNS):  # the first is for warming up
        async with _bare_sdk(settings) as api:
            with loop.measured(turn >= 0):
                await _push_all(api, people, at_once=1)
            with at_once.measured(turn >= 0):
                await _push_all(api, people, at_once=AT_ONCE)
        messages = _messages(people, turn, now=deps.clock.now())
        async with deps.db.begin() as session:
            for start in range(0, len(messages), 500):
                await promise_all(session, messages[start : start + 500])
            await session.execute(text("ANALYZE"))  # as the server does by itself, sooner or later
        with ours.measured(turn >= 0):
            tried = await deliver(deps)
        assert tried == PUSHES, tried
        async with deps.db.begin() as session:
            await session.execute(delete(Message))  # caps count what was sent
    raw = PUSHES / float(await _in_another_process("client", address, "/v2/bot/message/push", str(PUSHES)))
    return [
        f"pushes: {ours} claimed, asked again, sent and recorded",
        f"  bare SDK, a plain loop: {loop}, ratio {ours.middle / loop.middle:.2f}"
        f" (turn by turn {ours.against(loop)})",
        f"  bare SDK, {AT_ONCE} at once: {at_once}, ratio {ours.middle / at_once.middle:.2f}"
        f" (turn by turn {ours.against(at_once)})",
        f"  the other side of the socket answers at least {raw:,.0f}/s",
    ]


class _Runs:
    """Repeated runs over the same number of messages."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.cpu: list[float] = []

    @contextmanager
    def measured(self, is_kept: bool) -> Iterator[None]:
        began, used = time.perf_counter(), time.process_time()
        yield
        if is_kept:
            self.cpu.append((time.process_time() - used) / PUSHES * 1e6)
            self.rates.append(PUSHES / (time.perf_counter() - began))

    @property
    def middle(self) -> float:
        return _middle(self.rates)

    def against(self, floor: _Runs) -> str:
        ratios = [rate / other for rate, other in zip(self.rates, floor.rates, strict=True)]
        return f"{min(ratios):.2f} to {max(ratios):.2f}"

    def __str__(self) -> str:
        spread = f"{min(self.rates):,.0f} to {max(self.rates):,.0f}"
        return f"{self.middle:,.0f}/s ({spread}; CPU {_middle(self.cpu):.0f} µs each)"


async def _introduce(deps: Deps, people: list[tuple[UUID, str]]) -> None:
    async with deps.db.begin() as session:
        for customer_id, line_user_id in people:
            session.add(
                Customer(
                    customer_id=customer_id,
                    external_id=line_user_id,
                    attributes={"plan": "trial"},
                    line_user_id=line_user_id,
                    created_at=NOON,
                )
            )
            session.add(
                LineUser(line_user_id=line_user_id, customer_id=customer_id, is_friend=True, created_at=NOON)
            )
            session.add(
                ConsentEntry(
                    customer_id=customer_id,
                    purpose="support",
                    consent_id=uuid4(),
                    is_granted=True,
                    at=NOON,
                    source="benchmark",
                    recorded_at=NOON,
                )
            )


def _messages(people: list[tuple[UUID, str]], turn: int, *, now: datetime) -> list[Message]:
    return [
        Message(
            customer_id=customer_id,
            message_id=uuid4(),
            kind=MessageKind.RULE,
            state=MessageState.QUEUED,
            dedupe_key=f"hello:{turn}",
            line_user_id=line_user_id,
            purpose="support",
            rule_id="hello",
            rule_version=1,
            occasion=turn,
            template="hello/1",
            bubbles=[text_bubble("こんにちは")],
            plain_text="こんにちは",
            promised_at=now,
            not_before=now,
        )
        for customer_id, line_user_id in people
    ]


@asynccontextmanager
async def _bare_sdk(settings: Settings) -> AsyncIterator[AsyncMessagingApi]:
    """The SDK alone: no check of ours, no database."""
    configuration = Configuration(host=settings.line_api_base_url, access_token="t")
    configuration.connection_pool_maxsize = AT_ONCE
    async with AsyncApiClient(configuration) as client:
        yield AsyncMessagingApi(client)


async def _push_all(api: AsyncMessagingApi, people: list[tuple[UUID, str]], *, at_once: int) -> None:
    waiting = iter(people)

    async def send_some() -> None:
        for _, line_user_id in waiting:
            request = PushMessageRequest(to=line_user_id, messages=[TextMessage(text="こんにちは")])
            await api.push_message(request, x_line_retry_key=str(uuid4()))

    await asyncio.gather(*(send_some() for _ in range(at_once)))


# --- the other process --------------------------------------------------------------------------------


class _Answerer(asyncio.Protocol):
    """Answers every request as LINE answers an accepted push, without looking at it."""

    HEAD = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-line-request-id: r\r\ncontent-length: "
        + str(len(ANSWER)).encode()
        + b"\r\n\r\n"
    )

    def connection_made(self, transport: Any) -> None:
        self.transport, self.heard = transport, b""

    def data_received(self, data: bytes) -> None:
        self.heard += data
        while (end := self.heard.find(b"\r\n\r\n")) >= 0:
            head = self.heard[:end].lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self.heard) < end + 4 + length:
                return
            self.heard = self.heard[end + 4 + length :]
            self.transport.write(self.HEAD + ANSWER)


async def _answer() -> None:
    server = await asyncio.get_running_loop().create_server(_Answerer, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


@asynccontextmanager
async def _answering() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.line", "answer", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


async def _in_another_process(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.line", *arguments, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return told.decode()


def _middle(figures: list[float]) -> float:
    return sorted(figures)[len(figures) // 2]


ROLES: dict[str, Callable[..., Awaitable[None]]] = {"client": _post_all, "answer": _answer}

if __name__ == "__main__":
    asyncio.run(ROLES[sys.argv[1]](*sys.argv[2:]))  # type: ignore[arg-type]

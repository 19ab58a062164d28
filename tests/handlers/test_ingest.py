"""Is every call of the product stored before it is acknowledged, or refused whole with the place named?"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlmodel import col

from bot.clock import Ids, TurnableClock, system_random
from bot.deps import Deps
from bot.settings import Settings
from db.desk.audit import AuditEntry
from db.engine import Database
from db.intake.events import Event
from db.intake.signals import SignalRow
from db.people.customers import Customer, LineUser, LinkCode, customer_id_of
from handlers import ingest
from sandbox.serve import serving

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
KEY = "key-of-the-product"
U1, U2 = "U" + "1" * 32, "U" + "2" * 32


@dataclass
class Woken:
    stories: list[str] = field(default_factory=list)

    async def wake(self, story: str) -> None:
        self.stories.append(story)


class Channel:
    """The little that a link offer asks of LINE."""

    async def basic_id(self) -> str:
        return "@123abcde"


def deps_of(db: Database, **settings: Any) -> Deps:
    clock = TurnableClock(NOW)
    given = {"yorisoi_ingest_key": KEY} | settings
    return Deps(
        settings=Settings(_env_file=None, **given),  # type: ignore[call-arg]
        clock=clock,
        ids=Ids(clock),
        rng=system_random(),
        db=db,
        waker=Woken(),
        line=Channel(),  # type: ignore[arg-type]
    )


@dataclass
class Product:
    """The product's server, calling ours over a socket."""

    client: httpx.AsyncClient
    deps: Deps

    async def post(self, path: str, body: object, **options: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, **options)

    async def refused(self, path: str, body: object, status: int = 400) -> dict[str, Any]:
        """Post what must be refused; nothing may be stored; returns the first error."""
        answer = await self.post(path, body)
        assert answer.status_code == status, answer.text
        assert await self.events() == []
        return answer.json()["errors"][0]  # type: ignore[no-any-return]

    async def events(self) -> list[Event]:
        async with self.deps.db.begin() as session:
            return list(await session.scalars(select(Event).order_by(col(Event.message_id))))

    async def customer(self, external_id: str) -> Customer:
        async with self.deps.db.begin() as session:
            found = await session.get(Customer, customer_id_of(external_id))
            assert found is not None
            return found


async def product_of(deps: Deps) -> AsyncIterator[Product]:
    app = FastAPI()
    app.include_router(ingest.router(deps))
    async with (
        serving(app) as address,
        httpx.AsyncClient(
            base_url=address, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False
        ) as client,
    ):
        yield Product(client=client, deps=deps)


@pytest.fixture
async def product(db: Database) -> AsyncIterator[Product]:
    async for it in product_of(deps_of(db)):
        yield it


def track(**fields: object) -> dict[str, object]:
    call = {"userId": "ada", "event": "login", "timestamp": "2026-11-01T09:30:00+09:00", "messageId": "m1"}
    return {name: value for name, value in (call | fields).items() if value is not ...}


async def test_a_tracked_event_is_stored_as_sent(product: Product) -> None:
    answer = await product.post(
        "/v1/track", track(properties={"plan": "試用", "n": 3, "deep": {"a": [1, None]}})
    )
    assert (answer.status_code, answer.json()) == (200, {"success": True, "new": 1})
    (event,) = await product.events()
    assert (event.customer_id, event.name, event.message_id) == (customer_id_of("ada"), "login", "m1")
    assert event.at == datetime(2026, 11, 1, 0, 30, tzinfo=UTC)
    assert event.properties == {"plan": "試用", "n": 3, "deep": {"a": [1, None]}}
    assert (await product.customer("ada")).external_id == "ada"


async def test_the_same_call_again_adds_nothing(product: Product) -> None:
    for message_id in ("m1", ...):  # with and without an id of its own
        call = track(messageId=message_id)
        assert (await product.post("/v1/track", call)).json()["new"] == 1
        assert (await product.post("/v1/track", call)).json()["new"] == 0
    batch = {"batch": [track(type="track", messageId=..., event="buy")] * 2}
    assert (await product.post("/v1/batch", batch)).json()["new"] == 2
    assert (await product.post("/v1/batch", batch)).json()["new"] == 0


async def test_a_call_without_a_time_happened_when_it_arrived(product: Product) -> None:
    await product.post("/v1/track", track(timestamp=...))
    await product.post("/v1/track", track(timestamp=...))
    (event,) = await product.events()
    assert event.at == NOW


async def test_identify_sets_what_has_meaning_and_keeps_the_rest(product: Product) -> None:
    traits = {"name": "佐藤 花子", "plan": "trial", "timezone": "Asia/Seoul", "language": "ko-KR",
              "company": {"name": "Acme", "id": 7}, "seats": 3, "renewal": "2026-12-03"}  # fmt: skip
    assert (await product.post("/v1/identify", {"userId": "ada", "traits": traits})).status_code == 200
    ada = await product.customer("ada")
    assert (ada.timezone, ada.language) == ("Asia/Seoul", "ko")
    assert ada.attributes == {
        "name": "佐藤 花子", "plan": "trial", "timezone": "Asia/Seoul", "language": "ko-KR",
        "company": "Acme", "company.id": 7, "seats": 3, "renewal": "2026-12-03",
    }  # fmt: skip
    async with product.deps.db.begin() as session:
        signal = await session.get(SignalRow, (ada.customer_id, "@renewal"))
    assert signal is not None
    assert signal.last_at == datetime(2026, 12, 2, 15, tzinfo=UTC)


async def test_group_makes_the_customer_a_member(product: Product) -> None:
    await product.post("/v1/group", {"userId": 42, "groupId": "acme", "traits": {"seats": 9}})
    assert (await product.customer("42")).account == "acme"


async def test_a_batch_is_taken_whole_or_not_at_all_with_every_error_told(product: Product) -> None:
    calls = [
        track(type="track"),
        track(type="track", event=""),
        {"type": "alias", "userId": "ada"},
        track(type="track", timestamp="yesterday"),
        {"type": "identify", "userId": "ada", "traits": {"timezone": "Tokyo"}},
        "login",
    ]
    answer = await product.post("/v1/batch", {"batch": calls})
    assert answer.status_code == 400
    told = [(error["index"], error["field"]) for error in answer.json()["errors"]]
    assert told == [(1, "event"), (2, "type"), (3, "timestamp"), (4, "traits.timezone"), (5, "")]
    assert all(error["message"] and error["message_ja"] for error in answer.json()["errors"])
    assert await product.events() == []


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"userId": ...}, "userId"),
    ({"userId": ..., "anonymousId": "a1"}, "userId"),
    ({"userId": ["ada"]}, "userId"),
    ({"userId": "u" * 201}, "userId"),
    ({"userId": "a\0da"}, "userId"),
    ({"event": ...}, "event"),
    ({"event": "e" * 201}, "event"),
    ({"event": "login#3"}, "event"),
    ({"event": "@renewal"}, "event"),
    ({"messageId": "m" * 101}, "messageId"),
    ({"messageId": 5}, "messageId"),
    ({"timestamp": 1762000000}, "timestamp"),
    ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp"),
    ({"timestamp": "1989-12-31T00:00:00Z"}, "timestamp"),
    ({"timestamp": "2028-01-01T00:00:00Z"}, "timestamp"),
    ({"properties": [1]}, "properties"),
    ({"properties": {"a": {"b\0": 1}}}, "properties.a.b\\u0000"),
    ({"properties": {"a": ["x", "y\0"]}}, "properties.a[1]"),
    ({"properties": {"a": "x" * 33_000}}, "properties"),
]


async def test_what_cannot_be_taken_is_refused_by_name(product: Product) -> None:
    for fields, place in REFUSED:
        error = await product.refused("/v1/track", track(**fields))
        assert error["field"] == place, fields


BROKEN = [
    b"",
    b"{",
    b"[]",
    b'"x"',
    b"null",
    b"\xff\xfe",
    b'{"userId": "\\ud800", "event": "x"}',
    b'{"userId": "a", "type": "identify", "traits": {"n": 1e999}}',
    b"[" * 100_000,
    b'{"userId": ' + b"9" * 5000 + b', "event": "x"}',
    b'{"userId": "a", "event": "x", "properties": {"n": 1e999}}',
    b'{"userId": "a", "event": "x", "properties": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}",
    b'{"userId": "a", "event": "x", "properties": {"n": NaN}}',
]


async def test_broken_and_hostile_bodies_are_refused_never_a_failure(product: Product) -> None:
    for body in BROKEN:
        for path in ("/v1/track", "/v1/batch"):
            answer = await product.post(path, body)
            assert answer.status_code == 400, (body[:40], answer.text)
    assert await product.events() == []


UNKEPT: list[tuple[dict[str, Any], str]] = [
    ({"tags": ["a"]}, "traits.tags"),
    ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "traits.a.b.c.d"),
    ({"line_user_id": "U123"}, "traits.line_user_id"),
    ({"language": "??"}, "traits.language"),
    ({"": 1}, "traits."),
    ({f"t{n}": n for n in range(400)}, "traits"),
]


async def test_traits_that_cannot_be_kept_are_refused(product: Product) -> None:
    for traits, place in UNKEPT:
        error = await product.refused("/v1/identify", {"userId": "ada", "traits": traits})
        assert error["field"] == place, traits


async def test_an_infinite_trait_is_refused(product: Product) -> None:
    answer = await product.post("/v1/identify", b'{"userId": "a", "traits": {"n": 1e999}}')
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "traits.n")


async def test_requests_beyond_500_kb_are_refused_also_without_a_length(product: Product) -> None:
    body = json.dumps({"batch": [track(type="track", properties={"x": "y" * 30_000})] * 18}).encode()
    assert (await product.post("/v1/batch", body)).status_code == 413

    async def drip() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    assert (await product.client.post("/v1/batch", content=drip())).status_code == 413
    assert await product.events() == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer wrong",
        "Basic !!",
        "Basic " + base64.b64encode(b"wrong:").decode(),
        f"Digest {KEY}",
    ],
)
async def test_without_the_key_nobody_comes_in(product: Product, header: str) -> None:
    for path in ("/v1/track", "/v1/customers/ada/line-link"):
        answer = await product.post(path, track(), headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
    assert await product.events() == []


async def test_the_key_may_be_the_user_name_of_basic(product: Product) -> None:
    answer = await product.client.post("/v1/track", json=track(), auth=(KEY, ""))
    assert answer.status_code == 200
    header = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
    answer = await product.post("/v1/track", track(messageId="m2"), headers={"Authorization": header})
    assert answer.status_code == 200


async def test_without_a_key_set_the_door_says_what_to_set(db: Database) -> None:
    async for product in product_of(deps_of(db, yorisoi_ingest_key=None)):
        answer = await product.post("/v1/track", track())
        assert answer.status_code == 503
        assert "YORISOI_INGEST_KEY" in answer.text


async def test_a_database_out_of_reach_is_told_as_try_again() -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing")
    async for product in product_of(deps_of(gone)):
        answer = await product.post("/v1/track", track())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
    await gone.dispose()


async def test_many_senders_at_once_are_all_stored_once(product: Product) -> None:
    def batch(sender: int) -> dict[str, object]:
        return {
            "batch": [
                track(type="track", userId=f"user-{(sender + n) % 7}", messageId=f"m{sender // 2}-{n}")
                for n in range(40)
            ]
        }

    answers = await asyncio.gather(*(product.post("/v1/batch", batch(sender)) for sender in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    stored = await product.events()
    assert sum(answer.json()["new"] for answer in answers) == len(stored)
    async with product.deps.db.begin() as session:
        folded = await session.scalar(select(func.sum(col(SignalRow.n))))
    assert folded == len(stored)


async def test_news_wakes_the_deciding_and_repeats_do_not(product: Product) -> None:
    woken = product.deps.waker
    assert isinstance(woken, Woken)
    for _ in range(2):
        await product.post("/v1/track", track())
        await asyncio.sleep(0.4)
    assert woken.stories.count("decide") == 1


async def test_a_line_user_id_links_and_a_conflict_changes_nothing_and_is_told(product: Product) -> None:
    def claim(user: str, line_user_id: str) -> dict[str, Any]:
        return {"userId": user, "traits": {"line_user_id": line_user_id, "plan": "pro"}}

    assert "conflicts" not in (await product.post("/v1/identify", claim("ada", U1))).json()
    assert "conflicts" not in (await product.post("/v1/identify", claim("ada", U1))).json()
    (conflict,) = (await product.post("/v1/identify", claim("bob", U1))).json()["conflicts"]
    assert (conflict["index"], conflict["field"]) == (0, "traits.line_user_id")
    assert (await product.post("/v1/identify", claim("ada", U2))).json()["conflicts"]
    async with product.deps.db.begin() as session:
        linked = {user.line_user_id: user.customer_id for user in await session.scalars(select(LineUser))}
        refused = await session.scalar(
            select(func.count()).select_from(AuditEntry).where(col(AuditEntry.action) == "link.refused")
        )
    assert linked[U1] == customer_id_of("ada")
    assert customer_id_of("bob") not in linked.values()
    assert refused == 2
    assert (await product.customer("bob")).attributes == {"plan": "pro"}


async def test_a_link_offer_opens_the_chat_with_a_code_that_is_stored(product: Product) -> None:
    answer = await product.post("/v1/customers/ada%2F1/line-link", b"")
    offer = answer.json()
    assert answer.status_code == 200, answer.text
    assert offer["url"].startswith("https://line.me/R/oaMessage/%40123abcde/?")
    assert offer["code"] in offer["url"]
    assert datetime.fromisoformat(offer["expires_at"]) > NOW + timedelta(minutes=5)
    async with product.deps.db.begin() as session:
        code = await session.get(LinkCode, offer["code"])
    assert code is not None
    assert code.customer_id == customer_id_of("ada/1")


async def test_without_line_a_link_offer_says_what_to_set(db: Database) -> None:
    async for product in product_of(replace(deps_of(db), line=None)):
        answer = await product.post("/v1/customers/ada/line-link", b"")
        assert answer.status_code == 409
        assert "LINE_CHANNEL_ACCESS_TOKEN" in answer.text

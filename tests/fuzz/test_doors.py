"""Is every malformed request of the product refused with its place named, and does it change nothing?"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import func, select

from db.intake.events import Event
from sandbox.world import INGEST_KEY, World
from tests.fuzz.bad import Path, state_of, variants

AT = "2026-11-01T00:00:00Z"
TRACK = {
    "type": "track",
    "userId": "ada",
    "event": "login",
    "messageId": "m1",
    "timestamp": AT,
    "originalTimestamp": AT,
    "properties": {"plan": "trial", "amount": 3, "deep": {"list": [1, {"a": None}]}},
    "context": {"timezone": "Asia/Tokyo", "locale": "ja-JP"},
}
IDENTIFY = {
    "type": "identify",
    "userId": "ada",
    "anonymousId": "anon",
    "timestamp": AT,
    "traits": {
        "name": "エイダ",
        "email": "ada@example.com",
        "company": {"name": "社"},
        "timezone": "Asia/Tokyo",
        "language": "ja",
        "line_user_id": "U" + "1" * 32,
        "free": 3,
    },
    "context": {"timezone": "Asia/Tokyo", "locale": "ja-JP"},
}
GROUP = {"type": "group", "userId": "ada", "groupId": "acme", "timestamp": AT, "traits": {"plan": "team"}}
PAYLOADS = {
    "track": TRACK,
    "identify": IDENTIFY,
    "group": GROUP,
    "batch": {"batch": [GROUP, {**TRACK, "properties": {"n": 1}}], "sentAt": AT},
}


async def all_of(client: httpx.AsyncClient, path: str, bodies: Sequence[str]) -> list[httpx.Response]:
    """Post bodies, some at a time; the answers in order."""
    gate = asyncio.Semaphore(8)

    async def one(body: str) -> httpx.Response:
        async with gate:
            return await client.post(path, content=body.encode())

    return await asyncio.gather(*(one(body) for body in bodies))


def refusal_of(answer: httpx.Response) -> dict[str, Any]:
    """The first error of a refusal, which must be of the form that every refusal has."""
    errors = answer.json()["errors"]
    assert errors
    for error in errors:
        assert error["message"].strip()
        assert len(answer.content) < 50_000
    return errors[0]  # type: ignore[no-any-return]


def names_place(error: dict[str, Any], path: Path) -> bool:
    """Does the refusal name the call and the field that was broken, or the position in the text?"""
    if " at line " in error["message"]:
        return True
    parts = [str(part) for part in path]
    if parts[:1] == ["batch"] and len(parts) > 1:
        if error["index"] != int(parts[1]):
            return False
        parts = parts[2:]
    place, known = ".".join(parts), error["field"].replace("[", ".").replace("]", "")
    known = re.sub(r"^batch\.\d+\.?", "", known)
    return not place or not known or known.startswith(place[:60]) or place.startswith(known)


@pytest.mark.parametrize("kind", PAYLOADS)
async def test_every_broken_value_is_taken_or_refused_with_its_place(
    town: World, product: httpx.AsyncClient, kind: str
) -> None:
    tried = list(variants(PAYLOADS[kind]))
    answers = await all_of(product, f"/v1/{kind}", [body for _, _, body in tried])
    refused = []
    for (what, path, body), answer in zip(tried, answers, strict=True):
        assert answer.status_code in {200, 400, 413}, f"{kind}, {what}: {answer.status_code} {answer.text}"
        if answer.status_code == 200:
            continue
        error = refusal_of(answer)
        if answer.status_code == 400:
            assert names_place(error, path), f"{kind}, {what}: {error}"
            assert error["message_ja"].strip()
        refused.append(body)
    assert len(refused) > len(tried) / 4
    before = await state_of(town.deps.db)
    again = await all_of(product, f"/v1/{kind}", refused)
    assert {answer.status_code for answer in again} <= {400, 413}
    assert await state_of(town.deps.db) == before


async def test_what_was_taken_can_be_decided_on(town: World, product: httpx.AsyncClient) -> None:
    for kind, payload in PAYLOADS.items():
        taken = [body for _, _, body in variants(payload)]
        await all_of(product, f"/v1/{kind}", taken[::7])
    await town.settle()


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "blank": b" \n",
    "not JSON": b"userId=ada&event=login",
    "cut": json.dumps(TRACK).encode()[:-5],
    "two documents": json.dumps(TRACK).encode() * 2,
    "no UTF-8": json.dumps(TRACK).encode().replace(b"login", b"\xff\xfe"),
    "cp932": json.dumps({**TRACK, "event": "購入"}, ensure_ascii=False).encode("cp932"),
    "UTF-16": json.dumps(TRACK).encode("utf-16"),
    "BOM": b"\xef\xbb\xbf" + json.dumps(TRACK).encode(),
    "gzip": gzip.compress(json.dumps(TRACK).encode()),
    "NULs": b"\0" * 1000,
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "single quotes": b"{'userId': 'ada'}",
    "raw control": b'{"userId": "a\nb", "event": "x"}',
    "half a surrogate pair": b'{"userId": "\\ud83d", "event": "x", "messageId": "s"}',
    "comment": b'{"userId": "ada", /* who */ "event": "x"}',
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("kind", PAYLOADS)
async def test_a_body_that_is_no_such_call_is_refused(
    town: World, product: httpx.AsyncClient, kind: str, name: str
) -> None:
    before = await state_of(town.deps.db)
    answer = await product.post(f"/v1/{kind}", content=BODIES[name])
    assert answer.status_code == 400, answer.text
    assert refusal_of(answer)["message_ja"]
    assert await state_of(town.deps.db) == before


async def test_content_types_and_encodings_do_not_matter_or_are_refused(
    town: World, product: httpx.AsyncClient
) -> None:
    body = json.dumps(TRACK).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "é/é"):
        headers = [(b"Content-Type", kind.encode("latin-1"))]
        assert (await product.post("/v1/track", content=body, headers=headers)).status_code == 200
    before = await state_of(town.deps.db)
    for encoding in ("br", "deflate, gzip", "zstd", "x"):
        for content in (body, gzip.compress(body)):
            answer = await product.post("/v1/track", content=content, headers={"Content-Encoding": encoding})
            assert answer.status_code == 415, (encoding, answer.text)
            assert "compress" in refusal_of(answer)["message"]
    damaged = await product.post("/v1/track", content=body, headers={"Content-Encoding": "gzip"})
    assert (damaged.status_code, "gzip" in refusal_of(damaged)["message"]) == (400, True)
    assert await state_of(town.deps.db) == before
    packed = {"Content-Encoding": "gzip"}
    assert (await product.post("/v1/track", content=gzip.compress(body), headers=packed)).status_code == 200
    identity = await product.post("/v1/track", content=body, headers={"Content-Encoding": "identity"})
    assert identity.status_code == 200


async def test_a_huge_body_is_refused_without_being_read_whole(
    town: World, product: httpx.AsyncClient
) -> None:
    before = await state_of(town.deps.db)

    async def endless() -> Any:
        for _ in range(200):
            yield b"[" * 65_536

    for content in (b"x" * 600_000, endless()):
        try:
            answer = await product.post("/v1/batch", content=content)
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            continue  # the connection was closed on the sender, who went on sending
        assert answer.status_code == 413
        assert "500 KB" in refusal_of(answer)["message"]
    many = {"batch": [{}] * 2501}
    answer = await product.post("/v1/batch", json=many)
    assert answer.status_code == 400
    assert "2500" in refusal_of(answer)["message"]
    assert await state_of(town.deps.db) == before


async def test_of_a_key_written_twice_the_last_one_counts(town: World, product: httpx.AsyncClient) -> None:
    body = b'{"userId":"first","userId":"twice","event":"login","event":"doubled","messageId":"d1"}'
    assert (await product.post("/v1/track", content=body)).json()["new"] == 1
    async with town.deps.db.begin() as session:
        found = await session.scalar(
            select(func.count()).select_from(Event).where(Event.name == "doubled")  # type: ignore[arg-type]
        )
    assert found == 1


def basic(user: bytes, password: bytes = b"") -> bytes:
    return b"Basic " + base64.b64encode(user + b":" + password)


KEY = INGEST_KEY.encode()
CREDENTIALS: dict[str, list[bytes]] = {
    "none": [],
    "empty": [b""],
    "scheme only": [b"Bearer"],
    "another key": [b"Bearer nope"],
    "another scheme": [b"Digest " + KEY],
    "the key alone": [KEY],
    "prefix": [b"Bearer " + KEY[:-1]],
    "more": [b"Bearer " + KEY + b"x"],
    "not ASCII": ["Bearer ключ".encode()],
    "latin-1": [b"Bearer \xff\xfe"],
    "bad base64": [b"Basic !!!!"],
    "short base64": [b"Basic abc"],
    "no colon": [b"Basic " + base64.b64encode(b"nope")],
    "NUL": [basic(b"\0")],
    "not UTF-8": [basic(b"\xff\xff")],
    "key as password": [basic(b"", KEY)],
    "long": [b"Bearer " + b"x" * 30_000],
    "two, wrong first": [b"Bearer nope", b"Bearer " + KEY],
}


@pytest.mark.parametrize("name", CREDENTIALS)
async def test_only_the_right_key_opens(town: World, name: str) -> None:
    before = await state_of(town.deps.db)
    async with httpx.AsyncClient(base_url=town.address, trust_env=False) as stranger:
        headers = [(b"Authorization", value) for value in CREDENTIALS[name]]
        for path in ("/v1/track", "/v1/batch", "/v1/customers/ada/line-link"):
            answer = await stranger.post(path, json=TRACK, headers=headers)
            assert answer.status_code == 401, answer.text
            assert "YORISOI_INGEST_KEY" in refusal_of(answer)["message"]
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert await state_of(town.deps.db) == before


@pytest.mark.parametrize("credential", [b"bearer " + KEY, b"BASIC " + basic(KEY)[6:], basic(KEY, b"any")])
async def test_the_right_key_opens_in_every_form(town: World, credential: bytes) -> None:
    async with httpx.AsyncClient(base_url=town.address, trust_env=False) as product:
        answer = await product.post("/v1/track", json=TRACK, headers={b"Authorization": credential})
        assert answer.status_code == 200


DOORS = [
    "/healthz", "/readyz", "/metrics", "/v1/identify", "/v1/track", "/v1/group", "/v1/batch",
    "/v1/customers/ada/line-link", "/r/abcdefgh", "/line/webhook", "/slack/events",
]  # fmt: skip
ELSEWHERE = [
    "/", "/v1", "/v1/", "/v1/page", "/v1/track/", "/v1/customers", "/v1/customers/ada", "/r", "/r/",
    "/r/a/b", "/r/%2e%2e%2fetc", "/..%2f..", "//", "/%00", "/%ff", "/line", "/slack", "/docs", "/.env",
    "/" + "a" * 8_000,
]  # fmt: skip


async def test_other_methods_and_paths_are_answered_quietly(town: World, product: httpx.AsyncClient) -> None:
    before = await state_of(town.deps.db)
    for path in DOORS:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD"):
            if method in {"POST", "DELETE"} and path.endswith("line-link"):
                continue
            answer = await product.request(method, path, content=b"{" if method != "HEAD" else None)
            assert answer.status_code < 500, (method, path)
            assert answer.status_code in {200, 400, 401, 404, 405}, (method, path, answer.status_code)
    for path in ELSEWHERE:
        for query in ("", "?", "?a=%ff&a[]=1&%00", "?" + "q" * 5_000):
            for method in ("GET", "POST"):
                answer = await product.request(method, path + query)
                assert answer.status_code in {404, 405, 307}, (path, answer.status_code)
    assert await state_of(town.deps.db) == before


REFUSED_IDS = {
    "empty": "",
    "blank": "%20",
    "blanks": "%20%20",
    "wide blank": quote("　"),
    "NUL": "a%00b",
    "line end": "a%0Db",
    "not UTF-8": "%FF%FE",
    "surrogate": "%ED%A0%80",
    "long": "x" * 201,
    "very long": "x" * 20_000,
    "control": "%07",
    "right to left": quote("a\u202eb"),
}
TAKEN_IDS = {
    "slash": ("a%2Fb", "a/b"),
    "plain slash": ("c/d", "c/d"),
    "slash at the end": ("a%2F", "a/"),
    "percent": ("100%25", "100%"),
    "question mark": ("a%3Fb", "a?b"),
    "hash": ("a%23b", "a#b"),
    "japanese": (quote("会員 7"), "会員 7"),
    "another door's words": ("a/line-link", "a/line-link"),
    "dots": ("%2e%2e", ".."),
    "quotes": ("%27%22%3B--", "'\";--"),
    "longest": ("x" * 200, "x" * 200),
}


@pytest.mark.parametrize("name", REFUSED_IDS)
async def test_a_link_for_an_id_that_cannot_be_is_refused(
    town: World, product: httpx.AsyncClient, name: str
) -> None:
    before = await state_of(town.deps.db)
    answer = await product.post(f"/v1/customers/{REFUSED_IDS[name]}/line-link")
    assert answer.status_code == 400, answer.text
    assert "id" in refusal_of(answer)["message"]
    assert await state_of(town.deps.db) == before


@pytest.mark.parametrize("name", TAKEN_IDS)
async def test_a_link_is_for_the_very_id_that_was_sent(
    town: World, product: httpx.AsyncClient, name: str
) -> None:
    written, external_id = TAKEN_IDS[name]
    answer = await product.post(f"/v1/customers/{written}/line-link?x=%ff", content=b"\xff" * 5000)
    assert answer.status_code == 200, answer.text
    user = town.line.add_person("人")
    await town.line.say(user, answer.json()["code"])
    await town.settle()
    sent = {"userId": external_id, "traits": {"line_user_id": user}, "timestamp": AT}
    told = await product.post("/v1/identify", json=sent)
    assert told.status_code == 200
    assert "conflicts" not in told.json(), "the code linked somebody else"


async def test_a_token_that_is_no_link_leads_nowhere(town: World) -> None:
    before = await state_of(town.deps.db)
    async with httpx.AsyncClient(base_url=town.address, trust_env=False) as visitor:
        for token in (
            "x", "x" * 64, "x" * 65, "x" * 9_000, "%00", "%FF", "a%0d%0aSet-Cookie:a=b", quote("鍵" * 8),
            "abcdefgh?next=https://evil.example", "abcdefgh%20", "'--------", "%2525252525",
        ):  # fmt: skip
            answer = await visitor.get(
                f"/r/{token}", headers={b"User-Agent": b"\xff\xfe", b"Purpose": b"\xff"}
            )
            assert (answer.status_code, "location" in answer.headers) == (404, False), token
    assert await state_of(town.deps.db) == before


RAW_REQUESTS = {
    "no HTTP": b"hello\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 100,
    "NUL in the path": b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n",
    "not ASCII in the path": b"POST /v1/customers/\xff\xfe/line-link HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "negative length": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "word for a length": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "wide digits": "POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: ９\r\n\r\n".encode(),
    "broken chunks": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY
    + b"\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "large header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    "endless line": b"GET /" + b"x" * 200_000,
    "body shorter than said": b"POST /v1/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + KEY
    + b"\r\nContent-Length: 500\r\n\r\n{",
}  # fmt: skip


@pytest.mark.parametrize("name", RAW_REQUESTS)
async def test_bytes_that_are_no_request_do_not_hurt(town: World, name: str) -> None:
    before = await state_of(town.deps.db)
    host, port = town.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(RAW_REQUESTS[name])
    writer.write_eof()
    try:
        said = await asyncio.wait_for(reader.read(4096), 20)
    except ConnectionError:
        said = b""
    writer.close()
    assert b" 50" not in said[:12], said
    async with httpx.AsyncClient(base_url=town.address, trust_env=False) as visitor:
        assert (await visitor.get("/healthz")).status_code == 200
    assert await state_of(town.deps.db) == before

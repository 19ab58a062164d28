"""Does a tracked link lead where it was meant to, and nowhere else?"""

from __future__ import annotations

import aiohttp
import pytest

from db.engine import Database
from db.talk.messages import Click, add_link
from tests.flows.chat import Chat, chatting

BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone) Safari Line/15.0"}


async def linked(chat: Chat, url: str = "https://app.example.com/start") -> str:
    token = chat.deps.ids.token()
    async with chat.deps.db.begin() as session:
        await add_link(
            session,
            token=token,
            customer_id=chat.deps.ids.uuid(),
            message_id=chat.deps.ids.uuid(),
            url=url,
            now=chat.clock.now(),
        )
    return token


async def open_link(chat: Chat, path: str, method: str = "GET", **headers: str) -> aiohttp.ClientResponse:
    async with aiohttp.ClientSession(headers={**BROWSER, **headers}) as http:
        answer = await http.request(method, f"{chat.address}{path}", allow_redirects=False)
        await answer.read()
        return answer


async def test_a_link_leads_on_without_telling_from_where(db: Database) -> None:
    async with chatting(db) as chat:
        answer = await open_link(chat, f"/r/{await linked(chat)}")
        assert (answer.status, answer.headers["Location"]) == (302, "https://app.example.com/start")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Set-Cookie" not in answer.headers
        assert len(await chat.rows(Click)) == 1


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("GET", {"Sec-Purpose": "prefetch"}),
        ("GET", {"User-Agent": "Slackbot-LinkExpanding 1.0"}),
    ],
    ids=["HEAD", "prefetch", "robot"],
)
async def test_looking_is_not_clicking(db: Database, method: str, headers: dict[str, str]) -> None:
    async with chatting(db) as chat:
        answer = await open_link(chat, f"/r/{await linked(chat)}", method, **headers)
        assert answer.status == 302
        assert await chat.rows(Click) == []


@pytest.mark.parametrize(
    "path",
    [
        "/r/AAAAAAAAAAAAAAAAAAAAAA",
        "/r/%00",
        "/r/%ED%A0%80",
        "/r/<script>alert(1)</script>",
        "/r/x?url=https://evil.example",
        "/r/..%2f..%2fetc",
        "/r/" + "a" * 5000,
    ],
    ids=lambda path: path[:20],
)
async def test_an_unknown_link_says_nothing(db: Database, path: str) -> None:
    async with chatting(db) as chat:
        answer = await open_link(chat, path)
        assert answer.status == 404
        text = await answer.text()
        assert "script" not in text
        assert "evil" not in text
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    "url", ["http://app.example.com", "javascript:alert(1)", "//evil.example", "https:evil"]
)
async def test_only_https_is_led_to(db: Database, url: str) -> None:
    async with chatting(db) as chat:
        assert (await open_link(chat, f"/r/{await linked(chat, url)}")).status == 404


async def test_an_address_cannot_break_out_of_its_header(db: Database) -> None:
    async with chatting(db) as chat:
        token = await linked(chat, "https://app.example.com/\r\nSet-Cookie: a=b")
        answer = await open_link(chat, f"/r/{token}")
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Location"] == "https://app.example.com/%0D%0ASet-Cookie:%20a=b"

"""Do pictures go both ways, each once, and only when a person says so?"""

from __future__ import annotations

import io
from datetime import timedelta
from hashlib import sha256

import aiohttp
import pytest
from fastapi import FastAPI
from PIL import Image

from bot.flows.staff.post import post
from bot.line.limits.requests import validate_messages
from bot.line.pictures import PREVIEW_MOST, preview_of, type_of
from db.desk.posts import add_thread_file, rewrite_thread_line
from db.engine import Database
from db.talk.media import Media, forget_media
from handlers import media
from sandbox.serve import serving
from tests.flows.desk import Desk, desk


def picture(kind: str = "PNG", *, side: int = 8, noise: bool = False) -> bytes:
    written = io.BytesIO()
    image = Image.effect_noise((side, side), 100).convert("RGB") if noise else Image.new("RGB", (side, side))
    image.save(written, kind, quality=100)
    return written.getvalue()


async def _upload(d: Desk, name: str, content: bytes, kind: str) -> None:
    await d.slack.write(d.sato, d.leads, "", thread_ts=d.card().ts, files=[(name, content, kind)])
    await d.settle()


def _button(d: Desk) -> str | None:
    said = d.slack.workspace.channel(d.leads).messages
    return next((m.ts for m in said for b in m.buttons() if b.action_id == "lead.file"), None)


async def test_a_picture_in_the_thread_goes_to_the_customer_after_one_explicit_press(db: Database) -> None:
    async with desk(db, public_base_url="https://bot.example.com") as d:
        await d.lead()
        await d.settle()
        await _upload(d, "見積.png", picture(), "image/png")
        assert await d.written() == [], "uploading sends nothing"
        ts = _button(d)
        assert ts is not None
        await d.slack.press(d.sato, d.leads, ts, "lead.file")
        await d.settle()
        (message,) = await d.written()
        assert validate_messages(message.bubbles) == []
        assert message.text_hash == sha256(picture()).hexdigest()
        original = message.bubbles[0]["originalContentUrl"]
        assert original.startswith("https://bot.example.com/media/")
        assert "lead.undo" in d.buttons()
        application = FastAPI()
        application.include_router(media.router(d.deps))
        async with serving(application) as address, aiohttp.ClientSession() as session:
            path = original.removeprefix("https://bot.example.com")
            async with session.get(address + path) as shown:
                assert (await shown.read(), shown.content_type) == (picture(), "image/png")
                assert shown.headers["X-Content-Type-Options"] == "nosniff"
            async with session.get(f"{address}/media/{'x' * 22}") as shown:
                assert shown.status == 404
            d.clock.turn(timedelta(days=31))
            async with session.get(address + path) as shown:
                assert shown.status == 404


async def test_two_presses_send_it_once(db: Database) -> None:
    async with desk(db, public_base_url="https://bot.example.com") as d:
        await d.lead()
        await d.settle()
        await _upload(d, "a.png", picture(), "image/png")
        ts = _button(d) or ""
        await d.slack.press(d.sato, d.leads, ts, "lead.file")
        await d.slack.press(d.suzuki, d.leads, ts, "lead.file")
        await d.settle()
        assert len(await d.written()) == 1
        assert len(d.whispers(d.suzuki)) == 1


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("a.exe", b"MZ" * 20, "image/png"), ("a.gif", b"GIF89a" + b"x" * 20, "image/gif"),
     ("a.pdf", b"<html>", "application/pdf")],
    ids=["a program that calls itself a picture", "a gif", "a page that calls itself a PDF"],
)  # fmt: skip
async def test_what_line_does_not_show_gets_no_button(
    db: Database, name: str, content: bytes, kind: str
) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await _upload(d, name, content, kind)
        assert _button(d) is None
        assert any("お客様へ送れません" in line for line in d.thread())


async def test_a_document_goes_out_as_an_address(db: Database) -> None:
    async with desk(db, public_base_url="https://bot.example.com") as d:
        await d.lead()
        await d.settle()
        await _upload(d, "見積書.pdf", b"%PDF-1.7 ...", "application/pdf")
        await d.slack.press(d.sato, d.leads, _button(d) or "", "lead.file")
        await d.settle()
        (message,) = await d.written()
        assert "https://bot.example.com/media/" in message.bubbles[0]["text"]
        assert message.plain_text == "📎 見積書.pdf", "the address is not repeated in Slack"


async def test_files_of_strangers_and_outside_threads_are_none_of_our_business(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        guest = d.slack.add_member("guest", is_restricted=True)
        file = ("a.png", picture(), "image/png")
        await d.slack.write(guest, d.leads, "", thread_ts=d.card().ts, files=[file])
        await d.slack.write(d.sato, d.leads, "", files=[file])
        await d.settle()
        assert _button(d) is None


async def test_without_an_https_address_the_press_says_what_to_do(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await _upload(d, "a.png", picture(), "image/png")
        await d.slack.press(d.sato, d.leads, _button(d) or "", "lead.file")
        await d.settle()
        assert "PUBLIC_BASE_URL" in d.whispers(d.sato)[0]
        assert await d.written() == []


def test_large_pictures_get_a_small_upright_version() -> None:
    large = picture("JPEG", side=1600, noise=True)
    assert len(large) > PREVIEW_MOST
    small = preview_of(large)
    assert small is not None
    assert len(small) <= PREVIEW_MOST
    assert type_of(small) == "image/jpeg"
    assert type_of(b"") is None
    assert type_of(b"\x89PNG\r\n\x1a\n" + b"\0" * 50) is None


# --- from the customer ---------------------------------------------------------------------------------


async def _sent_in(d: Desk, content: bytes) -> None:
    lead = await d.the_lead()
    now = d.clock.now()
    async with d.deps.db.begin() as session:
        session.add(
            Media(
                customer_id=lead.customer_id,
                line_message_id="900",
                kind="image",
                state="stored",
                content_type="image/jpeg",
                content=content,
                size=len(content),
                at=now,
                not_before=now,
            )
        )
        await add_thread_file(
            session, customer_id=lead.customer_id, line_message_id="900", ids=d.deps.ids, now=now
        )


def _shared(d: Desk) -> list[object]:
    return [each for m in d.slack.thread(d.leads, d.card().ts) for each in m.files]


async def test_what_the_customer_sends_stands_in_the_thread_once(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await _sent_in(d, b"jpeg")
        await d.settle()
        await d.turn(minutes=10)
        assert len(_shared(d)) == 1


@pytest.mark.parametrize("after_commit", [True, False], ids=["it was shown", "it was not"])
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_a_cut_connection_shows_it_once_all_the_same(
    db: Database, method: str, after_commit: bool
) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await _sent_in(d, b"jpeg")
        d.slack.faults.add(method, drop=True, after_commit=after_commit)
        await d.settle()
        await d.turn(minutes=2)
        assert len(_shared(d)) == 1


async def test_what_they_take_back_goes_from_slack_too(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await _sent_in(d, b"jpeg")
        await d.settle()
        lead = await d.the_lead()
        async with db.begin() as session:
            await forget_media(session, lead.customer_id, "900")
            await rewrite_thread_line(session, customer_id=lead.customer_id, key="said:900")
        await post(d.deps)
        assert _shared(d) == []

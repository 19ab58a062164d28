"""Contents, groups, other accounts, and LINE's account-link dialog: is each done once and safely?"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.flows.channel.fetch_media import GIVES_UP_AFTER, MOST_BYTES, fetch_media
from bot.flows.channel.leave import leave
from bot.flows.channel.offer_link import offer_link
from bot.flows.signals.line_link import account_link_nonce, unlink_customer
from db.engine import Database
from db.intake.inbox import InboxRow
from db.people.customers import customer_id_of
from db.people.group_chats import GroupChat
from db.people.linking import LinkNonce
from db.talk.media import Media
from tests.flows.chat import Chat, chatting

PICTURE = b"\xff\xd8" + b"x" * 5000


async def media(chat: Chat) -> Media:
    [row] = await chat.rows(Media)
    return row  # type: ignore[no-any-return]


async def test_a_picture_is_fetched_at_once_and_kept(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.send_image(tanaka, PICTURE)
        await chat.settle()
        assert "fetch_media" in chat.woken.stories
        assert await fetch_media(chat.deps) == 1
        row = await media(chat)
        assert (row.state, row.content, row.size, row.content_type) == ("stored", PICTURE, 5002, "image/jpeg")
        assert len(row.sha256) == 64
        assert await fetch_media(chat.deps) == 0


async def test_a_video_being_prepared_is_asked_for_again(db: Database) -> None:
    async with chatting(db) as chat:
        await chat.line.send_image(chat.person(), PICTURE, "video/mp4", preparing=2)
        await chat.settle()
        for _ in range(3):
            await fetch_media(chat.deps)
            chat.turn(seconds=5)
        assert (await media(chat)).state == "stored"
        assert (await media(chat)).attempts == 3


async def test_what_line_has_no_more_and_what_is_too_large_is_said_so(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.send_file(tanaka, "big.bin", b"\0" * (MOST_BYTES + 1))
        await chat.settle()
        await fetch_media(chat.deps)
        row = await media(chat)
        assert (row.state, row.content) == ("refused", None)
        gone = await chat.line.send_image(tanaka, PICTURE)
        chat.line.channel.contents.clear()
        await chat.settle()
        await fetch_media(chat.deps)
        states = {row.line_message_id: row.state for row in await chat.rows(Media)}
        assert states[str(gone.message_id)] == "gone"


async def test_it_gives_up_when_line_never_answers(db: Database) -> None:
    async with chatting(db) as chat:
        sent = await chat.line.send_image(chat.person(), PICTURE)
        await chat.settle()
        chat.line.faults.add(f"/v2/bot/message/{sent.message_id}/content", times=99, status=500)
        await fetch_media(chat.deps)
        assert (await media(chat)).state == "waiting"
        chat.clock.turn(GIVES_UP_AFTER + timedelta(hours=2))
        await fetch_media(chat.deps)
        assert (await media(chat)).state == "gone"
        assert "given up" in str((await media(chat)).because)


@pytest.mark.parametrize("is_fetched", [True, False])
async def test_unsending_leaves_no_byte(db: Database, is_fetched: bool) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        sent = await chat.line.send_image(tanaka, PICTURE)
        await chat.settle()
        if is_fetched:
            await fetch_media(chat.deps)
        await chat.line.unsend(tanaka, str(sent.message_id))
        await chat.settle()
        await fetch_media(chat.deps)
        row = await media(chat)
        assert (row.state, row.content, row.sha256) == ("unsent", None, "")


async def test_a_picture_on_somebody_else_s_server_is_not_fetched(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        provider = {"type": "external", "originalContentUrl": "https://10.0.0.1/x.jpg"}
        message = {"type": "image", "id": "5", "contentProvider": provider}
        await chat.line.deliver([chat.line.event("message", tanaka, message=message)])
        await chat.settle()
        assert await fetch_media(chat.deps) == 0
        assert (await media(chat)).state == "refused"


@pytest.mark.parametrize("kind", ["group", "room"])
async def test_a_group_is_answered_once_and_left(db: Database, kind: str) -> None:
    async with chatting(db) as chat:
        group = chat.line.add_group(kind)
        text = {"type": "text", "id": "1", "text": "停止"}
        await chat.line.deliver([chat.line.event("join", group)])
        await chat.settle()
        await asyncio.gather(leave(chat.deps), leave(chat.deps))
        await chat.line.deliver([chat.line.event("message", group, message=text)])
        await chat.settle()
        await leave(chat.deps)
        assert len(chat.line.texts(group)) == 1
        assert "退出" in chat.line.texts(group)[0]
        assert chat.line.channel.groups == {}
        assert await chat.heard() == []
        assert await chat.messages() == []
        [row] = await chat.rows(GroupChat)
        assert row.left_at is not None


async def test_standby_is_stored_and_silent(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka, group = chat.person(), chat.line.add_group()
        chat.line.webhooks.is_standby = True
        await chat.line.follow(tanaka)
        chat.turn(seconds=1)
        await chat.line.say(tanaka, "停止")
        await chat.line.say(tanaka, "配信設定")
        await chat.line.deliver([chat.line.event("join", group)])
        await chat.settle()
        assert await leave(chat.deps) == 0
        assert await chat.messages() == []
        assert all(row.done_at for row in await chat.rows(InboxRow))


async def test_another_account_s_webhooks_are_put_aside_and_told_once(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.settle()
        chat.line.channel.bot_user_id = "U" + "9" * 32
        for text in ("停止", "こんにちは"):
            await chat.line.say(tanaka, text)
        await chat.settle()
        assert await chat.heard() == []
        assert [row.because for row in await chat.rows(InboxRow)] == ["destination: another account's"] * 2
        assert all(row.raw for row in await chat.rows(InboxRow))
        assert len(await chat.alerts()) == 1


# --- the account-link dialog --------------------------------------------------------------------------


def with_page(chat: Chat) -> Chat:
    settings = chat.deps.settings.model_copy(update={"line_link_page": "https://shop.example/line?from=bot"})
    chat.deps = replace(chat.deps, settings=settings)
    return chat


async def asked_for(chat: Chat, user_id: str) -> str:
    """The link token of the dialog offered to them."""
    chat.turn(minutes=1)
    await chat.line.say(user_id, "連携")
    await chat.settle()
    await offer_link(chat.deps)
    await chat.settle()
    [button] = chat.line.phone(user_id)[-1]["buttons"]
    address = button["action"]["uri"]
    assert address.startswith("https://shop.example/line?from=bot&linkToken=")
    return parse_qs(urlsplit(address).query)["linkToken"][0]


async def test_the_dialog_links_once(db: Database) -> None:
    async with chatting(db) as chat:
        with_page(chat)
        tanaka = chat.person()
        await chat.agree(tanaka)
        token = await asked_for(chat, tanaka)
        offer = await account_link_nonce(chat.deps, "user-1", token)
        assert offer.url.startswith("https://access.line.me/dialog/bot/accountLink?linkToken=")
        assert 10 <= len(offer.nonce) <= 255
        assert offer.nonce not in str([row.model_dump() for row in await chat.rows(LinkNonce)])
        await chat.line.link_account(tanaka, token, offer.nonce)
        await chat.settle()
        assert await chat.customer_id(tanaka) == customer_id_of("user-1")
        assert await chat.is_granted(tanaka) is True
        assert "連携が完了" in chat.line.texts(tanaka)[-1]


@pytest.mark.parametrize("fault", ["replayed", "expired", "unknown"])
async def test_a_nonce_that_does_not_count_links_nobody_and_says_so(db: Database, fault: str) -> None:
    async with chatting(db) as chat:
        with_page(chat)
        tanaka, sato = chat.person(), chat.person("佐藤")
        await chat.line.follow(tanaka)
        await chat.line.follow(sato)
        await chat.settle()
        offer = await account_link_nonce(chat.deps, "user-1", None)
        nonce = offer.nonce
        if fault == "replayed":
            await chat.line.link_account(sato, await asked_for(chat, sato), nonce)
            await chat.settle()
        elif fault == "expired":
            chat.turn(hours=1)
        else:
            nonce = "x" * 40
        await chat.line.link_account(tanaka, await asked_for(chat, tanaka), nonce)
        await chat.settle()
        assert await chat.customer_id(tanaka) != customer_id_of("user-1")
        assert "期限が切れている" in chat.line.texts(tanaka)[-1]


async def test_a_failed_dialog_spends_the_nonce_and_tells_staff(db: Database) -> None:
    async with chatting(db) as chat:
        with_page(chat)
        tanaka = chat.person()
        await chat.agree(tanaka)
        offer = await account_link_nonce(chat.deps, "user-1", None)
        failed = chat.line.event("accountLink", link={"result": "failed", "nonce": offer.nonce})
        await chat.line.deliver([failed])
        await chat.settle()
        assert len(await chat.alerts()) == 1
        await chat.line.link_account(tanaka, await asked_for(chat, tanaka), offer.nonce)
        await chat.settle()
        assert await chat.customer_id(tanaka) != customer_id_of("user-1")


async def test_without_a_page_they_are_told_where_to_connect(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.agree(tanaka)
        chat.turn(minutes=1)
        await chat.line.say(tanaka, "アカウント連携")
        await chat.settle()
        assert "画面" in chat.line.texts(tanaka)[-1]


@pytest.mark.parametrize("way", ["word", "product"])
async def test_parting_keeps_what_was_refused(db: Database, way: str) -> None:
    async with chatting(db) as chat:
        with_page(chat)
        tanaka = chat.person()
        await chat.agree(tanaka)
        first = await account_link_nonce(chat.deps, "user-1", None)
        await chat.line.link_account(tanaka, await asked_for(chat, tanaka), first.nonce)
        chat.turn(minutes=1)
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        waiting = await chat.promise(tanaka, not_before=chat.clock.now() + timedelta(hours=1))
        chat.turn(minutes=1)
        if way == "word":
            await chat.line.say(tanaka, "連携解除")
            await chat.settle()
            assert "解除しました" in chat.line.texts(tanaka)[-1]
        else:
            assert await unlink_customer(chat.deps, "user-1", by="product")
        assert (await chat.message(waiting)).state == "cancelled"
        assert await chat.customer_id(tanaka) != customer_id_of("user-1")
        assert await chat.is_granted(tanaka) is False
        again: Any = await account_link_nonce(chat.deps, "user-1", None)
        await chat.line.link_account(tanaka, await asked_for(chat, tanaka), again.nonce)
        await chat.settle()
        assert await chat.customer_id(tanaka) == customer_id_of("user-1")
        assert await chat.is_granted(tanaka) is False

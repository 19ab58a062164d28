"""Does the door for Slack let in what Slack sent, answer all of it in time, and lose nothing?"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.flows.staff.press import press
from db.engine import Database
from db.intake.inbox import InboxRow
from handlers.slack.app import SlackApp
from handlers.slack.socket import socket_mode
from tests.flows.desk import SIGNING_SECRET, Desk, desk


def _signed(body: bytes, *, at: str | None = None, secret: str = SIGNING_SECRET) -> dict[str, str]:
    stamp = at if at is not None else str(int(time.time()))
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def _post(
    d: Desk, body: bytes, headers: dict[str, str], kind: str = "application/json"
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{d.address}/slack/events", data=io.BytesIO(body), headers={"Content-Type": kind, **headers}
        ) as answer,
    ):
        return answer.status, await answer.text()


async def _whispered(d: Desk, words: str) -> None:
    for _ in range(200):
        if any(words in each for each in d.whispers(d.sato)[-1:]):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(d.whispers(d.sato))


async def test_slack_can_verify_the_address(db: Database) -> None:
    async with desk(db) as d:
        body = json.dumps({"type": "url_verification", "challenge": "c4", "token": "x"}).encode()
        status, answer = await _post(d, body, _signed(body))
        assert status == 200
        assert "c4" in answer


BODY = b'{"type":"event_callback","event":{"type":"x"},"event_id":"Ev1","secret":"canary"}'


@pytest.mark.parametrize(
    ("body", "signed", "kind", "status"),
    [
        (BODY, dict, "application/json", 401),
        (BODY, lambda: _signed(BODY, secret="other"), "application/json", 401),
        (BODY, lambda: _signed(BODY, at="1"), "application/json", 401),
        (BODY, lambda: _signed(BODY, at=str(int(time.time()) + 4000)), "application/json", 401),
        (BODY, lambda: _signed(BODY, at="abc"), "application/json", 401),
        (BODY, lambda: _signed(BODY, at=""), "application/json", 401),
        (BODY, lambda: {**_signed(BODY), "X-Slack-Signature": "v0=é"}, "application/json", 401),
        (BODY, lambda: {**_signed(BODY), "X-Slack-Signature": ""}, "application/json", 401),
        (BODY, lambda: {**_signed(BODY), "X-Slack-Signature": "v1=" + "0" * 64}, "application/json", 401),
        (b"\xff\xfe", lambda: _signed(b"\xff\xfe"), "application/json", 401),
        (b"{", lambda: _signed(b"{"), "application/json", 400),
        (b"[]", lambda: _signed(b"[]"), "application/json", 400),
        (b"[" * 20000, lambda: _signed(b"[" * 20000), "application/json", 400),
        (b"payload=%7B", lambda: _signed(b"payload=%7B"), "application/x-www-form-urlencoded", 400),
        (b"payload=[1]", lambda: _signed(b"payload=[1]"), "application/x-www-form-urlencoded", 400),
        (b"x" * 1_100_000, dict, "application/json", 413),
    ],
    ids=[
        "unsigned", "another secret", "stale", "future", "timestamp of letters", "no timestamp",
        "signature not ascii", "no signature", "wrong version", "no UTF-8", "broken JSON", "JSON list",
        "deep JSON", "broken payload", "payload list", "too long",
    ],
)  # fmt: skip
async def test_what_slack_did_not_send_like_this_ends_at_the_door(
    db: Database,
    body: bytes,
    signed: Callable[[], dict[str, str]],
    kind: str,
    status: int,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    async with desk(db) as d:
        assert (await _post(d, body, signed(), kind))[0] == status
        assert await d.rows(InboxRow) == []
    captured = capfd.readouterr()
    assert "canary" not in captured.out + captured.err + caplog.text


async def test_a_press_is_durable_before_it_is_acknowledged_and_takes_effect_after(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        answer = await d.slack.press(d.sato, d.leads, d.card().ts, "lead.claim")
        assert answer.is_good
        (row,) = await d.rows(InboxRow)
        assert (row.kind, row.done_at) == ("press", None)
        lead = await d.the_lead()
        assert (row.source, lead.owner) == (f"slack:{lead.lead_id}", None)
        assert "press" in d.deps.waker.woken  # type: ignore[attr-defined]
        assert await press(d.deps) == 1
        (row,) = await d.rows(InboxRow)
        assert row.done_at is not None
        assert row.raw == b""


async def test_a_press_that_cannot_be_stored_is_not_acknowledged(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        async with db.begin() as session:
            await session.execute(text("ALTER TABLE inbox RENAME TO inbox_gone"))
        answer = await d.slack.press(d.sato, d.leads, d.card().ts, "lead.claim")
        assert answer.status == 500


async def test_an_event_is_durable_before_it_is_acknowledged_and_slack_sends_again_otherwise(
    db: Database,
) -> None:
    async with desk(db) as d:
        async with db.begin() as session:
            await session.execute(text("ALTER TABLE inbox RENAME TO inbox_gone"))
        answer = await d.slack.open_home(d.sato)
        assert answer.status == 500
        async with db.begin() as session:
            await session.execute(text("ALTER TABLE inbox_gone RENAME TO inbox"))
        assert all(each.is_good for each in await d.slack.redeliver())
        assert len(await d.rows(InboxRow)) == 1


async def test_plain_messages_in_a_thread_stay_internal_and_are_not_kept(db: Database) -> None:
    async with desk(db, echo=True) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        answer = await d.slack.write(
            d.sato, d.leads, "このお客様、値引きしてもいいかも", thread_ts=d.card().ts
        )
        assert answer.is_good
        rows = [each for each in await d.rows(InboxRow) if each.kind == "event"]
        assert rows
        assert "値引き".encode() not in b"".join(each.raw for each in rows)
        await d.settle()
        await d.slack.settled()
        assert await d.written() == []
        assert [each for each in await d.rows(InboxRow) if each.done_at is None] == []


async def test_the_same_event_delivered_again_is_kept_once(db: Database) -> None:
    async with desk(db) as d:
        await d.slack.write(d.sato, d.leads, "x", copies=3)
        assert len(await d.rows(InboxRow)) == 1


async def test_nothing_that_slack_can_send_is_answered_with_an_error(db: Database) -> None:
    async with desk(db) as d:
        payloads: list[dict[str, Any]] = [
            {"type": "block_actions", "actions": [{"action_id": "unknown", "type": "button"}]},
            {"type": "block_actions", "actions": [{"action_id": "lead.send", "type": "button"}]},
            {
                "type": "block_actions",
                "actions": [{"action_id": "lead.edit", "value": "x", "type": "button"}],
            },
            {"type": "view_submission", "view": {"type": "modal", "callback_id": "old"}},
            {"type": "view_submission", "view": {"type": "modal", "callback_id": "lead.x"}},
            {"type": "view_closed", "view": {"type": "modal", "callback_id": "lead.snooze"}},
            {"type": "shortcut", "callback_id": "x"},
            {"type": "message_action", "callback_id": "x"},
            {"type": "block_suggestion", "action_id": "x", "block_id": "b", "value": ""},
        ]
        for payload in payloads:
            whole = {**payload, "team": {"id": "T1"}, "user": {"id": "U1"}, "trigger_id": "1.2"}
            body = urlencode({"payload": json.dumps(whole)}).encode()
            status, answer = await _post(d, body, _signed(body), "application/x-www-form-urlencoded")
            assert status == 200, (payload, answer)
        body = urlencode({"payload": json.dumps({"type": "view_submission", "view": {}})}).encode()
        assert (await _post(d, body, _signed(body), "application/x-www-form-urlencoded"))[0] < 500
        for event in ({"type": "reaction_added"}, {"type": "message", "subtype": "message_changed"}, {}):
            body = json.dumps(
                {"type": "event_callback", "event_id": "E", "team_id": "T", "event": event}
            ).encode()
            assert (await _post(d, body, _signed(body)))[0] in {200, 404 if not event else 200}
        body = urlencode({"command": "/unknown", "user_id": "U1", "team_id": "T1"}).encode()
        assert (await _post(d, body, _signed(body), "application/x-www-form-urlencoded"))[0] == 200


async def test_stray_variables_cannot_turn_bolt_to_oauth(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "stray")
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        assert (await d.the_lead()).owner == d.sato


async def test_a_modal_opens_even_while_the_database_of_presses_is_busy(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        answer = await d.slack.press(d.sato, d.leads, d.card().ts, "lead.snooze")
        assert answer.is_good
        await asyncio.sleep(0.2)
        assert len(d.slack.open_views(d.sato)) == 1
        assert await d.rows(InboxRow) == []


async def test_a_modal_that_comes_too_late_is_explained(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        d.slack.faults.add("views.open", error="expired_trigger_id")
        await d.slack.press(d.sato, d.leads, d.card().ts, "lead.edit")
        await _whispered(d, "もう一度押してください")


async def test_leads_lists_ones_own_and_the_other_commands_say_how(db: Database) -> None:
    async with desk(db) as d:
        await d.lead("<山田> & 花子")
        await d.settle()
        for command, said in (
            ("/leads", "担当している見込みはありません"),
            ("/why", "/why 名前かID"),
            ("/followups", "規則"),
        ):
            assert (await d.slack.command(d.sato, command, "", d.leads)).is_good
            await _whispered(d, said)
        await d.press(d.sato, "lead.claim")
        await d.slack.command(d.sato, "/leads", "", d.leads)
        await _whispered(d, "&lt;山田&gt; &amp; 花子")


async def test_why_answers_in_slack_and_says_when_it_knows_nobody(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        for text_, said in (("cust-1", "山田 花子"), ("nobody-of-that-name", "nobody-of-that-name")):
            assert (await d.slack.command(d.sato, "/why", text_, d.leads)).is_good
            await _whispered(d, said)
        assert len(d.whispers(d.sato)) == 2


async def test_reply_asks_before_it_sends(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.slack.command(d.sato, "/reply", "お待たせしました", d.leads)
        await asyncio.sleep(0.2)
        assert "担当している見込みがありません" in d.whispers(d.sato)[-1]
        await d.press(d.sato, "lead.claim")
        await d.slack.command(d.sato, "/reply", "お待たせしました", d.leads)
        await asyncio.sleep(0.2)
        await d.settle()
        assert await d.written() == []
        (view,) = d.slack.open_views(d.sato)
        assert view.state["edit.text"]["text"]["value"] == "お待たせしました"
        await d.slack.submit(d.sato, view.id)
        await d.settle()
        (message,) = await d.written()
        assert message.plain_text == "お待たせしました"


async def test_the_home_tab_shows_what_is_mine(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        await d.slack.open_home(d.sato)
        await d.settle()
        home = d.slack.home(d.sato)
        assert home is not None
        assert "山田 花子" in json.dumps(home.content, ensure_ascii=False)


async def test_socket_mode_carries_presses_and_leaves_quietly(db: Database) -> None:
    secret = SecretStr("xapp-desk")
    async with desk(db, app_token="xapp-desk", slack_app_token=secret) as d, socket_mode(d.deps):
        for _ in range(100):
            if d.slack.sockets.are_connected:
                break
            await asyncio.sleep(0.05)
        assert d.slack.sockets.are_connected
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        assert (await d.the_lead()).owner == d.sato
        assert (await d.slack.open_home(d.sato)).is_good


async def test_every_route_of_bolt_ends_in_a_catch_all(db: Database) -> None:
    async with desk(db) as d:
        assert len(SlackApp(d.deps).bolt._async_listeners) >= 10

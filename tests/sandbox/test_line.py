"""Does the loopback LINE behave and refuse like LINE, seen through the real SDK?"""

import asyncio
import io
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from linebot.v3 import SignatureValidator
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    AsyncApiClient,
    AsyncMessagingApi,
    AsyncMessagingApiBlob,
    Configuration,
    Message,
    MulticastRequest,
    PushMessageRequest,
    ReplyMessageRequest,
    RichMenuRequest,
    SetWebhookEndpointRequest,
    ShowLoadingAnimationRequest,
    TextMessage,
    ValidateMessageRequest,
)
from linebot.v3.messaging import (
    TestWebhookEndpointRequest as AskForTest,
)
from linebot.v3.messaging.exceptions import ApiException
from linebot.v3.messaging.models import CreateRichMenuAliasRequest, MarkMessagesAsReadByTokenRequest
from linebot.v3.webhook import WebhookParser
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.line import LineStandIn
from sandbox.serve import serving

SECRET, TOKEN = "8c570fa6dd201bb328f1c1eac23a96d8", "channel-access-token"


@dataclass
class Turned:
    now: datetime = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class BotServer:
    """Receives webhooks as ours would: checks the signature with the SDK, keeps the events."""

    events: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answer_next: list[int] = field(default_factory=list)
    visits: list[tuple[str, str]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[Route("/line/webhook", self._webhook, methods=["POST"]), Route("/r/{token}", self._click)]
        )

    async def _webhook(self, request: Request) -> Response:
        body = await request.body()
        try:
            WebhookParser(SECRET).parse(body.decode(), request.headers["x-line-signature"])
        except InvalidSignatureError:
            return Response(status_code=400)
        if self.answer_next:
            return Response(status_code=self.answer_next.pop(0))
        self.bodies.append(body)
        self.events += json.loads(body)["events"]
        return Response()

    async def _click(self, request: Request) -> Response:
        self.visits.append((request.path_params["token"], request.headers["user-agent"]))
        return RedirectResponse("https://app.example.com/start", 302)


@dataclass
class Stage:
    clock: Turned
    line: LineStandIn
    server: BotServer
    api: AsyncMessagingApi
    blob: AsyncMessagingApiBlob
    url: str
    server_url: str

    async def push(
        self, to: str, *messages: dict[str, Any] | str, key: str | None = None, **more: Any
    ) -> Any:
        sent = [{"type": "text", "text": m} if isinstance(m, str) else m for m in messages]
        request = PushMessageRequest(to=to, messages=[Message.from_dict(m) for m in sent], **more)
        return await self.api.push_message_with_http_info(request, x_line_retry_key=key)

    async def reply(self, token: str, text: str) -> Any:
        request = ReplyMessageRequest(replyToken=token, messages=[TextMessage(text=text)])
        return await self.api.reply_message_with_http_info(request)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json", **headers}
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=io.BytesIO(payload), headers=headers) as response,
        ):
            return response.status, await response.json(content_type=None)


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    clock, server = Turned(), BotServer()
    line = LineStandIn(channel_secret=SECRET, access_token=TOKEN, clock=clock, webhook_timeout_seconds=10)
    async with serving(line.app) as url, serving(server.app) as server_url:
        line.webhook_url = f"{server_url}/line/webhook"
        async with AsyncApiClient(Configuration(host=url, access_token=TOKEN)) as client:
            yield Stage(
                clock, line, server, AsyncMessagingApi(client), AsyncMessagingApiBlob(client), url, server_url
            )


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as stage:
        yield stage


@pytest.fixture
async def tanaka(stage: Stage) -> str:
    user_id = stage.line.add_person("田中")
    await stage.line.follow(user_id)
    stage.server.events.clear()
    return user_id


def refused(error: pytest.ExceptionInfo[ApiException]) -> tuple[int, dict[str, Any]]:
    return error.value.status, json.loads(error.value.body)


async def test_a_follow_arrives_signed_and_a_push_is_shown_on_the_phone(stage: Stage):
    user_id = stage.line.add_person("田中")
    delivery = await stage.line.follow(user_id)
    assert (delivery.status, len(stage.line.deliveries)) == (200, 1)
    event = stage.server.events[0]
    assert event["type"] == "follow"
    assert event["source"] == {"type": "user", "userId": user_id}
    assert event["follow"] == {"isUnblocked": False}
    assert len(event["webhookEventId"]) == 26

    answer = await stage.push(user_id, "こんにちは", "二つ目")

    assert [m.id.isdigit() for m in answer.data.sent_messages] == [True, True]
    assert answer.headers["x-line-request-id"]
    assert [(b["from"], b["text"], b["at"]) for b in stage.line.phone(user_id)] == [
        ("bot", "こんにちは", stage.clock.now),
        ("bot", "二つ目", stage.clock.now),
    ]
    assert stage.line.consumed == 1
    seen = stage.line.journal[-1]
    assert (seen.method, seen.path, seen.status, seen.body["to"]) == (
        "POST",
        "/v2/bot/message/push",
        200,
        user_id,
    )


async def test_the_published_signature_vector_holds():
    from sandbox.line import signature

    body = b'{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}'
    assert signature(SECRET, body) == "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="
    assert SignatureValidator(SECRET).validate(body.decode(), signature(SECRET, body))


async def test_a_wrong_token_is_refused_with_a_request_id(stage: Stage, tanaka: str):
    configuration = Configuration(host=stage.url, access_token="another")
    async with AsyncApiClient(configuration) as client:
        with pytest.raises(ApiException) as error:
            await AsyncMessagingApi(client).get_profile(tanaka)
    status, body = refused(error)
    assert status == 401
    assert body["message"].startswith("Authentication failed due to the following reason")
    assert error.value.headers["x-line-request-id"]


class TestRetryKeys:
    async def test_the_same_request_again_is_409_with_the_first_ones_ids(self, stage: Stage, tanaka: str):
        key = str(uuid.uuid4())
        first = await stage.push(tanaka, "一度だけ", key=key)
        with pytest.raises(ApiException) as error:
            await stage.push(tanaka, "一度だけ", key=key)
        status, body = refused(error)
        assert (status, body["message"]) == (409, "The retry key is already accepted")
        assert [m["id"] for m in body["sentMessages"]] == [m.id for m in first.data.sent_messages]
        accepted = error.value.headers["x-line-accepted-request-id"]
        assert accepted == first.headers["x-line-request-id"] != error.value.headers["x-line-request-id"]
        assert len(stage.line.phone(tanaka)) == 1
        assert stage.line.journal[-1].contract_violation is None

    async def test_another_request_under_the_same_key_is_409_and_noted(self, stage: Stage, tanaka: str):
        key = str(uuid.uuid4())
        await stage.push(tanaka, "一通目", key=key)
        with pytest.raises(ApiException) as error:
            await stage.push(tanaka, "二通目", key=key)
        assert refused(error)[0] == 409
        assert "another request" in (stage.line.journal[-1].contract_violation or "")

    async def test_a_key_is_forgotten_after_24_hours(self, stage: Stage, tanaka: str):
        key = str(uuid.uuid4())
        await stage.push(tanaka, "一度だけ", key=key)
        stage.clock.forward(hours=24)
        await stage.push(tanaka, "一度だけ", key=key)
        assert len(stage.line.phone(tanaka)) == 2
        assert "24 hours" in (stage.line.journal[-1].contract_violation or "")

    async def test_a_refused_request_does_not_use_its_key(self, stage: Stage, tanaka: str):
        key = str(uuid.uuid4())
        stage.line.limit_rate("/v2/bot/message/push")
        with pytest.raises(ApiException) as error:
            await stage.push(tanaka, "あとで", key=key)
        assert refused(error) == (
            429,
            {"message": "The API rate limit has been exceeded. Try again later."},
        )
        await stage.push(tanaka, "あとで", key=key)
        assert stage.line.texts(tanaka) == ["あとで"]

    async def test_it_must_be_a_uuid_and_replies_take_none(self, stage: Stage, tanaka: str):
        messages = [{"type": "text", "text": "x"}]
        push = {"to": tanaka, "messages": messages}
        assert (await stage.post("/v2/bot/message/push", push, **{"x-line-retry-key": "1"}))[0] == 400
        await stage.line.say(tanaka, "やあ")
        reply = {"replyToken": stage.server.events[-1]["replyToken"], "messages": messages}
        key = {"x-line-retry-key": str(uuid.uuid4())}
        assert (await stage.post("/v2/bot/message/reply", reply, **key))[0] == 400
        assert (await stage.post("/v2/bot/message/reply", reply))[0] == 200


class TestReplyTokens:
    async def test_one_use_free_of_charge(self, stage: Stage, tanaka: str):
        await stage.line.say(tanaka, "質問です")
        token = stage.server.events[-1]["replyToken"]
        await stage.reply(token, "お答えします")
        with pytest.raises(ApiException) as error:
            await stage.reply(token, "もう一度")
        assert refused(error) == (400, {"message": "Invalid reply token"})
        assert [(b["from"], b["text"]) for b in stage.line.phone(tanaka)] == [
            ("person", "質問です"),
            ("bot", "お答えします"),
        ]
        assert stage.line.consumed == 0

    async def test_a_minute_after_receipt_it_is_gone(self, stage: Stage, tanaka: str):
        await stage.line.say(tanaka, "質問です")
        stage.clock.forward(seconds=61)
        with pytest.raises(ApiException) as error:
            await stage.reply(stage.server.events[-1]["replyToken"], "遅い")
        assert refused(error) == (400, {"message": "Invalid reply token"})

    async def test_a_redelivery_gives_it_another_minute_within_twenty(self, stage: Stage, tanaka: str):
        stage.line.webhook_redelivery = True
        stage.server.answer_next = [500, 503]
        lost = await stage.line.say(tanaka, "届いて")
        assert (lost.status, lost.reason) == (500, "error_status_code")
        stage.clock.forward(minutes=10)
        assert [d.status for d in await stage.line.redeliver()] == [503]
        [delivery] = await stage.line.redeliver()
        assert (delivery.status, delivery.is_redelivery) == (200, True)
        event = stage.server.events[-1]
        assert event["deliveryContext"] == {"isRedelivery": True}
        assert event["webhookEventId"] == lost.events[0]["webhookEventId"]
        assert event["timestamp"] == lost.events[0]["timestamp"]
        await stage.reply(event["replyToken"], "届きました")
        assert await stage.line.redeliver() == []


class TestWhoIsReached:
    async def test_blocked_is_200_but_neither_shown_nor_counted(self, stage: Stage, tanaka: str):
        await stage.line.unfollow(tanaka)
        answer = await stage.push(tanaka, "見えません")
        assert answer.status_code == 200
        assert answer.data.sent_messages
        assert stage.line.phone(tanaka) == []
        assert stage.line.consumed == 0
        with pytest.raises(ApiException) as error:
            await stage.api.get_profile(tanaka)
        assert refused(error) == (404, {"message": "Not found"})
        with pytest.raises(ValueError, match="blocked"):
            await stage.line.say(tanaka, "ブロック中")
        await stage.line.follow(tanaka)
        assert stage.server.events[-1]["follow"] == {"isUnblocked": True}

    async def test_unknown_and_malformed_recipients_are_400(self, stage: Stage):
        with pytest.raises(ApiException) as error:
            await stage.push("U" + "0" * 32, "x")
        assert refused(error) == (400, {"message": "Failed to send messages"})
        with pytest.raises(ApiException) as error:
            await stage.push("tanaka", "x")
        assert "'to'" in refused(error)[1]["message"]

    async def test_a_non_friend_is_reached_for_seven_days_after_writing(self, stage: Stage):
        stranger = stage.line.add_person("通りすがり")
        await stage.push(stranger, "まだ")
        await stage.line.say(stranger, "こんにちは")
        await stage.push(stranger, "はい")
        stage.clock.forward(days=7, seconds=1)
        await stage.push(stranger, "もう")
        assert stage.line.texts(stranger) == ["はい"]

    async def test_multicast_reaches_all_or_none(self, stage: Stage, tanaka: str):
        sato = stage.line.add_person("佐藤", is_friend=True)
        request = MulticastRequest(to=[tanaka, sato], messages=[TextMessage(text="お知らせ")])
        await stage.api.multicast(request)
        assert (stage.line.texts(tanaka), stage.line.texts(sato), stage.line.consumed) == (
            ["お知らせ"],
            ["お知らせ"],
            2,
        )


class TestQuota:
    async def test_pushes_stop_at_the_monthly_limit_and_replies_go_on(self, stage: Stage, tanaka: str):
        stage.line.quota = 2
        stage.line.consume(1)
        await stage.push(tanaka, "最後の一通")
        with pytest.raises(ApiException) as error:
            await stage.push(tanaka, "もう一通")
        assert refused(error) == (429, {"message": "You have reached your monthly limit."})
        assert (await stage.api.get_message_quota()).value == 2
        assert (await stage.api.get_message_quota_consumption()).total_usage == 2
        await stage.line.say(tanaka, "返事は？")
        await stage.reply(stage.server.events[-1]["replyToken"], "届きます")

    async def test_a_new_month_in_japan_begins_at_15_utc(self, stage: Stage, tanaka: str):
        stage.line.quota = 1
        await stage.push(tanaka, "十一月")
        stage.clock.now = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
        await stage.push(tanaka, "十二月")
        assert stage.line.consumed == 1

    async def test_sent_counts_are_ready_the_next_day(self, stage: Stage, tanaka: str):
        await stage.push(tanaka, "一通")
        assert (await stage.api.get_number_of_sent_push_messages("20261122")).status == "unready"
        stage.clock.forward(days=1)
        counted = await stage.api.get_number_of_sent_push_messages("20261122")
        assert (counted.status, counted.success) == ("ready", 1)


class TestRefusals:
    async def test_text_of_5001_units_names_the_property(self, stage: Stage, tanaka: str):
        with pytest.raises(ApiException) as error:
            await stage.push(tanaka, "あ" * 5001)
        assert refused(error) == (
            400,
            {
                "message": "The request body has 1 error(s)",
                "details": [{"message": "Length must be between 0 and 5000", "property": "messages[0].text"}],
            },
        )
        assert stage.line.phone(tanaka) == []

    async def test_six_messages_unknown_fields_and_empty_text(self, stage: Stage, tanaka: str):
        text = {"type": "text", "text": "x"}
        status, body = await stage.post("/v2/bot/message/push", {"to": tanaka, "messages": [text] * 6})
        assert (status, body["details"]) == (
            400,
            [{"message": "Size must be between 1 and 5", "property": "messages"}],
        )
        push = {"to": tanaka, "messages": [{"type": "text", "text": "", "color": "red"}], "silent": True}
        status, body = await stage.post("/v2/bot/message/push", push)
        assert {d["property"]: d["message"] for d in body["details"]} == {
            "messages[0].text": "May not be empty",
            "messages[0].color": "unknown field",
            "silent": "unknown field",
        }

    async def test_too_large_the_wrong_media_type_and_no_json(self, stage: Stage, tanaka: str):
        path = "/v2/bot/message/push"
        assert (await stage.post(path, b"x" * (2 * 1024 * 1024 + 1)))[0] == 413
        assert (await stage.post(path, b"to=x", **{"content-type": "application/x-www-form-urlencoded"}))[
            0
        ] == 415
        assert (await stage.post(path, b"{"))[0] == 400
        assert (await stage.post(path, []))[0] == 400
        assert (await stage.post("/v2/bot/message/push/", {}))[0] == 404

    async def test_validate_checks_without_sending(self, stage: Stage, tanaka: str):
        good = ValidateMessageRequest(messages=[TextMessage(text="x")])
        await stage.api.validate_push(good)
        with pytest.raises(ApiException) as error:
            await stage.api.validate_reply(ValidateMessageRequest(messages=[TextMessage(text="")]))
        assert refused(error)[1]["details"][0]["property"] == "messages[0].text"

    async def test_the_loading_animation_takes_fives_and_people_only(self, stage: Stage, tanaka: str):
        answer = await stage.api.show_loading_animation_with_http_info(
            ShowLoadingAnimationRequest(chatId=tanaka, loadingSeconds=20)
        )
        assert answer.status_code == 202
        assert stage.line.person(tanaka).loading_until == stage.clock.now + timedelta(seconds=20)
        for chat_id, seconds, words in ((tanaka, 7, "multiple of five"), ("C" + "0" * 32, 5, "Only user id")):
            with pytest.raises(ApiException) as error:
                await stage.api.show_loading_animation(
                    ShowLoadingAnimationRequest(chatId=chat_id, loadingSeconds=seconds)
                )
            assert words in refused(error)[1]["details"][0]["message"]


class TestFaults:
    async def test_dropped_after_accepting_the_retry_is_told_so(self, stage: Stage, tanaka: str):
        key = str(uuid.uuid4())
        stage.line.faults.add("/v2/bot/message/push", drop="after")
        with pytest.raises(aiohttp.ClientError):
            await stage.push(tanaka, "一度だけ", key=key)
        with pytest.raises(ApiException) as error:
            await stage.push(tanaka, "一度だけ", key=key)
        assert refused(error)[0] == 409
        assert stage.line.texts(tanaka) == ["一度だけ"]
        first, second = stage.line.journal[-2:]
        assert (first.status, first.is_accepted, first.fault) == (None, True, "drop after")
        assert second.status == 409

    async def test_dropped_before_accepting_the_retry_is_the_first(self, stage: Stage, tanaka: str):
        key = str(uuid.uuid4())
        stage.line.faults.add("/v2/bot/message/push", drop="before")
        with pytest.raises(aiohttp.ClientError):
            await stage.push(tanaka, "一度だけ", key=key)
        assert stage.line.phone(tanaka) == []
        assert (await stage.push(tanaka, "一度だけ", key=key)).status_code == 200

    async def test_broken_json_html_and_statuses(self, stage: Stage, tanaka: str):
        stage.line.faults.broken_json("/v2/bot/message/push")
        with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated|validation"):
            await stage.push(tanaka, "一")
        stage.line.faults.bad_gateway("/v2/bot/message/push")
        stage.line.faults.add("/v2/bot/message/*", status=500, times=2, is_accepted=True)
        statuses = []
        for words in ("二", "三", "四"):
            with pytest.raises(ApiException) as error:
                await stage.push(tanaka, words)
            statuses.append(error.value.status)
        assert statuses == [502, 500, 500]
        assert stage.line.texts(tanaka) == ["一", "三", "四"]
        assert stage.line.faults.pending == []

    async def test_a_hang_outlasts_the_clients_patience(self, stage: Stage, tanaka: str):
        stage.line.faults.add("/v2/bot/message/push", hang_seconds=30, drop="before")
        request = PushMessageRequest(to=tanaka, messages=[TextMessage(text="x")])
        with pytest.raises(TimeoutError):
            await stage.api.push_message(request, _request_timeout=0.1)


class TestWebhooks:
    async def test_held_back_reversed_and_duplicated(self, stage: Stage, tanaka: str):
        stage.line.hold_webhooks()
        await stage.line.say(tanaka, "一")
        await stage.line.say(tanaka, "二")
        assert stage.server.events == []
        await stage.line.release_webhooks(is_reversed=True, copies=2)
        assert [event["message"]["text"] for event in stage.server.events] == ["二", "二", "一", "一"]

    async def test_every_webhook_twice_and_in_standby(self, stage: Stage, tanaka: str):
        stage.line.webhooks.copies = 2
        stage.line.webhooks.is_standby = True
        await stage.line.say(tanaka, "二度")
        first, second = stage.server.events
        assert first == second
        assert (first["mode"], "replyToken" in first) == ("standby", False)

    async def test_several_events_in_one_request_and_none(self, stage: Stage, tanaka: str):
        events = [stage.line.event("unfollow", tanaka), stage.line.event("follow", tanaka, follow={})]
        assert (await stage.line.deliver(events)).status == 200
        assert (await stage.line.deliver([])).status == 200
        assert len(stage.server.bodies[-2:]) == 2
        assert json.loads(stage.server.bodies[-1]) == {
            "destination": stage.line.channel.bot_user_id,
            "events": [],
        }

    async def test_a_bad_signature_and_anything_raw(self, stage: Stage, tanaka: str):
        assert (await stage.line.deliver([], bad_signature=True)).status == 400
        raw = {**stage.line.event("novelty", tanaka), "novelty": {"a": 1}}
        await stage.line.raw_event(raw)
        assert stage.server.events[-1] == raw

    async def test_nobody_listening_is_could_not_connect(self, stage: Stage, tanaka: str):
        stage.line.webhook_url = "http://127.0.0.1:9/line/webhook"
        delivery = await stage.line.say(tanaka, "誰か")
        assert (delivery.status, delivery.reason) == (None, "could_not_connect")

    async def test_unsending_empties_the_bubble(self, stage: Stage, tanaka: str):
        said = await stage.line.say(tanaka, "忘れて")
        assert said.message_id is not None
        await stage.line.unsend(tanaka, said.message_id)
        assert stage.server.events[-1]["unsend"] == {"messageId": said.message_id}
        [bubble] = stage.line.phone(tanaka)
        assert (bubble["is_unsent"], bubble["text"], bubble["raw"]) == (True, None, None)

    async def test_the_console_can_set_and_test_the_endpoint(self, stage: Stage):
        await stage.api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=stage.line.webhook_url))
        assert (await stage.api.get_webhook_endpoint()).endpoint == stage.line.webhook_url
        tested = await stage.api.test_webhook_endpoint(AskForTest())
        assert (tested.success, tested.status_code) == (True, 200)
        with pytest.raises(ApiException):
            await stage.api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint="http://example.com/x"))


QUICK = {
    "type": "text",
    "text": "いかがですか。",
    "quickReply": {
        "items": [
            {"type": "action", "action": {"type": "message", "label": "困っている", "text": "困っています"}},
            {
                "type": "action",
                "action": {
                    "type": "postback",
                    "label": "今は忙しい",
                    "data": "q:busy",
                    "displayText": "今は忙しい",
                },
            },
        ]
    },
}


def bubble_with(action: dict[str, Any]) -> dict[str, Any]:
    button = {"type": "button", "style": "primary", "action": action}
    text = {"type": "text", "text": "続きはこちら", "wrap": True}
    body = {"type": "box", "layout": "vertical", "contents": [text, button]}
    return {"type": "flex", "altText": "お知らせ", "contents": {"type": "bubble", "body": body}}


class TestTaps:
    async def test_quick_replies_say_or_press_and_vanish(self, stage: Stage, tanaka: str):
        await stage.push(tanaka, QUICK)
        shown = stage.line.phone(tanaka)[-1]
        assert [choice["label"] for choice in shown["quick_replies"]] == ["困っている", "今は忙しい"]
        await stage.line.tap_quick_reply(tanaka, "困っている")
        assert stage.server.events[-1]["message"]["text"] == "困っています"
        with pytest.raises(LookupError, match="there: none"):
            await stage.line.tap_quick_reply(tanaka, "今は忙しい")
        await stage.push(tanaka, QUICK)
        await stage.line.tap_quick_reply(tanaka, "今は忙しい")
        assert stage.server.events[-1]["postback"] == {"data": "q:busy"}
        assert stage.line.phone(tanaka)[-1]["text"] == "今は忙しい"

    async def test_a_tap_takes_the_quick_replies_away_even_without_a_bubble(self, stage: Stage, tanaka: str):
        silent = {"type": "postback", "label": "はい", "data": "yes"}
        items = [{"type": "action", "action": silent}]
        await stage.push(tanaka, {"type": "text", "text": "?", "quickReply": {"items": items}})
        await stage.line.tap_quick_reply(tanaka, "はい")
        assert stage.line.phone(tanaka)[-1]["quick_replies"] == []
        with pytest.raises(LookupError):
            await stage.line.tap_quick_reply(tanaka, "はい")

    async def test_a_flex_button_opens_a_link_without_following_it(self, stage: Stage, tanaka: str):
        stage.line.local_hosts["https://bot.example"] = stage.server_url
        uri = {"type": "uri", "label": "続きから始める", "uri": "https://bot.example/r/abc"}
        await stage.push(tanaka, bubble_with(uri))
        [shown] = stage.line.phone(tanaka)
        assert (shown["text"], shown["alt_text"], shown["buttons"][0]["label"]) == (
            "続きはこちら",
            "お知らせ",
            "続きから始める",
        )
        opened = await stage.line.tap_button(tanaka, "続きから始める")
        assert (opened.status, opened.location) == (302, "https://app.example.com/start")
        await stage.line.preview_link(tanaka, "https://bot.example/r/abc")
        assert ["line-poker" in agent for _, agent in stage.server.visits] == [False, True]
        assert len(stage.line.person(tanaka).opened_links) == 1

    async def test_a_link_elsewhere_is_noted_but_not_fetched(self, stage: Stage, tanaka: str):
        uri = {"type": "uri", "label": "開く", "uri": "https://app.example.com/"}
        await stage.push(tanaka, bubble_with(uri))
        opened = await stage.line.tap_button(tanaka, "開く")
        assert (opened.url, opened.status) == ("https://app.example.com/", None)

    async def test_a_template_button_presses_with_the_picked_date(self, stage: Stage, tanaka: str):
        pick = {"type": "datetimepicker", "label": "日を選ぶ", "data": "visit", "mode": "date"}
        yes = {"type": "postback", "label": "はい", "data": "consent:yes"}
        template = {"type": "confirm", "text": "ご都合は？", "actions": [pick, yes]}
        await stage.push(tanaka, {"type": "template", "altText": "ご都合", "template": template})
        await stage.line.tap_button(tanaka, "日を選ぶ", params={"date": "2026-12-01"})
        assert stage.server.events[-1]["postback"] == {"data": "visit", "params": {"date": "2026-12-01"}}
        await stage.line.tap_button(tanaka, "はい")
        assert stage.server.events[-1]["postback"] == {"data": "consent:yes"}


class TestPeopleAndContent:
    async def test_profiles_followers_and_the_bot(self, stage: Stage, tanaka: str):
        profile = await stage.api.get_profile(tanaka)
        assert (profile.display_name, profile.language) == ("田中", "ja")
        assert (await stage.api.get_followers()).user_ids == [tanaka]
        assert (await stage.api.get_bot_info()).user_id == stage.line.channel.bot_user_id

    async def test_pictures_can_be_fetched_once_prepared(self, stage: Stage, tanaka: str):
        sent = await stage.line.send_image(tanaka, b"\xff\xd8jpeg", preparing=1)
        status = await stage.blob.get_message_content_transcoding_by_message_id(sent.message_id)
        assert status.status == "processing"
        assert (await stage.blob.get_message_content_with_http_info(sent.message_id)).status_code == 202
        assert bytes(await stage.blob.get_message_content(sent.message_id)) == b"\xff\xd8jpeg"
        await stage.line.unsend(tanaka, sent.message_id)
        with pytest.raises(ApiException) as error:
            await stage.blob.get_message_content(sent.message_id)
        assert error.value.status == 404

    async def test_stickers_files_and_places_arrive(self, stage: Stage, tanaka: str):
        await stage.line.send_sticker(tanaka)
        await stage.line.send_file(tanaka, "見積.pdf", b"%PDF")
        await stage.line.send_location(tanaka)
        kinds = [event["message"]["type"] for event in stage.server.events]
        assert kinds == ["sticker", "file", "location"]

    async def test_reading_is_marked_up_to_the_message(self, stage: Stage, tanaka: str):
        await stage.line.say(tanaka, "一")
        await stage.line.say(tanaka, "二")
        token = stage.server.events[0]["message"]["markAsReadToken"]
        request = MarkMessagesAsReadByTokenRequest(markAsReadToken=token)
        await stage.api.mark_messages_as_read_by_token(request)
        assert [bubble["is_read"] for bubble in stage.line.phone(tanaka)] == [True, False]

    async def test_account_linking_ends_in_an_event(self, stage: Stage, tanaka: str):
        token = (await stage.api.issue_link_token(tanaka)).link_token
        await stage.line.link_account(tanaka, token, "n" * 20)
        assert stage.server.events[-1]["link"] == {"result": "ok", "nonce": "n" * 20}
        assert await stage.line.link_account(tanaka, token, "n" * 20) is None

    async def test_rich_menus_are_made_shown_and_switched(self, stage: Stage, tanaka: str):
        def menu(action: dict[str, Any]) -> RichMenuRequest:
            bounds = {"x": 0, "y": 0, "width": 2500, "height": 843}
            return RichMenuRequest.from_dict(
                {
                    "size": {"width": 2500, "height": 843},
                    "selected": True,
                    "name": "主",
                    "chatBarText": "メニュー",
                    "areas": [{"bounds": bounds, "action": action}],
                }
            )

        switch = {"type": "richmenuswitch", "richMenuAliasId": "second", "data": "tab:2"}
        ids = []
        for action in (switch, {"type": "postback", "data": "help"}):
            made = await stage.api.create_rich_menu(menu(action))
            await stage.blob.set_rich_menu_image(
                made.rich_menu_id, body=b"\x89PNG", _headers={"Content-Type": "image/png"}
            )
            ids.append(made.rich_menu_id)
        await stage.api.create_rich_menu_alias(
            CreateRichMenuAliasRequest(richMenuAliasId="second", richMenuId=ids[1])
        )
        await stage.api.set_default_rich_menu(ids[0])
        await stage.line.tap_rich_menu(tanaka, 0)
        assert stage.server.events[-1]["postback"]["params"]["status"] == "SUCCESS"
        assert (await stage.api.get_rich_menu_id_of_user(tanaka)).rich_menu_id == ids[1]
        await stage.line.tap_rich_menu(tanaka, 0)
        assert stage.server.events[-1]["postback"] == {"data": "help"}


async def test_the_demo_page_sees_phones_and_acts(stage: Stage, tanaka: str):
    async with (
        serving(stage.line.control) as url,
        aiohttp.ClientSession(f"{url}/sandbox/line/") as session,
    ):

        async def act(**asked: Any) -> tuple[int, Any]:
            async with session.post("action", json=asked) as response:
                return response.status, await response.json()

        status, happened = await act(action="say", user_id=tanaka, text="デモから")
        assert (status, happened["webhook"]["status"]) == (200, 200)
        async with session.get("phone", params={"user_id": tanaka}) as response:
            assert (await response.json())["bubbles"][-1]["text"] == "デモから"
        async with session.get("people") as response:
            assert [p["display_name"] for p in (await response.json())["people"]] == ["田中"]
        assert (await act(action="tap_button", user_id=tanaka, label="ない"))[0] == 400
        assert (await act(action="delete_everything"))[0] == 400
        assert (await act(action="add_person", display_name="鈴木"))[1]["user_id"].startswith("U")
    assert all("/sandbox/" not in exchange.path for exchange in stage.line.journal)


async def test_a_server_stops_at_once_though_requests_hang():
    async def hang(_request: Request) -> Response:
        await asyncio.sleep(60)
        return Response()

    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        async with serving(Starlette(routes=[Route("/", hang)])) as url, serving(BotServer().app) as other:
            async with session.get(f"{other}/r/x", allow_redirects=False) as response:
                assert response.status == 302
            hanging = asyncio.create_task(session.get(url))
            await asyncio.sleep(0.05)
            started = loop.time()
        assert loop.time() - started < 2
        with pytest.raises(aiohttp.ClientError):
            await hanging


async def test_an_application_that_cannot_start_says_so():
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        raise LookupError("no database")
        yield

    with pytest.raises(RuntimeError, match="did not start"):
        async with serving(Starlette(lifespan=lifespan)):
            pass


async def test_units_are_counted_by_month(stage: Stage, tanaka: str):
    await stage.push(tanaka, "x", customAggregationUnits=["rule_1"])
    usage = await stage.api.get_aggregation_unit_usage()
    assert usage.num_of_custom_aggregation_units == 1
    names = await stage.api.get_aggregation_unit_name_list()
    assert names.custom_aggregation_units == ["rule_1"]


async def test_many_pushes_at_once_are_all_shown(stage: Stage, tanaka: str):
    await asyncio.gather(*(stage.push(tanaka, str(n), key=str(uuid.uuid4())) for n in range(30)))
    assert sorted(map(int, stage.line.texts(tanaka))) == list(range(30))

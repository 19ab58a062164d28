"""Does the Slack stand-in behave and refuse like Slack, seen through slack_sdk and Bolt on real sockets?"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.serve import serving
from sandbox.slack import NotPossible, SlackStandIn

TOKEN, APP_TOKEN, SECRET = "xoxb-sandbox", "xapp-sandbox", "sandbox-secret"
CARD = [
    {"type": "section", "block_id": "head", "text": {"type": "mrkdwn", "text": "*田中* より"}},
    {
        "type": "actions",
        "block_id": "acts",
        "elements": [
            {
                "type": "button",
                "action_id": "lead.send",
                "text": {"type": "plain_text", "text": "Send"},
                "value": "L1",
            },
            {
                "type": "overflow",
                "action_id": "lead.snooze",
                "options": [
                    {"text": {"type": "plain_text", "text": "1 h"}, "value": "1h"},
                    {"text": {"type": "plain_text", "text": "1 d"}, "value": "1d"},
                ],
            },
        ],
    },
]
MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "lead.edit",
    "title": {"type": "plain_text", "text": "Edit"},
    "submit": {"type": "plain_text", "text": "Save"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reply",
            "label": {"type": "plain_text", "text": "Reply"},
            "element": {"type": "plain_text_input", "action_id": "text", "max_length": 20},
        }
    ],
}
HOME: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}


def one_line(view: dict[str, Any], title: str) -> dict[str, Any]:
    return {**view, "title": {"type": "plain_text", "text": title}}


@dataclass
class Desk:
    """The stand-in, a client of its API, a Bolt app behind it, and a clock to turn."""

    slack: SlackStandIn
    client: AsyncWebClient
    bolt: AsyncApp
    url: str
    now: list[datetime]
    heard: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ann = self.slack.add_member("ann", real_name="Ann", locale="en-US", tz="Europe/Berlin")
        self.ken = self.slack.add_member("ken", real_name="健")
        self.sales = self.slack.add_user_group("sales", [self.ann])
        self.leads = self.slack.add_channel("leads")

    def turn(self, **by: float) -> None:
        self.now[0] += timedelta(**by)

    async def card(self, **more: Any) -> str:
        posted = await self.client.chat_postMessage(channel=self.leads, text="lead", blocks=CARD, **more)
        return str(posted["ts"])


@asynccontextmanager
async def a_desk(**options: Any) -> AsyncIterator[Desk]:
    now = [datetime(2026, 11, 22, 9, 0, tzinfo=UTC)]
    slack = SlackStandIn(
        bot_token=TOKEN, signing_secret=SECRET, app_token=APP_TOKEN, clock=lambda: now[0], **options
    )
    async with serving(slack.app) as url:
        slack.base_url = url
        client = AsyncWebClient(token=TOKEN, base_url=f"{url}/api/", retry_handlers=[], timeout=5)
        bolt = AsyncApp(client=client, signing_secret=SECRET)
        door = AsyncSlackRequestHandler(bolt)

        async def receive(request: Request) -> Response:
            return await door.handle(request)

        async with serving(Starlette(routes=[Route("/slack/events", receive, methods=["POST"])])) as app_url:
            slack.request_url = f"{app_url}/slack/events"
            yield Desk(slack=slack, client=client, bolt=bolt, url=url, now=now)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with a_desk() as each:
        yield each


async def refused(call: Awaitable[Any]) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


# Messages


async def test_a_posted_card_is_kept_as_sent_and_reads_as_text(desk: Desk) -> None:
    posted = await desk.client.chat_postMessage(channel=desk.leads, text="lead", blocks=CARD)
    [message] = desk.slack.messages("leads")
    assert message.ts == posted["ts"]
    assert re.fullmatch(r"1795338000\.\d{6}", message.ts)
    assert message.blocks == CARD
    assert message.plain_text() == "*田中* より\n[Send] [1 h | 1 d]"
    assert [(each.action_id, each.label) for each in desk.slack.buttons(message)] == [
        ("lead.send", "Send"),
        ("lead.snooze", "1 h | 1 d"),
    ]
    assert posted.headers["x-oauth-scopes"].startswith("app_mentions:read")


async def test_invalid_blocks_are_refused_with_slacks_body(desk: Desk) -> None:
    long = [{"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}}]
    with pytest.raises(SlackApiError) as caught:
        await desk.client.chat_postMessage(channel=desk.leads, text="x", blocks=long)
    told = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert caught.value.response.data == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [told],
        "response_metadata": {"messages": [f"[ERROR] {told}"]},
    }
    assert desk.slack.messages("leads") == []


async def test_ts_increase_while_the_clock_stands_still(desk: Desk) -> None:
    stamps = [await desk.card() for _ in range(3)]
    assert stamps == sorted(set(stamps))


@pytest.mark.parametrize(
    ("channel", "error"),
    [
        pytest.param({"archived": True}, "is_archived", id="archived"),
        pytest.param({"bot_member": False}, "not_in_channel", id="public, not joined"),
        pytest.param({"bot_member": False, "private": True}, "channel_not_found", id="private, not invited"),
        pytest.param(None, "channel_not_found", id="unknown"),
    ],
)
async def test_where_the_bot_may_not_post(desk: Desk, channel: dict[str, bool] | None, error: str) -> None:
    where = "C0UNKNOWN" if channel is None else desk.slack.add_channel("elsewhere", **channel)
    assert await refused(desk.client.chat_postMessage(channel=where, text="x")) == error


async def test_an_update_with_text_only_drops_the_blocks_and_keeps_metadata(desk: Desk) -> None:
    ts = await desk.card(metadata={"event_type": "lead", "event_payload": {"id": "L1"}})
    await desk.client.chat_update(channel=desk.leads, ts=ts, text="done")
    [message] = desk.slack.messages("leads")
    assert (message.text, message.blocks) == ("done", [])
    assert message.metadata == {"event_type": "lead", "event_payload": {"id": "L1"}}
    await desk.client.chat_update(channel=desk.leads, ts=ts, text="done", metadata={})
    assert message.metadata is None


async def test_only_own_messages_can_be_updated_or_deleted(desk: Desk) -> None:
    written = await desk.slack.write(desk.ann, "leads", "hello")
    assert written.ts is not None
    ts = written.ts
    assert (
        await refused(desk.client.chat_update(channel=desk.leads, ts=ts, text="x")) == "cant_update_message"
    )
    assert await refused(desk.client.chat_delete(channel=desk.leads, ts=ts)) == "cant_delete_message"
    own = await desk.card()
    assert (
        await refused(desk.client.chat_update(channel=desk.leads, ts=own, text="x" * 4001)) == "msg_too_long"
    )
    await desk.client.chat_delete(channel=desk.leads, ts=own)
    assert await refused(desk.client.chat_update(channel=desk.leads, ts=own, text="x")) == "message_not_found"


async def test_threads_take_the_parents_ts_only(desk: Desk) -> None:
    ts = await desk.card()
    reply = await desk.client.chat_postMessage(channel=desk.leads, thread_ts=ts, text="note")
    wrong = desk.client.chat_postMessage(channel=desk.leads, thread_ts=str(reply["ts"]), text="x")
    assert await refused(wrong) == "cannot_reply_to_message"
    assert [each.text for each in desk.slack.thread("leads", ts)] == ["lead", "note"]
    assert [each.text for each in desk.slack.messages("leads")] == ["lead"]
    replies = await desk.client.conversations_replies(channel=desk.leads, ts=ts)
    assert [each["text"] for each in replies["messages"]] == ["lead", "note"]
    assert replies["messages"][0]["reply_count"] == 1


async def test_a_deleted_parent_stays_as_a_tombstone_while_it_has_replies(desk: Desk) -> None:
    ts = await desk.card()
    reply = str((await desk.client.chat_postMessage(channel=desk.leads, thread_ts=ts, text="note"))["ts"])
    await desk.client.chat_delete(channel=desk.leads, ts=ts)
    assert [each.text for each in desk.slack.thread("leads", ts)] == ["This message was deleted.", "note"]
    assert await refused(desk.client.chat_delete(channel=desk.leads, ts=ts)) == "message_not_found"
    await desk.client.chat_delete(channel=desk.leads, ts=reply)


async def test_history_pages_and_shows_metadata_payloads_only_when_asked(desk: Desk) -> None:
    for number in range(5):
        await desk.card(metadata={"event_type": "lead", "event_payload": {"n": number}})
    seen: list[Any] = []
    async for page in await desk.client.conversations_history(channel=desk.leads, limit=2):
        seen += [each["metadata"] for each in page["messages"]]
    assert seen == [{"event_type": "lead"}] * 5
    full = await desk.client.conversations_history(channel=desk.leads, include_all_metadata=True)
    assert [each["metadata"]["event_payload"]["n"] for each in full["messages"]] == [4, 3, 2, 1, 0]


async def test_an_ephemeral_is_seen_by_one_person_and_cannot_be_updated(desk: Desk) -> None:
    shown = await desk.client.chat_postEphemeral(channel=desk.leads, user=desk.ann, text="only you")
    assert [each.text for each in desk.slack.ephemerals(desk.ann)] == ["only you"]
    assert desk.slack.ephemerals(desk.ken) == []
    ts = str(shown["message_ts"])
    assert await refused(desk.client.chat_update(channel=desk.leads, ts=ts, text="x")) == "message_not_found"
    few = desk.slack.add_channel("few", members=[desk.ann])
    outside = desk.client.chat_postEphemeral(channel=few, user=desk.ken, text="x")
    assert await refused(outside) == "user_not_in_channel"


async def test_a_user_id_as_channel_opens_a_direct_message(desk: Desk) -> None:
    posted = await desk.client.chat_postMessage(channel=desk.ann, text="hi")
    assert str(posted["channel"]).startswith("D")
    assert [each.text for each in desk.slack.direct_messages(desk.ann)] == ["hi"]
    gone = desk.slack.add_member("gone", deleted=True)
    assert await refused(desk.client.conversations_open(users=gone)) == "user_disabled"


async def test_reactions_and_permalinks(desk: Desk) -> None:
    ts = await desk.card()
    await desk.client.reactions_add(channel=desk.leads, timestamp=ts, name="white_check_mark")
    again = desk.client.reactions_add(channel=desk.leads, timestamp=ts, name="white_check_mark")
    assert await refused(again) == "already_reacted"
    link = await desk.client.chat_getPermalink(channel=desk.leads, message_ts=ts)
    assert str(link["permalink"]).endswith(f"{desk.leads}/p{ts.replace('.', '')}")


async def test_raw_broadcasts_are_noticed(desk: Desk) -> None:
    await desk.client.chat_postMessage(channel=desk.leads, text="<!channel> come")
    await desk.client.chat_postMessage(channel=desk.leads, text="&lt;!channel&gt; fine")
    assert [each.text for each in desk.slack.broadcasts()] == ["<!channel> come"]


# Who may call, and what goes wrong


async def test_tokens_scopes_and_methods_are_checked() -> None:
    async with a_desk(scopes=["chat:write", "users:read"]) as desk:
        who = await desk.client.auth_test()
        assert who["user_id"] == desk.slack.bot.id
        with pytest.raises(SlackApiError) as caught:
            await desk.client.conversations_info(channel=desk.leads)
        answer = caught.value.response
        assert (answer["error"], answer["needed"], answer["provided"]) == (
            "missing_scope",
            "channels:read",
            "chat:write,users:read",
        )
        assert await refused(desk.client.api_call("chat.shout")) == "unknown_method"
        assert (
            await refused(AsyncWebClient(token="xoxb-no", base_url=f"{desk.url}/api/").auth_test())
            == "invalid_auth"
        )
        assert await refused(AsyncWebClient(base_url=f"{desk.url}/api/").auth_test()) == "not_authed"
        with_app_token = AsyncWebClient(token=APP_TOKEN, base_url=f"{desk.url}/api/")
        assert await refused(with_app_token.auth_test()) == "not_allowed_token_type"
        desk.slack.state.auth_error = "token_revoked"
        assert await refused(desk.client.auth_test()) == "token_revoked"


async def test_a_connection_dropped_after_commit_leaves_the_message(desk: Desk) -> None:
    desk.slack.faults.add("chat.postMessage", drop=True)
    with pytest.raises(aiohttp.ClientError):
        await desk.card()
    assert desk.slack.messages("leads") == []
    desk.slack.faults.add("chat.postMessage", drop=True, after_commit=True)
    with pytest.raises(aiohttp.ClientError):
        await desk.card()
    assert len(desk.slack.messages("leads")) == 1
    assert [call.answer for call in desk.slack.journal] == [None, None]
    await desk.card()
    assert desk.slack.journal[-1].arguments["channel"] == desk.leads


async def test_the_other_faults(desk: Desk) -> None:
    faults = desk.slack.faults
    faults.add("auth.test", retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        await desk.client.auth_test()
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    faults.add("auth.test", html=True)
    with pytest.raises(SlackApiError) as caught:
        await desk.client.auth_test()
    assert caught.value.response.status_code == 503
    faults.add("auth.test", broken_json=True)
    with pytest.raises(SlackApiError):
        await desk.client.auth_test()
    faults.add("auth.test", error="internal_error", times=2)
    assert await refused(desk.client.auth_test()) == "internal_error"
    assert await refused(desk.client.auth_test()) == "internal_error"
    faults.add("auth.test", hang=0.3)
    impatient = AsyncWebClient(token=TOKEN, base_url=f"{desk.url}/api/", timeout=0.1)  # type: ignore[arg-type]
    with pytest.raises(asyncio.TimeoutError):
        await impatient.auth_test()
    assert (await desk.client.auth_test())["ok"]


async def test_rate_limits_when_turned_on() -> None:
    async with a_desk(rate_limits=True) as desk:
        await desk.card()
        assert await refused(desk.client.chat_postMessage(channel=desk.leads, text="x")) == "ratelimited"
        desk.turn(seconds=1)
        await desk.card()
        for _ in range(20):
            await desk.client.usergroups_list()
        assert await refused(desk.client.usergroups_list()) == "ratelimited"
        desk.turn(minutes=1)
        await desk.client.usergroups_list()


async def test_people_and_groups(desk: Desk) -> None:
    user = (await desk.client.users_info(user=desk.ann, include_locale=True))["user"]
    assert (user["locale"], user["tz"], user["tz_offset"]) == ("en-US", "Europe/Berlin", 3600)
    assert (await desk.client.usergroups_users_list(usergroup=desk.sales))["users"] == [desk.ann]
    listed = await desk.client.usergroups_list(include_users=True)
    assert listed["usergroups"][0]["users"] == [desk.ann]
    assert await refused(desk.client.usergroups_users_list(usergroup="S0NONE")) == "no_such_subteam"
    names = [each["name"] async for page in await desk.client.users_list(limit=1) for each in page["members"]]
    assert names == ["yorisoi", "ann", "ken"]
    found = await desk.client.users_lookupByEmail(email="ken@example.com")
    assert found["user"]["id"] == desk.ken
    members = await desk.client.conversations_members(channel=desk.leads)
    assert set(members["members"]) == {desk.ann, desk.ken, desk.slack.bot.id}
    channel = (await desk.client.conversations_info(channel=desk.leads))["channel"]
    assert (channel["is_member"], channel["is_ext_shared"], channel["is_archived"]) == (True, False, False)
    assert [each["id"] for each in (await desk.client.conversations_list())["channels"]] == [desk.leads]
    assert (await desk.client.bots_info(bot=desk.slack.workspace.bot_id))["bot"][
        "user_id"
    ] == desk.slack.bot.id
    assert (await desk.client.team_info())["team"]["domain"] == "sandbox"


# People act, Bolt answers


async def test_a_press_reaches_bolt_signed_and_is_acknowledged(desk: Desk) -> None:
    @desk.bolt.action("lead.send")
    async def on_send(ack: Callable[..., Awaitable[None]], body: dict[str, Any]) -> None:
        desk.heard.append(body)
        await ack()

    ts = await desk.card()
    answer = await desk.slack.press(desk.ann, "leads", ts, "lead.send")
    assert (answer.status, answer.is_good) == (200, True)
    [body] = desk.heard
    assert body["user"]["id"] == desk.ann
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": desk.leads,
        "is_ephemeral": False,
    }
    assert body["actions"][0]["value"] == "L1"
    assert body["message"]["blocks"] == CARD
    with pytest.raises(NotPossible, match=r"there are: lead\.send, lead\.snooze"):
        await desk.slack.press(desk.ann, "leads", ts, "lead.gone")


async def test_a_wrong_secret_is_refused_by_bolt(desk: Desk) -> None:
    ts = await desk.card()
    desk.slack.state.signing_secret = "another"
    assert (await desk.slack.press(desk.ann, "leads", ts, "lead.send")).status == 401


async def test_an_overflow_option_is_chosen_by_value_or_label(desk: Desk) -> None:
    @desk.bolt.action("lead.snooze")
    async def on_snooze(ack: Callable[..., Awaitable[None]], action: dict[str, Any]) -> None:
        desk.heard.append(action)
        await ack()

    ts = await desk.card()
    await desk.slack.press(desk.ann, "leads", ts, "lead.snooze", value="1d")
    await desk.slack.press(desk.ann, "leads", ts, "lead.snooze", selected_option="1 h")
    assert [each["selected_option"]["value"] for each in desk.heard] == ["1d", "1h"]
    with pytest.raises(NotPossible, match="not among the options"):
        await desk.slack.press(desk.ann, "leads", ts, "lead.snooze", value="1w")


async def test_an_unanswered_press_is_told_with_its_seconds(desk: Desk) -> None:
    ts = await desk.card()
    answer = await desk.slack.press(desk.ann, "leads", ts, "lead.send")
    assert (answer.status, answer.is_good) == (404, False)


async def test_response_urls_work_five_times_and_half_an_hour(desk: Desk) -> None:
    @desk.bolt.action("lead.send")
    async def on_send(ack: Callable[..., Awaitable[None]], respond: Any) -> None:
        await ack()
        desk.heard.append({"respond": respond})

    ts = await desk.card()
    await desk.slack.press(desk.ann, "leads", ts, "lead.send")
    respond = desk.heard[0]["respond"]
    assert (await respond(text="already claimed", replace_original=False)).status_code == 200
    assert [each.text for each in desk.slack.ephemerals(desk.ann)] == ["already claimed"]
    assert (await respond(text="changed", replace_original=True)).status_code == 200
    assert desk.slack.messages("leads")[0].text == "changed"
    assert (await respond(text="all", response_type="in_channel", replace_original=False)).status_code == 200
    assert (await respond(text="x", blocks=[{"type": "nonsense"}])).status_code == 400
    assert (await respond(text="x", replace_original=False)).status_code == 200
    sixth = await respond(text="x", replace_original=False)
    assert (sixth.status_code, sixth.body) == (404, "used_url")
    await desk.slack.press(desk.ann, "leads", await desk.card(), "lead.send")
    desk.turn(minutes=31)
    late = await desk.heard[1]["respond"](text="x")
    assert (late.status_code, late.body) == (404, "expired_url")


async def test_a_command_answers_the_person_only(desk: Desk) -> None:
    @desk.bolt.command("/why")
    async def on_why(ack: Callable[..., Awaitable[None]], command: dict[str, Any]) -> None:
        desk.heard.append(command)
        await ack(f"why {command['text']}")

    assert (await desk.slack.command(desk.ann, "/why", "田中", "leads")).is_good
    assert [each.text for each in desk.slack.ephemerals(desk.ann)] == ["why 田中"]
    assert desk.heard[0]["channel_id"] == desk.leads


# Modals and Home


async def opened(desk: Desk, view: dict[str, Any] = MODAL) -> str:
    """Ann has a modal open."""
    trigger = desk.slack.state.tickets.new_trigger(desk.ann)
    answer = await desk.client.views_open(trigger_id=trigger, view=view)
    return str(answer["view"]["id"])


async def test_triggers_are_used_once_and_live_three_seconds(desk: Desk) -> None:
    tickets = desk.slack.state.tickets
    first = tickets.new_trigger(desk.ann)
    await desk.client.views_open(trigger_id=first, view=MODAL)
    assert await refused(desk.client.views_open(trigger_id=first, view=MODAL)) == "exchanged_trigger_id"
    late = tickets.new_trigger(desk.ann)
    desk.turn(seconds=3.1)
    assert await refused(desk.client.views_open(trigger_id=late, view=MODAL)) == "expired_trigger_id"
    assert await refused(desk.client.views_open(trigger_id="1.2.3", view=MODAL)) == "invalid_trigger_id"


async def test_a_bad_view_is_invalid_arguments_with_a_pointer(desk: Desk) -> None:
    with pytest.raises(SlackApiError) as caught:
        await opened(desk, one_line(MODAL, "x" * 25))
    assert caught.value.response["error"] == "invalid_arguments"
    assert caught.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]


async def test_what_was_typed_stays_while_ids_stay(desk: Desk) -> None:
    @desk.bolt.view("lead.edit")
    async def on_edit(ack: Callable[..., Awaitable[None]]) -> None:
        await ack(response_action="errors", errors={"reply": "too short"})

    view_id = await opened(desk)
    await desk.slack.submit(desk.ann, view_id, {"text": "hello"})
    [view] = desk.slack.open_views(desk.ann)
    assert view.errors == {"reply": "too short"}
    assert view.plain_text() == "== Edit ==\nReply: [hello]\n! too short\n[Save]"
    await desk.client.views_update(view_id=view_id, view=one_line(MODAL, "Again"))
    assert view.state["reply"]["text"]["value"] == "hello"
    renamed = {**MODAL, "blocks": [{**MODAL["blocks"][0], "block_id": "reply2"}]}
    await desk.client.views_update(view_id=view_id, view=renamed)
    assert view.state["reply2"]["text"]["value"] is None


@pytest.mark.parametrize(
    ("response", "titles"),
    [
        pytest.param({}, [], id="empty closes the top"),
        pytest.param({"response_action": "clear"}, [], id="clear closes all"),
        pytest.param({"response_action": "update", "view": one_line(MODAL, "New")}, ["New"], id="update"),
        pytest.param({"response_action": "push", "view": one_line(MODAL, "Up")}, ["Edit", "Up"], id="push"),
    ],
)
async def test_response_actions(desk: Desk, response: dict[str, Any], titles: list[str]) -> None:
    @desk.bolt.view("lead.edit")
    async def on_edit(ack: Callable[..., Awaitable[None]]) -> None:
        await ack(**response)

    view_id = await opened(desk)
    await desk.slack.submit(desk.ann, view_id, {("reply", "text"): "hello"})
    assert [each.title for each in desk.slack.open_views(desk.ann)] == titles


@pytest.mark.parametrize(
    "response",
    [
        pytest.param({"response_action": "errors", "errors": {"nowhere": "x"}}, id="errors under no input"),
        pytest.param({"response_action": "update", "view": one_line(MODAL, "x" * 25)}, id="invalid view"),
    ],
)
async def test_unusable_response_actions_are_trouble(desk: Desk, response: dict[str, Any]) -> None:
    @desk.bolt.view("lead.edit")
    async def on_edit(ack: Callable[..., Awaitable[None]]) -> None:
        await ack(**response)

    await desk.slack.submit(desk.ann, await opened(desk), {"text": "hello"})
    [view] = desk.slack.open_views(desk.ann)
    assert view.trouble is not None
    assert view.title == "Edit"


async def test_the_client_submits_only_what_is_filled_in_and_fits(desk: Desk) -> None:
    view_id = await opened(desk)
    with pytest.raises(NotPossible, match="has to be filled in"):
        await desk.slack.submit(desk.ann, view_id)
    with pytest.raises(NotPossible, match="at most 20"):
        await desk.slack.submit(desk.ann, view_id, {"text": "x" * 21})


async def test_the_stack_holds_three_and_hashes_go_stale(desk: Desk) -> None:
    view_id = await opened(desk)
    first_hash = desk.slack.open_views(desk.ann)[0].hash
    await desk.client.views_update(view_id=view_id, hash=first_hash, view=MODAL)
    stale = desk.client.views_update(view_id=view_id, hash=first_hash, view=MODAL)
    assert await refused(stale) == "hash_conflict"
    for _ in range(2):
        top = desk.slack.open_views(desk.ann)[-1].id
        trigger = desk.slack.state.tickets.new_trigger(desk.ann, view_id=top)
        await desk.client.views_push(trigger_id=trigger, view=MODAL)
    trigger = desk.slack.state.tickets.new_trigger(desk.ann, view_id=view_id)
    assert await refused(desk.client.views_push(trigger_id=trigger, view=MODAL)) == "push_limit_reached"


async def test_external_ids_are_unique_and_a_closed_view_is_gone(desk: Desk) -> None:
    view_id = await opened(desk, {**MODAL, "external_id": "draft-1", "notify_on_close": True})
    again = desk.slack.state.tickets.new_trigger(desk.ken)
    named = desk.client.views_open(trigger_id=again, view={**MODAL, "external_id": "draft-1"})
    assert await refused(named) == "duplicate_external_id"
    await desk.client.views_update(external_id="draft-1", view={**MODAL, "external_id": "draft-1"})

    @desk.bolt.view_closed("lead.edit")
    async def on_closed(ack: Callable[..., Awaitable[None]], body: dict[str, Any]) -> None:
        desk.heard.append(body)
        await ack()

    await desk.client.views_update(view_id=view_id, view={**MODAL, "notify_on_close": True})
    assert (await desk.slack.close_view(desk.ann, view_id)).is_good
    assert desk.heard[0]["is_cleared"] is False
    assert await refused(desk.client.views_update(view_id=view_id, view=MODAL)) == "not_found"


async def test_home_is_published_and_its_buttons_work(desk: Desk) -> None:
    @desk.bolt.event("app_home_opened")
    async def on_home(event: dict[str, Any], client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view={**HOME, "blocks": CARD})

    @desk.bolt.action("lead.send")
    async def on_send(ack: Callable[..., Awaitable[None]], body: dict[str, Any]) -> None:
        desk.heard.append(body)
        await ack()

    assert (await desk.slack.open_home(desk.ann)).is_good
    for _ in range(50):
        if desk.slack.home(desk.ann):
            break
        await asyncio.sleep(0.02)
    home = desk.slack.home(desk.ann)
    assert home is not None
    assert (await desk.slack.press_in_view(desk.ann, home.id, "lead.send")).is_good
    assert desk.heard[0]["container"] == {"type": "view", "view_id": home.id}
    assert "response_url" not in desk.heard[0]
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await desk.client.views_publish(user_id=desk.ann, view=MODAL)


async def test_a_lead_modal_opens_from_a_press_through_bolt(desk: Desk) -> None:
    @desk.bolt.action("lead.send")
    async def on_send(
        ack: Callable[..., Awaitable[None]], body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        desk.heard.append(body)

    await desk.slack.press(desk.ann, "leads", await desk.card(), "lead.send")
    while not desk.heard:
        await asyncio.sleep(0.01)
    assert [each.callback_id for each in desk.slack.open_views(desk.ann)] == ["lead.edit"]


async def test_external_selects_ask_for_options(desk: Desk) -> None:
    select = {"type": "external_select", "action_id": "who", "min_query_length": 1}
    block = {
        "type": "input",
        "block_id": "b",
        "label": {"type": "plain_text", "text": "Who"},
        "element": select,
    }
    offered = {"text": {"type": "plain_text", "text": "田中"}, "value": "c1"}

    @desk.bolt.options("who")
    async def on_who(ack: Callable[..., Awaitable[None]], payload: dict[str, Any]) -> None:
        await ack(options=[offered])

    view_id = await opened(desk, {**MODAL, "blocks": [block]})
    assert await desk.slack.suggest(desk.ann, "who", "田", view_id=view_id) == [offered]


# Events


async def test_messages_arrive_once_and_failed_events_again_with_headers(desk: Desk) -> None:
    tries: list[dict[str, Any]] = []

    @desk.bolt.middleware
    async def fail_twice(req: Any, next_: Callable[[], Awaitable[Any]]) -> Any:
        if req.body.get("event", {}).get("type") == "message":
            tries.append({**req.headers, "event_id": req.body["event_id"]})
            if len(tries) <= 2:
                raise RuntimeError("not yet")
        return await next_()

    @desk.bolt.event("message")
    async def on_message(event: dict[str, Any]) -> None:
        desk.heard.append(event)

    @desk.bolt.error
    async def quiet(error: Exception) -> None:
        return None

    written = await desk.slack.write(desk.ann, "leads", "hi")
    assert written.status == 500 or not written.is_good
    assert [each.is_good for each in await desk.slack.redeliver()] == [False]
    assert [each.is_good for each in await desk.slack.redeliver()] == [True]
    assert await desk.slack.redeliver() == []
    assert [each.get("x-slack-retry-num") for each in tries] == [None, ["1"], ["2"]]
    assert tries[1]["x-slack-retry-reason"] == ["http_error"]
    assert len({each["event_id"] for each in tries}) == 1
    await asyncio.sleep(0.05)
    assert [(each["text"], each["ts"], each["channel_type"]) for each in desk.heard] == [
        ("hi", written.ts, "channel")
    ]


async def test_a_channel_without_the_bot_is_silent(desk: Desk) -> None:
    desk.slack.add_channel("quiet", bot_member=False)
    assert not (await desk.slack.write(desk.ann, "quiet", "hi")).is_delivered


async def test_copies_of_an_event_have_one_id_and_own_messages_echo() -> None:
    async with a_desk(echo=True) as desk:
        bodies: list[dict[str, Any]] = []

        @desk.bolt.use
        async def see(req: Any, next_: Callable[[], Awaitable[Any]]) -> Any:
            bodies.append(req.body)
            return await next_()

        @desk.bolt.event(re.compile(".*"))
        async def on_any(event: dict[str, Any]) -> None:
            desk.heard.append(event)

        await desk.slack.write(desk.ann, "leads", "hi", copies=2)
        assert len({body["event_id"] for body in bodies}) == 1
        assert len(bodies) == 2
        desk.bolt._async_middleware_list = [
            each
            for each in desk.bolt._async_middleware_list
            if "IgnoringSelfEvents" not in type(each).__name__
        ]
        await desk.card()
        await desk.slack.settled()
        assert bodies[-1]["event"]["bot_id"] == desk.slack.workspace.bot_id


# Files


async def test_files_are_announced_uploaded_shared_and_downloaded(desk: Desk) -> None:
    shared = await desk.client.files_upload_v2(
        channel=desk.leads, content=b"png!", filename="week.png", title="Week"
    )
    [message] = desk.slack.messages("leads")
    file_id = shared["files"][0]["id"]
    assert message.files[0]["id"] == file_id
    described = (await desk.client.files_info(file=file_id))["file"]
    assert described["shares"]["public"][desk.leads] == [{"ts": message.ts}]
    async with aiohttp.ClientSession() as session:
        with_token = {"Authorization": f"Bearer {TOKEN}"}
        async with session.get(described["url_private"], headers=with_token) as response:
            assert await response.read() == b"png!"
        async with session.get(described["url_private"]) as response:
            assert response.content_type == "text/html"


async def test_an_image_needs_a_file_that_is_ready(desk: Desk) -> None:
    desk.slack.state.files_ready_after = timedelta(seconds=5)
    announced = await desk.client.files_getUploadURLExternal(filename="a.png", length=3)
    image = {"type": "image", "alt_text": "a", "slack_file": {"id": announced["file_id"]}}
    assert await refused(desk.client.files_completeUploadExternal(files=[{"id": announced["file_id"]}])) == (
        "file_not_found"
    )
    async with aiohttp.ClientSession() as session:
        async with session.post(str(announced["upload_url"]), data=b"12") as response:
            assert response.status == 400
        async with session.post(str(announced["upload_url"]), data=b"123") as response:
            assert await response.text() == "OK - 3"
    await desk.client.files_completeUploadExternal(files=[{"id": announced["file_id"]}])
    early = desk.client.chat_postMessage(channel=desk.leads, text="x", blocks=[image])
    assert await refused(early) == "invalid_blocks"
    desk.turn(seconds=5)
    await desk.client.chat_postMessage(channel=desk.leads, text="x", blocks=[image])


# Socket Mode


async def test_socket_mode_delivers_redelivers_and_reconnects(desk: Desk) -> None:
    calm = [False]

    @desk.bolt.action("lead.send")
    async def on_send(ack: Callable[..., Awaitable[None]], action: dict[str, Any]) -> None:
        desk.heard.append(action)
        await ack()

    @desk.bolt.command("/why")
    async def on_why(ack: Callable[..., Awaitable[None]]) -> None:
        await ack("because")

    @desk.bolt.middleware
    async def fail_once(req: Any, next_: Callable[[], Awaitable[Any]]) -> Any:
        if req.body.get("type") == "event_callback":
            desk.heard.append(dict(req.headers))
            if not calm[0]:
                raise RuntimeError("not yet")
        return await next_()

    @desk.bolt.event("message")
    async def on_message(event: dict[str, Any]) -> None:
        return None

    @desk.bolt.error
    async def quiet(error: Exception) -> None:
        return None

    desk.slack.request_url = None
    handler = AsyncSocketModeHandler(desk.bolt, APP_TOKEN, ping_interval=0.2)
    await handler.connect_async()
    try:
        while not desk.slack.sockets.are_connected:
            await asyncio.sleep(0.01)
        assert (await desk.slack.press(desk.ann, "leads", await desk.card(), "lead.send")).is_good
        assert (await desk.slack.command(desk.ann, "/why", "", "leads")).is_good
        assert [each.text for each in desk.slack.ephemerals(desk.ann)] == ["because"]
        unacknowledged = await desk.slack.write(desk.ann, "leads", "hi")
        assert (unacknowledged.status, unacknowledged.is_good) == (0, False)
        calm[0] = True
        assert [each.is_good for each in await desk.slack.redeliver()] == [True]
        assert desk.heard[-1]["x-slack-retry-num"] == ["1"]

        before = desk.slack.sockets.connected[0]
        await desk.slack.sockets.disconnect("refresh_requested")
        while not desk.slack.sockets.are_connected:
            await asyncio.sleep(0.01)
        assert desk.slack.sockets.connected[0] is not before
    finally:
        await handler.close_async()


async def test_socket_mode_needs_the_app_token(desk: Desk) -> None:
    assert await refused(desk.client.apps_connections_open(app_token=TOKEN)) == "not_allowed_token_type"


# The demo page's side


async def test_the_control_surface_shows_and_acts(desk: Desk) -> None:
    @desk.bolt.action("lead.send")
    async def on_send(ack: Callable[..., Awaitable[None]]) -> None:
        await ack()

    ts = await desk.card()
    await desk.client.chat_postMessage(channel=desk.leads, thread_ts=ts, text="note")
    async with serving(desk.slack.control) as control, aiohttp.ClientSession() as session:
        async with session.get(f"{control}/channels") as response:
            assert [each["name"] for each in (await response.json())["channels"]] == ["leads"]
        async with session.get(f"{control}/channel?id={desk.leads}") as response:
            [message] = (await response.json())["messages"]
            assert message["blocks"] == CARD
            assert [each["text"] for each in message["replies"]] == ["note"]
        press = {"do": "press", "user_id": desk.ann, "channel": "leads", "ts": ts, "action_id": "lead.send"}
        async with session.post(f"{control}/action", json=press) as response:
            assert (await response.json())["is_good"] is True
        async with session.post(f"{control}/action", json={**press, "action_id": "gone"}) as response:
            assert response.status == 409
        async with session.post(f"{control}/action", json={"do": "press"}) as response:
            assert response.status == 422
        async with session.get(f"{control}/home?user={desk.ann}") as response:
            assert await response.json() == {"view": None}
    assert not any(call.method.startswith("control") for call in desk.slack.journal)


async def test_blocks_validate_needs_no_token(desk: Desk) -> None:
    bad = json.dumps([{"type": "section"}])
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{desk.url}/api/blocks.validate", params={"blocks": bad}) as response,
    ):
        answer = await response.json()
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"][0]["pointer"] == "/blocks/0"


# People of other workspaces


async def test_outsiders_see_shared_channels_and_buttons_but_no_commands(desk: Desk) -> None:
    @desk.bolt.action("lead.send")
    async def on_send(ack: Callable[..., Awaitable[None]], body: dict[str, Any]) -> None:
        desk.heard.append(body)
        await ack()

    outsider = desk.slack.add_member("eve", team_id="T0OTHER")
    shared = desk.slack.add_channel("shared", ext_shared=True)
    with pytest.raises(NotPossible, match="does not see"):
        await desk.slack.press(outsider, "leads", await desk.card(), "lead.send")
    posted = await desk.client.chat_postMessage(channel=shared, text="lead", blocks=CARD)
    assert (await desk.slack.press(outsider, "shared", str(posted["ts"]), "lead.send")).is_good
    assert desk.heard[0]["user"]["team_id"] == "T0OTHER"
    with pytest.raises(NotPossible, match="no commands"):
        await desk.slack.command(outsider, "/why", "", "shared")
    assert (await desk.client.users_info(user=outsider))["user"]["is_stranger"] is True


async def test_text_is_stored_escaped_with_mentions_left_live(desk: Desk) -> None:
    await desk.slack.write(desk.ann, "leads", f"a < b & <@{desk.ken}> <https://example.com|x>")
    assert desk.slack.messages("leads")[0].text == (f"a &lt; b &amp; <@{desk.ken}> <https://example.com|x>")

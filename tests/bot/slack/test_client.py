"""Does our client do in Slack exactly what was asked, once, and tell failures apart?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.clock import TurnableClock
from bot.errors import Refused, Unavailable
from bot.slack.calls import SlackRefused
from bot.slack.client import SlackClient
from sandbox.serve import serving
from sandbox.slack import SlackStandIn

KEY = UUID(int=7)
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@asynccontextmanager
async def wired(**more: Any) -> AsyncIterator[tuple[SlackStandIn, SlackClient, TurnableClock, str]]:
    clock = TurnableClock(START)
    slack = SlackStandIn(bot_token="xoxb-1", signing_secret="s", clock=clock.now, **more)
    channel = slack.add_channel("leads")
    async with serving(slack.app) as address:
        yield slack, SlackClient(token="xoxb-1", clock=clock, base_url=f"{address}/api/"), clock, channel


def _calls(slack: SlackStandIn, method: str) -> int:
    return len([each for each in slack.journal if each.method == method])


async def test_a_post_can_be_found_by_its_key_in_channel_and_thread() -> None:
    async with wired() as (slack, client, clock, channel):
        parent = await client.post(channel=channel, text="親", blocks=[], key=KEY)
        for number in range(3):
            await client.post(
                channel=channel, text="x", blocks=[], key=UUID(int=100 + number), thread_ts=parent.ts
            )
        reply = await client.post(channel=channel, text="子", blocks=[], key=UUID(int=8), thread_ts=parent.ts)
        since = clock.now()
        assert await client.find(channel=channel, key=KEY, since=since) == parent
        found = await client.find(channel=channel, key=UUID(int=8), since=since, thread_ts=parent.ts)
        assert found == reply
        assert await client.find(channel=channel, key=UUID(int=9), since=since) is None
        assert slack.messages(channel)[0].metadata == {
            "event_type": "yorisoi_post",
            "event_payload": {"key": str(KEY)},
        }


@pytest.mark.parametrize("fault", [{"drop": True}, {"drop": True, "after_commit": True}], ids=str)
async def test_a_cut_connection_is_never_sent_again_by_itself(fault: dict[str, bool]) -> None:
    async with wired() as (slack, client, _, channel):
        slack.faults.add("chat.postMessage", **fault)  # type: ignore[arg-type]
        with pytest.raises(Unavailable) as caught:
            await client.post(channel=channel, text="x", blocks=[], key=KEY)
        assert caught.value.retry_after is None
        assert _calls(slack, "chat.postMessage") == 1


async def test_reading_is_tried_again_after_a_cut_connection() -> None:
    async with wired() as (slack, client, _, _):
        user = slack.add_member("ann", real_name="Ann", locale="en-US")
        slack.faults.add("users.info", drop=True)
        assert (await client.profile(user)).name == "Ann"


@pytest.mark.parametrize(
    ("fault", "retry_after"),
    [
        ({"retry_after": 9}, 9.0),
        ({"status": 503, "html": True}, None),
        ({"broken_json": True}, None),
        ({"error": "fatal_error"}, None),
    ],
    ids=str,
)
async def test_passing_trouble_is_unavailable(fault: dict[str, Any], retry_after: float | None) -> None:
    async with wired() as (slack, client, _, channel):
        slack.faults.add("chat.postMessage", **fault)
        with pytest.raises(Unavailable) as caught:
            await client.post(channel=channel, text="x", blocks=[], key=KEY)
        assert caught.value.retry_after == retry_after


@pytest.mark.parametrize("code", ["channel_not_found", "invalid_auth", "missing_scope", "restricted_action"])
async def test_lasting_trouble_is_refused_with_slacks_word_for_it(code: str) -> None:
    async with wired() as (slack, client, _, channel):
        slack.faults.add("chat.postMessage", error=code)
        with pytest.raises(SlackRefused) as caught:
            await client.post(channel=channel, text="x", blocks=[], key=KEY)
        assert caught.value.code == code
        assert code in caught.value.ja


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}}],
        [{"type": "unheard"}],
        [None],
        [{"type": "divider"}] * 51,
    ],
    ids=["too long", "unknown", "null", "too many"],
)
async def test_a_message_slack_would_refuse_goes_out_as_plain_text(
    blocks: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    async with wired() as (slack, client, _, channel):
        posted = await client.post(channel=channel, text="見込みです", blocks=blocks, key=KEY)
        await client.update(channel=channel, ts=posted.ts, text="見込みです2", blocks=blocks)
        (message,) = slack.messages(channel)
        assert message.plain_text() == "見込みです2"
        assert _calls(slack, "chat.postMessage") == 1
    assert "slack.message_invalid" in capfd.readouterr().err


async def test_what_slack_alone_finds_wrong_goes_out_as_plain_text_too() -> None:
    async with wired() as (slack, client, _, channel):
        slack.faults.add("chat.postMessage", error="invalid_blocks")
        await client.post(channel=channel, text="見込み", blocks=[{"type": "divider"}], key=KEY)
        (message,) = slack.messages(channel)
        assert (message.text, message.blocks) == ("見込み", [])


@pytest.mark.parametrize("how", [{"archived": True}, {"ext_shared": True}], ids=str)
async def test_no_word_reaches_a_channel_with_outsiders_or_an_archive(how: dict[str, bool]) -> None:
    async with wired() as (slack, client, _, _):
        bad = slack.add_channel("bad", **how)  # type: ignore[arg-type]
        with pytest.raises(Refused):
            await client.post(channel=bad, text="x", blocks=[], key=KEY)
        assert _calls(slack, "chat.postMessage") == 0


async def test_a_channel_shared_later_is_noticed_within_minutes() -> None:
    async with wired() as (slack, client, clock, channel):
        await client.post(channel=channel, text="x", blocks=[], key=KEY)
        slack.workspace.channel(channel).is_ext_shared = True
        clock.turn(timedelta(minutes=5, seconds=1))
        with pytest.raises(Refused):
            await client.post(channel=channel, text="y", blocks=[], key=UUID(int=8))


@pytest.mark.parametrize(
    ("member", "is_allowed"),
    [
        ({}, True),
        ({"is_restricted": True}, False),
        ({"is_ultra_restricted": True}, False),
        ({"deleted": True}, False),
        ({"is_bot": True}, False),
        ({"team_id": "T0OTHERORG1"}, False),
    ],
    ids=["member", "guest", "single-channel guest", "left", "bot", "another organisation"],
)
async def test_only_full_members_of_our_own_workspace_are_allowed(
    member: dict[str, Any], is_allowed: bool
) -> None:
    async with wired() as (slack, client, _, _):
        user = slack.add_member("someone", real_name="Some One", **member)
        profile = await client.profile(user)
        assert profile.is_allowed is is_allowed
        assert not (await client.profile("U0NOBODY0001")).is_allowed


async def test_profiles_and_groups_are_asked_for_once_in_five_minutes() -> None:
    async with wired() as (slack, client, clock, _):
        user = slack.add_member("ann", real_name="Ann", locale="en-GB", tz="Europe/London")
        group = slack.add_user_group("sales", [user])
        for _ in range(3):
            profile = await client.profile(user)
            assert await client.members_of(group) == {user}
        assert (profile.language, profile.timezone) == ("en", "Europe/London")
        assert (_calls(slack, "users.info"), _calls(slack, "usergroups.users.list")) == (1, 1)
        slack.workspace.group(group).member_ids.clear()
        clock.turn(timedelta(minutes=5, seconds=1))
        assert await client.members_of(group) == frozenset()


async def test_we_know_who_we_are_and_what_we_may_do() -> None:
    async with wired() as (slack, client, _, _):
        identity = await client.identity()
        assert identity.team_id == await client.team_id() == slack.workspace.team_id
        assert "chat:write" in identity.scopes
        assert _calls(slack, "auth.test") == 1


async def test_links_in_our_messages_never_unfurl() -> None:
    async with wired() as (slack, client, _, channel):
        await client.post(channel=channel, text="https://example.com", blocks=[], key=KEY)
        (call,) = [each for each in slack.journal if each.method == "chat.postMessage"]
        assert call.arguments["unfurl_links"] is False
        assert call.arguments["unfurl_media"] is False

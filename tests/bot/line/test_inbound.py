"""Is whatever LINE sends kept, and read for what it is?"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.line.inbound import Followed, Pressed, Said, Showed, Unclear, Unfollowed, Unsent, read, rows_of

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
TANAKA = "U" + "1" * 32


def rows(*events: Any, **envelope: Any) -> Any:
    body = json.dumps({"destination": "U" + "0" * 32, "events": list(events), **envelope}).encode()
    return rows_of(body, received_at=NOW)


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "mode": "active",
        "timestamp": int(NOW.timestamp() * 1000) - 1500,
        "source": {"type": "user", "userId": TANAKA},
        "webhookEventId": "01HM",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": "abcdef0123456789",
        **fields,
    }


def test_an_event_is_kept_with_what_is_needed_to_order_and_dedupe_it() -> None:
    [row] = rows(event("follow", deliveryContext={"isRedelivery": True}))
    assert (row.source, row.event_id, row.kind) == (f"line:{TANAKA}", "01HM", "follow")
    assert row.at == NOW - timedelta(seconds=1.5)
    assert row.is_redelivery
    assert json.loads(row.raw)["replyToken"] == "abcdef0123456789"


def test_an_empty_ping_has_nothing_to_keep() -> None:
    assert rows() == []
    assert rows_of(b'{"destination":"U0","events":[]}', received_at=NOW) == []


def test_a_redelivery_without_an_id_is_still_the_same_event() -> None:
    first, second = event("follow"), event("follow", deliveryContext={"isRedelivery": True}, replyToken="x")
    for each in (first, second):
        del each["webhookEventId"]
    a, b = rows(first, second)
    assert a.event_id == b.event_id
    [other] = rows({**first, "type": "unfollow"})
    assert other.event_id != a.event_id


@pytest.mark.parametrize(
    ("given_event", "what"),
    [
        (event("follow"), Followed()),
        (event("unfollow"), Unfollowed()),
        (event("postback", postback={"data": "consent:yes"}), Pressed(sent="consent:yes")),
        (
            event("message", message={"type": "text", "id": "5", "text": "はい"}),
            Said(line_message_id="5", text="はい"),
        ),
        (event("unsend", unsend={"messageId": "5"}), Unsent(line_message_id="5")),
        (
            event("message", message={"type": "sticker", "id": "6", "packageId": "446", "stickerId": "1988"}),
            Showed(line_message_id="6", kind="sticker", details={"packageId": "446", "stickerId": "1988"}),
        ),
        (
            event("message", message={"type": "hologram", "id": "7", "secret": "x"}),
            Showed(line_message_id="7", kind="hologram", details={}),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_known_shapes_are_read(given_event: dict[str, Any], what: object) -> None:
    [row] = rows(given_event)
    found = read(row)
    assert found.what == what
    assert found.line_user_id == TANAKA
    assert found.reply_token == "abcdef0123456789"
    assert found.reply_until == NOW + timedelta(seconds=50)


def test_what_another_module_holds_has_no_reply_token() -> None:
    [row] = rows(event("message", mode="standby", message={"type": "text", "id": "5", "text": "はい"}))
    found = read(row)
    assert (found.is_standby, found.reply_token) == (True, None)


@pytest.mark.parametrize("token", ["0" * 32, "f" * 32, "", None, 5])
def test_the_console_s_dummy_tokens_are_not_used(token: Any) -> None:
    [row] = rows(event("follow", replyToken=token))
    assert read(row).reply_token is None


@pytest.mark.parametrize(
    "source",
    [
        {"type": "group", "groupId": "C1", "userId": TANAKA},
        {},
        None,
        "U1",
        {"type": "user", "userId": "Udeadbeef"},
    ],
)
def test_only_a_person_in_a_one_to_one_chat_is_a_person(source: Any) -> None:
    [row] = rows(event("message", source=source, message={"type": "text", "id": "5", "text": "停止"}))
    assert read(row).line_user_id is None
    assert row.source.startswith("line:")


@pytest.mark.parametrize("timestamp", [None, "x", -1, 1e300, float("nan"), True, 10**400, 0], ids=repr)
def test_an_impossible_time_becomes_the_arrival(timestamp: Any) -> None:
    [row] = rows(event("follow", timestamp=timestamp))
    assert row.at == NOW


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[]", b"null", b"{}", b'{"events":{}}', b"[" * 100_000, b'{"events":1}', b"1" * 5000],
)
def test_what_is_no_webhook_is_kept_whole(body: bytes) -> None:
    [row] = rows_of(body, received_at=NOW)
    assert (row.kind, row.raw, row.source) == ("unreadable", body, "line:")
    assert isinstance(read(row).what, Unclear)


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "type",
    "source",
    "message",
    "postback",
    "unsend",
    "timestamp",
    "mode",
    "webhookEventId",
    "deliveryContext",
]


@given(
    st.lists(
        json_values
        | st.builds(
            lambda kind, field, value: {**event(kind), field: value},
            st.sampled_from(["message", "postback", "unsend", "follow"]),
            st.sampled_from(FIELDS),
            json_values,
        ),
        max_size=4,
    )
)
def test_no_body_whatever_makes_it_stumble(events: list[Any]) -> None:
    kept = rows(*events)
    assert len(kept) == len(events)
    for row in kept:
        assert "\0" not in row.source + row.event_id + row.kind
        read(row)

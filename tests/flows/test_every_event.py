"""Is every type of event, known or not, in any mode, from any source, however drifted, kept and harmless?"""

from __future__ import annotations

import asyncio
import random
from copy import deepcopy
from itertools import product
from typing import Any

from bot.flows.channel.leave import leave
from bot.flows.customers.deliver import deliver
from bot.flows.customers.receive import receive
from db.engine import Database
from db.intake.inbox import InboxRow
from db.talk.messages import MessageKind
from tests.flows.chat import another_worker, chatting

GROUP, ROOM = "C" + "1" * 32, "R" + "1" * 32
PAYLOADS: list[dict[str, Any]] = [
    *(
        {"type": "message", "message": {"id": "9", "type": kind, **fields}}
        for kind, fields in {
            "text": {
                "text": "こんにちは",
                "mention": {"mentionees": [{"type": "all"}]},
                "quotedMessageId": "1",
            },
            "image": {"contentProvider": {"type": "line"}, "imageSet": {"id": "A", "index": 1, "total": 2}},
            "video": {"duration": 60000, "contentProvider": {"type": "line"}},
            "audio": {"duration": 60000, "contentProvider": {"type": "external"}},
            "file": {"fileName": "見積.pdf", "fileSize": 2138},
            "location": {"title": "t", "address": "a", "latitude": 35.6, "longitude": 139.7},
            "sticker": {
                "packageId": "1",
                "stickerId": "2",
                "stickerResourceType": "NEW",
                "keywords": ["a"] * 40,
            },
            "somethingNew": {"wave": [1, 2, {"x": None}]},
        }.items()
    ),
    {"type": "messageEdited", "message": {"id": "9", "type": "text", "text": "x"}},
    {"type": "unsend", "unsend": {"messageId": "9"}},
    {"type": "follow", "follow": {"isUnblocked": True}},
    {"type": "follow"},
    {"type": "unfollow"},
    {"type": "join"},
    {"type": "leave"},
    {"type": "memberJoined", "joined": {"members": [{"type": "user", "userId": "U" + "2" * 32}]}},
    {"type": "memberLeft", "left": {"members": [{"type": "user", "userId": "U" + "2" * 32}]}},
    {"type": "postback", "postback": {"data": "x", "params": {"datetime": "2026-12-25T01:00"}}},
    {"type": "postback", "postback": {"data": "wish:pause", "params": {"date": "2026-12-25"}}},
    {"type": "postback", "postback": {"data": "r", "params": {"newRichMenuAliasId": "a", "status": "NEW"}}},
    {"type": "videoPlayComplete", "videoPlayComplete": {"trackingId": "t"}},
    {"type": "beacon", "beacon": {"hwid": "d41d8cd98f", "type": "stay", "dm": "0a"}},
    {"type": "accountLink", "link": {"result": "ok", "nonce": "n" * 40}},
    {"type": "accountLink", "link": {"result": "failed", "nonce": "n" * 40}},
    {"type": "membership", "membership": {"type": "renewed", "membershipId": 3189}},
    {"type": "module", "module": {"type": "attached", "botId": "U0", "scopes": []}},
    {"type": "activated", "chatControl": {"expireAt": 1462629479859}},
    {"type": "deactivated"},
    {"type": "botSuspended"},
    {"type": "botResumed"},
    {
        "type": "delivery",
        "delivery": {"data": "15034552939884E28681A7D668CEA94C"},
    },
    {"type": "somethingNew", "hologram": [1]},
    {"type": None},
    {},
]
MODES = ["active", "standby", "somethingNew", None]


def drifted(event: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """The same event with a field missing, one too many, or one of another kind."""
    event = deepcopy(event)
    event["somethingNew"] = {"deep": [[]]}
    name = rng.choice(sorted(event))
    match rng.randrange(3):
        case 0:
            del event[name]
        case 1:
            event[name] = rng.choice([None, 0, "", [], {}, "\u0000", True, 1e300])
        case _ if isinstance(event[name], dict) and event[name]:
            event[name].pop(rng.choice(sorted(event[name])))
        case _:
            event[f"{name}2"] = event[name]
    return event


async def test_every_event_is_answered_with_200_kept_once_and_does_no_harm(db: Database) -> None:
    rng = random.Random(4)
    async with chatting(db) as chat:
        tanaka = chat.person()
        chat.line.channel.groups |= {GROUP: "group", ROOM: "room"}
        sources = [
            {"type": "user", "userId": tanaka},
            {"type": "user", "userId": "U" + "7" * 32},
            {"type": "user"},
            {"type": "group", "groupId": GROUP, "userId": tanaka},
            {"type": "room", "roomId": ROOM},
            {"type": "somethingNew", "thingId": "T1"},
            None,
        ]
        events = []
        for payload, mode, source in product(PAYLOADS, MODES, sources):
            base = chat.line.event(str(payload.get("type")))
            plain = {**base, **payload, "mode": mode, "source": source, "replyToken": "0" * 32}
            events.append({key: value for key, value in plain.items() if value is not None})
        events += [drifted(event, rng) for event in rng.sample(events, 300)]
        rng.shuffle(events)
        for start in range(0, len(events), 400):
            delivery = await chat.line.deliver(events[start : start + 400])
            assert delivery.status == 200
        assert (await chat.line.deliver(events[:50], redelivery=True)).status == 200
        await chat.settle()
        await leave(chat.deps)
        rows = await chat.rows(InboxRow)
        ids = [event.get("webhookEventId") for event in events]
        named = {each for each in ids if isinstance(each, str) and each.isalnum()}
        assert len(named) > 800
        assert named <= {row.event_id for row in rows}, "every one of them is kept"
        assert [row.kind for row in rows if row.done_at is None or row.attempts] == []
        assert await chat.alerts() == []
        assert all(str(message.line_user_id).startswith("U") for message in await chat.messages())


async def test_no_push_begins_after_an_opt_out_has_committed(db: Database) -> None:
    """Many people, each with messages due, stop while two workers deliver."""
    async with chatting(db) as chat:
        people = [chat.person(f"客{number}") for number in range(30)]
        for person in people:
            await chat.line.follow(person)
        await chat.settle()
        before = len(chat.pushes())
        for person in people:
            for _ in range(3):
                await chat.promise(person, kind=MessageKind.PERSON)
        chat.turn(minutes=1)
        for person in people:
            await chat.line.say(person, "停止")
        await asyncio.gather(receive(chat.deps), deliver(another_worker(chat)), deliver(another_worker(chat)))
        rows = [row for row in await chat.messages() if row.kind == MessageKind.PERSON]
        stopped = {row.message_id for row in rows if row.state == "cancelled"}
        assert {row.state for row in rows} <= {"cancelled", "accepted", "unknown"}
        await chat.settle()
        sent = {str(each.headers.get("x-line-retry-key")) for each in chat.pushes()[before:]}
        assert not {str(each) for each in stopped} & sent
        assert all(row.state != "queued" for row in await chat.messages())

"""Does every stored event take effect exactly once, whatever order and however often LINE sends it?"""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.flows.customers.receive import receive
from bot.line.inbound import rows_of
from db.engine import Database
from db.intake.inbox import MOST_ATTEMPTS, InboxRow, store
from db.people.consents import ConsentEntry, current
from db.people.customers import LineUser
from db.talk.conversations import ConversationRow, InboundLine
from sandbox.line import LineStandIn
from tests.flows.chat import Chat, another_worker, chatting

PERMUTATIONS = 40
POISON = b'{"type":"message","message":{"type":"text","id":"8","text":"?"}}'


def the_story(line: LineStandIn, user_id: str, chat: Chat) -> list[dict[str, Any]]:
    """Follow, yes, a question, stop, block, back again, a sticker: a minute apart."""
    steps: list[tuple[str, dict[str, Any]]] = [
        ("follow", {"follow": {"isUnblocked": False}}),
        ("postback", {"postback": {"data": "consent:yes"}}),
        ("message", {"message": {"type": "text", "id": "1", "text": "料金は？", "quoteToken": "q"}}),
        ("message", {"message": {"type": "text", "id": "2", "text": "停止", "quoteToken": "q"}}),
        ("postback", {"postback": {"data": "consent:yes"}}),
        ("unfollow", {}),
        ("follow", {"follow": {"isUnblocked": True}}),
        ("message", {"message": {"type": "text", "id": "3", "text": "また来ました", "quoteToken": "q"}}),
        ("unsend", {"unsend": {"messageId": "1"}}),
    ]
    events = []
    for kind, fields in steps:
        chat.turn(minutes=1)
        events.append(line.event(kind, user_id, **fields))
    return events


async def states_of(chat: Chat) -> dict[str, Any]:
    """What became of each person: friendship, ledger, lines, conversation."""
    ledger, lines, talks = defaultdict(list), defaultdict(list), {}
    for entry in await chat.rows(ConsentEntry):
        ledger[entry.customer_id].append(
            (entry.at, entry.purpose, entry.is_granted, entry.source, entry.consent_id)
        )
    for line in await chat.rows(InboundLine):
        lines[line.customer_id].append((line.line_message_id, line.text, line.unsent_at is not None))
    for talk in await chat.rows(ConversationRow):
        talks[talk.customer_id] = (talk.is_open, talk.is_unanswered)
    users = await chat.rows(LineUser)
    async with chat.deps.db.begin() as session:
        counts = await current(session, [user.customer_id for user in users])
    return {
        user.line_user_id: {
            "friend": (user.is_friend, user.is_blocked, user.state_at),
            "agreed": counts[user.customer_id]["support"].is_granted,
            "ledger": sorted(ledger[user.customer_id]),
            "lines": sorted(lines[user.customer_id]),
            "conversation": talks[user.customer_id],
        }
        for user in users
    }


def shuffled(events: list[dict[str, Any]], rng: random.Random) -> list[list[dict[str, Any]]]:
    """The same events in any order, some of them twice, cut into three deliveries."""
    events = events + rng.sample(events, rng.randrange(len(events)))
    rng.shuffle(events)
    cuts = sorted(rng.sample(range(1, len(events)), 2))
    return [events[a:b] for a, b in zip([0, *cuts], [*cuts, len(events)], strict=True)]


async def test_any_order_and_any_number_of_copies_end_in_the_same_state(db: Database) -> None:
    rng = random.Random(20261124)
    async with chatting(db) as chat:
        people = [chat.person(f"客{number}") for number in range(PERMUTATIONS)]
        story = the_story(chat.line, people[0], chat)
        for number, event in enumerate(story):
            event.pop("replyToken", None)
            event["webhookEventId"] = f"{number:026}"
        waves: list[list[bytes]] = [[], [], []]
        for person in people:
            own = [{**event, "source": {"type": "user", "userId": person}} for event in story]
            parts = [own, [], []] if person == people[0] else shuffled(own, rng)
            for wave, part in zip(waves, parts, strict=True):
                wave.append(json.dumps({"destination": "U0", "events": part}).encode())
        # Each wave takes effect before the next one comes, so the order of arrival really differs.
        for wave in waves:
            async with db.begin() as session:
                for body in wave:
                    await store(session, rows_of(body, received_at=chat.clock.now()))
            await receive(replace(chat.deps, line=None))
        states = await states_of(chat)
        in_order = states[people[0]]
        assert in_order["friend"][:2] == (True, False)
        assert in_order["agreed"] is False
        assert [
            (granted, source) for _, purpose, granted, source, _ in in_order["ledger"] if purpose == "support"
        ] == [
            (True, "line:button"),
            (False, "line:optout-word"),
            (True, "line:button"),
            (False, "line:unfollow"),
        ]
        assert [text for _, text, _ in in_order["lines"]] == [None, "停止", "また来ました"]
        assert [person for person in people if states[person] != in_order] == []


async def test_two_workers_take_each_event_once(db: Database) -> None:
    async with chatting(db) as chat:
        people = [chat.person(f"客{number}") for number in range(20)]
        for person in people:
            await chat.line.follow(person)
            await chat.line.say(person, "こんにちは")
        counts = await asyncio.gather(*(receive(another_worker(chat)) for _ in range(3)))
        assert sum(counts) == 40
        assert len(await chat.heard()) == 20
        assert all(row.done_at and row.raw == b"" for row in await chat.rows(InboxRow))


async def test_a_row_that_raises_is_retried_then_put_aside_and_holds_nobody_up(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka, sato = chat.person(), chat.person("佐藤")
        await chat.line.deliver(
            [chat.line.event("message", tanaka, message={"type": "text", "id": "9", "text": "あ"})]
        )
        async with db.begin() as session:  # what no parser of ours would let through
            row = await session.get(InboxRow, (f"line:{tanaka}", (await chat.rows(InboxRow))[0].event_id))
            assert row is not None
            long_ago = datetime(1980, 1, 1, tzinfo=UTC)
            broken = InboxRow(
                **{
                    **row.model_dump(),
                    "event_id": "broken",
                    "at": long_ago,
                    "is_redelivery": True,
                    "raw": POISON,
                }
            )
            session.add(broken)
        await chat.line.follow(sato)
        for _ in range(MOST_ATTEMPTS + 2):
            await chat.settle()
            chat.turn(minutes=5)
        assert [line.line_message_id for line in await chat.heard()] == ["9"]
        assert len(chat.line.phone(sato)) == 1
        parked = next(row for row in await chat.rows(InboxRow) if row.event_id == "broken")
        assert (parked.attempts, parked.done_at is not None, parked.raw) == (MOST_ATTEMPTS, True, POISON)
        assert parked.because
        assert len([alert for alert in await chat.alerts() if "broken" in alert]) == 1


@pytest.mark.parametrize(
    "event",
    [
        {"type": "somethingNew", "hologram": {"id": "1"}},
        {"type": "message"},
        {"type": "message", "message": {"type": "text"}},
        {"type": "message", "message": {"type": "hologram", "id": "77"}},
        {"type": "message", "message": "?"},
        {"type": "postback", "postback": {}},
        {"type": "postback", "postback": {"data": "something-old"}},
        {"type": "postback", "postback": {"data": "qr:::"}},
        {"type": "postback", "postback": {"data": "qr:interested::not-a-uuid"}},
        {"type": "postback", "postback": {"data": "\u0000\ud800"}},
        {"type": "unsend"},
        {"type": "unsend", "unsend": {"messageId": "never-seen"}},
        {"type": "accountLink", "link": {"result": "failed"}},
        {"type": "follow", "timestamp": "yesterday"},
        {"type": "follow", "timestamp": 1e300},
        {"type": "follow", "timestamp": None, "deliveryContext": None, "mode": None},
    ],
    ids=str,
)
async def test_odd_events_have_no_bad_effect(db: Database, event: dict[str, Any]) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        delivery = await chat.line.raw_event({"source": {"type": "user", "userId": tanaka}, **event})
        assert delivery.status == 200
        await chat.settle()
        [row] = await chat.rows(InboxRow)
        assert row.done_at is not None
        assert row.attempts == 0
        assert await chat.alerts() == []


@pytest.mark.parametrize(
    "source", [{"type": "group", "groupId": "C1", "userId": "U1"}, {"type": "room"}, None]
)
async def test_groups_and_strangers_are_stored_and_left_alone(db: Database, source: Any) -> None:
    async with chatting(db) as chat:
        event = {"type": "message", "message": {"type": "text", "id": "1", "text": "停止"}, "source": source}
        await chat.line.raw_event(event)
        await chat.settle()
        assert await chat.messages() == []
        assert await chat.heard() == []
        [row] = await chat.rows(InboxRow)
        assert row.because

"""Do webhooks end in one state, in whatever order and number LINE delivers them?

Many people live through the same day; each has an order and a number of copies of their own. A row is taken
in by the time of its event, so an order comes in waves that each go forwards in time. A normal run takes a
sample; `YORISOI_PERMUTATIONS=2000` runs the long campaign.
"""

from __future__ import annotations

import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlmodel import SQLModel, col

from bot.flows.customers.receive import receive
from bot.line.inbound import rows_of
from db.columns import Json
from db.desk.leads import OPEN_STATES, Lead
from db.engine import Database
from db.intake.events import Event
from db.intake.inbox import InboxRow, store
from db.people.consents import current
from db.people.customers import Customer, LineUser, LinkCode, customer_id_of
from db.people.preferences import preferences_of, wish_id_of
from db.talk.conversations import ConversationRow, InboundLine
from db.talk.media import Media
from tests.flows.chat import Chat, chatting

PERMUTATIONS = int(os.environ.get("YORISOI_PERMUTATIONS", "150"))
CODE = "{code}"


def text(line_message_id: str, words: str) -> tuple[str, Json]:
    return "message", {"message": {"type": "text", "id": line_message_id, "text": words}}


def press(sent: str) -> tuple[str, Json]:
    return "postback", {"postback": {"data": sent}}


DAY: list[tuple[str, Json]] = [
    ("follow", {"follow": {"isUnblocked": False}}),
    press("consent:yes"),
    text("11", CODE),
    text("12", "月1回にして"),
    press("wish:often:8"),
    press(f"wish:undo:{wish_id_of(f'{4:026}')}"),
    text("13", "間違えて送りました"),
    ("unsend", {"unsend": {"messageId": "13"}}),
    press("consent:yes:offers"),
    ("unfollow", {}),
    ("follow", {"follow": {"isUnblocked": True}}),
    text("14", "担当者と話したいです"),
    press("consent:yes"),
    text("15", "停止"),
    press("optout:undo"),
    press("qr:busy::"),
]


def day_of(person: str, code: str, *, start: int) -> list[Json]:
    words = json.dumps(DAY).replace(CODE, code)
    return [
        {
            "type": kind,
            "mode": "active",
            "timestamp": start + number * 1000,
            "webhookEventId": f"{number:026}",
            "deliveryContext": {"isRedelivery": False},
            "source": {"type": "user", "userId": person},
            **fields,
        }
        for number, (kind, fields) in enumerate(json.loads(words))
    ]


def waves_of(events: Sequence[Json]) -> list[list[Json]]:
    """An order, cut where it goes back in time."""
    waves: list[list[Json]] = []
    for event in events:
        if not waves or event["timestamp"] <= waves[-1][-1]["timestamp"]:
            waves.append([])
        waves[-1].append(event)
    return waves


def shuffled(events: Sequence[Json], rng: random.Random) -> list[Json]:
    """Any order, with copies among them, some marked as delivered again."""
    copies = rng.sample(list(events), rng.randrange(4))
    again = [{**event, "deliveryContext": {"isRedelivery": rng.random() < 0.5}} for event in copies]
    mixed = [*events, *again]
    rng.shuffle(mixed)
    return mixed


async def by_customer(chat: Chat, table: type[SQLModel]) -> dict[UUID, list[Any]]:
    found = defaultdict(list)
    for row in await chat.rows(table):
        found[row.customer_id].append(row)
    return found


async def states_of(chat: Chat) -> dict[str, Any]:
    """What is known of each person, by their LINE user id."""
    users = await chat.rows(LineUser)
    ids = [user.customer_id for user in users]
    async with chat.deps.db.begin() as session:
        consents, wishes = await current(session, ids), await preferences_of(session, ids)
        found = await session.execute(select(col(Customer.customer_id), col(Customer.external_id)))
        named = {row.customer_id: row.external_id for row in found}
    lines, media, events = [await by_customer(chat, each) for each in (InboundLine, Media, Event)]
    talks, leads = [await by_customer(chat, each) for each in (ConversationRow, Lead)]

    def state(user: LineUser) -> Json:
        of = user.customer_id
        [talk] = talks[of]
        return {
            "user": (user.is_friend, user.is_blocked, user.state_at, user.last_inbound_at),
            "is linked": named[of] == f"customer-{user.line_user_id}",
            "consents": consents[of],
            "wishes": wishes.get(of),
            "lines": {
                (line.line_message_id, line.kind, line.text, line.at, line.unsent_at) for line in lines[of]
            },
            "media": {(each.line_message_id, each.state) for each in media[of]},
            "events": {(event.name, event.at, event.message_id) for event in events[of]},
            "talk": (talk.is_open, talk.is_unanswered, talk.mode, talk.last_inbound_at),
            "open leads": sum(lead.state in OPEN_STATES for lead in leads[of]),
        }

    return {user.line_user_id: state(user) for user in users}


async def customers_with_codes(chat: Chat, people: Iterable[str]) -> dict[str, str]:
    now = chat.clock.now()
    letters = "23456789ABCDEFGH"
    codes = {
        person: "YR-" + "".join(letters[(number >> shift) & 15] for shift in range(0, 32, 4))
        for number, person in enumerate(people)
    }
    async with chat.deps.db.begin() as session:
        await session.execute(
            insert(Customer),
            [
                {
                    "customer_id": customer_id_of(f"customer-{person}"),
                    "external_id": f"customer-{person}",
                    "attributes": {},
                    "attribute_times": {},
                    "created_at": now,
                }
                for person in people
            ],
        )
        await session.execute(
            insert(LinkCode),
            [
                {
                    "code": code,
                    "customer_id": customer_id_of(f"customer-{person}"),
                    "created_at": now,
                    "expires_at": now + timedelta(days=1),
                }
                for person, code in codes.items()
            ],
        )
    return codes


async def test_every_order_and_number_of_copies_ends_in_one_state(db: Database) -> None:
    rng = random.Random(20261123)
    async with chatting(db) as chat:
        people = ["U" + f"{number:032x}" for number in range(PERMUTATIONS + 1)]
        in_order, *others = people
        codes = await customers_with_codes(chat, people)
        start = int(chat.clock.now().timestamp() * 1000)
        chat.turn(minutes=1)
        orders = {person: day_of(person, codes[person], start=start) for person in people}
        orders |= {person: shuffled(orders[person], rng) for person in others}
        waves: list[list[Json]] = []
        for order in orders.values():
            for number, wave in enumerate(waves_of(order)):
                waves += [[] for _ in range(number + 1 - len(waves))]
                waves[number] += wave
        for wave in waves:
            body = json.dumps({"destination": "U0", "events": wave}).encode()
            async with db.begin() as session:
                await store(session, rows_of(body, received_at=chat.clock.now()))
            await receive(replace(chat.deps, line=None))

        assert [row.because for row in await chat.rows(InboxRow) if row.attempts or row.done_at is None] == []
        states = await states_of(chat)
        wanted = states[in_order]
        assert wanted["user"][:2] == (True, False)
        assert wanted["is linked"]
        assert {purpose: each.is_granted for purpose, each in wanted["consents"].items()} == {
            "support": True,
            "offers": False,
        }
        assert wanted["wishes"].per_30_days == 1
        assert wanted["open leads"] == 1
        assert len({json.dumps(order) for order in orders.values()}) == PERMUTATIONS + 1
        wrong = {key: sum(states[person][key] != wanted[key] for person in others) for key in wanted}
        assert {key: count for key, count in wrong.items() if count} == {}

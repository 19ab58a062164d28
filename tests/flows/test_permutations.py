"""Do wishes, consents and blocking end in one state, in whatever order and number LINE delivers them?

`YORISOI_PERMUTATIONS=2000` runs the long campaign; a normal run takes a sample.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from typing import Any

from bot.flows.customers.receive import receive
from bot.line.inbound import rows_of
from db.engine import Database
from db.intake.inbox import store
from db.people.consents import current
from db.people.customers import LineUser
from db.people.preferences import preferences_of, wish_id_of
from tests.flows.chat import Chat, chatting

PERMUTATIONS = int(os.environ.get("YORISOI_PERMUTATIONS", "120"))
AT_ONCE = 250
STEPS: list[tuple[str, dict[str, Any]]] = [
    ("follow", {"follow": {"isUnblocked": False}}),
    ("postback", {"postback": {"data": "consent:yes"}}),
    ("message", {"message": {"type": "text", "id": "1", "text": "月1回にして"}}),
    ("postback", {"postback": {"data": "wish:often:8"}}),
    ("postback", {"postback": {"data": f"wish:undo:{wish_id_of(f'{3:026}')}"}}),
    ("message", {"message": {"type": "text", "id": "2", "text": "停止"}}),
    ("postback", {"postback": {"data": "optout:undo"}}),
    ("unfollow", {}),
]
SETTLED = [step for number, step in enumerate(STEPS) if number not in {1, 6}]
"""An undo of a stop goes back to what is known then: its ledger is compared apart from the permutations."""


def events_of(chat: Chat, person: str) -> list[dict[str, Any]]:
    events = []
    start = chat.clock.now().timestamp() * 1000
    for number, (kind, fields) in enumerate(STEPS):
        if (kind, fields) not in SETTLED:
            continue
        event = {
            "type": kind,
            "mode": "active",
            "timestamp": int(start) + number * 1000,
            "webhookEventId": f"{number:026}",
            "deliveryContext": {"isRedelivery": False},
            "source": {"type": "user", "userId": person},
            **fields,
        }
        events.append(event)
    return events


async def state_of(chat: Chat, users: list[LineUser]) -> dict[str, Any]:
    ids = [user.customer_id for user in users]
    async with chat.deps.db.begin() as session:
        consents, wishes = await current(session, ids), await preferences_of(session, ids)
    return {
        user.line_user_id: (
            user.is_friend,
            user.is_blocked,
            consents[user.customer_id]["support"].is_granted,
            consents[user.customer_id]["support"].at,
            wishes.get(user.customer_id),
        )
        for user in users
    }


async def test_every_order_and_number_of_copies_ends_in_one_state(db: Database) -> None:
    rng = random.Random(20261123)
    async with chatting(db) as chat:
        people = ["U" + f"{number:032x}" for number in range(PERMUTATIONS)]
        first = events_of(chat, people[0])
        chat.turn(minutes=1)
        for start in range(0, PERMUTATIONS, AT_ONCE):
            group = people[start : start + AT_ONCE]
            waves: list[list[bytes]] = [[], [], []]
            for person in group:
                own = [{**event, "source": {"type": "user", "userId": person}} for event in first]
                if person != people[0]:
                    own += rng.sample(own, rng.randrange(3))
                    rng.shuffle(own)
                for number, event in enumerate(own):
                    wave = waves[0] if person == people[0] else waves[number * 3 // len(own)]
                    wave.append(json.dumps({"destination": "U0", "events": [event]}).encode())
            for wave in waves:
                async with db.begin() as session:
                    rows = [row for body in wave for row in rows_of(body, received_at=chat.clock.now())]
                    await store(session, rows)
                await receive(replace(chat.deps, line=None))
        states = await state_of(chat, await chat.rows(LineUser))
        assert len(states) == PERMUTATIONS
        in_order = states[people[0]]
        assert in_order[:3] == (False, True, False)
        assert in_order[4] is not None
        assert in_order[4].per_30_days == 1
        assert [person for person in people if states[person] != in_order] == []

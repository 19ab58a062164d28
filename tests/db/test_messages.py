"""Does the outbox keep each promise once, and find what is due?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bot.clock import Ids, TurnableClock
from db.engine import Database
from db.people.customers import Customer, lock_customers
from db.talk.messages import (
    LEASE,
    Message,
    MessageKind,
    MessageState,
    add_link,
    cancel_one,
    cancel_queued,
    latest_offer,
    link_of,
    message_of,
    next_due,
    promise,
    promise_all,
    release_held,
    replay,
)
from db.talk.outbox import claim_due, save

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
IDS = Ids(TurnableClock(NOW))
TANAKA, SATO = UUID(int=1), UUID(int=2)


def message(customer_id: UUID = TANAKA, **fields: Any) -> Message:
    message_id = IDS.uuid()
    given = {
        "customer_id": customer_id,
        "message_id": message_id,
        "kind": MessageKind.PERSON,
        "state": MessageState.QUEUED,
        "dedupe_key": str(message_id),
        "line_user_id": "U1",
        "bubbles": [{"type": "text", "text": "こんにちは"}],
        "promised_at": NOW,
        "not_before": NOW,
    }
    return Message(**{**given, **fields})


async def people(db: Database) -> None:
    async with db.begin() as session:
        session.add_all([Customer(customer_id=each, created_at=NOW) for each in (TANAKA, SATO)])


async def test_the_same_promise_twice_is_one_message(db: Database) -> None:
    async with db.begin() as session:
        assert await promise(session, message(dedupe_key="welcome"))
        assert not await promise(session, message(dedupe_key="welcome"))
        assert await promise(session, message(SATO, dedupe_key="welcome"))
        new = [message(dedupe_key="welcome"), message(dedupe_key="other")]
        assert await promise_all(session, new) == {new[1].message_id}
        assert await promise_all(session, []) == set()


async def test_due_messages_are_found_by_time_and_the_rest_waits(db: Database) -> None:
    await people(db)
    late, early = message(), message(SATO, not_before=NOW - timedelta(minutes=1))
    future = message(not_before=NOW + timedelta(minutes=1))
    async with db.begin() as session:
        await promise_all(session, [late, early, future])
        assert await next_due(session) == early.not_before
    async with db.begin() as session:
        claimed = await claim_due(session, limit=10, now=NOW)
        assert [each.message_id for each in claimed] == [early.message_id, late.message_id]
        assert [m.message_id for m in await claim_due(session, limit=1, now=NOW)] == [early.message_id]


async def test_customers_whom_somebody_holds_are_left_for_later(db: Database) -> None:
    await people(db)
    hers, his = message(), message(SATO)
    async with db.begin() as session:
        await promise_all(session, [hers, his])
    async with db.begin() as holder, db.begin() as session:
        await lock_customers(holder, [TANAKA])
        claimed = await claim_due(session, limit=10, now=NOW)
        assert [each.message_id for each in claimed] == [his.message_id]


async def test_a_message_under_way_is_left_alone_until_its_sender_must_be_dead(db: Database) -> None:
    await people(db)
    stuck = message(state=MessageState.SENDING, attempted_at=NOW)
    async with db.begin() as session:
        await promise(session, stuck)
        assert await next_due(session) == NOW + LEASE
        assert await claim_due(session, limit=10, now=NOW + LEASE - timedelta(seconds=1)) == []
        assert len(await claim_due(session, limit=10, now=NOW + LEASE)) == 1


async def test_what_delivery_learnt_is_written_in_one_go(db: Database) -> None:
    rows = [message() for _ in range(3)]
    async with db.begin() as session:
        await promise_all(session, rows)
    for row in rows:
        row.state, row.settled_at, row.because = MessageState.ACCEPTED, NOW, 'a "quoted" \\ reason'
        row.line_message_ids, row.attempts, row.first_attempt_at = ["1", "2"], 1, None
    async with db.begin() as session:
        await save(session, rows)
        await save(session, [])
    async with db.begin() as session:
        for row in rows:
            found = await message_of(session, TANAKA, row.message_id)
            assert found is not None
            assert found.model_dump() == row.model_dump()


async def test_stopping_tells_what_never_began_from_what_may_have_arrived(db: Database) -> None:
    fresh, begun = message(), message(first_attempt_at=NOW)
    replied = message(reply_tried_at=NOW)
    sending, rule = message(state=MessageState.SENDING), message(kind=MessageKind.RULE, rule_id="r")
    async with db.begin() as session:
        await promise_all(session, [fresh, begun, replied, sending, rule, message(SATO)])
        stopped = await cancel_queued(
            session, TANAKA, because="停止", now=NOW, kinds=[MessageKind.PERSON, MessageKind.SYSTEM]
        )
        assert stopped == 3
        assert await cancel_queued(session, TANAKA, because="停止", now=NOW, rule_id="other") == 0
        assert await cancel_queued(session, TANAKA, because="停止", now=NOW) == 1
    async with db.begin() as session:
        found = [
            await message_of(session, TANAKA, m.message_id) for m in (fresh, begun, replied, sending, rule)
        ]
        assert [each and each.state for each in found] == [
            MessageState.CANCELLED,
            MessageState.UNKNOWN,
            MessageState.UNKNOWN,
            MessageState.SENDING,
            MessageState.CANCELLED,
        ]


async def test_a_message_can_be_taken_back_until_its_request_starts(db: Database) -> None:
    waiting, begun = message(), message(first_attempt_at=NOW)
    async with db.begin() as session:
        await promise_all(session, [waiting, begun])
        assert await cancel_one(session, TANAKA, waiting.message_id, because="undo", now=NOW)
        assert not await cancel_one(session, TANAKA, waiting.message_id, because="undo", now=NOW)
        assert not await cancel_one(session, TANAKA, begun.message_id, because="undo", now=NOW)


async def test_only_the_dead_are_revived(db: Database) -> None:
    dead, unknown = message(state=MessageState.DEAD, attempts=3), message(state=MessageState.UNKNOWN)
    async with db.begin() as session:
        await promise_all(session, [dead, unknown])
        assert await replay(session, TANAKA, dead.message_id, now=NOW)
        assert not await replay(session, TANAKA, unknown.message_id, now=NOW)
        assert await next_due(session) == NOW


async def test_what_a_conversation_held_is_looked_at_when_it_ends(db: Database) -> None:
    held = message(kind=MessageKind.RULE, not_before=NOW + timedelta(hours=1))
    retried = message(kind=MessageKind.RULE, not_before=NOW + timedelta(hours=1), attempts=1)
    async with db.begin() as session:
        await promise_all(session, [held, retried])
        await release_held(session, TANAKA, now=NOW)
        assert await next_due(session) == NOW


async def test_the_last_offer_of_answers_is_found(db: Database) -> None:
    offer = [{"type": "text", "text": "?", "quickReply": {"items": []}}]
    shown = message(state=MessageState.ACCEPTED, bubbles=offer)
    waiting = message(bubbles=offer, promised_at=NOW + timedelta(seconds=1))
    async with db.begin() as session:
        await promise_all(session, [shown, waiting, message(state=MessageState.ACCEPTED)])
        found = await latest_offer(session, TANAKA, since=NOW - timedelta(days=1))
        assert found is not None
        assert found.message_id == shown.message_id
        assert await latest_offer(session, TANAKA, since=NOW + timedelta(days=1)) is None


async def test_a_link_is_found_by_its_token(db: Database) -> None:
    async with db.begin() as session:
        await add_link(
            session, token="abc", customer_id=TANAKA, message_id=IDS.uuid(), url="https://a.example", now=NOW
        )
        found = await link_of(session, "abc")
        assert found is not None
        assert found.url == "https://a.example"
        assert await link_of(session, "abd") is None

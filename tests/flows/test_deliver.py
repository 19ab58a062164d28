"""Does every promised message reach LINE once, or end in a state that says why not?"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from bot.flows.customers.deliver import deliver
from bot.flows.customers.receive import receive
from bot.flows.rules.publish import publish, switch
from bot.line.client import LineClient
from bot.settings import Settings
from db.engine import Database
from db.people.customers import Customer
from db.people.line_users import LinkOutcome, link
from db.talk.messages import MessageKind, MessageState
from db.talk.outbox import claim_due, save
from followups.rules.model import RuleState
from tests.flows.chat import Chat, another_worker, chatting

RULE = """
id: hello
name: ご案内
state: live
goal: {event: login, within: 7d}
when: {attribute: plan, equals: trial}
holdout: 0%
then:
  - send: {text: こんにちは}
"""


@asynccontextmanager
async def agreed(db: Database, **options: Any) -> AsyncIterator[tuple[Chat, str]]:
    """A friend who agreed, linked to a customer on trial, and a live rule for such."""
    async with chatting(db, **options) as chat:
        await publish(chat.deps, {"hello.yaml": RULE}, by="test")
        customer_id = await chat.customer("c1", plan="trial")
        tanaka = chat.person()
        await chat.agree(tanaka)
        async with db.begin() as session:
            outcome = await link(session, line_user_id=tanaka, customer_id=customer_id, now=chat.clock.now())
        assert outcome is LinkOutcome.LINKED
        chat.line.journal.clear()
        chat.turn(minutes=1)
        yield chat, tanaka


async def promise_rule(chat: Chat, user_id: str, **fields: Any) -> UUID:
    given = {"rule_id": "hello", "purpose": "support", "rule_version": 1, "occasion": 1, **fields}
    return await chat.promise(user_id, kind=MessageKind.RULE, **given)


async def test_a_due_message_goes_out_with_its_own_id_as_the_retry_key(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        assert await deliver(chat.deps) == 1
        row = await chat.message(message_id)
        assert row.state == MessageState.ACCEPTED
        assert (row.attempts, row.first_attempt_at, row.settled_at) == (1, chat.clock.now(), chat.clock.now())
        assert row.line_request_id
        assert row.line_message_ids
        [push] = chat.pushes()
        assert push.retry_key == str(message_id)
        assert chat.line.texts(tanaka)[-1] == "こんにちは"
        talk = await chat.conversation(tanaka)
        assert talk is not None
        assert (talk.revision, talk.is_open, talk.last_outbound_at) == (1, False, chat.clock.now())
        assert await deliver(chat.deps) == 0


async def test_what_is_not_due_yet_waits(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        await promise_rule(chat, tanaka, not_before=chat.clock.now() + timedelta(seconds=15))
        assert await deliver(chat.deps) == 0
        chat.turn(seconds=15)
        assert await deliver(chat.deps) == 1


@pytest.mark.parametrize("kind", ["502", "lost answer", "broken answer"])
async def test_an_unknown_outcome_is_repeated_with_the_same_key_and_arrives_once(
    db: Database, kind: str
) -> None:
    async with agreed(db) as (chat, tanaka):
        push = "/v2/bot/message/push"
        match kind:
            case "502":
                chat.line.faults.bad_gateway(push, is_accepted=True)
            case "lost answer":
                chat.line.faults.add(push, drop="after")
            case _:
                chat.line.faults.broken_json(push)
        message_id = await promise_rule(chat, tanaka)
        await deliver(chat.deps)
        row = await chat.message(message_id)
        assert row.state == MessageState.QUEUED
        assert timedelta(seconds=1) < row.not_before - chat.clock.now() < timedelta(seconds=3)
        chat.turn(seconds=3)
        await deliver(chat.deps)

        row = await chat.message(message_id)
        assert (row.state, row.attempts) == (MessageState.ACCEPTED, 2)
        assert chat.line.texts(tanaka).count("こんにちは") == 1
        first, second = chat.pushes()
        assert (first.retry_key, first.body) == (second.retry_key, second.body)


async def test_after_twenty_hours_of_silence_a_person_decides(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        chat.line.faults.add("/v2/bot/message/push", times=1, status=500)
        await deliver(chat.deps)
        chat.turn(hours=22)
        before = len(chat.pushes())
        await deliver(chat.deps)
        row = await chat.message(message_id)
        assert row.state == MessageState.UNKNOWN
        assert len(chat.pushes()) == before
        assert any(str(message_id) in alert for alert in await chat.alerts())
        chat.turn(days=2)
        assert await deliver(chat.deps) == 0


async def test_a_rate_limit_is_waited_out_and_never_makes_the_outcome_unknown(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        chat.line.limit_rate("/v2/bot/message/push")
        await deliver(chat.deps)
        row = await chat.message(message_id)
        assert (row.state, row.first_attempt_at) == (MessageState.QUEUED, None)
        chat.turn(hours=21)  # 10:01 the next day
        await deliver(chat.deps)
        assert (await chat.message(message_id)).state == MessageState.ACCEPTED


async def test_a_used_up_quota_holds_counted_messages_and_says_so_once(db: Database) -> None:
    async with agreed(db, quota=1) as (chat, tanaka):
        chat.line.consume(1)
        first = await chat.promise(tanaka, "一つめ")
        second = await chat.promise(tanaka, "二つめ")
        await deliver(chat.deps)
        assert {(await chat.message(each)).state for each in (first, second)} == {MessageState.QUEUED}
        alerts = await chat.alerts()
        assert len([alert for alert in alerts if "limit" in alert]) == 1
        tried = len(chat.pushes())
        chat.turn(minutes=30)
        await deliver(chat.deps)
        assert len(chat.pushes()) == tried, "nothing counted is tried meanwhile"
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        assert chat.line.phone(tanaka)[-1]["via"] == "reply", "replies are free and go on"
        chat.line.quota = None
        third = await chat.promise(tanaka, "三つめ")
        chat.turn(hours=1)
        await deliver(chat.deps)
        assert (await chat.message(third)).state == MessageState.ACCEPTED


async def test_a_token_that_line_refuses_holds_everything_and_says_so(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        good, chat.line.channel.access_token = chat.line.channel.access_token, "another"
        message_id = await promise_rule(chat, tanaka)
        await deliver(chat.deps)
        assert (await chat.message(message_id)).state == MessageState.QUEUED
        assert any("access token" in alert for alert in await chat.alerts())
        chat.line.channel.access_token = good
        chat.turn(minutes=10)
        await deliver(chat.deps)
        assert (await chat.message(message_id)).state == MessageState.ACCEPTED


async def test_what_line_refuses_is_dead_with_the_reason(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await chat.promise(tanaka, bubbles=[{"type": "text", "text": "あ" * 5001}])
        await deliver(chat.deps)
        row = await chat.message(message_id)
        assert row.state == MessageState.DEAD
        assert "messages[0].text" in (row.because or "")
        assert any(str(message_id) in alert for alert in await chat.alerts())
        assert chat.pushes() == [], "our own check came first"


async def test_a_message_whose_reason_is_gone_is_superseded(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        async with db.begin() as session:
            await session.execute(update(Customer).values(attributes={"plan": "paid"}))
        assert await deliver(chat.deps) == 0
        assert (await chat.message(message_id)).state == MessageState.SUPERSEDED


async def test_opting_out_between_promise_and_send_stops_the_message(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        await chat.line.say(tanaka, "停止")
        await chat.settle()
        assert (await chat.message(message_id)).state == MessageState.CANCELLED
        assert chat.pushes() == []


async def test_a_paused_rule_holds_its_messages(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        await switch(chat.deps, "hello", RuleState.PAUSED, by="test")
        await deliver(chat.deps)
        row = await chat.message(message_id)
        assert row.state == MessageState.QUEUED
        assert row.not_before > chat.clock.now()
        await switch(chat.deps, "hello", RuleState.LIVE, by="test")
        chat.turn(minutes=10)
        await deliver(chat.deps)
        assert (await chat.message(message_id)).state == MessageState.ACCEPTED


async def test_quiet_hours_hold_rules_but_not_people(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        chat.turn(hours=10)  # 22:01
        rule = await promise_rule(chat, tanaka)
        person = await chat.promise(tanaka, "夜分にすみません")
        await deliver(chat.deps)
        assert (await chat.message(person)).state == MessageState.ACCEPTED
        row = await chat.message(rule)
        assert row.state == MessageState.QUEUED
        assert row.not_before.astimezone().timestamp() > chat.clock.now().timestamp() + 10 * 3600


async def test_two_proactive_messages_of_one_customer_do_not_slip_past_the_cap_together(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        await promise_rule(chat, tanaka)
        await promise_rule(chat, tanaka, occasion=2)
        workers = (deliver(chat.deps), deliver(another_worker(chat)))
        await asyncio.gather(*workers)
        states = sorted(row.state for row in await chat.messages() if row.kind == MessageKind.RULE)
        assert states == [MessageState.ACCEPTED, MessageState.QUEUED]
        assert chat.line.texts(tanaka).count("こんにちは") == 1


async def test_many_workers_send_each_message_once(db: Database) -> None:
    async with chatting(db) as chat:
        people = [chat.person(f"客{n}", is_friend=True) for n in range(60)]
        for person in people:
            await chat.line.follow(person)
        await chat.settle()
        chat.line.journal.clear()
        for person in people:
            await chat.promise(person, "一度だけ")
        await asyncio.gather(*(deliver(another_worker(chat)) for _ in range(4)))
        assert [chat.line.texts(person).count("一度だけ") for person in people] == [1] * 60
        assert len({push.retry_key for push in chat.pushes()}) == len(chat.pushes()) == 60


async def test_a_message_whose_sender_died_is_taken_up_with_the_same_key(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await promise_rule(chat, tanaka)
        async with db.begin() as session:  # the process claimed it, reached LINE, and died
            [message] = await claim_due(session, limit=10, now=chat.clock.now())
            message.state, message.attempts = MessageState.SENDING, 1
            message.attempted_at = message.first_attempt_at = chat.clock.now()
            await save(session, [message])
        assert chat.deps.line is not None
        await chat.deps.line.push(line_user_id=tanaka, bubbles=message.bubbles, retry_key=message_id)
        assert await deliver(chat.deps) == 0, "it may still be under way"
        chat.turn(seconds=30)
        await deliver(chat.deps)
        assert (await chat.message(message_id)).state == MessageState.ACCEPTED
        assert chat.line.texts(tanaka).count("こんにちは") == 1


async def test_a_spent_reply_token_falls_back_to_a_push(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        fresh = chat.clock.now() + timedelta(seconds=50)
        message_id = await chat.promise(
            tanaka, kind=MessageKind.SYSTEM, reply_token="0123456789abcdef", reply_token_until=fresh
        )
        await deliver(chat.deps)
        row = await chat.message(message_id)
        assert row.state == MessageState.ACCEPTED
        assert [len(chat.replies()), len(chat.pushes())] == [1, 1]
        assert chat.line.texts(tanaka).count("こんにちは") == 1


async def test_a_stale_reply_token_is_not_tried(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        await chat.promise(
            tanaka, kind=MessageKind.SYSTEM, reply_token="token", reply_token_until=chat.clock.now()
        )
        await deliver(chat.deps)
        assert [len(chat.replies()), len(chat.pushes())] == [0, 1]


async def test_a_reply_that_may_have_arrived_is_never_pushed(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        chat.line.faults.add("/v2/bot/message/reply", drop="after")
        await chat.line.follow(tanaka)
        await chat.settle()
        chat.turn(seconds=2)
        await deliver(chat.deps)
        [row] = await chat.messages()
        assert row.state == MessageState.UNKNOWN
        assert chat.pushes() == []
        assert len(chat.line.texts(tanaka)) == 1


async def test_a_reply_that_did_not_arrive_is_repeated_while_its_token_is_fresh(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        chat.line.faults.add("/v2/bot/message/reply", drop="before")
        await chat.line.follow(tanaka)
        await chat.settle()
        chat.turn(seconds=2)
        await deliver(chat.deps)
        [row] = await chat.messages()
        assert row.state == MessageState.ACCEPTED
        assert len(chat.line.texts(tanaka)) == 1


async def test_a_reply_for_which_line_was_out_of_reach_may_become_a_push(db: Database) -> None:
    async with chatting(db) as chat, nowhere() as unreachable:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await receive(chat.deps)
        await deliver(replace(chat.deps, line=unreachable))
        [row] = await chat.messages()
        assert (row.state, row.attempts, row.reply_tried_at) == (MessageState.QUEUED, 1, None)
        chat.turn(minutes=5)
        assert await deliver(chat.deps) == 1
        assert [len(chat.replies()), len(chat.pushes())] == [0, 1]
        assert len(chat.line.texts(tanaka)) == 1


async def test_an_attempt_that_may_have_arrived_counts_for_the_caps(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        chat.line.faults.add("/v2/bot/message/push", drop="after")
        first = await promise_rule(chat, tanaka)
        await deliver(chat.deps)
        second = await promise_rule(chat, tanaka, occasion=2, not_before=chat.clock.now())
        await deliver(chat.deps)
        chat.turn(seconds=3)
        await deliver(chat.deps)
        states = [(await chat.message(each)).state for each in (first, second)]
        assert states == [MessageState.ACCEPTED, MessageState.QUEUED]
        assert "caps" in str((await chat.message(second)).because)
        assert chat.line.texts(tanaka).count("こんにちは") == 1


@asynccontextmanager
async def nowhere() -> AsyncIterator[LineClient]:
    """LINE, out of reach."""
    with socket.socket() as nobody:  # bound, and not listening
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        settings = Settings(_env_file=None, line_channel_access_token="t", line_api_base_url=address)
        async with LineClient.connected(settings) as client:
            yield client


async def test_a_reply_whose_sender_died_is_not_pushed_once_its_token_is_stale(db: Database) -> None:
    async with chatting(db) as chat:
        tanaka = chat.person()
        await chat.line.follow(tanaka)
        await receive(chat.deps)
        async with db.begin() as session:  # the process claimed it, replied, and died
            [message] = await claim_due(session, limit=10, now=chat.clock.now())
            message.state, message.attempts = MessageState.SENDING, 1
            message.attempted_at = message.reply_tried_at = chat.clock.now()
            await save(session, [message])
        assert chat.deps.line is not None
        await chat.deps.line.reply(reply_token=message.reply_token or "", bubbles=message.bubbles)
        chat.turn(minutes=5)
        assert await deliver(chat.deps) == 0
        assert (await chat.message(message.message_id)).state == MessageState.UNKNOWN
        assert chat.pushes() == []
        assert len(chat.line.texts(tanaka)) == 1
        assert len(await chat.alerts()) == 1


async def test_nobody_who_blocked_us_is_written_to(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        chat.line.person(tanaka).has_blocked = True
        await chat.line.deliver([chat.line.event("unfollow", tanaka)])
        await chat.settle()
        person = await chat.promise(tanaka)
        rule = await promise_rule(chat, tanaka)
        await deliver(chat.deps)
        assert {(await chat.message(each)).state for each in (person, rule)} == {MessageState.CANCELLED}
        assert chat.pushes() == []


async def test_a_person_s_message_that_could_not_be_tried_for_a_day_is_given_up_aloud(db: Database) -> None:
    async with agreed(db) as (chat, tanaka):
        message_id = await chat.promise(tanaka)
        chat.turn(hours=25)
        await deliver(chat.deps)
        assert (await chat.message(message_id)).state == MessageState.DEAD
        assert any(str(message_id) in alert for alert in await chat.alerts())


async def test_a_message_under_way_while_its_user_is_linked_keeps_its_record(db: Database) -> None:
    async with chatting(db) as chat:
        customer_id = await chat.customer("c1")
        tanaka = chat.person()
        await chat.agree(tanaka)
        message_id = await chat.promise(tanaka)
        async with db.begin() as session:
            [message] = await claim_due(session, limit=10, now=chat.clock.now())
        async with db.begin() as session:
            await link(session, line_user_id=tanaka, customer_id=customer_id, now=chat.clock.now())
        async with db.begin() as session:
            message.state = MessageState.ACCEPTED
            await save(session, [message])
        row = await chat.message(message_id)
        assert (row.customer_id, row.state) == (customer_id, MessageState.ACCEPTED)


async def test_without_line_nothing_is_tried(db: Database) -> None:
    from tests.wiring import deps_without_platforms

    assert await deliver(deps_without_platforms(db)) == 0

"""Do rows become the facts that decisions are made from?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, update
from sqlmodel import col

from bot.flows.rules.publish import switch
from db.deciding.facts import history, load_facts
from db.desk.leads import open_lead
from db.engine import Database
from db.people.customers import Customer, LineUser
from db.talk.conversations import InboundLine, hear, own
from db.talk.messages import Message, MessageState, promise
from followups.facts import Consent, Facts, FollowUpState, LineContact
from followups.rules.model import RuleState
from tests.flows.shop import Shop, inactive


async def facts_of(shop: Shop, customer_id: UUID, **options: Any) -> Facts:
    async with shop.deps.db.begin() as session:
        return (await load_facts(session, [customer_id], now=shop.clock.now(), **options))[customer_id]


async def promise_one(shop: Shop, customer_id: UUID, number: int, **fields: Any) -> None:
    now = shop.clock.now()
    given: dict[str, Any] = {
        "kind": "rule",
        "state": "queued",
        "purpose": "support",
        "rule_id": "r",
        "promised_at": now,
        "not_before": now,
        **fields,
    }
    async with shop.deps.db.begin() as session:
        await promise(
            session,
            Message(
                customer_id=customer_id,
                message_id=UUID(int=number),
                dedupe_key=f"m{number}",
                line_user_id="U1",
                **given,
            ),
        )


async def test_a_customer_is_known_with_line_consent_and_attributes(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1", plan="trial")
    facts = await facts_of(shop, customer_id)
    assert (facts.external_id, facts.attributes) == ("c1", {"name": "田中", "plan": "trial"})
    assert facts.line == LineContact(line_user_id="U" + customer_id.hex, is_friend=True, is_blocked=False)
    assert facts.consents == {"support": Consent(purpose="support", is_granted=True, at=shop.clock.now())}
    assert (facts.signals, facts.contacts, facts.follow_ups) == ({}, (), {})
    assert facts.conversation is None
    assert not facts.has_open_lead


async def test_whoever_is_unknown_or_erased_is_left_out(db: Database) -> None:
    shop = Shop(db)
    kept, erased = await shop.customer("kept"), await shop.customer("erased")
    async with db.begin() as session:
        await session.execute(
            update(Customer).where(col(Customer.customer_id) == erased).values(erased_at=shop.clock.now())
        )
        found = await load_facts(session, [kept, erased, UUID(int=5)], now=shop.clock.now())
    assert set(found) == {kept}


@pytest.mark.parametrize(
    ("own_zone", "expected"),
    [("America/New_York", "America/New_York"), (None, "Europe/London"), ("Mars/Base", "Europe/London")],
)
async def test_the_time_zone_is_the_customers_or_else_the_policys(
    db: Database, own_zone: str | None, expected: str
) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    async with db.begin() as session:
        await session.execute(update(Customer).values(timezone=own_zone))
    await shop.publish(inactive(), policy="timezone: Europe/London")
    assert (await facts_of(shop, customer_id)).timezone == expected


async def test_only_signals_that_rules_read_are_loaded_unless_all_are_wanted(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.publish(inactive(when="{event: login, count: {at_most: 1, within: 5d}}"))
    for name in ("login", "login", "export", "$clicked"):
        await shop.track(customer_id, name)
    facts = await facts_of(shop, customer_id)
    assert set(facts.signals) == {"login", "login#2", "$clicked"}
    login = facts.signals["login"]
    assert (login.count, login.last_at, len(login.recent)) == (2, shop.clock.now(), 2)
    everything = await facts_of(shop, customer_id, with_all_signals=True)
    assert set(everything.signals) == {"login", "login#2", "$clicked", "export"}


async def test_contacts_are_proactive_messages_that_were_or_may_be_sent(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    now = shop.clock.now()
    accepted_at = now - timedelta(days=3)
    await promise_one(shop, customer_id, 1, not_before=now + timedelta(hours=1))
    await promise_one(shop, customer_id, 2, state="sending", first_attempt_at=now)
    await promise_one(shop, customer_id, 3, state="accepted", settled_at=accepted_at)
    await promise_one(shop, customer_id, 4, state="unknown", first_attempt_at=now)
    for number, state in enumerate(("dead", "cancelled", "superseded"), start=5):
        await promise_one(shop, customer_id, number, state=state)
    await promise_one(shop, customer_id, 8, kind="person", state="accepted", settled_at=now)
    old = now - timedelta(days=60)
    await promise_one(shop, customer_id, 9, state="accepted", settled_at=old, promised_at=old)
    tried_at = now - timedelta(minutes=5)
    await promise_one(shop, customer_id, 10, first_attempt_at=tried_at, not_before=now + timedelta(minutes=1))

    contacts = {c.message_id.int: c for c in (await facts_of(shop, customer_id)).contacts}
    assert {number: (c.at, c.is_started) for number, c in contacts.items()} == {
        1: (now + timedelta(hours=1), False),
        2: (now, True),
        3: (accepted_at, True),
        4: (now, True),
        10: (tried_at, True),
    }
    assert contacts[3].purpose == "support"


async def test_a_conversation_and_a_lead_are_seen(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    now = shop.clock.now()
    async with db.begin() as session:
        line = InboundLine(customer_id=customer_id, line_message_id="1", kind="text", text="はい", at=now)
        await hear(session, line, now=now)
        await own(session, customer_id, owner="U1", now=now)
        await open_lead(
            session,
            customer_id=customer_id,
            source="rule",
            reason_ja="",
            reason_en="",
            ids=shop.deps.ids,
            now=now,
        )
    facts = await facts_of(shop, customer_id)
    assert facts.has_open_lead
    assert facts.conversation is not None
    assert facts.conversation.is_open
    assert facts.conversation.is_unanswered
    assert (facts.conversation.owner, facts.conversation.last_inbound_at) == ("U1", now)


async def test_a_passage_is_seen_ended_before_anybody_stored_that(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await shop.settle()
    assert (await facts_of(shop, customer_id)).follow_ups["inactive"].state is FollowUpState.ACTIVE
    entered = shop.clock.now()
    shop.clock.turn(timedelta(days=8))
    passage = (await facts_of(shop, customer_id)).follow_ups["inactive"]
    assert (passage.state, passage.ended_at) == (FollowUpState.ENDED, entered + timedelta(days=7))


async def test_a_passage_whose_message_was_taken_back_does_not_count(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await shop.settle()
    async with db.begin() as session:
        await session.execute(update(Message).values(state=MessageState.CANCELLED.value))
    assert (await facts_of(shop, customer_id)).follow_ups == {}


async def test_a_rehearsed_passage_counts_for_the_shadow_rule_and_not_for_the_live_one(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive(state="shadow"))
    await shop.settle()
    assert (await facts_of(shop, customer_id)).follow_ups["inactive"].state is FollowUpState.ACTIVE
    await switch(shop.deps, "inactive", RuleState.LIVE, by="test")
    assert (await facts_of(shop, customer_id)).follow_ups == {}
    await switch(shop.deps, "inactive", RuleState.SHADOW, by="test")
    await shop.publish(inactive(state="shadow", priority=90))
    assert (await facts_of(shop, customer_id)).follow_ups == {}, "an edited rule begins anew"


async def test_the_number_of_statements_does_not_grow_with_the_customers(db: Database) -> None:
    shop = Shop(db)
    await shop.publish(inactive())
    ids = [await shop.customer(f"c{number}") for number in range(30)]
    counts = []
    for some in (ids[:1], ids):
        async with db.begin() as session:
            engine, seen = session.get_bind().engine, list[str]()

            def note(_c: Any, _cursor: Any, statement: str, *_: Any, into: list[str] = seen) -> None:
                into.append(statement)

            event.listen(engine, "before_cursor_execute", note)
            assert len(await load_facts(session, some, now=shop.clock.now())) == len(some)
            event.remove(engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8


async def test_history_is_newest_first_and_of_one_rule_when_asked(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive("a"), inactive("b", priority=90))
    await shop.settle()
    await shop.turn(days=1)
    async with db.begin() as session:
        both = await history(session, customer_id)
        of_a = await history(session, customer_id, rule_id="a")
    assert [row.at for row in both.decisions] == sorted((row.at for row in both.decisions), reverse=True)
    assert {row.rule_id for row in of_a.decisions} == {"a"}
    assert {row.rule_id for row in both.messages} == {"a", "b"}


async def test_a_blocked_user_is_seen_as_such(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    async with db.begin() as session:
        await session.execute(update(LineUser).values(is_friend=False, is_blocked=True))
    line = (await facts_of(shop, customer_id)).line
    assert line is not None
    assert (line.is_friend, line.is_blocked) == (False, True)


@pytest.mark.parametrize(
    ("own", "of_line", "wanted"),
    [("en", "ja", "en"), (None, "en", "en"), ("ja", None, "ja"), (None, None, None)],
    ids=["the product knows better", "as on their phone", "LINE does not say", "nobody knows"],
)
async def test_the_language_is_the_customers_else_that_of_their_phone(
    db: Database, own: str | None, of_line: str | None, wanted: str | None
) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    async with db.begin() as session:
        for table, language in ((Customer, own), (LineUser, of_line)):
            await session.execute(
                update(table).where(col(table.customer_id) == customer_id).values(language=language)
            )
    assert (await facts_of(shop, customer_id)).language == wanted

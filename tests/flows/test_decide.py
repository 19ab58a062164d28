"""Is what follows from a decision written once, whole, and for everybody it concerns?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import DDL, update
from sqlmodel import col

from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import switch
from bot.flows.rules.tick import tick
from db.deciding.followups import WITHDRAWN, DecisionRow, FollowUpRow
from db.deciding.ticks import RETRIES, Alarm, Undecided, mark_dirty
from db.desk.leads import Lead
from db.engine import Database
from db.people.customers import Customer, lock_customers
from db.talk.messages import Link, Message, MessageState, promise
from followups.rules.model import RuleState
from tests.flows.shop import Shop, inactive

QUIET_AT_NIGHT = datetime(2026, 11, 24, 13, tzinfo=UTC)
"""22:00 in Tokyo."""


async def quiet_customer(shop: Shop, external_id: str = "c1") -> UUID:
    customer_id = await shop.customer(external_id)
    await shop.track(customer_id, "login", shop.ago(days=15))
    return customer_id


async def test_a_due_customer_gets_one_message_and_enters_the_rule(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    await shop.publish(inactive())
    assert await shop.settle() == 1

    [message] = await shop.rows(Message)
    assert message.customer_id == customer_id
    assert (message.kind, message.state, message.dedupe_key) == ("rule", "queued", "rule:inactive:1:0")
    assert (message.rule_id, message.rule_version, message.occasion) == ("inactive", 1, 1)
    assert message.plain_text == "田中様、お困りではありませんか。"
    assert message.not_before == message.promised_at == shop.clock.now()
    [follow_up] = await shop.rows(FollowUpRow)
    assert (follow_up.state, follow_up.occasion, follow_up.entered_at) == ("active", 1, shop.clock.now())
    [decision] = await shop.rows(DecisionRow)
    assert (decision.verdict, decision.message_id) == ("send", message.message_id)
    assert decision.trace["verdict"]["kind"] == "send"
    assert "deliver" in shop.woken.stories

    await shop.turn(hours=1)
    assert len(await shop.rows(Message)) == 1


async def test_a_button_leads_through_a_tracked_link_of_our_own(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    button = "{label: 続ける, url: 'https://app.example.com/start'}"
    await shop.publish(inactive(then=f"[{{send: {{text: こちらです, button: {button}}}}}]"))
    await shop.settle()

    [link], [message] = await shop.rows(Link), await shop.rows(Message)
    assert (link.customer_id, link.message_id) == (customer_id, message.message_id)
    assert link.url == "https://app.example.com/start"
    assert len(link.token) == 22
    assert f"{shop.deps.settings.base_url}/r/{link.token}" in str(message.bubbles)
    assert "app.example.com" not in str(message.bubbles)


async def test_quiet_hours_hold_the_message_until_they_end(db: Database) -> None:
    shop = Shop(db)
    shop.clock.turn_to(QUIET_AT_NIGHT)
    await quiet_customer(shop)
    await shop.publish(inactive())
    await shop.settle()
    assert await shop.rows(Message) == []
    [decision] = await shop.rows(DecisionRow)
    assert (decision.verdict, decision.gate) == ("wait", "quiet_hours")
    assert decision.until == datetime(2026, 11, 25, 0, tzinfo=UTC)

    await shop.turn(hours=10, minutes=59)
    assert await shop.rows(Message) == []
    assert len(await shop.rows(DecisionRow)) == 1
    await shop.turn(minutes=1)
    assert len(await shop.rows(Message)) == 1


async def test_somebody_who_comes_back_ends_the_passage_and_may_get_another_after_the_pause(
    db: Database,
) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    await shop.publish(inactive())
    await shop.settle()
    await shop.accept_all()
    shop.clock.turn(timedelta(days=2))
    await shop.track(customer_id, "login")
    await shop.settle()

    [first] = await shop.rows(FollowUpRow)
    assert (first.state, first.ended_because) == ("ended", "goal")
    assert first.goal_reached_at == first.ended_at == shop.clock.now()

    for _ in range(27):
        await shop.turn(days=1)
        assert len(await shop.rows(Message)) == 1
    await shop.turn(days=2)
    assert [row.occasion for row in await shop.rows(Message)] == [1, 2]


async def test_a_window_without_the_goal_ends_the_passage(db: Database) -> None:
    shop = Shop(db)
    await quiet_customer(shop)
    await shop.publish(inactive(again_after=None))
    await shop.settle()
    entered = shop.clock.now()
    await shop.turn(days=7)
    [row] = await shop.rows(FollowUpRow)
    assert (row.state, row.ended_because, row.goal_reached_at) == ("ended", "window over", None)
    assert row.ended_at == entered + timedelta(days=7)
    await shop.turn(days=100)
    assert len(await shop.rows(Message)) == 1


async def test_a_goal_is_dated_by_its_first_event_after_the_send_even_when_seen_late(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    await shop.publish(inactive())
    await shop.settle()
    first = shop.clock.now() + timedelta(days=3)
    shop.clock.turn(timedelta(days=9))
    for at in (first, shop.clock.now(), first + timedelta(hours=5)):
        await shop.track(customer_id, "login", at)
    await shop.settle()
    [row] = await shop.rows(FollowUpRow)
    assert (row.ended_because, row.goal_reached_at) == ("goal", first)


async def test_a_message_taken_back_before_line_got_it_does_not_use_the_occasion_up(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    await shop.publish(inactive(again_after=None))
    await shop.settle()
    async with db.begin() as session:
        await session.execute(update(Message).values(state=MessageState.SUPERSEDED.value))
        await mark_dirty(session, [customer_id], now=shop.clock.now())
    await shop.settle()

    rows = sorted(await shop.rows(FollowUpRow), key=lambda row: row.occasion)
    assert [(row.occasion, row.state, row.ended_because) for row in rows] == [
        (1, "ended", WITHDRAWN),
        (2, "active", None),
    ]
    assert {row.dedupe_key for row in await shop.rows(Message)} == {"rule:inactive:1:0", "rule:inactive:2:0"}


async def test_a_shadow_rule_records_what_it_would_do_and_sends_once_it_is_live(db: Database) -> None:
    shop = Shop(db)
    await quiet_customer(shop)
    await shop.publish(inactive(state="shadow"))
    for _ in range(4):
        await shop.turn(days=1)
    assert await shop.rows(Message) == []
    assert await shop.rows(FollowUpRow) == []
    decisions = await shop.rows(DecisionRow, col(DecisionRow.verdict) == "send")
    assert [row.is_shadow for row in decisions] == [True]

    await switch(shop.deps, "inactive", RuleState.LIVE, by="test")
    await shop.settle()
    [message] = await shop.rows(Message)
    assert message.occasion == 1


async def test_an_escalation_opens_a_lead_once(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    await shop.publish(inactive(then="[{escalate: {reason: 連絡が途絶えています}}]"))
    await shop.settle()
    await shop.turn(days=1)
    [lead] = await shop.rows(Lead)
    assert (lead.customer_id, lead.rule_id, lead.source) == (customer_id, "inactive", "rule")
    [decision] = await shop.rows(DecisionRow, col(DecisionRow.verdict) == "escalate")
    assert decision.lead_id == lead.lead_id
    assert {"post", "draft"} <= set(shop.woken.stories)


async def test_only_one_of_two_rules_writes_and_the_other_says_who_went_first(db: Database) -> None:
    shop = Shop(db)
    await quiet_customer(shop)
    await shop.publish(inactive("a", priority=10), inactive("b", priority=90))
    await shop.settle()
    assert [row.rule_id for row in await shop.rows(Message)] == ["b"]
    [lost] = await shop.rows(DecisionRow, col(DecisionRow.rule_id) == "a")
    assert (lost.verdict, lost.gate) == ("wait", "arbitration")


async def test_the_same_answer_is_not_stored_twice(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer(agreed=False)
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    for _ in range(3):
        async with db.begin() as session:
            await mark_dirty(session, [customer_id], now=shop.clock.now())
        assert await shop.settle() == 1
    [decision] = await shop.rows(DecisionRow)
    assert (decision.verdict, decision.gate) == ("wait", "consent")
    await shop.consent(customer_id, is_granted=True)
    await shop.settle()
    assert len(await shop.rows(Message)) == 1


async def test_nothing_is_stored_about_those_no_rule_has_to_do_with(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer()
    await shop.publish(inactive())
    await shop.track(customer_id, "login")
    assert await shop.settle() == 1
    assert await shop.rows(DecisionRow) == []
    assert await shop.rows(Alarm) == []


async def test_two_workers_at_once_decide_about_everyone_once(db: Database) -> None:
    shop = Shop(db)
    for number in range(60):
        await quiet_customer(shop, f"c{number}")
    await shop.publish(inactive(), policy="approval_above: 100")
    await tick(shop.deps)
    counts = await asyncio.gather(*(decide_due(shop.deps) for _ in range(4)))
    assert sum(counts) >= 60
    assert len(await shop.rows(Message)) == len(await shop.rows(FollowUpRow)) == 60


async def test_what_another_transaction_is_about_to_promise_counts(db: Database) -> None:
    shop = Shop(db)
    customer_id = await quiet_customer(shop)
    await shop.publish(inactive())
    now = shop.clock.now()
    async with db.begin() as other:
        await lock_customers(other, [customer_id])
        deciding = asyncio.create_task(shop.settle())
        await asyncio.wait([deciding], timeout=0.5)
        message = Message(
            customer_id=customer_id,
            message_id=UUID(int=1),
            kind="rule",
            state="queued",
            dedupe_key="other",
            line_user_id="U1",
            promised_at=now,
            not_before=now,
        )
        await promise(other, message)
    assert await deciding == 1
    assert [row.dedupe_key for row in await shop.rows(Message)] == ["other"]
    assert [row.gate for row in await shop.rows(DecisionRow)] == ["caps"]


async def _make_undecidable(db: Database, customer_id: UUID, where: str) -> None:
    """Have either deciding or storing fail for this customer."""
    async with db.begin() as session:
        if where == "deciding":
            await session.execute(
                update(Customer).where(col(Customer.customer_id) == customer_id).values(attributes=["?"])
            )
            return
        await session.execute(
            DDL(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN IF NEW.customer_id = '{customer_id}' THEN RAISE EXCEPTION 'no'; END IF;"
                " RETURN NEW; END $$"
            )
        )
        await session.execute(
            DDL("CREATE TRIGGER refuse BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION refuse()")
        )


async def _mend(db: Database, customer_id: UUID, where: str) -> None:
    async with db.begin() as session:
        if where == "deciding":
            await session.execute(
                update(Customer)
                .where(col(Customer.customer_id) == customer_id)
                .values(attributes={"name": "田中"})
            )
        else:
            await session.execute(DDL("DROP TRIGGER refuse ON message"))


@pytest.mark.parametrize("where", ["deciding", "storing"])
async def test_a_customer_for_whom_it_fails_holds_up_nobody_and_is_tried_again(
    db: Database, where: str
) -> None:
    shop = Shop(db)
    bad = await quiet_customer(shop, "bad")
    for number in range(5):
        await quiet_customer(shop, f"c{number}")
    await _make_undecidable(db, bad, where)
    await shop.publish(inactive())
    assert await shop.settle() == 5
    assert len(await shop.rows(Message)) == 5
    [kept] = await shop.rows(Undecided)
    assert (kept.customer_id, kept.attempts) == (bad, 1)
    assert kept.again_at == shop.clock.now() + timedelta(minutes=1)

    await _mend(db, bad, where)
    assert await shop.settle() == 0
    await shop.turn(minutes=1)
    assert len(await shop.rows(Message)) == 6
    assert await shop.rows(Undecided) == []


async def test_a_customer_for_whom_it_always_fails_is_given_up_after_some_attempts(db: Database) -> None:
    shop = Shop(db)
    bad = await quiet_customer(shop, "bad")
    await _make_undecidable(db, bad, "deciding")
    await shop.publish(inactive())
    await shop.settle()
    for _ in range(RETRIES + 5):
        await shop.turn(days=2)
    [kept] = await shop.rows(Undecided)
    assert (kept.attempts, kept.again_at) == (RETRIES + 1, None)
    assert await shop.rows(Alarm) == []

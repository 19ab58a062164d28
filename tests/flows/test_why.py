"""Does everyone who asks get told why, what happened, and what comes next?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.errors import Refused
from bot.flows.rules.publish import switch
from bot.flows.rules.why import why
from db.deciding.followups import DecisionRow
from db.deciding.ticks import dirty
from db.engine import Database
from db.talk.messages import Message, MessageState
from followups.rules.model import RuleState
from tests.flows.shop import Shop, inactive


async def test_somebody_not_due_is_told_with_the_moment_it_could_change(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    await shop.track(customer_id, "login", shop.ago(days=10))
    await shop.publish(inactive())
    japanese = "\n".join(await why(shop.deps, "c1"))
    assert "対象外: 最後の login は 10日前（条件: 14日以上）" in japanese
    assert "次の機会: 11月28日(土) 12:00" in japanese
    english = "\n".join(await why(shop.deps, "c1", "inactive", language="en"))
    assert "not due: last login 10 days ago (asked: 14 days or more)" in english
    assert "next chance: Sat 28 Nov 12:00" in english
    assert "Decided before\n  nothing" in english


async def test_a_sent_message_is_told_with_lines_answer(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await shop.settle()
    await shop.accept_all()
    async with db.begin() as session:
        await session.execute(update(Message).values(line_request_id="req-1", attempts=1))
    told = "\n".join(await why(shop.deps, "c1", language="en"))
    assert "Tue 24 Nov 12:00  inactive v1  → send: inactive/1" in told
    assert "accepted by LINE" in told
    assert "X-Line-Request-Id: req-1" in told
    assert "a follow-up of this rule is under way" in told


async def test_a_message_that_was_given_up_says_so(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await shop.settle()
    async with db.begin() as session:
        await session.execute(update(Message).values(state=MessageState.DEAD.value, because="400: invalid"))
    told = "\n".join(await why(shop.deps, "c1"))
    assert "LINE が拒否した" in told
    assert "理由: 400: invalid" in told


async def test_asking_changes_nothing(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await shop.settle()
    before = [row.model_dump() for table in (DecisionRow, Message) for row in await shop.rows(table)]
    shop.clock.turn(timedelta(days=8))
    await why(shop.deps, "c1")
    async with db.begin() as session:
        assert (await session.execute(dirty.select())).all() == []
    assert [row.model_dump() for table in (DecisionRow, Message) for row in await shop.rows(table)] == before


async def test_a_paused_rule_is_decided_as_a_rehearsal_when_it_is_asked_for(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await switch(shop.deps, "inactive", RuleState.PAUSED, by="test")
    told = "\n".join(await why(shop.deps, "c1", "inactive", language="en"))
    assert "this rule is not running: paused" in told
    assert "→ send: inactive/1" in told
    assert "no rule is published" in "\n".join(await why(shop.deps, "c1", language="en"))


async def test_a_customer_is_found_by_any_of_their_ids(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1")
    await shop.publish(inactive())
    answers = [await why(shop.deps, asked) for asked in ("c1", "U" + customer_id.hex, str(customer_id))]
    assert answers[0] == answers[1] == answers[2]
    with pytest.raises(Refused, match="there is no customer c2"):
        await why(shop.deps, "c2")
    with pytest.raises(Refused, match="did you mean inactive"):
        await why(shop.deps, "c1", "inactve")


async def test_a_trace_of_another_version_of_the_program_is_told_in_short(db: Database) -> None:
    shop = Shop(db)
    customer_id = await shop.customer("c1", agreed=False)
    await shop.track(customer_id, "login", shop.ago(days=15))
    await shop.publish(inactive())
    await shop.settle()
    async with db.begin() as session:
        await session.execute(update(DecisionRow).values(trace={"old": True}))
    assert "→ wait (consent)" in "\n".join(await why(shop.deps, "c1"))

"""Is there one open lead for a customer, and does compare-and-swap let one of two through?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from bot.clock import Ids, TurnableClock
from db.desk.leads import (
    Lead,
    LeadState,
    claim,
    close,
    lead_by_id,
    lead_of,
    open_lead,
    open_leads_of,
    snooze,
    wake_due,
    wake_on_activity,
)
from db.desk.posts import Post
from db.engine import Database
from db.talk.drafts import add_draft, drafts_of, retire

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
IDS = Ids(TurnableClock(NOW))
WHO = UUID(int=1)


async def _open(db: Database, reason: str = "理由", at: datetime = NOW) -> UUID:
    async with db.begin() as session:
        return await open_lead(
            session, customer_id=WHO, source="rule", reason_ja=reason, reason_en="why", ids=IDS, now=at
        )


async def _lead(db: Database, lead_id: UUID) -> Lead:
    async with db.begin() as session:
        lead = await lead_by_id(session, lead_id)
    assert lead is not None
    return lead


async def test_many_openers_at_once_open_one_lead_with_one_card_and_every_reason(db: Database) -> None:
    opened = await asyncio.gather(*(_open(db, f"理由{number}") for number in range(8)))
    assert len(set(opened)) == 1
    lead = await _lead(db, opened[0])
    assert {each["ja"] for each in lead.reasons} == {f"理由{number}" for number in range(8)}
    async with db.begin() as session:
        cards = list(await session.scalars(select(Post)))
    assert [each.kind for each in cards] == ["card"]


async def test_the_same_reason_again_moves_to_the_front_and_stands_once(db: Database) -> None:
    lead_id = await _open(db, "一")
    await _open(db, "二")
    await _open(db, "一", NOW + timedelta(hours=1))
    lead = await _lead(db, lead_id)
    assert [each["ja"] for each in lead.reasons] == ["一", "二"]
    assert lead.reasons[0]["at"] == (NOW + timedelta(hours=1)).isoformat()


async def test_after_an_episode_a_new_one_begins(db: Database) -> None:
    first = await _open(db)
    async with db.begin() as session:
        lead = await lead_of(session, WHO, is_locked=True)
        assert lead is not None
        assert await close(session, lead, state=LeadState.LOST, by="U1", disposition=None, now=NOW)
    assert await _open(db) != first


async def test_of_two_that_read_the_same_revision_one_writes(db: Database) -> None:
    lead_id = await _open(db)
    one, two = await _lead(db, lead_id), await _lead(db, lead_id)

    async def take(lead: Lead, who: str) -> bool:
        async with db.begin() as session:
            return await claim(session, await session.merge(lead, load=False), owner=who, now=NOW)

    assert sorted(await asyncio.gather(take(one, "U1"), take(two, "U2"))) == [False, True]
    assert (await _lead(db, lead_id)).revision == 2


async def test_a_snoozed_lead_comes_back_at_its_moment_once(db: Database) -> None:
    lead_id = await _open(db)
    async with db.begin() as session:
        lead = await lead_of(session, WHO)
        assert lead is not None
        await claim(session, lead, owner="U1", now=NOW)
        assert await snooze(session, lead, until=NOW + timedelta(hours=1))

    async def wake(at: datetime) -> int:
        async with db.begin() as session:
            return await wake_due(session, ids=IDS, now=at)

    assert await wake(NOW + timedelta(minutes=59)) == 0
    assert sum(await asyncio.gather(*(wake(NOW + timedelta(hours=1)) for _ in range(4)))) == 1
    assert (await _lead(db, lead_id)).state == "claimed"
    async with db.begin() as session:
        assert [each.lead_id for each in await open_leads_of(session, "U1", limit=5)] == [lead_id]


async def test_activity_wakes_only_what_sleeps(db: Database) -> None:
    await _open(db)
    async with db.begin() as session:
        assert not await wake_on_activity(session, WHO, ids=IDS, now=NOW)
        lead = await lead_of(session, WHO)
        assert lead is not None
        await snooze(session, lead, until=NOW + timedelta(days=3))
        assert await wake_on_activity(session, WHO, ids=IDS, now=NOW)
        assert not await wake_on_activity(session, UUID(int=99), ids=IDS, now=NOW)
    assert (await _lead(db, lead.lead_id)).state == "new"


async def test_retired_drafts_stand_no_more_and_numbers_go_on(db: Database) -> None:
    lead_id = await _open(db)
    async with db.begin() as session:
        for text in ("一", "二"):
            await add_draft(
                session,
                customer_id=WHO,
                lead_id=lead_id,
                conversation_revision=1,
                text=text,
                source="model",
                findings=(),
                ids=IDS,
                now=NOW,
            )
        assert await retire(session, WHO, lead_id, now=NOW) == 2
        third = await add_draft(
            session,
            customer_id=WHO,
            lead_id=lead_id,
            conversation_revision=1,
            text="三",
            source="model",
            findings=(),
            ids=IDS,
            now=NOW,
        )
        assert third.number == 3
        assert [each.text for each in await drafts_of(session, WHO, lead_id)] == ["三"]

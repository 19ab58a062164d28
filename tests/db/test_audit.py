"""Is it written down who did what, and only by ids?"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from bot.clock import Ids, TurnableClock
from db.desk.audit import NOBODY, AuditEntry, record
from db.engine import Database

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


async def test_an_action_is_kept_with_its_ids_and_goes_with_its_transaction(db: Database) -> None:
    ids = Ids(TurnableClock(NOW))
    async with db.begin() as session:
        await record(
            session,
            actor="U1",
            action="lead.won",
            customer_id=UUID(int=1),
            lead_id=UUID(int=2),
            ids=ids,
            now=NOW,
        )
        await record(session, actor="yorisoi", action="rule.paused", rule_id="r", ids=ids, now=NOW)
    try:
        async with db.begin() as session:
            await record(session, actor="U1", action="never", ids=ids, now=NOW)
            raise RuntimeError("rolled back")
    except RuntimeError:
        pass
    async with db.begin() as session:
        entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.action)))  # type: ignore[arg-type]
    assert [(each.action, each.customer_id, each.details) for each in entries] == [
        ("lead.won", UUID(int=1), {"lead_id": str(UUID(int=2))}),
        ("rule.paused", NOBODY, {"rule_id": "r"}),
    ]

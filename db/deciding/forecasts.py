"""Which backtests did people ask for in Slack, how far are they, and what came of them?

One runs at a time. Whoever runs it holds a lease and renews it as it goes on; a run whose runner died is
begun again by the next.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, Json, datetime, document, moment

LEASE = timedelta(minutes=3)
MOST_ATTEMPTS = 3


class ForecastState(StrEnum):
    """What became of it."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ForecastRow(SQLModel, table=True):
    """A directory row: one backtest asked for. `outcome`: figures only, no people.

    `done`, `total`: customers looked through. `not_before`: the lease's end while it runs.
    """

    __tablename__ = "forecast"

    forecast_id: UUID = Field(primary_key=True)
    rule_id: str
    by: str
    channel: str
    state: str = ForecastState.WAITING.value
    done: int = 0
    total: int = 0
    attempts: int = 0
    outcome: Json = document(default_factory=dict)
    asked_at: datetime = moment()
    not_before: datetime = moment()
    finished_at: datetime | None = moment(default=None)


async def ask_forecast(
    session: AsyncSession, forecast_id: UUID, *, rule_id: str, by: str, channel: str, now: datetime
) -> None:
    """Ask for one."""
    await session.execute(
        insert(ForecastRow)
        .values(
            forecast_id=forecast_id,
            rule_id=rule_id,
            by=by,
            channel=channel,
            state=ForecastState.WAITING.value,
            done=0,
            total=0,
            attempts=0,
            outcome={},
            asked_at=now,
            not_before=now,
        )
        .on_conflict_do_nothing(index_elements=["forecast_id"])
    )


async def under_way(session: AsyncSession, rule_id: str) -> ForecastRow | None:
    """One of this rule that is not finished."""
    found: ForecastRow | None = await session.scalar(
        select(ForecastRow)
        .where(col(ForecastRow.rule_id) == rule_id, col(ForecastRow.state).in_(_OPEN))
        .limit(1)
    )
    return found


_OPEN = (ForecastState.WAITING.value, ForecastState.RUNNING.value)


async def take_forecast(session: AsyncSession, *, now: datetime) -> ForecastRow | None:
    """The next to run, with a lease; None: there is none, or one is running."""
    rows = (
        await session.scalars(
            select(ForecastRow)
            .where(col(ForecastRow.state).in_(_OPEN))
            .order_by(col(ForecastRow.asked_at), col(ForecastRow.forecast_id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    ).all()
    if any(row.state == ForecastState.RUNNING and row.not_before > now for row in rows):
        return None
    for row in rows:
        if row.not_before <= now:
            row.state, row.not_before, row.attempts = (
                ForecastState.RUNNING.value,
                now + LEASE,
                row.attempts + 1,
            )
            await session.flush()
            return row
    return None


async def go_on(session: AsyncSession, row: ForecastRow, *, done: int, total: int, now: datetime) -> bool:
    """Say how far it is, and keep the lease; False: somebody else runs it now."""
    held = await session.scalar(
        update(ForecastRow)
        .where(_is_mine(row))
        .values(done=done, total=total, not_before=now + LEASE)
        .returning(col(ForecastRow.forecast_id))
        .execution_options(synchronize_session=False)
    )
    return held is not None


async def finish(
    session: AsyncSession, row: ForecastRow, state: ForecastState, outcome: Json, *, now: datetime
) -> bool:
    """What came of it; False: somebody else runs it now."""
    held = await session.scalar(
        update(ForecastRow)
        .where(_is_mine(row))
        .values(state=state.value, outcome=outcome, finished_at=now)
        .returning(col(ForecastRow.forecast_id))
        .execution_options(synchronize_session=False)
    )
    return held is not None


def _is_mine(row: ForecastRow) -> ColumnElement[bool]:
    return and_(
        col(ForecastRow.forecast_id) == row.forecast_id,
        col(ForecastRow.attempts) == row.attempts,
        col(ForecastRow.state) == ForecastState.RUNNING.value,
    )


async def forecast_by_id(session: AsyncSession, forecast_id: UUID) -> ForecastRow | None:
    """One."""
    return await session.get(ForecastRow, forecast_id, populate_existing=True)

"""How much work waits, and for how long has the oldest of it waited? For operators; no ids, no names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.deciding.pauses import current_pause
from db.deciding.ticks import Undecided, dirty, watermark
from db.desk.leads import Lead
from db.desk.posts import Post, PostState
from db.intake.inbox import InboxRow
from db.talk.messages import Message, MessageState

COUNTED_TO = 10_000
"""More than this is "very many": counting on would cost more than it tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """One kind of waiting work. `oldest`: seconds since its first row became due; 0 where there is none."""

    kind: str
    rows: int
    oldest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlogs:
    """All of it. `tick_age`: seconds since time was looked at; None: never yet."""

    waiting: tuple[Backlog, ...]
    tick_age: float | None
    is_paused: bool


async def backlogs(session: AsyncSession, *, now: datetime) -> Backlogs:
    """Ask; each question is answered from a partial index or stops counting at `COUNTED_TO`."""
    state, due = col(Message.state), col(Message.not_before)
    asked: dict[str, tuple[Any, ColumnElement[bool]]] = {
        "messages_due": (due, (state == MessageState.QUEUED.value) & (due <= now)),
        "messages_sending": (col(Message.attempted_at), state == MessageState.SENDING.value),
        "inbox": (col(InboxRow.received_at), col(InboxRow.done_at).is_(None)),
        "posts_due": (
            col(Post.not_before),
            col(Post.state).in_([PostState.QUEUED.value, PostState.POSTING.value])
            & (col(Post.not_before) <= now),
        ),
        "customers_to_decide": (dirty.c.at, dirty.c.at <= now),
        "customers_undecided": (col(Undecided.failed_at), col(Undecided.ref).is_not(None)),
        "leads_unclaimed": (col(Lead.opened_at), col(Lead.state) == "new"),
    }
    waiting = []
    for kind, (at, holds) in asked.items():
        some = select(at.label("at")).where(holds).limit(COUNTED_TO).subquery()
        row = (await session.execute(select(func.count(), func.min(some.c.at)).select_from(some))).one()
        oldest = (now - row[1]).total_seconds() if row[1] is not None else 0.0
        waiting.append(Backlog(kind=kind, rows=row[0], oldest=max(0.0, oldest)))
    ticked = await watermark(session)
    return Backlogs(
        waiting=tuple(waiting),
        tick_age=(now - ticked).total_seconds() if ticked is not None else None,
        is_paused=await current_pause(session) is not None,
    )

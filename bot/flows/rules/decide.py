"""What is done now about the customers who are worth another look? The deciding half of a tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from bot.flows.rules.effects import Effects, reference
from db.deciding.endings import end_finished
from db.deciding.facts import load_facts
from db.deciding.followups import last_answers, last_occasions
from db.deciding.rooms import room_of
from db.deciding.ticks import keep_undecided, take_dirty, take_dirty_of
from db.people.customers import lock_customers
from db.rulebook.learned import learned_score
from db.rulebook.rules import current_rulebook

log = structlog.get_logger()

CUSTOMERS_AT_ONCE = 400
BATCHES_AT_ONCE = 1000
_CLOCKS_DIFFER = timedelta(minutes=5)
"""A dirty row marked by a machine whose clock is up to this far ahead is decided about at its own moment."""


async def decide_due(deps: Deps) -> int:
    """Decide about every customer who is marked dirty; how many were decided about.

    Batches of customers, each batch one transaction: their marks are deleted, they are locked, decided about,
    and what follows is written. A kill anywhere loses nothing; any number of processes may do this at once. A
    customer about whom deciding fails (a bug) holds up nobody and is tried again some minutes later.
    """
    total = 0
    for _ in range(BATCHES_AT_ONCE):
        held: list[UUID] = []
        try:
            batch = await deps.db.run(partial(_decide_some, deps, held))
        except Unavailable:
            raise
        except Exception as error:  # storing failed for one of them, and so for all: find out for whom
            if not held:
                raise
            log.warning("decide.batch_failed", customers=len(held), error=type(error).__name__)
            batch = await _one_by_one(deps, tuple(held))
        total += batch.decided
        for story in sorted(batch.wakes):
            await deps.waker.wake(story)
        if batch.taken == 0:
            return total
    await deps.waker.wake("decide")
    return total


@dataclass(slots=True)
class _Batch:
    """What came of one transaction."""

    taken: int = 0
    decided: int = 0
    wakes: set[str] = field(default_factory=set)


async def _one_by_one(deps: Deps, customer_ids: Sequence[UUID]) -> _Batch:
    """Decide about each of these in a transaction of its own; those for whom it fails are kept for later."""
    together = _Batch()
    for customer_id in customer_ids:
        try:
            one = await deps.db.run(partial(_decide_some, deps, [], only=customer_id))
        except Unavailable:
            raise
        except Exception as error:
            await _keep(deps, customer_id, error)
            one = _Batch(taken=1)
        together.taken += one.taken
        together.decided += one.decided
        together.wakes |= one.wakes
    return together


async def _keep(deps: Deps, customer_id: UUID, error: Exception) -> None:
    ref, now = reference(deps.ids), deps.clock.now()
    log.error("decide.failed", customer_id=str(customer_id), ref=ref, exc_info=error)

    async def write(session: AsyncSession) -> None:
        await take_dirty_of(session, customer_id, latest=now + _CLOCKS_DIFFER)
        await keep_undecided(session, customer_id, ref=ref, now=now)

    await deps.db.run(write)


async def _decide_some(
    deps: Deps, held: list[UUID], session: AsyncSession, *, only: UUID | None = None
) -> _Batch:
    """One transaction. `held` is filled with who was taken, for when it fails."""
    now = deps.clock.now()
    latest = now + _CLOCKS_DIFFER
    if only is None:
        start = UUID(int=deps.rng.getrandbits(128))
        taken = await take_dirty(session, latest=latest, limit=CUSTOMERS_AT_ONCE, start=start)
    else:
        taken = await take_dirty_of(session, only, latest=latest)
    held[:] = taken
    if not taken:
        return _Batch()
    now = max(now, *taken.values())
    ids = sorted(taken)
    await lock_customers(session, ids)
    book = await current_rulebook(session)
    await end_finished(session, ids, book.by_id, now=now, rule_at=book.rule_at)
    facts = await load_facts(session, ids, now=now)
    effects = Effects(
        deps=deps,
        book=book,
        now=now,
        answers=await last_answers(session, ids),
        occasions=await last_occasions(session, ids),
        room=await room_of(session, book, now=now),
        learned=await learned_score(session) if book.scoring is not None else None,
    )
    for customer_id in ids:
        if customer_id in facts:
            effects.about(facts[customer_id])
    await effects.write(session, [each for each in ids if each not in effects.failed])
    return _Batch(taken=len(ids), decided=len(ids) - len(effects.failed), wakes=effects.wakes)

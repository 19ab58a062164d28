"""What do the leads that people closed teach about the next ones? Once a night."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from db.deciding.facts import load_facts
from db.deciding.nights import take_night
from db.intake.histories import Times, times_of
from db.rulebook.learned import ClosedLead, closed_leads, keep_trial
from db.rulebook.rules import current_rulebook
from followups.facts import Facts
from followups.predict.learned import Closed, NotInstalled, features_of, learn
from followups.signals import fold_all
from followups.standing.scoring import DEPTH, Scoring, score

log = structlog.get_logger()

CUSTOMERS_AT_ONCE = 500


async def learn_leads(deps: Deps) -> int:
    """Learn from the closed leads, once a night; how many leads were learned from.

    What was known when a lead opened is made from the events up to then; attributes are today's.
    """
    now = deps.clock.now()

    async def gather(session: AsyncSession) -> list[Closed] | None:
        scoring = (await current_rulebook(session)).scoring
        if scoring is None or not await take_night(session, "learn_leads", now=now):
            return None
        return await _closed(session, scoring, now=now)

    closed = await deps.db.run(gather)
    if closed is None:
        return 0
    try:
        trial = await asyncio.to_thread(learn, closed)
    except NotInstalled as missing:
        log.warning("score.not_learned", because=str(missing), leads=len(closed))
        return 0

    async def keep(session: AsyncSession) -> None:
        await keep_trial(session, trial, now=now)

    await deps.db.run(keep)
    told = log.info if trial.learned is not None else log.warning
    told("score.learned", is_used=trial.learned is not None, because=trial.because.en, won=trial.won)
    return trial.leads


async def _closed(session: AsyncSession, scoring: Scoring, *, now: datetime) -> list[Closed]:
    leads = iter(await closed_leads(session))
    names = [each.key for each in scoring.pointed if not each.key.startswith("$")]
    found: list[Closed] = []
    while some := list(islice(leads, CUSTOMERS_AT_ONCE)):
        customers = {lead.customer_id for lead in some}
        facts = await load_facts(session, customers, now=now)
        times = await times_of(session, customers, names, until=now)
        known = [(lead, facts[lead.customer_id]) for lead in some if lead.customer_id in facts]
        found += _at_opening(known, times, scoring)
    return found


def _at_opening(
    leads: Sequence[tuple[ClosedLead, Facts]], times: Mapping[UUID, Times], scoring: Scoring
) -> Iterator[Closed]:
    """Each lead with what was known when it opened."""
    for lead, facts in leads:
        folded = {
            name: fold_all(name, [at for at in each if at <= lead.opened_at], depth=DEPTH)
            for name, each in times.get(lead.customer_id, {}).items()
        }
        signals = {name: signal for name, signal in folded.items() if signal is not None}
        then = replace(facts, signals=signals)
        yield Closed(
            opened_at=lead.opened_at,
            features=features_of(then, scoring, now=lead.opened_at),
            points=score(then, scoring, now=lead.opened_at).points,
            is_won=lead.is_won,
        )

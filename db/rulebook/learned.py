"""Which leads have people closed, and what was learned from them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.desk.leads import Lead, LeadState
from db.rulebook.rules import put_setting, setting
from followups.predict.judging import Band, Judgement, restored
from followups.predict.learned import LearnedScore, Trial
from followups.rules.checks import Text

LEARNED = "learned_score"
MOST_LEADS = 5000
"""The latest closed leads that are learned from."""


@dataclass(frozen=True, slots=True)
class ClosedLead:
    """A lead that ended, and how."""

    customer_id: UUID
    opened_at: datetime
    is_won: bool


async def closed_leads(session: AsyncSession) -> list[ClosedLead]:
    """The latest leads that people marked won, lost or dismissed; by customer."""
    ends = (LeadState.WON.value, LeadState.LOST.value, LeadState.DISMISSED.value)
    rows = await session.execute(
        select(col(Lead.customer_id), col(Lead.opened_at), col(Lead.state))
        .where(col(Lead.state).in_(ends))
        .order_by(col(Lead.closed_at).desc())
        .limit(MOST_LEADS)
    )
    found = [ClosedLead(of, opened_at, state == LeadState.WON.value) for of, opened_at, state in rows]
    return sorted(found, key=lambda each: (each.customer_id, each.opened_at))


async def keep_trial(session: AsyncSession, trial: Trial, *, now: datetime) -> None:
    """Keep what was learned, or why nothing is used, as plain numbers."""
    content: dict[str, Any] = {
        "model": trial.learned.as_plain() if trial.learned is not None else None,
        "because": {"ja": trial.because.ja, "en": trial.because.en},
        "leads": trial.leads,
        "won": trial.won,
    }
    for name, judged in (("by_learning", trial.by_learning), ("by_points", trial.by_points)):
        content[name] = (
            {
                "auc": judged.auc,
                "brier": judged.brier,
                "bands": [[band.customers, band.predicted, band.observed] for band in judged.bands],
            }
            if judged is not None
            else None
        )
    await put_setting(session, LEARNED, content, now=now)


async def last_trial(session: AsyncSession) -> Trial | None:
    """What came of learning last; None: nothing was tried yet. Judgements as they were kept."""
    content = await setting(session, LEARNED)
    if content is None:
        return None
    model = content["model"]
    return Trial(
        learned=LearnedScore.of_plain(model) if model is not None else None,
        because=Text(**content["because"]),
        leads=content["leads"],
        won=content["won"],
        by_learning=_judged(content.get("by_learning")),
        by_points=_judged(content.get("by_points")),
    )


def _judged(content: dict[str, Any] | None) -> Judgement | None:
    if content is None:
        return None
    bands = tuple(Band(int(people), said, came) for people, said, came in content["bands"])
    return restored(bands, auc=content["auc"], brier=content["brier"])


async def learned_score(session: AsyncSession) -> LearnedScore | None:
    """What to tell chances by; None: nothing was learned that is better than the points."""
    content = await setting(session, LEARNED)
    if content is None or content["model"] is None:
        return None
    return LearnedScore.of_plain(content["model"])

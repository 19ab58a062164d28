"""What became of the passages under way, and what is a message of each rule worth? Done once a night."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.measure.report import figures_in
from db.deciding.expected import keep_expected
from db.deciding.outcomes import claim_night
from db.rulebook.rules import current_rulebook
from followups.measure import Figures, shrunk
from followups.predict.contact import in_goals, risk_of
from followups.times.zones import zone_of

log = structlog.get_logger()

NIGHT_HOUR = 3
"""The local hour from which the night's reckoning is due."""


async def reckon(deps: Deps) -> int:
    """Bring outcomes and expected values up to date, once a night from three o'clock; 1 when it was done.

    Any number of processes may ask at once: one does it. Reports bring the outcomes up to date themselves.
    """
    now = deps.clock.now()

    async def work(session: AsyncSession) -> Figures | None:
        book = await current_rulebook(session)
        night = _night(now, zone_of(book.policy.timezone))
        if not await claim_night(session, night, now=now):
            return None
        found = await figures_in(session, start=None, end=None, rule_id=None, now=now)
        await keep_expected(session, expected_of(found), now=now)
        return found

    found = await deps.db.run(work)
    if found is None:
        return 0
    log.info("outcomes.reckoned", rules=len(found.rules))
    return 1


def expected_of(found: Figures) -> dict[str, float]:
    """By rule: the goals added to those treated, less what blocks cost, by message that LINE accepted."""
    values = {}
    for rule in found.rules:
        if rule.treated.eligible and rule.treated.accepted:
            accepted_by_treated = rule.treated.accepted / rule.treated.eligible
            risk = risk_of(
                treated=rule.treated.eligible,
                blocked=rule.treated.blocked,
                held_out=rule.held_out.eligible,
                blocked_held_out=rule.held_out.blocked,
            )
            values[rule.rule_id] = in_goals(shrunk(rule.effect), risk) / accepted_by_treated
    return values


def _night(now: datetime, zone: ZoneInfo) -> datetime:
    """The last three o'clock in the morning of this place."""
    local = now.astimezone(zone)
    three = local.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return three if three <= local else three - timedelta(days=1)

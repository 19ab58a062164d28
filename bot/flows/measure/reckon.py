"""What became of the passages under way, and what is a message of each rule worth? Done once a night."""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.measure.report import figures_in
from db.deciding.expected import keep_expected
from db.deciding.nights import take_night
from followups.measure import Figures, shrunk
from followups.predict.contact import in_goals, risk_of

log = structlog.get_logger()


async def reckon(deps: Deps) -> int:
    """Bring outcomes and expected values up to date, once a night from three o'clock; 1 when it was done.

    Any number of processes may ask at once: one does it. Reports bring the outcomes up to date themselves.
    """
    now = deps.clock.now()

    async def work(session: AsyncSession) -> Figures | None:
        if not await take_night(session, "reckon", now=now):
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

"""Did a rule's trial go well, so that everybody may be written to?"""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.rules.publish import backfill_all, hold_time
from db.deciding.rooms import Canary, CanaryState, Harm, canaries, harm_of, stop_canary
from db.desk import audit
from db.desk.audit import PROGRAM
from db.desk.posts import add_alert
from db.rulebook.publications import set_state
from followups.rules.model import RuleState

log = structlog.get_logger()


async def canary(deps: Deps) -> int:
    """Widen every trial whose pause is over and did no harm; stop those that did; how many of both.

    Harm is one failed send, or one person who stopped or blocked. It stops a trial at once, also while it
    counts; then staff hear of it and a person decides.
    """

    async def look(session: AsyncSession) -> list[str]:
        return [each.rule_id for each in await canaries(session)]

    settled = 0
    for rule_id in await deps.db.run(look):

        async def write(session: AsyncSession, rule_id: str = rule_id) -> bool:
            return await _settle(deps, session, rule_id)

        settled += await deps.db.run(write)
    if settled:
        await deps.waker.wake("tick")
        await deps.waker.wake("post")
    return settled


async def _settle(deps: Deps, session: AsyncSession, rule_id: str) -> bool:
    now = deps.clock.now()
    await hold_time(session, deps)
    trial = next((each for each in await canaries(session, is_held=True) if each.rule_id == rule_id), None)
    if trial is None:
        return False
    if harm := await harm_of(session, trial):
        await _stop(deps, session, trial, harm)
        return True
    if trial.state != CanaryState.PAUSING or trial.until is None or now < trial.until:
        return False
    watches = await set_state(session, rule_id, RuleState.LIVE, by=PROGRAM, ids=deps.ids, now=now)
    await backfill_all(session, watches)
    await add_alert(
        session,
        key=f"canary:{rule_id}:{trial.started_at.isoformat()}",
        ja=f"規則 {rule_id}: はじめの {trial.size} 人への試し送りに問題がなく、全員への送信を始めました。",
        en=f"Rule {rule_id}: the first {trial.size} recipients went well; it writes to everybody now.",
        ids=deps.ids,
        now=now,
    )
    log.info("canary.widened", rule_id=rule_id, size=trial.size)
    return True


async def _stop(deps: Deps, session: AsyncSession, trial: Canary, harm: Harm) -> None:
    now = deps.clock.now()
    await stop_canary(session, trial.rule_id)
    await audit.record(
        session,
        actor=PROGRAM,
        action="canary.stopped",
        ids=deps.ids,
        now=now,
        rule_id=trial.rule_id,
        failed=harm.failed,
        left=harm.left,
    )
    await add_alert(
        session,
        key=f"canary:{trial.rule_id}:{trial.started_at.isoformat()}",
        ja=f"規則 {trial.rule_id} の試し送りを止めました: 送信の失敗 {harm.failed} 通、停止・ブロック"
        f" {harm.left} 人。続けるなら yorisoi rules enable {trial.rule_id}、やめるなら"
        f" yorisoi rules pause {trial.rule_id}",
        en=f"The canary of the rule {trial.rule_id} was stopped: {harm.failed} failed sends, {harm.left}"
        f" people stopped or blocked. To go on: yorisoi rules enable {trial.rule_id}; to stop it:"
        f" yorisoi rules pause {trial.rule_id}",
        ids=deps.ids,
        now=now,
    )
    log.warning("canary.stopped", rule_id=trial.rule_id, failed=harm.failed, left=harm.left)

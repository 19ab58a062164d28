"""What follows when a support lead approves or refuses what a rule asked about?"""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from db.deciding.approvals import Approval, ApprovalState, answer, approval_by_id, waiting_approvals
from db.deciding.ticks import mark_dirty
from db.desk.audit import NOBODY
from db.rulebook.scans import ask_scan

log = structlog.get_logger()


async def approve(deps: Deps, approval_id: UUID, *, by: str) -> Approval:
    """Yes: the rule goes on for the rest of the day, or this very text is sent. Who may is for the caller.

    Raises:
        Refused: there is no such question, or it was answered before.
    """
    return await _settle(deps, approval_id, ApprovalState.APPROVED, by=by)


async def refuse(deps: Deps, approval_id: UUID, *, by: str) -> Approval:
    """No: the rule writes to nobody more that day, or the text is dropped.

    Raises:
        Refused: there is no such question, or it was answered before.
    """
    return await _settle(deps, approval_id, ApprovalState.REFUSED, by=by)


async def _settle(deps: Deps, approval_id: UUID, state: ApprovalState, *, by: str) -> Approval:
    async def write(session: AsyncSession) -> Approval:
        return await settle(deps, session, approval_id, state, by=by)

    settled = await deps.db.run(write)
    await deps.waker.wake("tick")
    await deps.waker.wake("decide")
    log.info(
        "approval.settled", rule_id=settled.rule_id, approval_id=str(approval_id), state=state.value, by=by
    )
    return settled


async def settle(
    deps: Deps, session: AsyncSession, approval_id: UUID, state: ApprovalState, *, by: str
) -> Approval:
    """The same inside a transaction of the caller's; wake `tick` and `decide` afterwards.

    Raises:
        Refused: there is no such question, or it was answered before.
    """
    now = deps.clock.now()
    approval = await approval_by_id(session, approval_id)
    if approval is None:
        raise Refused(ja="この承認依頼はもうありません", en="there is no such question any more")
    if not await answer(session, approval, state, by=by, ids=deps.ids, now=now):
        who = approval.answered_by or "—"
        raise Refused(
            ja=f"この承認依頼はもう済んでいます（{approval.state}、{who}）",
            en=f"this was settled before ({approval.state}, by {who})",
        )
    if approval.customer_id == NOBODY:
        await ask_scan(session, {approval.rule_id})
    else:
        await mark_dirty(session, [approval.customer_id], now=now)
    return approval


async def waiting(deps: Deps, rule_id: str | None = None, *, limit: int = 100) -> list[Approval]:
    """What waits for an answer, the oldest first."""
    async with deps.db.begin() as session:
        return await waiting_approvals(session, rule_id=rule_id, limit=limit)

"""Settle: a support lead approves or refuses what a rule asked about."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.rules.approve import settle
from bot.flows.steering.leading import Steering, Told
from db.deciding.approvals import ApprovalState, approval_by_id
from followups.times.zones import local_day, zone_of


async def approve_question(session: AsyncSession, act: Steering) -> Told:
    """Yes.

    Raises:
        Refused: it was answered before, is stale, or its day is over.
    """
    return await _settled(session, act, ApprovalState.APPROVED)


async def refuse_question(session: AsyncSession, act: Steering) -> Told:
    """No.

    Raises:
        Refused: as `approve_question`.
    """
    return await _settled(session, act, ApprovalState.REFUSED)


async def _settled(session: AsyncSession, act: Steering, state: ApprovalState) -> Told:
    try:
        approval_id = UUID(act.subject.name)
    except ValueError:
        raise Refused("このボタンは使えません。", "This button does nothing.") from None
    row = await approval_by_id(session, approval_id)
    if row is not None and row.state == ApprovalState.STALE:
        raise Refused(
            "状況が変わったため、この確認は無効です。必要なら新しい確認が届きます。",
            "Things have changed, so this question is void. A new one comes if it is still needed.",
        )
    if row is not None and row.state != ApprovalState.ASKED and row.answered_at is not None:
        who, at = f"<@{row.answered_by}>", act.at(row.answered_at)
        ja, en = _SAID[ApprovalState(row.state)]
        raise Refused(f"{who}さんが{at}に{ja}しています。", f"{who} {en} this at {at}.")
    today = local_day(act.now, zone_of(act.policy.timezone))
    if row is not None and row.day is not None and row.day < today:
        raise Refused("この日はもう終わりました。", "That day is over.")
    settled = await settle(act.deps, session, approval_id, state, by=act.by)
    ja, en = _SAID[state]
    return Told(
        ja=f"規則 {settled.rule_id}: {ja}しました。", en=f"{settled.rule_id}: {en}.", wakes=("tick", "decide")
    )


_SAID = {ApprovalState.APPROVED: ("承認", "approved"), ApprovalState.REFUSED: ("却下", "refused")}

"""What happens when a customer sends a link code?"""

from __future__ import annotations

from bot.flows.customers.turn import Turn
from db.customers import LinkCode
from db.line_users import LinkOutcome, link, spend, user_of
from db.posts import add_alert


async def link_by_code(turn: Turn, code: LinkCode) -> None:
    """Let the sender be the customer whom the code was made for; once, within its time.

    Both customers are locked by the caller. A conflict changes nothing but the code, which is spent.
    """
    if not await spend(turn.session, code.code, line_user_id=turn.line_user_id, now=turn.now):
        if not (code.used_by == turn.line_user_id and turn.customer_id == code.customer_id):
            await turn.answer("link_expired")
        return
    outcome = await link(
        turn.session, line_user_id=turn.line_user_id, customer_id=code.customer_id, now=turn.now
    )
    found = await user_of(turn.session, turn.line_user_id)
    assert found is not None
    turn.line_user = found
    match outcome:
        case LinkOutcome.LINKED | LinkOutcome.ALREADY_LINKED:
            turn.wakes.add("decide")
            await turn.answer("linked")
        case LinkOutcome.CUSTOMER_IS_GONE:
            await turn.answer("link_expired")
        case LinkOutcome.CUSTOMER_IS_TAKEN | LinkOutcome.LINE_USER_IS_TAKEN:
            await turn.answer("link_conflict")
            await _tell_staff(turn, code, outcome)


async def _tell_staff(turn: Turn, code: LinkCode, outcome: LinkOutcome) -> None:
    is_customer = outcome is LinkOutcome.CUSTOMER_IS_TAKEN
    await add_alert(
        turn.session,
        key=f"link:{code.code}",
        ja=f"LINE 連携の重複: {turn.line_user_id} を customer_id {code.customer_id} に連携できませんでした"
        + ("（お客様は別の LINE と連携済み）。" if is_customer else "（この LINE は別のお客様と連携済み）。")
        + "ご本人に確認のうえ、古い連携の解除が必要か判断してください。",
        en=f"LINE link conflict: {turn.line_user_id} was not linked to customer_id {code.customer_id}, "
        + ("who has another LINE user already." if is_customer else "because it is another customer's.")
        + " Ask the person, then decide whether the old link should go.",
        ids=turn.deps.ids,
        now=turn.now,
    )
    turn.wakes.add("post")

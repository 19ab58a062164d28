"""What happens when a customer connects this chat with their account in the product, or ends that?"""

from __future__ import annotations

from uuid import UUID

from bot.flows.customers.turn import Turn
from db.desk.posts import add_alert
from db.people.customers import LinkCode, customer_id_of_line_user
from db.people.line_users import LinkOutcome, link, spend, user_of
from db.people.linking import LinkNonce, LinkRequest, ask_for_dialog, spend_nonce, unlink


async def link_by_code(turn: Turn, code: LinkCode) -> None:
    """Let the sender be the customer whom the code was made for; once, within its time.

    Both customers are locked by the caller. A conflict changes nothing but the code, which is spent.
    """
    if not await spend(turn.session, code.code, line_user_id=turn.line_user_id, now=turn.now):
        if not (code.used_by == turn.line_user_id and turn.customer_id == code.customer_id):
            await turn.answer("link_expired")
        return
    await _link(turn, code.customer_id, key=code.code)


async def link_by_nonce(turn: Turn, nonce: LinkNonce | None) -> None:
    """LINE's dialog says that its user agreed to be the customer whom the nonce was made for."""
    if nonce is None:
        await turn.answer("link_expired")
    elif await spend_nonce(turn.session, nonce, line_user_id=turn.line_user_id, now=turn.now):
        await _link(turn, nonce.customer_id, key=nonce.nonce_hash[:16])
    elif not (nonce.used_by == turn.line_user_id and turn.customer_id == nonce.customer_id):
        await turn.answer("link_expired")


async def offer_dialog(turn: Turn) -> None:
    """They want to connect: LINE is asked for a token after the commit, and the button follows."""
    if turn.event.is_standby:
        return
    if turn.deps.settings.line_link_page is None:
        await turn.answer("link_no_page")
        return
    request = LinkRequest(
        line_user_id=turn.line_user_id,
        event_id=turn.event.event_id,
        language=turn.language,
        reply_token=turn.event.reply_token,
        reply_until=turn.event.reply_until,
        asked_at=turn.now,
        not_before=turn.now,
    )
    await ask_for_dialog(turn.session, request)
    turn.wakes.add("offer_link")


async def end_link(turn: Turn) -> None:
    """They want the connection to end: it does, at once."""
    if turn.customer_id == customer_id_of_line_user(turn.line_user_id):
        await turn.answer("not_linked")
        return
    await unlink(turn.session, turn.customer_id, now=turn.now)
    found = await user_of(turn.session, turn.line_user_id)
    assert found is not None
    turn.line_user = found
    turn.wakes.add("decide")
    await turn.answer("unlinked")


async def _link(turn: Turn, customer_id: UUID, *, key: str) -> None:
    outcome = await link(turn.session, line_user_id=turn.line_user_id, customer_id=customer_id, now=turn.now)
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
            await _tell_staff(turn, customer_id, outcome, key=key)


async def _tell_staff(turn: Turn, customer_id: UUID, outcome: LinkOutcome, *, key: str) -> None:
    is_customer = outcome is LinkOutcome.CUSTOMER_IS_TAKEN
    await add_alert(
        turn.session,
        key=f"link:{key}",
        ja=f"LINE 連携の重複: LINE の {turn.customer_id} を customer_id {customer_id} に連携できませんでした"
        + ("（お客様は別の LINE と連携済み）。" if is_customer else "（この LINE は別のお客様と連携済み）。")
        + "ご本人に確認のうえ、古い連携の解除が必要か判断してください。",
        en=f"LINE link conflict: {turn.customer_id} on LINE was not linked to customer_id {customer_id}, "
        + ("who has another LINE user already." if is_customer else "because it is another customer's.")
        + " Ask the person, then decide whether the old link should go.",
        ids=turn.deps.ids,
        now=turn.now,
    )
    turn.wakes.add("post")

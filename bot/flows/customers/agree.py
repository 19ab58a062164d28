"""What happens when a customer answers the question whether we may write to them?"""

from __future__ import annotations

from bot.flows.customers.turn import Turn
from db.deciding.ticks import mark_dirty
from db.people.consents import is_granted, record
from db.talk.messages import MessageKind, cancel_queued, latest_wording
from prompts.texts import system_text


async def agree(turn: Turn, *, is_yes: bool, purpose: str | None = None) -> None:
    """Write the answer into the ledger, as said at the event's time, and confirm a change.

    Old buttons and second taps are answers like any other; only a change is confirmed.

    Args:
        purpose: what was asked about; None: the purpose asked about on follow.
    """
    template = "consent" if purpose is None else "consent_purpose"
    purpose = purpose or turn.book.policy.default_purpose
    before = await is_granted(turn.session, turn.customer_id, purpose)
    wording = await latest_wording(turn.session, turn.customer_id, f"system/{template}")
    await record(
        turn.session,
        customer_id=turn.customer_id,
        purposes=[purpose],
        is_granted=is_yes,
        event_id=turn.event.event_id,
        at=turn.event.at,
        source="line:button",
        now=turn.now,
        wording=wording or system_text(template).wording_of(turn.language),
        line_user_id=turn.line_user_id,
    )
    after = await is_granted(turn.session, turn.customer_id, purpose)
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    turn.wakes.add("decide")
    if not after and template == "consent":
        await cancel_queued(
            turn.session,
            turn.customer_id,
            because="consent: お知らせは不要とのこと",
            now=turn.now,
            kinds=[MessageKind.RULE, MessageKind.QUESTION],
        )
    if after != is_yes:
        return  # something newer counts
    if is_yes and not before:
        await turn.answer("agreed")
    elif not is_yes:
        await turn.answer("declined")

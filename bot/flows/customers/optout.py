"""What happens when a customer wants no more messages, or takes that back?"""

from __future__ import annotations

from bot.flows.customers.turn import Turn
from db.deciding.ticks import mark_dirty
from db.desk.posts import touch_card
from db.people.consents import current, last_optout, record, standing_before
from db.talk.messages import MessageKind, cancel_queued

WORD = "line:optout-word"
BUTTON = "line:optout-button"


async def optout(turn: Turn, *, source: str) -> None:
    """Stop everything for every purpose, in this transaction, and confirm with an undo.

    Counts however old the event is; what was agreed to after it stays agreed.
    """
    ledger = (await current(turn.session, [turn.customer_id])).get(turn.customer_id, {})
    await record(
        turn.session,
        customer_id=turn.customer_id,
        purposes=turn.purposes() | set(ledger),
        is_granted=False,
        event_id=turn.event.event_id,
        at=turn.event.at,
        source=source,
        now=turn.now,
        line_user_id=turn.line_user_id,
    )
    after = (await current(turn.session, [turn.customer_id]))[turn.customer_id]
    if any(entry.is_granted for entry in after.values()):
        return  # they have agreed since: this event comes late
    await cancel_queued(
        turn.session,
        turn.customer_id,
        because="consent: 配信停止の希望",
        now=turn.now,
        kinds=[MessageKind.RULE, MessageKind.QUESTION, MessageKind.PERSON, MessageKind.ANSWER],
    )
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    await touch_card(turn.session, turn.customer_id, now=turn.now)
    turn.wakes |= {"decide", "post"}
    await turn.answer("stopped")


async def undo(turn: Turn) -> None:
    """Go back to what counted before the last opt-out; nothing comes back that was not there."""
    stopped_at = await last_optout(
        turn.session, turn.customer_id, sources=[WORD, BUTTON], before=turn.event.at
    )
    if stopped_at is None:
        return
    before = await standing_before(turn.session, turn.customer_id, at=stopped_at)
    restored = {purpose for purpose, is_granted in before.items() if is_granted}
    now_standing = (await current(turn.session, [turn.customer_id])).get(turn.customer_id, {})
    restored = {purpose for purpose in restored if not now_standing[purpose].is_granted}
    if not restored:
        return
    await record(
        turn.session,
        customer_id=turn.customer_id,
        purposes=restored,
        is_granted=True,
        event_id=turn.event.event_id,
        at=turn.event.at,
        source="line:optout-undo",
        now=turn.now,
        line_user_id=turn.line_user_id,
    )
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    turn.wakes.add("decide")
    await turn.answer("resumed")

"""What happens when a customer wants no more messages, or takes that back?"""

from __future__ import annotations

from bot.flows.customers.turn import Turn
from db.deciding.ticks import mark_dirty
from db.desk.posts import touch_card
from db.people.consents import EVERYTHING, STOP_BUTTON, STOP_UNDONE, STOP_WORD, current, record
from db.talk.messages import MessageKind, cancel_queued

WORD, BUTTON = STOP_WORD, STOP_BUTTON


async def optout(turn: Turn, *, source: str) -> None:
    """Stop everything for every purpose, in this transaction, and confirm with an undo.

    Counts however old the event is; what was agreed to after it stays agreed.
    """
    ledger = (await current(turn.session, [turn.customer_id])).get(turn.customer_id, {})
    await record(
        turn.session,
        customer_id=turn.customer_id,
        purposes={EVERYTHING, *turn.purposes(), *ledger},
        is_granted=False,
        event_id=turn.event.event_id,
        at=turn.event.at,
        source=source,
        now=turn.now,
        line_user_id=turn.line_user_id,
    )
    if await _granted(turn):
        return  # they have agreed since, or taken it back: this event comes late
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
    """Take the last stop back: what counted before it counts again, and nothing that was not there.

    One more line of the ledger, which says so of any stop, known already or arriving later.
    """
    before = await _granted(turn)
    await record(
        turn.session,
        customer_id=turn.customer_id,
        purposes=[EVERYTHING],
        is_granted=True,
        event_id=turn.event.event_id,
        at=turn.event.at,
        source=STOP_UNDONE,
        now=turn.now,
        line_user_id=turn.line_user_id,
    )
    if await _granted(turn) == before:
        return
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    turn.wakes.add("decide")
    await turn.answer("resumed")


async def _granted(turn: Turn) -> set[str]:
    ledger = (await current(turn.session, [turn.customer_id])).get(turn.customer_id, {})
    return {purpose for purpose, entry in ledger.items() if entry.is_granted}

"""What happens when a customer adds, unblocks or blocks the account?"""

from __future__ import annotations

from bot.flows.customers.turn import Turn
from db.deciding.ticks import mark_dirty
from db.people.consents import EVERYTHING, current, record
from db.people.line_users import befriend, block
from db.talk.messages import cancel_queued


async def follow(turn: Turn) -> None:
    """They are a friend from now on, and are asked for consent unless a yes counts.

    Friendship is not consent. Coming back after blocking revives nothing: blocking was a no (`unfollow`).
    """
    if not await befriend(turn.session, turn.line_user_id, at=turn.event.at):
        return  # a newer event is known
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    turn.wakes.add("decide")
    known = (await current(turn.session, [turn.customer_id])).get(turn.customer_id, {})
    agreed = known.get(turn.book.policy.default_purpose)
    if agreed is None or not agreed.is_granted:
        await turn.answer("consent")


async def unfollow(turn: Turn) -> None:
    """They blocked us: nothing waits for them any more, and what they once agreed to has ended.

    The no is one more line of the ledger, at the time of the event: so the order in which events arrive
    makes no difference, and nothing that was written before is changed.
    """
    await record(
        turn.session,
        customer_id=turn.customer_id,
        purposes={EVERYTHING, *turn.purposes(), *await _purposes_in_ledger(turn)},
        is_granted=False,
        event_id=turn.event.event_id,
        at=turn.event.at,
        source="line:unfollow",
        now=turn.now,
        line_user_id=turn.line_user_id,
    )
    if await block(turn.session, turn.line_user_id, at=turn.event.at):
        await cancel_queued(
            turn.session, turn.customer_id, because="blocked: LINE でブロックされた", now=turn.now
        )
    await mark_dirty(turn.session, [turn.customer_id], now=turn.now)
    turn.wakes.add("decide")


async def _purposes_in_ledger(turn: Turn) -> set[str]:
    return set((await current(turn.session, [turn.customer_id])).get(turn.customer_id, {}))

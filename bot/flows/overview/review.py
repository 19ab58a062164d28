"""Review: a person decides what becomes of a message that failed, or may have."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.staff.acting import Answer
from bot.slack.ids import Action
from bot.slack.overview.orders import Order, message_of_value
from db.desk import audit
from db.desk.posts import touch_card
from db.people.customers import lock_customers
from db.talk import troubled
from db.talk.messages import Message, MessageState, replay


async def review(session: AsyncSession, deps: Deps, order: Order) -> Answer:
    """Send it again, or leave it; one whose outcome is unknown may also be found to have arrived.

    What LINE refused for certain goes out under its own key; what LINE may have taken goes out as a message
    of its own, for which the person answers: the customer may get both.

    Raises:
        Refused: it is gone, or somebody decided before.
    """
    place = message_of_value(order.about)
    if place is None:
        raise _gone()
    customer_id, message_id = place
    now = deps.clock.now()
    await lock_customers(session, [customer_id])
    message = await troubled.troubled_one(session, customer_id, message_id)
    if message is None:
        raise _gone()
    await _decide(session, deps, order, message)
    await touch_card(session, customer_id, now=now)
    await audit.record(
        session,
        actor=order.slack_user_id,
        action=f"message.{_WORDS[order.action][0]}",
        ids=deps.ids,
        now=now,
        customer_id=customer_id,
        message_id=message_id,
        state=message.state,
    )
    _, ja, en = _WORDS[order.action]
    return Answer(ja=ja, en=en)


_WORDS = {
    Action.REPLAY: ("replayed", "もう一度送ります。", "It is being sent again."),
    Action.ARRIVED: ("confirmed", "届いたものとして記録しました。", "Noted as arrived."),
    Action.AGAIN: ("sent_again", "送り直します。", "It is being sent again, as a new message."),
    Action.LEAVE: ("left", "このままにしました。", "Left as it is."),
}


async def _decide(session: AsyncSession, deps: Deps, order: Order, message: Message) -> None:
    now, by = deps.clock.now(), order.slack_user_id
    state = MessageState(message.state)
    is_unknown = state is MessageState.UNKNOWN
    if message.reviewed_by is not None or not (is_unknown or state is MessageState.DEAD):
        raise _settled(message)
    match order.action:
        case Action.REPLAY if state is MessageState.DEAD:
            is_done = await replay(session, message.customer_id, message.message_id, now=now)
        case Action.AGAIN if is_unknown:
            promised = await troubled.promise_again(session, message, ids=deps.ids, now=now)
            is_done = promised is not None and await troubled.reviewed(
                session, message, by=by, has_arrived=False, now=now
            )
        case Action.ARRIVED if is_unknown:
            is_done = await troubled.reviewed(session, message, by=by, has_arrived=True, now=now)
        case Action.LEAVE:
            is_done = await troubled.reviewed(session, message, by=by, has_arrived=False, now=now)
        case _:
            is_done = False
    if not is_done:
        raise _settled(message)


def _gone() -> Refused:
    return Refused("このメッセージはもうありません。", "This message does not exist any more.")


def _settled(message: Message) -> Refused:
    who = f"<@{message.reviewed_by}>" if message.reviewed_by else ""
    return Refused(
        f"このメッセージは{who + 'さんが' if who else ''}先に処理しています（いまの状態: {message.state}）。",
        f"This message was settled before{' by ' + who if who else ''} (state: {message.state}).",
    )

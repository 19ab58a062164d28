"""Who answers what a customer wrote: the person who holds the conversation, a script, the knowledge?"""

from __future__ import annotations

from bot.flows.answers.scripts import scripts_in_force
from bot.flows.answers.speaking import Hours, pass_on, promise_answer, with_note
from bot.flows.customers.hear import hear_line, keep, listener_of, put_in_thread
from bot.flows.customers.turn import Turn
from bot.line.bubbles import Press, menu_data, tap_data
from bot.line.inbound import Said
from db.desk.leads import open_lead, wake_on_activity
from db.intake.events import NewEvent, take_in
from db.people.line_users import spoke_at
from db.rulebook.knowledge import is_any
from db.talk.answers import AnswerRow, AnswerState, ask
from db.talk.conversations import PERSON, InboundLine, current, hand_over, hear
from followups.answers.intent import Intent, intent_of, is_pleasantry
from followups.answers.openings import hours_said
from followups.answers.passages import language_of
from followups.answers.scripts import Choice, Script, in_language

PERSON_SCRIPT = "person"
"""The choice under every automatic answer; works without a script of that name, too."""


async def converse(turn: Turn, said: Said) -> None:
    """Answer what they wrote, have it answered, or hand it over. Stop words and codes were looked at before.

    A running scenario only listens: what they wrote is recorded as `$replied` in every case.
    """
    talk = await current(turn.session, turn.customer_id)
    if turn.event.is_standby or turn.is_late or (talk is not None and talk.mode == PERSON):
        await hear_line(turn, said)
        return
    script = (await scripts_in_force(turn.session)).answer_to(said.text)
    if script is not None:
        if await keep(turn, said, opens=script.is_handing_over) is not None:
            await give(turn, script, key=turn.event.event_id)
            await _seen(turn, said.line_message_id)
        return
    if is_pleasantry(said.text):
        if await keep(turn, said, opens=False) is not None:
            await _seen(turn, said.line_message_id)
        return
    if await keep(turn, said, opens=True) is None:
        return
    intent = intent_of(said.text)
    is_for_people = intent in {Intent.COMPLAINT, Intent.WISH}
    if is_for_people or not (turn.deps.answerer is not None or await is_any(turn.session)):
        await _pass_on(turn, intent)
    else:
        await _have_answered(turn, said)
    await _seen(turn, said.line_message_id)


async def choose(turn: Turn, script_id: str, *, line_message_id: str | None, label: str | None) -> None:
    """They chose from a menu: give that answer, unless a person holds the conversation.

    Args:
        line_message_id: where the label was typed by hand, the message it was typed in.
        label: the words, where known.
    """
    talk = await current(turn.session, turn.customer_id)
    script = (await scripts_in_force(turn.session)).by_id.get(script_id)
    is_known = script is not None or script_id == PERSON_SCRIPT
    is_handing_over = script is None or script.is_handing_over
    is_persons = talk is not None and talk.mode == PERSON
    line = InboundLine(
        customer_id=turn.customer_id,
        line_message_id=line_message_id or f"tap:{turn.event.event_id}",
        kind="tap",
        text=label or script_id,
        details={"menu": script_id},
        at=turn.event.at,
    )
    heard = await hear(turn.session, line, now=turn.now, opens=is_handing_over and is_known)
    if heard is None or not is_known:
        return
    await spoke_at(turn.session, turn.line_user_id, at=turn.event.at)
    if not is_persons and not turn.event.is_standby:
        if script is not None:
            await give(turn, script, key=turn.event.event_id)
        else:
            await _pass_on(turn, Intent.WISH)
    turn.wakes.add("decide")
    await _seen(turn, line.line_message_id)


async def give(turn: Turn, script: Script, *, key: str) -> None:
    """Give a scripted answer, with what follows from it: an event, a lead, a person from now on."""
    listener = listener_of(turn)
    hours = Hours.at(turn.now, turn.book.policy, turn.language)
    slots = {
        "hours": hours_said(turn.book.policy.business_hours, turn.language),
        "next_opening": hours.next_opening,
    }
    text = script.words(turn.language, is_open=hours.is_open)
    for slot, value in slots.items():
        text = text.replace(f"{{{slot}}}", value)
    if not script.is_handing_over:
        text = await with_note(turn.session, text, listener, hours, now=turn.now)
    await promise_answer(
        turn.session,
        turn.deps,
        listener,
        template=f"script/{script.id}",
        key=key,
        text=text,
        presses=[_press(each, turn.language) for each in script.choices],
        now=turn.now,
    )
    turn.wakes.add("deliver")
    if script.signal is not None:
        event = NewEvent(turn.customer_id, script.signal, turn.event.at, f"line:{turn.event.event_id}:script")
        await take_in(turn.session, [event], now=turn.now)
        turn.wakes.add("decide")
    if script.lead is not None:
        await open_lead(
            turn.session,
            customer_id=turn.customer_id,
            source="message",
            reason_ja=in_language(script.lead, "ja"),
            reason_en=in_language(script.lead, "en"),
            ids=turn.deps.ids,
            now=turn.now,
        )
        turn.wakes |= {"post", "draft"}
    if script.is_handing_over:
        await hand_over(turn.session, turn.customer_id, because=f"script {script.id}", now=turn.now)
    elif await wake_on_activity(turn.session, turn.customer_id, ids=turn.deps.ids, now=turn.now):
        turn.wakes.add("post")


def _press(choice: Choice, language: str) -> Press:
    label = in_language(choice.label, language)
    if choice.to is not None:
        return Press(label=label, sends=menu_data(choice.to))
    return Press(label=label, sends=tap_data(choice.signal or "", is_lead=choice.is_lead, message_id=None))


async def _pass_on(turn: Turn, intent: Intent) -> None:
    await pass_on(
        turn.session,
        turn.deps,
        listener_of(turn),
        intent,
        key=turn.event.event_id,
        policy=turn.book.policy,
        now=turn.now,
    )
    turn.wakes |= {"post", "draft", "deliver"}


async def _have_answered(turn: Turn, said: Said) -> None:
    """Reading, looking up and writing take seconds: they are done outside this transaction."""
    listener = listener_of(turn)
    await ask(
        turn.session,
        AnswerRow(
            customer_id=turn.customer_id,
            answer_id=turn.deps.ids.uuid(),
            state=AnswerState.ASKED,
            line_message_id=said.line_message_id,
            line_user_id=turn.line_user_id,
            language=turn.language if turn.language.startswith("ja") else language_of(said.text),
            reply_token=listener.reply_token,
            reply_token_until=listener.reply_until,
            asked_at=turn.now,
            not_before=turn.now,
        ),
    )
    turn.wakes.add("answer")


async def _seen(turn: Turn, line_message_id: str) -> None:
    """Staff see it where a lead is open; a snoozed one comes back."""
    if await wake_on_activity(turn.session, turn.customer_id, ids=turn.deps.ids, now=turn.now):
        turn.wakes.add("draft")
    await put_in_thread(turn, line_message_id)
    turn.wakes.add("post")

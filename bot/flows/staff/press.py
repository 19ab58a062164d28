"""Press: what people in Slack asked for takes effect, each press once, and they are told."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.leads.claim import claim
from bot.flows.leads.close_lead import close_lost, close_sent, close_won
from bot.flows.leads.dismiss import dismiss
from bot.flows.leads.give_back import give_back
from bot.flows.leads.snooze import snooze
from bot.flows.overview.home import show_home
from bot.flows.replies.edit_draft import edit_draft
from bot.flows.replies.offer_file import offer_file
from bot.flows.replies.regenerate import regenerate
from bot.flows.replies.send_draft import send_draft
from bot.flows.replies.send_file import send_file
from bot.flows.replies.undo_send import undo_send
from bot.flows.staff.acting import Act, Actor, Answer, actor_of
from bot.flows.steering.steer import take_steer
from bot.slack.ids import Action
from bot.slack.mrkdwn import escaped
from bot.slack.presses import KIND, Press
from bot.slack.rule_blocks import steers
from db.desk import audit
from db.desk.leads import lead_by_id
from db.desk.posts import touch_lead
from db.intake import inbox
from db.intake.inbox import InboxRow
from db.rulebook.rules import current_rulebook

log = structlog.get_logger()

PREFIX = "slack:"
SOURCES_AT_ONCE = 100
AFTERWARDS = ("deliver", "post", "draft", "refresh_homes")

Story = Callable[[AsyncSession, Act], Awaitable[Answer]]

STORIES: Mapping[Action, Story] = {
    Action.SEND: send_draft,
    Action.EDIT: edit_draft,
    Action.REGENERATE: regenerate,
    Action.CLAIM: claim,
    Action.SNOOZE: snooze,
    Action.DISMISS: dismiss,
    Action.WON: close_won,
    Action.LOST: close_lost,
    Action.SENT: close_sent,
    Action.GIVE_BACK: give_back,
    Action.FILE: send_file,
    Action.UNDO: undo_send,
}
"""One story for each button."""


async def press(deps: Deps) -> int:
    """Take what waits from Slack, lead by lead, in order; how many rows are done."""
    if deps.slack is None:
        return 0
    done = 0
    async with deps.db.begin() as session:
        sources = await inbox.waiting_sources(session, PREFIX, limit=SOURCES_AT_ONCE, now=deps.clock.now())
    for source in sources:
        while await _take_one(deps, source):
            done += 1
    if done:
        for story in AFTERWARDS:
            await deps.waker.wake(story)
    return done


async def _take_one(deps: Deps, source: str) -> bool:
    """Carry out the earliest row of a source; False: none is left, or Slack is out of reach."""
    now = deps.clock.now()
    async with deps.db.begin() as session:
        seen = await inbox.take_next(session, source, now=now)
    if seen is None:
        return False
    if seen.kind == steers.KIND:
        return await take_steer(deps, seen)
    if seen.kind != KIND:
        return await _take_event(deps, seen)
    try:
        pressed = Press.decode(seen.raw)
    except (ValueError, KeyError, TypeError):
        log.exception("press.unreadable", event_id=seen.event_id)
        return await _put_aside(deps, seen, because="unreadable")
    actor: Actor | None = None
    denied = Refused("", "")
    try:
        actor = await actor_of(deps, pressed.slack_user_id)
    except Refused as told:
        denied = told
    except Unavailable as error:
        log.warning("press.waiting", because=str(error))
        return False
    try:
        taken = await deps.db.run(lambda session: _settle(session, deps, pressed, actor or denied, seen))
    except Exception:
        ref = deps.ids.token()[:8]
        log.exception(
            "press.failed", ref=ref, action=pressed.action.value, lead_id=str(pressed.target.lead_id)
        )
        if await _failed(deps, seen, because=ref):
            await _tell(deps, pressed, broken(ref))
        return False
    if taken is None:
        return True  # somebody else was faster with this row; look for the next one
    log.info(
        "lead.pressed",
        action=pressed.action.value,
        lead_id=str(pressed.target.lead_id),
        by=pressed.slack_user_id,
        is_refused=taken.is_refused,
    )
    await _tell(deps, pressed, taken)
    return True


async def _settle(
    session: AsyncSession, deps: Deps, pressed: Press, actor: Actor | Refused, seen: InboxRow
) -> Answer | None:
    """The effects and the mark that they happened, in one transaction; None: the row is gone."""
    now = deps.clock.now()
    row = await inbox.take_next(session, seen.source, now=now)
    if row is None or row.event_id != seen.event_id:
        return None
    refused: Refused | None = None
    answer = Answer()
    if isinstance(actor, Refused):
        refused = actor
        lead_id = pressed.target.lead_id
        await audit.record(
            session,
            actor=pressed.slack_user_id,
            action="press.refused",
            lead_id=lead_id,
            ids=deps.ids,
            now=now,
        )
    else:
        try:
            async with session.begin_nested():
                answer = await _carry_out(session, deps, pressed, actor, row)
        except Refused as told:
            refused = told
            if (lead := await lead_by_id(session, pressed.target.lead_id)) is not None:
                await touch_lead(session, customer_id=lead.customer_id, lead_id=lead.lead_id)
    await inbox.done(session, [row], now=now, because=str(refused) if refused else None)
    return Answer(ja=refused.ja, en=refused.en, is_refused=True) if refused else answer


async def _carry_out(
    session: AsyncSession, deps: Deps, pressed: Press, actor: Actor, row: InboxRow
) -> Answer:
    story = STORIES.get(pressed.action)
    if story is None:
        raise Refused("このボタンはまだ使えません。", "This button does nothing yet.")
    book = await current_rulebook(session)
    act = Act(
        deps=deps,
        actor=actor,
        target=pressed.target,
        policy=book.policy,
        now=deps.clock.now(),
        received_at=row.received_at,
        form=pressed.form,
    )
    return await story(session, act)


async def _take_event(deps: Deps, seen: InboxRow) -> bool:
    """An event. Plain messages stay internal: nothing written in a thread reaches a customer by itself."""
    try:
        event = json.loads(seen.raw).get("event") or {}
    except (ValueError, AttributeError):
        event = {}
    if event.get("type") == "app_home_opened" and event.get("tab") == "home":
        await show_home(deps, str(event.get("user")))
    if event.get("files"):
        try:
            await offer_file(deps, event)
        except Unavailable as error:
            log.warning("press.waiting", because=str(error))
            return False
        except Exception:
            log.exception("press.failed", event_id=seen.event_id)
            return await _failed(deps, seen, because="files")
    return await _put_aside(deps, seen, because=None)


async def _put_aside(deps: Deps, seen: InboxRow, *, because: str | None) -> bool:
    now = deps.clock.now()
    async with deps.db.begin() as session:
        row = await inbox.take_next(session, seen.source, now=now)
        if row is not None and row.event_id == seen.event_id:
            await inbox.done(session, [row], now=now, because=because)
        return row is not None


async def _failed(deps: Deps, seen: InboxRow, *, because: str) -> bool:
    async with deps.db.begin() as session:
        return await inbox.failed(session, seen, because=because, now=deps.clock.now())


def broken(ref: str) -> Answer:
    """What a person is told when something of ours broke."""
    return Answer(
        ja=f"うまくいきませんでした。管理者に番号 {ref} を伝えてください。",
        en=f"Something went wrong. Give your administrator the number {ref}.",
    )


_MENTION = re.compile(r"<@([A-Z0-9]+)>")


async def _tell(deps: Deps, pressed: Press, answer: Answer) -> None:
    """Whisper the answer where the button was pressed; losing it is harmless, the card shows the state."""
    assert deps.slack is not None
    channel = pressed.channel or deps.settings.slack_leads_channel
    if answer.ja is None or answer.en is None or channel is None:
        return
    try:
        profile = await deps.slack.profile(pressed.slack_user_id)
        text = answer.ja if profile.language == "ja" else answer.en
        for slack_user_id in set(_MENTION.findall(text)):
            who = await deps.slack.profile(slack_user_id)
            text = text.replace(f"<@{slack_user_id}>", escaped(who.name))
        await deps.slack.whisper(
            channel=channel, slack_user_id=pressed.slack_user_id, text=text, thread_ts=pressed.thread_ts
        )
    except (Unavailable, Refused) as error:
        log.warning("press.not_told", because=str(error))

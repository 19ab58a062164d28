"""Steer: what support leads asked of rules in Slack takes effect, each press once, and they are told."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.overview.home import show_home
from bot.flows.rules.publish import scan_all
from bot.flows.staff.acting import Actor, Answer
from bot.flows.steering.ask_forecast import ask_for_forecast
from bot.flows.steering.leading import Steering, Told, lead_of
from bot.flows.steering.save_change import save_change
from bot.flows.steering.settle_question import approve_question, refuse_question
from bot.flows.steering.toggle import pause_everything, resume_everything, toggle
from bot.flows.steering.undo_version import undo_version
from bot.slack.ids import Action
from bot.slack.mrkdwn import escaped
from bot.slack.rule_blocks.steers import Steer
from db.desk import audit
from db.intake import inbox
from db.intake.inbox import InboxRow
from db.rulebook.rules import current_rulebook
from followups.rules.parsing import RuleError

log = structlog.get_logger()

Story = Callable[[AsyncSession, Steering], Awaitable[Told]]

STORIES: Mapping[Action, Story] = {
    Action.RULE_TOGGLE: toggle,
    Action.PAUSE_ALL: pause_everything,
    Action.RESUME_ALL: resume_everything,
    Action.APPROVE: approve_question,
    Action.REFUSE: refuse_question,
    Action.RULE_EDIT: save_change,
    Action.RULE_ROLLBACK: undo_version,
    Action.RULE_BACKTEST: ask_for_forecast,
}
"""One story for each button that changes something, and for the form."""
_MENTION = re.compile(r"<@([A-Z0-9]+)>")


async def take_steer(deps: Deps, seen: InboxRow) -> bool:
    """Carry out one row of the inbox; False: it has to wait (Slack, or a fault of ours)."""
    try:
        steer = Steer.decode(seen.raw)
    except (ValueError, KeyError, TypeError):
        log.exception("steer.unreadable", event_id=seen.event_id)
        async with deps.db.begin() as session:
            await inbox.done(session, [seen], now=deps.clock.now(), because="unreadable")
        return True
    who: Actor | Refused
    try:
        who = await lead_of(deps, steer.slack_user_id)
    except Refused as refused:
        who = refused
    except Unavailable as error:
        log.warning("steer.waiting", because=str(error))
        return False
    try:
        told = await deps.db.run(lambda session: _settle(session, deps, steer, who, seen))
    except Exception:
        ref = deps.ids.token()[:8]
        log.exception("steer.failed", ref=ref, action=steer.action.value)
        async with deps.db.begin() as session:
            is_given_up = await inbox.failed(session, seen, because=ref, now=deps.clock.now())
        if is_given_up:
            await tell(deps, steer, _broken(ref))
        return False
    if told is None:
        return True  # somebody else was faster with this row
    log.info("rule.steered", action=steer.action.value, by=steer.slack_user_id, is_refused=told.is_refused)
    if told.is_scanning:
        await scan_all(deps)
    for story in (*told.wakes, "post", "refresh_homes"):
        await deps.waker.wake(story)
    await tell(deps, steer, told)
    return True


async def _settle(
    session: AsyncSession, deps: Deps, steer: Steer, who: Actor | Refused, seen: InboxRow
) -> Told | None:
    """The effects and the mark that they happened, in one transaction; None: the row is gone."""
    now = deps.clock.now()
    row = await inbox.take_next(session, seen.source, now=now)
    if row is None or row.event_id != seen.event_id:
        return None
    refused: Refused | None = None
    told = Told(ja="", en="")
    if isinstance(who, Refused):
        refused = who
        await audit.record(
            session,
            actor=steer.slack_user_id,
            action="press.refused",
            ids=deps.ids,
            now=now,
            asked=steer.action.value,
        )
    else:
        try:
            async with session.begin_nested():
                story = STORIES.get(steer.action)
                if story is None:
                    raise Refused("このボタンはまだ使えません。", "This button does nothing yet.")
                policy = (await current_rulebook(session)).policy
                told = await story(
                    session,
                    Steering(
                        deps=deps, actor=who, steer=steer, policy=policy, now=now, event_id=row.event_id
                    ),
                )
        except Refused as error:
            refused = error
        except RuleError as error:
            refused = _invalid(error)
    await inbox.done(session, [row], now=now, because="refused" if refused else None)
    return Told(ja=refused.ja, en=refused.en, is_refused=True) if refused else told


def _invalid(error: RuleError) -> Refused:
    first = error.problems[0]
    return Refused(
        f"規則として正しくありません: {first.said('ja')}", f"This is no valid rule: {first.said('en')}"
    )


def _broken(ref: str) -> Told:
    return Told(
        ja=f"うまくいきませんでした。管理者に番号 {ref} を伝えてください。",
        en=f"Something went wrong. Give your administrator the number {ref}.",
        is_refused=True,
    )


async def tell(deps: Deps, steer: Steer, told: Told) -> None:
    """Whisper what came of it where it was pressed; a Home tab is shown anew. Losing it is harmless."""
    assert deps.slack is not None
    if steer.is_home:
        notice = Answer(ja=told.ja, en=told.en, is_refused=told.is_refused) if told.ja else None
        await show_home(deps, steer.slack_user_id, notice=notice)
        if told.blocks is None:
            return
    channel = steer.channel or deps.settings.slack_alerts_channel or deps.settings.slack_leads_channel
    if not told.ja or channel is None:
        return
    try:
        profile = await deps.slack.profile(steer.slack_user_id)
        text = escaped_but_people(told.said(profile.language))
        for slack_user_id in set(_MENTION.findall(text)):
            who = await deps.slack.profile(slack_user_id)
            text = text.replace(f"<@{slack_user_id}>", escaped(who.name))
        blocks = list(told.blocks(profile.language)) if told.blocks is not None else []
        if blocks:
            blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text[:3_000]}}, *blocks]
        await deps.slack.whisper(channel=channel, slack_user_id=steer.slack_user_id, text=text, blocks=blocks)
    except (Unavailable, Refused) as error:
        log.warning("steer.not_told", because=str(error))


def escaped_but_people(text: str) -> str:
    """Text for mrkdwn in which nothing but our own mentions of people is markup."""
    return re.sub(r"&lt;([@#])([A-Z0-9]+)&gt;", r"<\1\2>", escaped(text))

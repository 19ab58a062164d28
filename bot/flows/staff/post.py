"""Post: everything promised to Slack appears there, once; cards are rewritten in place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.overview.digest_now import digest_now
from bot.flows.staff.notices import notice
from bot.flows.staff.show_file import show_file
from bot.ports import Posted, Slack
from bot.slack.cards import Written, lead_card
from bot.slack.mrkdwn import escaped
from bot.slack.views import card_of, thread_line
from db.columns import UUID
from db.desk import post_outcomes, posts
from db.desk.lead_cards import line_of, load_context
from db.desk.leads import stand_in, wake_due
from db.desk.posts import DuePost, Post, PostKind, add_alert
from db.desk.routing import leads_to_route
from db.people.customers import lock_customers
from db.rulebook.rules import current_rulebook
from db.talk.files import file_of
from db.talk.messages import message_of

log = structlog.get_logger()

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
MARGIN = timedelta(seconds=25)
"""A request is begun only while this much of the lease is left: it ends before anybody else may look."""
MOST_FAILURES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carried:
    """What became of one row."""

    posted: Posted | None = None
    is_found: bool = False
    until: timedelta | None = None
    because: str = ""
    is_unknown: bool = False
    is_dead: bool = False


async def post(deps: Deps) -> int:
    """Carry out what is due to Slack; how many messages were posted or rewritten.

    Without Slack, or without the channel, rows wait.
    """
    async with deps.db.begin() as session:
        await wake_due(session, ids=deps.ids, now=deps.clock.now())
        has_unrouted = bool(await leads_to_route(session, limit=1))
    if has_unrouted:
        await deps.waker.wake("route")
    kinds = _kinds(deps)
    if deps.slack is None or not kinds:
        return 0
    done = 0
    while True:
        async with deps.db.begin() as session:
            due = await posts.take_due(session, kinds=kinds, now=deps.clock.now())
        if not due:
            return done
        for each in due:
            done += await _carry_out(deps, deps.slack, each)


def _kinds(deps: Deps) -> list[PostKind]:
    kinds = []
    if deps.settings.slack_leads_channel:
        kinds += [PostKind.CARD, PostKind.LINE, PostKind.FILE]
    if deps.settings.slack_alerts_channel or deps.settings.slack_leads_channel:
        kinds += [PostKind.ALERT, PostKind.DIGEST]
    elif deps.settings.slack_digest_channel:
        kinds.append(PostKind.DIGEST)
    return kinds


async def _carry_out(deps: Deps, slack: Slack, due: DuePost) -> bool:
    row = due.post
    try:
        carried = await _try(deps, slack, due)
    except Exception:
        # Ours, or something nobody thought of: it must not hold up the rows behind it for long.
        log.exception("post.failed", post_id=str(row.post_id), kind=row.kind)
        carried = _Carried(because="failed", until=LONGEST_PAUSE, is_dead=row.attempts >= MOST_FAILURES)
    now = deps.clock.now()

    async def note(session: AsyncSession) -> None:
        await lock_customers(session, [row.customer_id])
        if carried.posted is not None:
            await _note(session, row, carried.posted, is_found=carried.is_found)
        elif carried.is_dead:
            await post_outcomes.give_up(session, row, because=carried.because)
            if row.kind != PostKind.ALERT:
                await _tell_refused(session, deps, carried)
        else:
            pause = carried.until or FIRST_PAUSE
            await post_outcomes.put_off(
                session, row, until=now + pause, because=carried.because, is_unknown=carried.is_unknown
            )

    await deps.db.run(note)
    if carried.is_dead:
        log.error("post.refused", post_id=str(row.post_id), kind=row.kind, because=carried.because)
    elif carried.posted is None:
        log.warning("post.put_off", post_id=str(row.post_id), kind=row.kind, because=carried.because)
    return carried.posted is not None


async def _tell_refused(session: AsyncSession, deps: Deps, carried: _Carried) -> None:
    """Leads that cannot be shown must not be missed: once a day and reason, where alerts go."""
    now = deps.clock.now()
    await add_alert(
        session,
        key=f"post_refused:{carried.because[:60]}:{now:%Y-%m-%d}",
        ja=f"見込みのカードをSlackに出せません: {escaped(carried.because)}"
        "。チャンネルがアーカイブや社外共有になっていないか、ボットが参加しているかを確かめてください。"
        "`yorisoi doctor` でも調べられます。",
        en=f"A lead's card could not be posted: {escaped(carried.because)}. See that its channel is neither"
        " archived nor shared with another organisation, and that the bot is in it (`yorisoi doctor`).",
        ids=deps.ids,
        now=now,
    )


async def _note(session: AsyncSession, row: Post, posted: Posted, *, is_found: bool) -> None:
    await post_outcomes.stands(session, row, channel=posted.channel, ts=posted.ts, is_found=is_found)
    if row.kind == PostKind.CARD and row.lead_id is not None:
        await stand_in(session, row.lead_id, channel=posted.channel, ts=posted.ts)


async def _try(deps: Deps, slack: Slack, due: DuePost) -> _Carried:
    row = due.post
    is_unknown = due.is_unknown
    try:
        if row.kind == PostKind.FILE:
            shown = await show_file(deps, slack, row, channel=_channel(deps, row), thread_ts=due.thread_ts)
            return _Carried(posted=shown, is_dead=shown is None, because="nothing to show")
        if is_unknown and (found := await _find(deps, slack, due)) is not None:
            return _Carried(posted=found, is_found=True)
        is_unknown = False
        async with deps.db.begin() as session:
            written = await _written(session, deps, row)
        if written is None:
            return _Carried(is_dead=True, because="nothing to show")
        if deps.clock.now() > row.not_before - MARGIN:
            return _Carried(because="late", is_unknown=due.is_unknown)
        if row.ts is not None and row.channel is not None:
            await slack.update(channel=row.channel, ts=row.ts, text=written.text, blocks=written.blocks)
            return _Carried(posted=Posted(channel=row.channel, ts=row.ts))
        is_unknown = True
        return _Carried(
            posted=await slack.post(
                channel=_channel(deps, row),
                text=written.text,
                blocks=written.blocks,
                thread_ts=due.thread_ts,
                key=row.post_id,
            )
        )
    except Refused as refused:
        return _Carried(is_dead=True, because=str(refused))
    except Unavailable as error:
        return await _after(deps, slack, due, error, is_unknown=is_unknown and error.retry_after is None)


async def _after(deps: Deps, slack: Slack, due: DuePost, error: Unavailable, *, is_unknown: bool) -> _Carried:
    """Slack did not answer: look at once whether it is there all the same, else again later."""
    if is_unknown and not due.is_unknown:
        try:
            found = await _find(deps, slack, due)
        except (Unavailable, Refused):
            found = None
        if found is not None:
            return _Carried(posted=found, is_found=True)
    pause = min(FIRST_PAUSE * 2 ** min(due.post.attempts - 1, 8), LONGEST_PAUSE)
    if error.retry_after is not None:
        pause = timedelta(seconds=max(error.retry_after, 0.5))
    return _Carried(because=str(error), until=pause, is_unknown=is_unknown or due.is_unknown)


async def _find(deps: Deps, slack: Slack, due: DuePost) -> Posted | None:
    row = due.post
    return await slack.find(
        channel=_channel(deps, row),
        key=row.post_id,
        since=row.first_attempt_at or row.created_at,
        thread_ts=due.thread_ts,
    )


def _channel(deps: Deps, row: Post) -> str:
    leads, alerts = deps.settings.slack_leads_channel, deps.settings.slack_alerts_channel
    if row.channel is not None:
        return row.channel
    channel = (alerts or leads) if row.kind in {PostKind.ALERT, PostKind.DIGEST} else leads
    if row.kind == PostKind.DIGEST:
        channel = deps.settings.slack_digest_channel or channel
    assert channel is not None, "rows without a channel are not taken"
    return channel


async def _written(session: AsyncSession, deps: Deps, row: Post) -> Written | None:
    """The message as it has to look now."""
    language = deps.settings.slack_language  # channels have no locale of their own
    if row.kind == PostKind.CARD:
        assert row.lead_id is not None
        context = await load_context(session, row.lead_id, now=deps.clock.now())
        if context is None:
            return None
        value_attribute = (await current_rulebook(session)).policy.routing.value_attribute
        card = card_of(context, language=language, value_attribute=value_attribute)
        return lead_card(card, language=language)
    if row.kind == PostKind.DIGEST:
        return await digest_now(session, row.content, language=language, now=deps.clock.now())
    if "approval_id" in row.content or "forecast_id" in row.content:
        return await notice(session, row.content, language=language, now=deps.clock.now())
    line = message = file = None
    if line_message_id := row.content.get("line_message_id"):
        line = await line_of(session, row.customer_id, str(line_message_id))
    if message_id := row.content.get("message_id"):
        message = await message_of(session, row.customer_id, UUID(str(message_id)))
    if file_id := row.content.get("file_id"):
        file = await file_of(session, row.customer_id, UUID(str(file_id)))
    return thread_line(row.content, line=line, message=message, file=file, language=language)

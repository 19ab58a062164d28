"""Home: a person opens our tab in Slack and sees what needs them; it follows what happens meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.measure.kept_figures import KeptFigures, kept_figures
from bot.flows.overview.standing import standing
from bot.flows.staff.acting import Actor, Answer, actor_of
from bot.ports import Json
from bot.slack.overview.home import PASSING, HomeShown, LeadShown, home_view
from db.desk.homes import HomeLead, home_of, leads_for, looked_at_since, opened, published

log = structlog.get_logger()

MOST_LEADS = 16
LOOKS_FOR = timedelta(hours=8)
"""A tab opened within it is kept up to date; Slack does not tell when it is closed."""
MOST_TABS = 50
_TRIES = 3


def may_steer(deps: Deps, actor: Actor) -> bool:
    """May this person settle failed messages, answer proposals, steer rules? Without a group: everybody."""
    return actor.is_support_lead or not deps.settings.slack_support_leads_group


async def show_home(
    deps: Deps, slack_user_id: str, *, notice: Answer | None = None, page: int | None = None
) -> None:
    """Publish this person's Home tab. What they may not see is not on it. Losing it is harmless.

    Args:
        notice: what came of the button they just pressed; told on the first line.
        page: of the rules; None: the one they were at.
    """
    if deps.slack is None:
        return
    now = deps.clock.now()

    async def note(session: AsyncSession) -> None:
        await opened(session, slack_user_id, page=page, now=now)

    try:
        actor = await actor_of(deps, slack_user_id)
        await deps.db.run(note)
        await _publish(deps, actor, notice=notice, is_forced=True)
    except (Refused, Unavailable) as error:
        log.warning("home.not_shown", because=str(error))


async def refresh_homes(deps: Deps) -> int:
    """Publish the tabs of those who looked lately, where something on them has changed; how many."""
    if deps.slack is None:
        return 0
    async with deps.db.begin() as session:
        lookers = await looked_at_since(session, deps.clock.now() - LOOKS_FOR, limit=MOST_TABS)
    changed = 0
    for slack_user_id in lookers:
        try:
            actor = await actor_of(deps, slack_user_id)
            changed += await _publish(deps, actor, notice=None, is_forced=False)
        except (Refused, Unavailable) as error:
            log.warning("home.not_shown", because=str(error))
            if isinstance(error, Unavailable):
                break
    return changed


async def _publish(deps: Deps, actor: Actor, *, notice: Answer | None, is_forced: bool) -> bool:
    """Guarded by Slack's hash of what stands there: another process may have shown newer things."""
    assert deps.slack is not None
    language, who = actor.profile.language, actor.slack_user_id
    kept = await kept_figures(deps) if may_steer(deps, actor) else None
    for attempt in range(_TRIES):
        async with deps.db.begin() as session:
            known = await home_of(session, who)
            shown = await _gather(session, deps, actor, kept, notice, page=known.page if known else 0)
        view = home_view(shown, language=language)
        digest = _digest(view)
        if not is_forced and known is not None and known.digest == digest:
            return False
        is_last = attempt == _TRIES - 1
        view_hash = await deps.slack.publish_home(
            slack_user_id=who, view=view, view_hash=None if known is None or is_last else known.view_hash
        )
        if view_hash is None:
            continue

        async def note(
            session: AsyncSession, digest: str = digest, view_hash: str | None = view_hash
        ) -> None:
            await published(session, who, digest=digest, view_hash=view_hash, now=deps.clock.now())

        await deps.db.run(note)
        return True
    return False


def _digest(view: Json) -> str:
    """Stands for what is shown, but for what only tells of the moment."""
    blocks = [block for block in view["blocks"] if block.get("block_id") not in PASSING]
    text = json.dumps(blocks, sort_keys=True, ensure_ascii=False)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


async def _gather(
    session: AsyncSession,
    deps: Deps,
    actor: Actor,
    kept: KeptFigures | None,
    notice: Answer | None,
    *,
    page: int,
) -> HomeShown:
    language = actor.profile.language
    mine, free, numbers = await leads_for(session, actor.slack_user_id, limit=MOST_LEADS)
    told = None
    if notice is not None:
        told = notice.ja if language == "ja" else notice.en
        told = f"{'⚠️' if notice.is_refused else '✅'} {told}" if told else None
    return HomeShown(
        mine=await _shown(deps, mine, language),
        mine_number=numbers["mine"],
        unclaimed=await _shown(deps, free, language),
        unclaimed_number=numbers["unclaimed"],
        steering=await standing(session, deps, kept, language=language, page=page)
        if kept is not None
        else None,
        notice=told,
    )


async def _shown(deps: Deps, leads: Sequence[HomeLead], language: str) -> tuple[LeadShown, ...]:
    assert deps.slack is not None
    shown = []
    for each in leads:
        lead = each.lead
        link = None
        if lead.channel is not None and lead.ts is not None:
            link = await deps.slack.link_to(channel=lead.channel, ts=lead.ts)
        reason = lead.reasons[0] if lead.reasons else {}
        shown.append(
            LeadShown(
                name=each.name,
                state=lead.state,
                reason=str(reason.get("ja" if language == "ja" else "en", "")),
                score=lead.score,
                waits_since=_waits(each),
                snoozed_until=lead.snoozed_until if lead.state == "snoozed" else None,
                due_at=lead.remind_at if lead.state == "new" else None,
                offered_to=lead.offered_to if lead.state == "new" else None,
                link=link,
            )
        )
    return tuple(shown)


def _waits(lead: HomeLead) -> datetime | None:
    return lead.last_inbound_at if lead.is_unanswered else None

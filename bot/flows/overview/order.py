"""Order: what people pressed on their App Home or on a digest takes effect, each press once."""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused, Unavailable
from bot.flows.measure.propose import answer_proposal
from bot.flows.overview.home import may_steer, show_home
from bot.flows.overview.review import review
from bot.flows.staff.acting import Actor, Answer, actor_of
from bot.slack.ids import Action
from bot.slack.overview.orders import KIND, PREFIX, Order
from db.desk import audit
from db.intake import inbox
from db.intake.inbox import InboxRow

log = structlog.get_logger()

SOURCES_AT_ONCE = 100
AFTERWARDS = ("deliver", "post", "tick", "refresh_homes")
REVIEWS = frozenset({Action.REPLAY, Action.ARRIVED, Action.AGAIN, Action.LEAVE})


async def order(deps: Deps) -> int:
    """Take what waits, in the order given; how many rows are done."""
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
    try:
        given = Order.decode(seen.raw) if seen.kind == KIND else None
    except (ValueError, KeyError, TypeError):
        given = None
    if given is None:
        log.error("order.unreadable", event_id=seen.event_id)
        async with deps.db.begin() as session:
            if (row := await inbox.take_next(session, source, now=now)) is not None:
                await inbox.done(session, [row], now=now, because="unreadable")
        return True
    who: Actor | Refused
    try:
        who = await actor_of(deps, given.slack_user_id)
    except Refused as told:
        who = told
    except Unavailable as error:
        log.warning("order.waiting", because=str(error))
        return False
    try:
        taken = await deps.db.run(lambda session: _settle(session, deps, given, who, seen))
    except Exception:
        ref = deps.ids.token()[:8]
        log.exception("order.failed", ref=ref, action=given.action.value)
        async with deps.db.begin() as session:
            is_given_up = await inbox.failed(session, seen, because=ref, now=now)
        if is_given_up:
            await _tell(deps, given, _broken(ref))
        return False
    if taken is not None:
        log.info(
            "order.taken", action=given.action.value, by=given.slack_user_id, is_refused=taken.is_refused
        )
        await _tell(deps, given, taken)
    return True


async def _settle(
    session: AsyncSession, deps: Deps, given: Order, who: Actor | Refused, seen: InboxRow
) -> Answer | None:
    """The effects and the mark that they happened, in one transaction; None: somebody was faster."""
    now = deps.clock.now()
    row = await inbox.take_next(session, seen.source, now=now)
    if row is None or row.event_id != seen.event_id:
        return None
    refused: Refused | None = None
    answer = Answer()
    try:
        if isinstance(who, Refused):
            raise who
        async with session.begin_nested():
            answer = await _carry_out(session, deps, given, who)
    except Refused as told:
        refused = told
        await audit.record(
            session,
            actor=given.slack_user_id,
            action="order.refused",
            ids=deps.ids,
            now=now,
            asked=given.action.value,
        )
    await inbox.done(session, [row], now=now, because=str(refused) if refused else None)
    return Answer(ja=refused.ja, en=refused.en, is_refused=True) if refused else answer


async def _carry_out(session: AsyncSession, deps: Deps, given: Order, actor: Actor) -> Answer:
    if given.action is Action.HOME_PAGE:
        return Answer()
    if not may_steer(deps, actor):
        raise Refused(
            "この操作は、サポート責任者のグループのメンバーだけができます。",
            "Only members of the support-lead group can do this.",
        )
    if given.action in REVIEWS:
        return await review(session, deps, given)
    return await answer_proposal(session, deps, given)


def _broken(ref: str) -> Answer:
    return Answer(
        ja=f"うまくいきませんでした。管理者に番号 {ref} を伝えてください。",
        en=f"Something went wrong. Give your administrator the number {ref}.",
        is_refused=True,
    )


async def _tell(deps: Deps, given: Order, answer: Answer) -> None:
    """Where it was pressed: the App Home's first line, elsewhere a whisper. Losing it is harmless."""
    assert deps.slack is not None
    try:
        if given.channel is None:
            page = int(given.about) if given.action is Action.HOME_PAGE and given.about.isdecimal() else None
            await show_home(deps, given.slack_user_id, notice=answer, page=page)
        elif answer.ja is not None and answer.en is not None:
            profile = await deps.slack.profile(given.slack_user_id)
            text = answer.ja if profile.language == "ja" else answer.en
            await deps.slack.whisper(channel=given.channel, slack_user_id=given.slack_user_id, text=text)
    except (Unavailable, Refused) as error:
        log.warning("order.not_told", because=str(error))

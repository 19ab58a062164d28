"""What do the events that LINE sent us mean, and what follows from each?

One event, one transaction: its effects and its `done_at` commit together. Events of one person are taken in
order of their time, but no effect relies on it. A row that raises rests and is tried again, a bounded number
of times, without holding up others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Unavailable
from bot.flows.customers.agree import agree
from bot.flows.customers.follow import follow, unfollow
from bot.flows.customers.hear import hear_line, note_line, take_back
from bot.flows.customers.link import link_by_code
from bot.flows.customers.optout import BUTTON, WORD, optout, undo
from bot.flows.customers.tap import offered, read_tap, tap
from bot.flows.customers.turn import Turn
from bot.line import inbound
from bot.line.inbound import Followed, Inbound, Pressed, Said, Showed, Unclear, Unfollowed, Unsent, read
from bot.line.stopwords import is_opt_out
from bot.ports import LineProfile
from db.conversations import close_quiet
from db.customers import LinkCode
from db.inbox import InboxRow, done, failed, take_next, waiting_sources
from db.line_users import code_in, hold, introduce, link_code, user_of
from db.posts import add_alert
from db.rules import current_rulebook
from db.ticks import mark_dirty

log = structlog.get_logger()

SOURCES = 200
AT_ONCE = 4
"""People whose events are worked on at the same time."""
PROFILE_SECONDS = 3.0


async def receive(deps: Deps) -> int:
    """Take in every event that waits; returns how many took effect. Any number may run at once."""
    await _close_quiet(deps)
    taken = 0
    while True:
        now = deps.clock.now()
        async with deps.db.begin() as session:
            sources = await waiting_sources(session, inbound.SOURCE, limit=SOURCES, now=now)
        waiting = iter(sources)
        counts = await asyncio.gather(*(_receive_some(deps, waiting) for _ in range(AT_ONCE)))
        if not sum(counts):
            return taken
        taken += sum(counts)


async def _receive_some(deps: Deps, sources: Iterator[str]) -> int:
    count = 0
    for source in sources:
        profile = await _meet(deps, source)
        while await _receive_one(deps, source, profile):
            count += 1
    return count


async def _receive_one(deps: Deps, source: str, profile: LineProfile | None) -> bool:
    """Take in the next event of one person; False: none waits, or somebody else is at it."""
    taken: list[InboxRow] = []
    wakes: set[str] = set()

    async def take_in_next(session: AsyncSession) -> bool:
        taken.clear()
        wakes.clear()
        now = deps.clock.now()
        row = await take_next(session, source, now=now)
        if row is None:
            return False
        taken.append(row)
        turn = await _turn(deps, session, read(row), profile, now=now)
        if isinstance(turn, Turn):
            await _dispatch(turn)
            wakes.update(turn.wakes)
        await done(session, [row], now=now, because=None if isinstance(turn, Turn) else turn)
        return True

    try:
        if not await deps.db.run(take_in_next):
            return False
    except Unavailable:
        raise
    except Exception as error:
        if not taken:
            raise
        await _put_aside(deps, taken[0], error)
        return True
    for story in sorted(wakes):
        await deps.waker.wake(story)
    return True


async def _put_aside(deps: Deps, row: InboxRow, error: Exception) -> None:
    log.error("event.failed", event_id=row.event_id, kind=row.kind, attempts=row.attempts + 1, exc_info=error)
    now = deps.clock.now()
    async with deps.db.begin() as session:
        is_parked = await failed(session, row, because=type(error).__name__, now=now)
        if is_parked:
            await add_alert(
                session,
                key=f"inbox:{row.source}:{row.event_id}",
                ja=f"LINE のイベントを処理できませんでした（event_id {row.event_id}、種類 {row.kind}、"
                f"{type(error).__name__}）。内容は受信箱に残しています。ログを確認してください。",
                en=f"An event from LINE could not be taken in (event_id {row.event_id}, {row.kind},"
                f" {type(error).__name__}). It is kept in the inbox; see the log.",
                ids=deps.ids,
                now=now,
            )
    if is_parked:
        await deps.waker.wake("post")


# --- dispatch -----------------------------------------------------------------------------------------


async def _turn(
    deps: Deps, session: AsyncSession, event: Inbound, profile: LineProfile | None, *, now: datetime
) -> Turn | str:
    """One event with its person known and locked; or why it has no effect."""
    if event.line_user_id is None:
        return "no person: a group, a room or nobody"
    if isinstance(event.what, Unclear):
        return event.what.because
    if event.is_stale and not _is_refusal(event):
        return "older than a day on arrival, and no redelivery"
    code = await _code_of(session, event)
    line_user = await hold(
        session,
        event.line_user_id,
        destination=event.destination,
        now=now,
        also=[code.customer_id] if code else [],
    )
    if profile is not None:
        name, language = profile.display_name[:100], profile.language
        await introduce(session, event.line_user_id, display_name=name, language=language)
    return Turn(
        deps=deps,
        session=session,
        event=event,
        line_user=line_user,
        language=(profile and profile.language) or line_user.language or "ja",
        book=await current_rulebook(session),
        now=now,
        code=code,
    )


def _is_refusal(event: Inbound) -> bool:
    match event.what:
        case Unfollowed() | Unsent():
            return True
        case Said(text=text):
            return is_opt_out(text)
        case Pressed(sent=sent):
            return sent in {"optout", "consent:no"}
        case _:
            return False


async def _code_of(session: AsyncSession, event: Inbound) -> LinkCode | None:
    if not isinstance(event.what, Said) or (code := code_in(event.what.text)) is None:
        return None
    return await link_code(session, code)


async def _dispatch(turn: Turn) -> None:
    match turn.event.what:
        case Followed():
            await follow(turn)
        case Unfollowed():
            await unfollow(turn)
        case Pressed(sent=sent):
            await _press(turn, sent)
        case Said() as said:
            await _say(turn, said)
        case Showed() as showed:
            await hear_line(turn, showed)
        case Unsent(line_message_id=line_message_id):
            await take_back(turn, line_message_id)
        case Unclear():
            raise AssertionError("told apart before")
        case _:
            assert_never(turn.event.what)


async def _say(turn: Turn, said: Said) -> None:
    """Stop words first: whatever else is going on, they are obeyed."""
    if is_opt_out(said.text):
        await note_line(turn, said)
        await optout(turn, source=WORD)
    elif turn.code is not None:
        await link_by_code(turn, turn.code)
    elif (offer := await offered(turn, said.text)) is not None:
        sent, label = offer
        await _press(turn, sent, line_message_id=said.line_message_id, label=label)
    else:
        await hear_line(turn, said)


async def _press(
    turn: Turn, sent: str, *, line_message_id: str | None = None, label: str | None = None
) -> None:
    match sent:
        case "consent:yes":
            await agree(turn, is_yes=True)
        case "consent:no":
            await agree(turn, is_yes=False)
        case "optout":
            await optout(turn, source=BUTTON)
        case "optout:undo":
            await undo(turn)
        case _:
            answer = read_tap(sent)
            if answer is None:
                log.info("postback.unknown", event_id=turn.event.event_id)
            else:
                await tap(turn, answer, line_message_id=line_message_id, label=label)


# --- beside the events --------------------------------------------------------------------------------


async def _meet(deps: Deps, source: str) -> LineProfile | None:
    """Ask LINE who a stranger is, before anything is said to them; what cannot be learnt is not needed."""
    line_user_id = source.removeprefix(inbound.SOURCE)
    if deps.line is None or not inbound.is_user_id(line_user_id):
        return None
    async with deps.db.begin() as session:
        known = await user_of(session, line_user_id)
    if known is not None and known.display_name is not None:
        return None
    try:
        async with asyncio.timeout(PROFILE_SECONDS):
            return await deps.line.profile(line_user_id)
    except (Unavailable, TimeoutError) as error:
        log.info("profile.unavailable", because=str(error) or "timeout")
        return None


async def _close_quiet(deps: Deps) -> None:
    now = deps.clock.now()
    async with deps.db.begin() as session:
        closed = await close_quiet(session, now=now)
        await mark_dirty(session, closed, now=now)
    if closed:
        await deps.waker.wake("decide")

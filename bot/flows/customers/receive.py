"""What do the events that LINE sent us mean, and what follows from each?

Effects of an event and its `done_at` commit together, some events of one person at a time. They are taken in
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
from bot.flows.answers.converse import choose, converse
from bot.flows.channel.destination import ANOTHER_ACCOUNT, learn_own_id, own_id, put_by_another
from bot.flows.customers.agree import agree
from bot.flows.customers.follow import follow, unfollow
from bot.flows.customers.hear import hear_line, note_line, take_back
from bot.flows.customers.link import end_link, link_by_code, link_by_nonce, offer_dialog
from bot.flows.customers.optout import BUTTON, WORD, optout, undo
from bot.flows.customers.prefer import PREFIX, prefer, prefer_pressed
from bot.flows.customers.tap import offered, read_tap, tap
from bot.flows.customers.turn import Turn
from bot.line import inbound
from bot.line.bubbles import read_menu
from bot.line.inbound import (
    Followed,
    Inbound,
    Joined,
    Pressed,
    Said,
    Showed,
    Unclear,
    Unfollowed,
    Unsent,
    read,
)
from bot.line.link_words import link_wish_in
from bot.line.stopwords import is_opt_out
from bot.line.wishes import asked_in
from bot.ports import LineProfile
from db.deciding.ticks import mark_dirty
from db.desk.posts import add_alert
from db.intake.inbox import InboxRow, done, failed, take_some, waiting_sources
from db.people.customers import LineUser, LinkCode
from db.people.group_chats import left_group, meet_group
from db.people.line_users import code_in, hold, introduce, link_code, user_of
from db.people.linking import link_nonce, spend_nonce
from db.rulebook.rules import RuleBook, current_rulebook
from db.talk.conversations import close_quiet
from followups.times.zones import zone_of

log = structlog.get_logger()

SOURCES = 200
AT_ONCE = 4
"""People whose events are worked on at the same time."""
TOGETHER = 40
"""Events of one person that take effect in one transaction: a reply must not wait for much more."""
GROUP = "a group or room: answered once and left"
PROFILE_SECONDS = 3.0


async def receive(deps: Deps) -> int:
    """Take in every event that waits; returns how many took effect. Any number may run at once."""
    await _close_quiet(deps)
    await learn_own_id(deps)
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
        most = TOGETHER
        while taken := await _receive_together(deps, source, profile, most):
            count += abs(taken)
            if 0 < taken < most:
                break  # that was all; whatever comes meanwhile wakes us again
            # After one that raised, each has a transaction of its own: it must not hold up the others.
            most = TOGETHER if taken > 0 else 1
    return count


async def _receive_together(deps: Deps, source: str, profile: LineProfile | None, most: int) -> int:
    """Take in the next events of one source in one transaction; returns how many.

    0: none waits, or somebody else is at it. Negative: one raised; of several, none has taken effect.
    """
    taken: list[InboxRow] = []
    wakes: set[str] = set()

    async def take_in_next(session: AsyncSession) -> None:
        taken.clear()
        wakes.clear()
        now = deps.clock.now()
        taken.extend(await take_some(session, source, limit=most, now=now))
        if not taken:
            return
        book, own = await current_rulebook(session), await own_id(deps, session)
        ended: dict[str | None, list[InboxRow]] = {}
        held: LineUser | None = None
        for row in taken:
            event = read(row)
            is_ours = own is None or event.destination in {None, own}
            turn = (
                await _turn(deps, session, event, profile, book, held=held, now=now)
                if is_ours
                else ANOTHER_ACCOUNT
            )
            if isinstance(turn, Turn):
                await _dispatch(turn)
                wakes.update(turn.wakes)
                held = turn.line_user
            elif turn == ANOTHER_ACCOUNT:
                wakes.update(await put_by_another(deps, session, row, now=now))
                continue
            elif turn == GROUP:
                wakes.add("leave")
            ended.setdefault(None if isinstance(turn, Turn) else turn, []).append(row)
        for because, rows in ended.items():
            await done(session, rows, now=now, because=because)

    try:
        await deps.db.run(take_in_next)
    except Unavailable:
        raise
    except Exception as error:
        if not taken:
            raise
        if len(taken) == 1:
            await _put_aside(deps, taken[0], error)
        return -1
    for story in sorted(wakes):
        await deps.waker.wake(story)
    return len(taken)


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
    deps: Deps,
    session: AsyncSession,
    event: Inbound,
    profile: LineProfile | None,
    book: RuleBook,
    *,
    held: LineUser | None,
    now: datetime,
) -> Turn | str:
    """One event with its person known and locked; or why it has no effect.

    Args:
        held: the person, where an earlier event of theirs was taken in by this transaction.
    """
    if event.line_user_id is None:
        return await _without_person(deps, session, event, now=now)
    if isinstance(event.what, Unclear):
        return event.what.because
    if event.is_stale and not _is_refusal(event):
        return "older than a day on arrival, and no redelivery"
    code = await _code_of(session, event)
    nonce = await link_nonce(session, event.what.nonce) if isinstance(event.what, Joined) else None
    line_user = held
    if line_user is None or code or nonce:
        line_user = await hold(
            session,
            event.line_user_id,
            destination=event.destination,
            now=now,
            also=[each.customer_id for each in (code, nonce) if each],
        )
    if profile is not None and held is None:
        name, language = profile.display_name[:100], profile.language
        await introduce(session, event.line_user_id, display_name=name, language=language)
    return Turn(
        deps=deps,
        session=session,
        event=event,
        line_user=line_user,
        language=(profile and profile.language) or line_user.language or "ja",
        book=book,
        now=now,
        code=code,
        nonce=nonce,
    )


async def _without_person(deps: Deps, session: AsyncSession, event: Inbound, *, now: datetime) -> str:
    """What happened in a group, or to nobody that LINE names; returns why nothing else follows."""
    if isinstance(event.what, Joined):
        return await _dialog_failed(deps, session, event.what, now=now)
    if event.group is None:
        return "no person: a group, a room or nobody"
    kind, group_id = event.group
    if event.is_leaving:
        await left_group(session, group_id, now=now)
        return "the account left"
    if event.is_standby or event.is_stale:
        return "a group that another module holds, or long ago"
    await meet_group(
        session,
        group_id=group_id,
        kind=kind,
        reply_token=event.reply_token,
        reply_until=event.reply_until,
        now=now,
    )
    return GROUP


async def _dialog_failed(deps: Deps, session: AsyncSession, joined: Joined, *, now: datetime) -> str:
    """LINE does not say whose dialog failed: the nonce is spent, and staff hear of the customer."""
    nonce = await link_nonce(session, joined.nonce)
    if nonce is not None and await spend_nonce(session, nonce, line_user_id=None, now=now):
        await add_alert(
            session,
            key=f"nonce:{nonce.nonce_hash[:16]}",
            ja=f"LINE のアカウント連携に失敗しました（customer_id {nonce.customer_id}）。"
            "ご本人から連絡があれば、もう一度「連携」とお送りいただいてください。",
            en=f"LINE's account-link dialog failed (customer_id {nonce.customer_id})."
            " If they ask, have them send “link” again.",
            ids=deps.ids,
            now=now,
        )
    return "account link failed"


def _is_refusal(event: Inbound) -> bool:
    match event.what:
        case Unfollowed() | Unsent():
            return True
        case Said(text=text):
            return is_opt_out(text)
        case Pressed(sent=sent):
            return sent in {"optout", "consent:no"} or sent.startswith("consent:no:")
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
        case Pressed(sent=sent, picked=picked):
            await _press(turn, sent, picked=picked)
        case Joined():
            await link_by_nonce(turn, turn.nonce)
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
    elif not await _understood(turn, said):
        await converse(turn, said)


async def _understood(turn: Turn, said: Said) -> bool:
    """A wish about our messages, or about the link between chat and account, in plain words."""
    if (about_link := link_wish_in(said.text)) is not None:
        await note_line(turn, said)
        await (end_link(turn) if about_link == "end" else offer_dialog(turn))
        return True
    zone = zone_of(None, turn.book.policy.timezone)
    asked = asked_in(said.text, at=turn.event.at, zone=zone)
    if asked is None or not await prefer(turn, asked, source="line:word"):
        return False
    await note_line(turn, said)
    return True


async def _press(
    turn: Turn,
    sent: str,
    *,
    line_message_id: str | None = None,
    label: str | None = None,
    picked: str | None = None,
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
        case "link:start":
            await offer_dialog(turn)
        case "link:end":
            await end_link(turn)
        case _ if sent.startswith(("consent:yes:", "consent:no:")):
            _, answered, purpose = sent.split(":", 2)
            await agree(turn, is_yes=answered == "yes", purpose=purpose)
        case _ if (script_id := read_menu(sent)) is not None:
            await choose(turn, script_id, line_message_id=line_message_id, label=label)
        case _ if sent.startswith(PREFIX):
            await prefer_pressed(turn, sent, picked=picked)
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

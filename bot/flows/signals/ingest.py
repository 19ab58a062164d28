"""How do calls of the product become durable events and attributes, before they are acknowledged?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.deps import Deps
from bot.intake.segment import Calls, LineClaim
from db.deciding.ticks import mark_dirty
from db.desk import audit
from db.desk.posts import add_alert
from db.group_commit import GroupCommit
from db.intake.events import take_in
from db.intake.traits import take_tellings
from db.people.customers import LineUser
from db.people.line_users import LinkOutcome, link
from db.rulebook.rules import current_rulebook

log = structlog.get_logger()

_WAKE_AFTER = 0.25
"""Seconds of calls that share one wake."""

_BECAUSE = {
    LinkOutcome.CUSTOMER_IS_TAKEN: (
        "this customer is linked to another LINE user already; nothing was changed",
        "このお客様は別のLINEユーザーと連携済みです（何も変更していません）",
    ),
    LinkOutcome.LINE_USER_IS_TAKEN: (
        "this LINE user is linked to another customer already; nothing was changed",
        "このLINEユーザーは別のお客様と連携済みです（何も変更していません）",
    ),
    LinkOutcome.CUSTOMER_IS_GONE: (
        "this customer was erased; nothing was changed",
        "このお客様のデータは消去済みです（何も変更していません）",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A trait `line_user_id` that was not followed. `index`: the call's place in its request."""

    index: int
    outcome: LinkOutcome

    def shown(self) -> dict[str, object]:
        """As the answer tells it."""
        message, message_ja = _BECAUSE[self.outcome]
        return {
            "index": self.index,
            "field": "traits.line_user_id",
            "message": message,
            "message_ja": message_ja,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a request.

    Attributes:
        new: events that were not known before; the others were repeats.
        changed: customers of whom something is different now.
    """

    new: int
    changed: int
    conflicts: tuple[Conflict, ...] = ()


class Ingest:
    """The one way in for the product's calls: many requests share a transaction."""

    def __init__(self, deps: Deps) -> None:
        """Prepare; one per process and door."""
        self._deps = deps
        self._commits: GroupCommit[Calls, Taken] = GroupCommit(
            deps.db, self._write, weight_of=lambda calls: calls.count
        )
        self._wake: asyncio.Task[None] | None = None

    async def take(self, calls: Calls) -> Taken:
        """Store a request's calls (which have no `problems`); returns after the commit.

        Raises:
            Unavailable: the database is out of reach or overrun; send the same request again later.
        """
        assert not calls.problems
        taken = await self._commits.submit(calls)
        has_news = taken.new or taken.changed or taken.conflicts
        if has_news and (self._wake is None or self._wake.done()):
            self._wake = asyncio.create_task(self._wake_soon())
        return taken

    async def _wake_soon(self) -> None:
        await asyncio.sleep(_WAKE_AFTER)
        self._wake = None
        for story in ("decide", "post"):
            await self._deps.waker.wake(story)

    async def _write(self, session: AsyncSession, requests: Sequence[Calls]) -> list[Taken]:
        now = max(calls.now for calls in requests)
        tellings = [telling for calls in requests for telling in calls.tellings]
        changed = set()
        if tellings:
            timezone = (await current_rulebook(session)).policy.timezone
            changed = await take_tellings(session, tellings, default_timezone=timezone, now=now)
            await mark_dirty(session, changed, now=now)
        claims = [claim for calls in requests for claim in calls.claims]
        refused = await link_by_trait(self._deps, session, claims) if claims else {}
        events = [event for calls in requests for event in calls.events]
        new = await take_in(session, events, now=now)
        answers, start = [], 0
        for calls in requests:
            mine = new[start : start + len(calls.events)]
            start += len(calls.events)
            answers.append(
                Taken(
                    new=sum(mine),
                    changed=len(changed & {telling.customer_id for telling in calls.tellings}),
                    conflicts=tuple(
                        Conflict(index=claim.index, outcome=refused[claim])
                        for claim in calls.claims
                        if claim in refused
                    ),
                )
            )
        return answers


async def link_by_trait(
    deps: Deps, session: AsyncSession, claims: Sequence[LineClaim]
) -> dict[LineClaim, LinkOutcome]:
    """Link customers to the LINE users their traits name; returns the claims that were not followed.

    A conflict changes nothing and leaves a line in the audit trail.
    """
    now = deps.clock.now()
    pairs = await session.execute(
        select(col(LineUser.line_user_id), col(LineUser.customer_id)).where(
            col(LineUser.line_user_id).in_({claim.line_user_id for claim in claims})
        )
    )
    linked: dict[str, object] = {found.line_user_id: found.customer_id for found in pairs}
    refused: dict[LineClaim, LinkOutcome] = {}
    for claim in claims:
        if linked.get(claim.line_user_id) == claim.customer_id:
            continue
        outcome = await link(session, line_user_id=claim.line_user_id, customer_id=claim.customer_id, now=now)
        if outcome is LinkOutcome.LINKED:
            linked[claim.line_user_id] = claim.customer_id
        elif outcome in _BECAUSE:
            refused[claim] = outcome
            await audit.record(
                session,
                actor="ingest",
                action="link.refused",
                customer_id=claim.customer_id,
                ids=deps.ids,
                now=now,
                line_user_id=claim.line_user_id,
                because=outcome.value,
            )
            await add_alert(
                session,
                key=f"link:{claim.customer_id}:{claim.line_user_id}",
                ja="システムから届いたLINEユーザーIDを連携できませんでした。"
                f"{_BECAUSE[outcome][1]}。お客様ID: {claim.customer_id}",
                en=f"A LINE user id sent by the product could not be linked: {_BECAUSE[outcome][0]}."
                f" Customer id: {claim.customer_id}",
                ids=deps.ids,
                now=now,
            )
            log.warning("link.refused", customer_id=str(claim.customer_id), because=outcome.value)
    return refused

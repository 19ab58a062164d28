"""A small shop: customers, events and rules, written down as the program stores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlmodel import col

from bot import logs
from bot.clock import TurnableClock
from bot.deps import Deps
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import Published, publish
from bot.flows.rules.tick import Ticked, tick
from db.deciding.ticks import mark_dirty
from db.engine import Database
from db.intake.events import NewEvent, take_in
from db.people.consents import record
from db.people.customers import Customer, LineUser, customer_id_of
from db.talk.messages import Message, MessageState
from followups.rules.parsing import PolicyText
from tests.wiring import deps_without_platforms

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""A Tuesday, 12:00 in Tokyo: neither quiet nor closed."""


def inactive(rule_id: str = "inactive", **more: Any) -> dict[str, str]:
    """A live rule that writes after two quiet weeks."""
    lines = {
        "id": rule_id,
        "name": "しばらくご利用のない方へ",
        "state": "live",
        "goal": "{event: login, within: 7d}",
        "when": "{event: login, last: {more_than: 14d}}",
        "again_after": "30d",
        "holdout": "0%",
        "then": "[{send: {text: '{customer.name}様、お困りではありませんか。'}}]",
        **more,
    }
    text = "\n".join(f"{key}: {value}" for key, value in lines.items() if value is not None)
    return {f"{rule_id}.yaml": text}


class Woken:
    """Notes who was woken."""

    def __init__(self) -> None:
        self.stories: list[str] = []

    async def wake(self, story: str) -> None:
        self.stories.append(story)


class Shop:
    """The deciding half of the program, with time and customers in our hands."""

    def __init__(self, db: Database) -> None:
        # Errors are told in one line: the default renderer prints every local variable of every frame.
        structlog.configure(processors=[logs.trace, structlog.processors.JSONRenderer()])
        self.woken = Woken()
        deps = deps_without_platforms(db)
        assert isinstance(deps.clock, TurnableClock)
        self.clock: TurnableClock = deps.clock
        self.clock.turn_to(NOON)
        self.deps: Deps = replace(deps, waker=self.woken)
        self._sent = 0

    def ago(self, **span: float) -> datetime:
        return self.clock.now() - timedelta(**span)

    async def customer(self, external_id: str = "c1", *, agreed: bool = True, **attributes: Any) -> UUID:
        """A customer called 田中, linked and (unless said otherwise) agreed."""
        customer_id, now = customer_id_of(external_id), self.clock.now()
        line_user_id = "U" + customer_id.hex
        async with self.deps.db.begin() as session:
            session.add(
                Customer(
                    customer_id=customer_id,
                    external_id=external_id,
                    attributes={"name": "田中", **attributes},
                    line_user_id=line_user_id,
                    created_at=now,
                )
            )
            session.add(
                LineUser(
                    line_user_id=line_user_id,
                    customer_id=customer_id,
                    is_friend=True,
                    state_at=now,
                    created_at=now,
                )
            )
            await mark_dirty(session, [customer_id], now=now)
        if agreed:
            await self.consent(customer_id, is_granted=True)
        return customer_id

    async def consent(self, customer_id: UUID, *, is_granted: bool) -> None:
        now = self.clock.now()
        async with self.deps.db.begin() as session:
            await record(
                session,
                customer_id=customer_id,
                purposes=["support"],
                is_granted=is_granted,
                event_id=f"e{now}{is_granted}",
                at=now,
                source="test",
                now=now,
            )
            await mark_dirty(session, [customer_id], now=now)

    async def track(
        self, customer_id: UUID, event: str, at: datetime | None = None, **properties: Any
    ) -> None:
        self._sent += 1
        now = self.clock.now()
        async with self.deps.db.begin() as session:
            new = NewEvent(customer_id, event, at or now, f"m{self._sent}", properties or None)
            await take_in(session, [new], now=now)

    async def publish(self, *rules: Mapping[str, str], policy: str | None = None) -> Published:
        files = {path: text for each in rules for path, text in each.items()}
        text = PolicyText(path="policy.yaml", source=policy) if policy is not None else None
        return await publish(self.deps, files, by="test", policy=text)

    async def settle(self) -> int:
        """Look at the time and decide about whoever that makes due."""
        await tick(self.deps)
        return await decide_due(self.deps)

    async def turn(self, **span: float) -> Ticked:
        """Let time pass, and decide about whoever that makes due."""
        self.clock.turn(timedelta(**span))
        ticked = await tick(self.deps)
        await decide_due(self.deps)
        return ticked

    async def rows(self, table: Any, *terms: Any) -> list[Any]:
        async with self.deps.db.begin() as session:
            return list(await session.scalars(select(table).where(*terms)))

    async def accept_all(self) -> None:
        """LINE accepts every queued message."""
        now = self.clock.now()
        async with self.deps.db.begin() as session:
            await session.execute(
                update(Message)
                .where(col(Message.state) == MessageState.QUEUED.value)
                .values(state=MessageState.ACCEPTED.value, first_attempt_at=now, settled_at=now)
            )

"""How do a LINE stand-in, the real SDK and the real door meet in one test?"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import select
from sqlmodel import col

from bot.clock import Ids, TurnableClock
from bot.deps import Deps
from bot.flows.customers.deliver import deliver
from bot.flows.customers.receive import receive
from bot.line.bubbles import text_bubble
from bot.line.client import LineClient
from bot.settings import Settings
from db.desk.posts import Post
from db.engine import Database
from db.people.consents import current
from db.people.customers import Customer, LineUser, customer_id_of
from db.talk.conversations import ConversationRow, InboundLine
from db.talk.messages import Message, MessageKind, MessageState, promise
from handlers import clicks
from handlers.line import router
from sandbox.line import LineStandIn
from sandbox.serve import serving

SECRET, TOKEN = "channel-secret", "channel-token"
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
"""A Tuesday, 12:00 in Tokyo: neither quiet nor closed."""


class Woken:
    """Notes who was woken."""

    def __init__(self) -> None:
        self.stories: set[str] = set()

    async def wake(self, story: str) -> None:
        self.stories.add(story)


@dataclass
class Chat:
    """A shop's LINE account with the program behind it."""

    line: LineStandIn
    deps: Deps
    clock: TurnableClock
    woken: Woken
    address: str
    people: dict[str, str] = field(default_factory=dict)

    def person(self, name: str = "田中", **options: Any) -> str:
        return self.line.add_person(name, **options)

    async def settle(self) -> None:
        """Take in what came, and send what is due."""
        await receive(self.deps)
        await deliver(self.deps)

    async def agree(self, user_id: str) -> None:
        """A friend who has agreed."""
        await self.line.follow(user_id)
        await self.settle()
        await self.line.tap_button(user_id, "受け取る")
        await self.settle()

    async def rows(self, table: Any) -> list[Any]:
        async with self.deps.db.begin() as session:
            return list(await session.scalars(select(table)))

    async def user(self, user_id: str) -> LineUser:
        return next(row for row in await self.rows(LineUser) if row.line_user_id == user_id)

    async def customer_id(self, user_id: str) -> UUID:
        return (await self.user(user_id)).customer_id

    async def is_granted(self, user_id: str) -> bool | None:
        customer_id = await self.customer_id(user_id)
        async with self.deps.db.begin() as session:
            entry = (await current(session, [customer_id])).get(customer_id, {}).get("support")
        return entry.is_granted if entry else None

    async def conversation(self, user_id: str) -> ConversationRow | None:
        customer_id = await self.customer_id(user_id)
        return next((r for r in await self.rows(ConversationRow) if r.customer_id == customer_id), None)

    async def heard(self) -> list[InboundLine]:
        return sorted(await self.rows(InboundLine), key=lambda line: line.at)

    async def alerts(self) -> list[str]:
        return [post.content["en"] for post in await self.rows(Post) if post.kind == "alert"]

    async def messages(self) -> list[Message]:
        async with self.deps.db.begin() as session:
            found = await session.scalars(select(Message).order_by(col(Message.promised_at)))
            return list(found)

    async def customer(self, external_id: str, **attributes: Any) -> UUID:
        """A customer of the product, known by `identify`."""
        customer_id = customer_id_of(external_id)
        async with self.deps.db.begin() as session:
            session.add(
                Customer(
                    customer_id=customer_id,
                    external_id=external_id,
                    attributes=attributes,
                    created_at=self.clock.now(),
                )
            )
        return customer_id

    async def promise(
        self, user_id: str, text: str = "こんにちは", *, kind: MessageKind = MessageKind.PERSON, **fields: Any
    ) -> UUID:
        """A message to this person, due now."""
        now = self.clock.now()
        message_id = self.deps.ids.uuid()
        async with self.deps.db.begin() as session:
            user = await session.get(LineUser, user_id)
            assert user is not None
            row = {
                "customer_id": user.customer_id,
                "message_id": message_id,
                "kind": kind,
                "state": MessageState.QUEUED,
                "dedupe_key": str(message_id),
                "line_user_id": user_id,
                "bubbles": [text_bubble(text)],
                "plain_text": text,
                "promised_at": now,
                "not_before": now,
                **fields,
            }
            assert await promise(session, Message(**row))
        return message_id

    async def message(self, message_id: UUID) -> Message:
        return next(row for row in await self.messages() if row.message_id == message_id)

    def turn(self, **span: float) -> None:
        self.clock.turn(timedelta(**span))

    def pushes(self) -> list[Any]:
        return [each for each in self.line.journal if each.path == "/v2/bot/message/push"]

    def replies(self) -> list[Any]:
        return [each for each in self.line.journal if each.path == "/v2/bot/message/reply"]


@asynccontextmanager
async def chatting(db: Database, *, timeout_seconds: float = 2.0, **options: Any) -> AsyncIterator[Chat]:
    """Everything on loopback: LINE's API, the webhook's door, the database."""
    clock = TurnableClock(NOON)
    woken = Woken()
    line = LineStandIn(channel_secret=SECRET, access_token=TOKEN, clock=clock.now, **options)
    async with serving(line.app) as line_address:
        settings = Settings(
            _env_file=None,
            line_channel_secret=SECRET,
            line_channel_access_token=TOKEN,
            line_api_base_url=line_address,
        )
        async with LineClient.connected(settings, timeout_seconds=timeout_seconds) as client:
            deps = Deps(
                settings=settings,
                clock=clock,
                ids=Ids(clock),
                rng=random.Random(7),
                db=db,
                waker=woken,
                line=client,
            )
            app = FastAPI()
            app.include_router(router(deps))
            app.include_router(clicks.router(deps))
            async with serving(app) as address:
                line.webhook_url = f"{address}/line/webhook"
                yield Chat(line=line, deps=deps, clock=clock, woken=woken, address=address)


def another_worker(chat: Chat) -> Deps:
    """A second process on the same database and the same LINE."""
    return replace(chat.deps, waker=Woken())

"""What does a test of the Slack side hold in its hands: a workspace, customers with leads, colleagues?"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, update
from sqlmodel import col

from bot.clock import Ids, TurnableClock, system_random
from bot.deps import Deps
from bot.flows.replies.draft import draft
from bot.flows.staff.post import post
from bot.flows.staff.press import press
from bot.llm.drafts import TemplateDrafter
from bot.settings import Settings
from bot.slack.client import SlackClient
from db.desk.lead_cards import load_context
from db.desk.leads import Lead, open_lead
from db.desk.posts import add_thread_line, touch_card
from db.engine import Database
from db.people.customers import Customer, LineUser
from db.talk.conversations import InboundLine, hear, spoke
from db.talk.drafts import Draft
from db.talk.messages import Message
from handlers.slack import router
from sandbox.serve import serving
from sandbox.slack import SlackStandIn
from sandbox.slack.workspace import Message as Shown

BOT_TOKEN = "xoxb-desk"
SIGNING_SECRET = "desk-signing-secret"
START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 10:00 on a Tuesday in Tokyo


class CountingWaker:
    """Remembers who was woken."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    async def wake(self, story: str) -> None:
        self.woken.append(story)


class Desk:
    """A Slack workspace with our app in it, on a real database."""

    def __init__(self, deps: Deps, slack: SlackStandIn, clock: TurnableClock, address: str) -> None:
        self.deps, self.slack, self.clock, self.address = deps, slack, clock, address
        self.leads = deps.settings.slack_leads_channel or ""
        self.sato = slack.add_member("sato", real_name="佐藤")
        self.suzuki = slack.add_member("suzuki", real_name="鈴木")
        self.count = 0

    async def customer(self, name: str | None = "山田 花子", **line: Any) -> UUID:
        """A customer who is a friend on LINE."""
        self.count += 1
        customer_id = UUID(int=self.count)
        line_user_id = f"U{self.count:032x}"
        async with self.deps.db.begin() as session:
            session.add(
                Customer(
                    customer_id=customer_id,
                    external_id=f"cust-{self.count}",
                    attributes={"name": name, "plan": "trial", "company": "山田商店"} if name else {},
                    line_user_id=line_user_id,
                    created_at=START,
                )
            )
            session.add(
                LineUser(
                    line_user_id=line_user_id,
                    customer_id=customer_id,
                    created_at=START,
                    display_name=None,
                    **{"is_friend": True, **line},
                )
            )
        return customer_id

    async def lead(
        self, name: str | None = "山田 花子", *, says: str | None = "料金を教えてください", **line: Any
    ) -> UUID:
        """A new lead, with something said; posted and drafted when `settle` is called."""
        customer_id = await self.customer(name, **line)
        if says is not None:
            await self.say(customer_id, says)
        return await self.open(customer_id)

    async def open(self, customer_id: UUID, reason: str = "料金についての質問") -> UUID:
        async with self.deps.db.begin() as session:
            return await open_lead(
                session,
                customer_id=customer_id,
                source="message",
                reason_ja=reason,
                reason_en="asked about the price",
                ids=self.deps.ids,
                now=self.clock.now(),
            )

    async def say(self, customer_id: UUID, text: str) -> None:
        """The customer writes on LINE."""
        self.count += 1
        line_message_id = f"{self.count}"
        async with self.deps.db.begin() as session:
            line = InboundLine(
                customer_id=customer_id,
                line_message_id=line_message_id,
                kind="text",
                text=text,
                at=self.clock.now(),
            )
            await hear(session, line, now=self.clock.now())
            await add_thread_line(
                session,
                customer_id=customer_id,
                key=f"said:{line_message_id}",
                content={"line_message_id": line_message_id},
                ids=self.deps.ids,
                now=self.clock.now(),
            )
            await touch_card(session, customer_id, now=self.clock.now())

    async def accept(self) -> None:
        """LINE takes everything that waits."""
        async with self.deps.db.begin() as session:
            taken = await session.scalars(
                update(Message)
                .where(col(Message.state) == "queued", col(Message.not_before) <= self.clock.now())
                .values(state="accepted", settled_at=self.clock.now())
                .returning(col(Message.customer_id))
                .execution_options(synchronize_session=False)
            )
            customers = set(taken)
            await spoke(session, customers, now=self.clock.now(), opens=True)
            for customer_id in customers:
                await touch_card(session, customer_id, now=self.clock.now())

    async def settle(self) -> None:
        """Presses take effect, drafts are made, Slack shows it."""
        for _ in range(10):
            if not (await press(self.deps) + await draft(self.deps) + await post(self.deps)):
                return
        raise AssertionError("never came to rest")

    async def turn(self, **span: float) -> None:
        self.clock.turn(timedelta(**span))
        await self.settle()

    def set(self, **settings: Any) -> None:
        """Change settings of the running program."""
        changed = self.deps.settings.model_copy(update=settings)
        object.__setattr__(self.deps, "settings", changed)

    def cards(self) -> list[Shown]:
        return self.slack.messages(self.leads)

    def card(self) -> Shown:
        (card,) = self.cards()
        return card

    def thread(self) -> list[str]:
        return [each.plain_text() for each in self.slack.thread(self.leads, self.card().ts)[1:]]

    async def press(self, who: str, action_id: str, card: Shown | None = None, **more: Any) -> Any:
        """Press a button of the card; everything that follows happens too."""
        shown = card or self.card()
        answer = await self.slack.press(who, self.leads, shown.ts, action_id, **more)
        assert answer.is_good, answer
        await self.settle()
        return answer

    def buttons(self, card: Shown | None = None) -> list[str]:
        return [each.action_id for each in (card or self.card()).buttons()]

    def whispers(self, who: str) -> list[str]:
        return [each.text for each in self.slack.ephemerals(who)]

    async def rows(self, table: Any) -> list[Any]:
        async with self.deps.db.begin() as session:
            return list((await session.scalars(select(table))).all())

    async def written(self) -> list[Message]:
        """What people wrote to customers from cards; the program's own notices left out."""
        return [each for each in await self.rows(Message) if each.kind == "person"]

    async def the_lead(self) -> Lead:
        (lead,) = await self.rows(Lead)
        assert isinstance(lead, Lead)
        return lead

    async def context(self, lead_id: UUID) -> Any:
        async with self.deps.db.begin() as session:
            return await load_context(session, lead_id, now=self.clock.now())

    async def drafts(self) -> list[Draft]:
        return sorted(await self.rows(Draft), key=lambda each: each.number)


@contextlib.asynccontextmanager
async def desk(db: Database, *, drafter: Any = None, **more: Any) -> AsyncIterator[Desk]:
    """A desk; `more`: settings by name, or `rate_limits`, `echo` of the stand-in."""
    clock = TurnableClock(START)
    options = {key: more.pop(key) for key in ("rate_limits", "echo", "app_token") if key in more}
    slack = SlackStandIn(bot_token=BOT_TOKEN, signing_secret=SIGNING_SECRET, clock=clock.now, **options)
    channel = slack.add_channel("leads")
    async with contextlib.AsyncExitStack() as stack:
        slack_address = await stack.enter_async_context(serving(slack.app))
        slack.state.base_url = slack_address
        settings = Settings.of(
            slack_bot_token=SecretStr(BOT_TOKEN),
            slack_signing_secret=SecretStr(SIGNING_SECRET),
            slack_api_base_url=f"{slack_address}/api/",
            **{"slack_leads_channel": channel, **more},
        )
        deps = Deps(
            settings=settings,
            clock=clock,
            ids=Ids(clock),
            rng=system_random(),
            db=db,
            waker=CountingWaker(),
            slack=SlackClient.of(settings, clock),
            drafter=drafter or TemplateDrafter(),
        )
        application = FastAPI()
        application.include_router(router(deps))
        address = await stack.enter_async_context(serving(application))
        slack.request_url = f"{address}/slack/events"
        yield Desk(deps, slack, clock, address)

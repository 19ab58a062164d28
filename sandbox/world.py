"""How does the real program run among stand-ins, in one process, with a clock to turn?

Nothing here is scripted output: events come in through the program's own doors, messages go out through
the official SDKs over sockets, and what people see is what reached the stand-ins.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from pydantic import SecretStr

from bot.app import opened, stories, web, worker
from bot.clock import TurnableClock
from bot.deps import Deps
from bot.flows.rules.publish import publish
from bot.settings import Settings
from sandbox.line import LineStandIn
from sandbox.openai import OpenAIStandIn
from sandbox.serve import serving
from sandbox.slack import SlackStandIn

INGEST_KEY = "sandbox-ingest-key"
CHANNEL_SECRET = "sandbox-line-channel-secret"
CHANNEL_TOKEN = "sandbox-line-channel-access-token"
BOT_TOKEN = "xoxb-sandbox"
SIGNING_SECRET = "sandbox-slack-signing-secret"
MODEL_KEY = "sk-sandbox"
MAX_ROUNDS = 200
"""Rounds of all stories after which work that never ends is a fault."""
MOMENT = timedelta(seconds=20)
"""Long enough for a reply that can still be undone to leave."""
_JAPAN = ZoneInfo("Asia/Tokyo")


@dataclass(slots=True, kw_only=True)
class World:
    """The program, the platforms around it, and the people on both sides."""

    clock: TurnableClock
    line: LineStandIn
    slack: SlackStandIn
    openai: OpenAIStandIn
    settings: Settings
    deps: Deps
    address: str
    leads_channel: str
    alerts_channel: str
    sato: str
    suzuki: str
    line_address: str
    slack_address: str
    phones: dict[str, str] = field(default_factory=dict)
    """LINE user ids of customers who have a phone here, by the product's id of them."""
    linked: set[str] = field(default_factory=set)
    """Those of them who sent the code that links the two."""

    async def settle(self) -> None:
        """Carry out every story until none finds anything to do."""
        known = stories(self.deps)
        for _ in range(MAX_ROUNDS):
            if not sum([await story() for story in known.values()]):
                return
        raise RuntimeError("the stories never came to rest")

    async def turn(self, by: timedelta) -> datetime:
        """Let time pass, and let the program notice."""
        now = self.clock.turn(by)
        await self.settle()
        return now

    async def pass_time(self, by: timedelta) -> datetime:
        """Let a long time pass as it does: what is under way goes out, and each day's work is done at ten."""
        end = self.clock.now() + by
        await self.turn(min(by, MOMENT))
        while (morning := _next_ten(self.clock.now())) < end:
            await self.turn(morning - self.clock.now())
        return await self.turn(max(timedelta(0), end - self.clock.now()))

    async def post(self, path: str, body: Any, *, key: str | None = INGEST_KEY) -> tuple[int, Any]:
        """POST JSON to the program as a product would; returns status and answer."""
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(self.address + path, json=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def identify(self, user_id: str, **traits: Any) -> None:
        """A customer is made known."""
        await self._expect_200(
            "/v1/identify", {"userId": user_id, "traits": traits, "timestamp": self._now()}
        )

    async def track(self, user_id: str, event: str, **properties: Any) -> None:
        """A customer does something now."""
        body = {"userId": user_id, "event": event, "properties": properties, "timestamp": self._now()}
        await self._expect_200("/v1/track", body)

    async def batch(self, items: Sequence[Mapping[str, Any]]) -> None:
        """Many calls at once."""
        for start in range(0, len(items), 500):
            await self._expect_200("/v1/batch", {"batch": list(items[start : start + 500])})

    async def link(self, user_id: str, line_user_id: str) -> None:
        """The customer opens the link their product shows them, and sends the code it carries."""
        self.phones[user_id] = line_user_id
        _, answer = await self.post(f"/v1/customers/{user_id}/line-link", {})
        await self.line.say(line_user_id, answer["code"])
        self.linked.add(user_id)
        await self.settle()

    async def agree(self, line_user_id: str) -> None:
        """A LINE user becomes a friend and says yes to the question."""
        await self.line.follow(line_user_id)
        await self.settle()
        await self.line.press(line_user_id, "consent:yes", display_text="受け取る")
        await self.settle()

    async def friend(self, user_id: str, name: str, **traits: Any) -> str:
        """A known customer who is a friend, linked, and agreed; returns the LINE user id."""
        await self.identify(user_id, name=name, **traits)
        line_user_id = self.line.add_person(name)
        await self.agree(line_user_id)
        await self.link(user_id, line_user_id)
        return line_user_id

    async def publish(self, files: Mapping[str, str]) -> None:
        """Publish a rule folder, given as text by path."""
        await publish(self.deps, files, by="world")
        await self.settle()

    def heard(self, line_user_id: str) -> list[str]:
        """What the program wrote to this phone, oldest first."""
        return self.line.texts(line_user_id)

    def _now(self) -> str:
        return self.clock.now().isoformat()

    async def _expect_200(self, path: str, body: Any) -> None:
        status, answer = await self.post(path, body)
        if status != 200:
            raise AssertionError(f"{path} answered {status}: {answer}")


def read_folder(folder: Path) -> dict[str, str]:
    """The YAML files of a rule folder: text by relative path."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.yaml"))}


def _next_ten(moment: datetime) -> datetime:
    """The next ten o'clock in the morning in Japan."""
    ten = moment.astimezone(_JAPAN).replace(hour=10, minute=0, second=0, microsecond=0)
    return ten if ten > moment else ten + timedelta(days=1)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def world(
    start: datetime,
    *,
    data_dir: Path | None = None,
    database_url: str | None = None,
    is_worked: bool = False,
    is_running: bool = False,
    extra: Iterable[tuple[str, Any]] = (),
) -> AsyncIterator[World]:
    """Start the platforms and the program.

    Args:
        start: the moment the clock shows first.
        data_dir: where the embedded database lives, when there is no `database_url`.
        is_worked: stories are carried out as in production (jobs, ticks); else only by `settle`.
        is_running: the clock runs on between turns.
        extra: more settings, by name.
    """
    clock = TurnableClock(start, is_running=is_running)
    line = LineStandIn(
        channel_secret=CHANNEL_SECRET,
        access_token=CHANNEL_TOKEN,
        clock=clock.now,
        webhook_timeout_seconds=10,  # a small, busy machine is not a broken webhook
    )
    slack = SlackStandIn(bot_token=BOT_TOKEN, signing_secret=SIGNING_SECRET, clock=clock.now)
    openai = OpenAIStandIn(clock.now)
    sato = slack.add_member("sato", real_name="佐藤 健")
    suzuki = slack.add_member("suzuki", real_name="鈴木 葵")
    sales = slack.add_user_group("sales", [sato])
    leads_team = slack.add_user_group("support-leads", [suzuki])
    leads_channel = slack.add_channel("leads")
    alerts_channel = slack.add_channel("alerts")
    async with contextlib.AsyncExitStack() as stack:
        line_address, slack_address, openai_address = [
            await stack.enter_async_context(serving(platform.app)) for platform in (line, slack, openai)
        ]
        slack.base_url = slack_address
        stack.push_async_callback(slack.close)
        port = free_port()
        settings = Settings.of(
            database_url=SecretStr(database_url) if database_url else None,
            yorisoi_data_dir=data_dir or Path(".yorisoi"),
            port=port,
            yorisoi_ingest_key=SecretStr(INGEST_KEY),
            line_channel_secret=SecretStr(CHANNEL_SECRET),
            line_channel_access_token=SecretStr(CHANNEL_TOKEN),
            line_api_base_url=line_address,
            slack_bot_token=SecretStr(BOT_TOKEN),
            slack_signing_secret=SecretStr(SIGNING_SECRET),
            slack_api_base_url=f"{slack_address}/api/",
            slack_leads_channel=leads_channel,
            slack_alerts_channel=alerts_channel,
            slack_sales_group=sales,
            slack_support_leads_group=leads_team,
            openai_api_key=SecretStr(MODEL_KEY),
            openai_base_url=f"{openai_address}/v1",
            **dict(extra),
        )
        deps = await stack.enter_async_context(opened(settings, clock=clock, is_worker=True))
        if is_worked:
            await stack.enter_async_context(worker(deps))
        address = await stack.enter_async_context(web(deps))
        line.webhook_url = f"{address}/line/webhook"
        slack.request_url = f"{address}/slack/events"
        yield World(
            clock=clock,
            line=line,
            slack=slack,
            openai=openai,
            settings=settings,
            deps=deps,
            address=address,
            leads_channel=leads_channel,
            alerts_channel=alerts_channel,
            sato=sato,
            suzuki=suzuki,
            line_address=line_address,
            slack_address=slack_address,
        )
        await asyncio.sleep(0)

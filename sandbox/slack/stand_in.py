"""What does a test or the demo hold in its hands when it wants a Slack of its own?"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from sandbox.slack.arrivals import Arrivals
from sandbox.slack.calls import Call
from sandbox.slack.elements import Json
from sandbox.slack.faults import Faults
from sandbox.slack.modals import View
from sandbox.slack.people import People, Values
from sandbox.slack.rendering import pings_everyone
from sandbox.slack.state import BOT_SCOPES, SlackState
from sandbox.slack.wire.control import control
from sandbox.slack.wire.delivery import Acknowledgement, Delivery, Undelivered
from sandbox.slack.wire.hooks import Hooks
from sandbox.slack.wire.rates import Rates
from sandbox.slack.wire.sockets import Sockets
from sandbox.slack.wire.web_api import WebApi
from sandbox.slack.workspace import Button, Member, Message, Workspace


class SlackStandIn:
    """One Slack workspace with our app in it, on loopback: refuses what Slack refuses.

    Serve `.app`, give `f"{url}/api/"` to the Slack client as base URL, and set `request_url` (HTTP mode) or
    let the app connect by Socket Mode (`app_token`). Moments come from `clock`; `signing_time` is for tests
    of stale signatures. `echo` sends the bot's own messages back to it as events. `events` names the
    subscribed bot events, all by default. `rate_limits` turns on Slack's tiers and one message a second.
    """

    def __init__(
        self,
        *,
        bot_token: str,
        signing_secret: str,
        clock: Callable[[], datetime],
        app_token: str | None = None,
        request_url: str | None = None,
        team_id: str = "T08SANDBOX1",
        scopes: Iterable[str] = BOT_SCOPES,
        events: Iterable[str] | None = None,
        bot_name: str = "yorisoi",
        base_url: str | None = None,
        echo: bool = False,
        rate_limits: bool = False,
        signing_time: Callable[[], datetime] | None = None,
    ) -> None:
        self.state = SlackState(
            bot_token=bot_token,
            signing_secret=signing_secret,
            clock=clock,
            app_token=app_token,
            team_id=team_id,
            scopes=tuple(scopes),
            bot_name=bot_name,
            base_url=base_url,
        )
        self.sockets = Sockets(self.state)
        self.state.socket_url = self.sockets.url
        self.rates = Rates(clock, is_on=rate_limits)
        self._delivery = Delivery(
            self.state, self.sockets, request_url=request_url, signing_time=signing_time
        )
        self._hooks = Hooks(self.state)
        self._people = People(self.state, self._delivery, self._hooks)
        self._arrivals = Arrivals(self._people, echo=echo, events=events)
        everything = Route("/api/{method}", WebApi(self.state, self.rates).__call__, methods=["GET", "POST"])
        self.app = Starlette(routes=[everything, *self._hooks.routes()], lifespan=self._lifespan)
        self.control = control(self)

    # What people do. Each reaches the app before it returns.

    async def press(
        self,
        user_id: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        value: Any = None,
        selected_option: Any = None,
    ) -> Acknowledgement:
        """Press or choose in a message; see `People.press`."""
        return await self._people.press(
            user_id, channel, ts, action_id, block_id=block_id, value=value, selected_option=selected_option
        )

    async def press_in_view(
        self, user_id: str, view_id: str, action_id: str, *, block_id: str | None = None, value: Any = None
    ) -> Acknowledgement:
        """Press or choose in a modal or the Home tab; see `People.press_in_view`."""
        return await self._people.press_in_view(user_id, view_id, action_id, block_id=block_id, value=value)

    async def submit(self, user_id: str, view_id: str, values: Values | None = None) -> Acknowledgement:
        """Fill in and submit a modal; see `People.submit`."""
        return await self._people.submit(user_id, view_id, values)

    async def close_view(self, user_id: str, view_id: str, *, whole_stack: bool = False) -> Acknowledgement:
        """Close a modal; see `People.close_view`."""
        return await self._people.close_view(user_id, view_id, whole_stack=whole_stack)

    async def suggest(self, user_id: str, action_id: str, typed: str, **where: str) -> list[Json]:
        """Options of an external select; `where`: view_id, or channel and ts. See `People.suggest`."""
        return await self._people.suggest(user_id, action_id, typed, **where)

    async def command(self, user_id: str, command: str, text: str, channel: str) -> Acknowledgement:
        """Type a slash command; see `Arrivals.command`."""
        return await self._arrivals.command(user_id, command, text, channel)

    async def shortcut(
        self, user_id: str, callback_id: str, *, channel: str | None = None, ts: str | None = None
    ) -> Acknowledgement:
        """Choose a shortcut; see `Arrivals.shortcut`."""
        return await self._arrivals.shortcut(user_id, callback_id, channel=channel, ts=ts)

    async def write(
        self,
        user_id: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        files: Iterable[tuple[str, bytes, str]] | None = None,
        *,
        broadcast: bool = False,
        copies: int = 1,
    ) -> Acknowledgement:
        """Write a message; see `Arrivals.write`."""
        return await self._arrivals.write(
            user_id, channel, text, thread_ts=thread_ts, files=files, broadcast=broadcast, copies=copies
        )

    async def edit(self, user_id: str, channel: str, ts: str, text: str) -> Acknowledgement:
        """Edit one's own message."""
        return await self._arrivals.edit(user_id, channel, ts, text)

    async def delete(self, user_id: str, channel: str, ts: str) -> Acknowledgement:
        """Delete one's own message."""
        return await self._arrivals.delete(user_id, channel, ts)

    async def react(self, user_id: str, channel: str, ts: str, name: str) -> Acknowledgement:
        """React to a message with an emoji's name."""
        return await self._arrivals.react(user_id, channel, ts, name)

    async def open_home(self, user_id: str) -> Acknowledgement:
        """Open the app's Home tab."""
        return await self._arrivals.open_home(user_id)

    async def event(self, payload: Json, *, copies: int = 1) -> Acknowledgement:
        """Deliver any event; see `Arrivals.event`."""
        return await self._arrivals.event(payload, copies=copies)

    async def redeliver(self) -> list[Acknowledgement]:
        """Send every event that was not acknowledged once more, three times at most."""
        return await self._delivery.redeliver()

    async def settled(self) -> None:
        """Wait until echoed events are delivered."""
        await self._arrivals.settled()

    # What there is to see.

    def messages(self, channel: str) -> list[Message]:
        """What stands in a channel (id or name), oldest first: without replies, but with broadcast ones."""
        place = self.workspace.channel(channel)
        return [each for each in place.messages if not each.is_reply or each.is_broadcast]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A parent and its replies, oldest first."""
        place = self.workspace.channel(channel)
        return [each for each in place.messages if ts in (each.ts, each.thread_ts)]

    def direct_messages(self, user_id: str) -> list[Message]:
        """What stands in the bot's direct message with a person."""
        return self.messages(self.workspace.direct_message(user_id).id)

    def ephemerals(self, user_id: str) -> list[Message]:
        """Everything that was shown to this person only and is still there, oldest first."""
        return [each for each in self.workspace.ephemerals if each.seen_only_by == user_id]

    def open_views(self, user_id: str) -> list[View]:
        """A person's stack of modals; the last lies on top."""
        return list(self.state.views.stacks.get(user_id, []))

    def home(self, user_id: str) -> View | None:
        """A person's Home tab, once published."""
        return self.state.views.homes.get(user_id)

    def buttons(self, shown: Message | View) -> list[Button]:
        """Every element that can be acted on: action_id, label, block_id, kind, value."""
        return shown.buttons()

    def broadcasts(self) -> list[Message]:
        """Messages of the bot that ping a whole channel: mostly somebody's raw text that was not escaped."""
        ours = [each for each in self.workspace.everything_posted() if each.user == self.bot.id]
        return [each for each in ours if pings_everyone(each.blocks or each.text)]

    # What there is to set and to look up.

    def add_member(self, name: str, **about: Any) -> str:
        """A new person: real_name, locale, tz, groups, email, is_restricted, is_ultra_restricted, is_bot,
        deleted, team_id. Returns the U-id."""
        return self.workspace.add_member(name, **about)

    def add_channel(
        self,
        name: str,
        *,
        private: bool = False,
        archived: bool = False,
        ext_shared: bool = False,
        bot_member: bool = True,
        members: Iterable[str] | None = None,
    ) -> str:
        """A new channel, everyone in it unless `members` says who. Returns the C-id."""
        return self.workspace.add_channel(
            name,
            private=private,
            archived=archived,
            ext_shared=ext_shared,
            bot_member=bot_member,
            members=members,
        )

    def add_user_group(self, handle: str, members: Iterable[str] = ()) -> str:
        """A new user group. Returns the S-id."""
        return self.workspace.add_user_group(handle, members)

    @property
    def workspace(self) -> Workspace:
        """Members, channels, groups and files, to look up or change."""
        return self.state.workspace

    @property
    def bot(self) -> Member:
        return self.workspace.bot

    @property
    def journal(self) -> list[Call]:
        """Every API call in the order it came, refused ones too. Clear it freely."""
        return self.state.journal

    @property
    def faults(self) -> Faults:
        """Add what shall go wrong next; `response_url` counts as a method."""
        return self.state.faults

    @property
    def undelivered(self) -> list[Undelivered]:
        """Events not acknowledged yet."""
        return self._delivery.undelivered

    @property
    def request_url(self) -> str | None:
        """Where events, interactions and commands go in HTTP mode."""
        return self._delivery.request_url

    @request_url.setter
    def request_url(self, url: str | None) -> None:
        self._delivery.request_url = url

    @property
    def base_url(self) -> str:
        """Where `.app` is served; learnt from the first API call when not set."""
        return self.state.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.state.base_url = url

    async def close(self) -> None:
        """Close sockets and finish echoes; also done when `.app` stops."""
        await self._arrivals.settled()
        await self.sockets.close()

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self.close()

"""What else happens in the workspace that the app hears of: messages, commands, shortcuts, the Home tab?"""

import asyncio
import re
from collections.abc import Coroutine, Iterable
from dataclasses import replace
from typing import Any

from sandbox.slack.api.files import file_json, new_file
from sandbox.slack.elements import Json, NotPossible
from sandbox.slack.people import People, shown_name
from sandbox.slack.wire.delivery import Acknowledgement
from sandbox.slack.workspace import Channel, Member, Message

LIVE = re.compile(r"(<(?:@[UW]|#C|!|https?:|mailto:)[^<>]*>)")
"""Mentions, broadcasts and links, which stay as they are in a message's text."""
CHANNEL_TYPES = {"public": "channel", "private": "group", "im": "im"}


class Arrivals:
    """Everything that is told to the app without a message or view being acted on."""

    def __init__(self, people: People, *, echo: bool, events: Iterable[str] | None) -> None:
        self.people = people
        self.slack = people.slack
        self.delivery = people.delivery
        self.echo = echo
        self.events = None if events is None else frozenset(events)
        self._echoes: set[asyncio.Task[Any]] = set()
        self.slack.posted = self._posted

    async def command(self, user_id: str, command: str, text: str, channel: str) -> Acknowledgement:
        """Type a slash command; text or blocks of the answer appear to the person, or in the channel."""
        member, place = self._insider(user_id), self.people.place(user_id, channel)
        key = self.slack.tickets.new_response_url(user_id, place.id)
        answer = await self.delivery.command(
            {
                "token": "legacy-verification-token",
                "team_id": self.slack.workspace.team_id,
                "team_domain": "sandbox",
                "channel_id": place.id,
                "channel_name": shown_name(place),
                "user_id": member.id,
                "user_name": member.name,
                "command": command,
                "text": text,
                "api_app_id": self.slack.workspace.app_id,
                "is_enterprise_install": "false",
                "response_url": self.people.response_url(key),
                "trigger_id": self.slack.tickets.new_trigger(user_id),
            }
        )
        said = answer.payload if answer.payload is not None else {"text": answer.body}
        if answer.is_good and (said.get("text") or said.get("blocks")):
            self.people.hooks.answer(self.slack.tickets.response_urls[key], said)
        return answer

    async def shortcut(
        self, user_id: str, callback_id: str, *, channel: str | None = None, ts: str | None = None
    ) -> Acknowledgement:
        """Choose a global shortcut; or, with `channel` and `ts`, a message shortcut."""
        member = self._insider(user_id)
        payload = {
            **self.people.who("shortcut", member),
            "callback_id": callback_id,
            "trigger_id": self.slack.tickets.new_trigger(user_id),
            "action_ts": self.slack.workspace.new_ts(),
        }
        if channel is not None:
            place = self.people.place(user_id, channel)
            message = place.message(ts)
            if message is None:
                raise NotPossible(f"there is no message {ts!r} in #{place.name}")
            key = self.slack.tickets.new_response_url(user_id, place.id, message)
            payload |= {
                "type": "message_action",
                "message_ts": message.ts,
                "message": self.slack.message_json(message),
                "channel": {"id": place.id, "name": shown_name(place)},
                "response_url": self.people.response_url(key),
            }
        return await self.delivery.interaction(payload)

    async def write(
        self,
        user_id: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Iterable[tuple[str, bytes, str]] | None = None,
        broadcast: bool = False,
        copies: int = 1,
    ) -> Acknowledgement:
        """Write a message, with files of (name, content, media type); `ts` of the answer is its ts.

        The app hears of it as Slack would tell it: `message` when the bot is in the channel, `app_mention`
        too when it is mentioned. `copies` delivers the event so many times, with one event_id.
        """
        member, place = self.people.member(user_id), self.people.place(user_id, channel)
        if place.is_archived:
            raise NotPossible(f"#{place.name} is archived")
        if thread_ts is not None and place.message(thread_ts) is None:
            raise NotPossible(f"there is no message {thread_ts!r} in #{place.name}")
        stored = [
            new_file(self.slack, name, content, user=user_id, mimetype=kind)
            for name, content, kind in files or ()
        ]
        message = Message(
            channel=place.id,
            ts=self.slack.workspace.new_ts(),
            user=member.id,
            bot_id=member.bot_id,
            text=_escaped(text),
            thread_ts=thread_ts,
            is_broadcast=broadcast,
            files=[file_json(self.slack, each) for each in stored],
        )
        message.blocks = [_written(text, self.slack.workspace.new_block_id())] if text else []
        place.messages.append(message)
        for each in stored:
            each.shares.append((place.id, message.ts))
        answer = await self._tell(message, place, "file_share" if stored else "", copies=copies)
        if place.has_bot and place.kind != "im" and f"<@{self.slack.workspace.bot.id}>" in text:
            await self.event({**self._message_event(message, place, ""), "type": "app_mention"})
        return replace(answer, ts=message.ts)

    async def edit(self, user_id: str, channel: str, ts: str, text: str) -> Acknowledgement:
        """Change one's own message; the app hears `message_changed`."""
        message, place = self._own(user_id, channel, ts)
        message.text, message.edited_ts = _escaped(text), self.slack.workspace.new_ts()
        message.blocks = [_written(text, self.slack.workspace.new_block_id())]
        return await self._tell(message, place, "message_changed")

    async def delete(self, user_id: str, channel: str, ts: str) -> Acknowledgement:
        """Delete one's own message; the app hears `message_deleted`."""
        message, place = self._own(user_id, channel, ts)
        place.remove(message)
        return await self._tell(message, place, "message_deleted")

    async def react(self, user_id: str, channel: str, ts: str, name: str) -> Acknowledgement:
        """Add an emoji to a message; the app hears `reaction_added`."""
        place = self.people.place(user_id, channel)
        message = place.message(ts)
        if message is None:
            raise NotPossible(f"there is no message {ts!r} in #{place.name}")
        message.reactions.setdefault(name, []).append(self.people.member(user_id).id)
        item = {"type": "message", "channel": place.id, "ts": ts}
        return await self.event(
            {
                "type": "reaction_added",
                "user": user_id,
                "reaction": name,
                "item": item,
                "item_user": message.user,
            }
        )

    async def open_home(self, user_id: str) -> Acknowledgement:
        """Open the app's Home tab; the app hears `app_home_opened` and publishes it."""
        member = self.people.member(user_id)
        home = self.slack.views.homes.get(user_id)
        return await self.event(
            {
                "type": "app_home_opened",
                "user": member.id,
                "channel": self.slack.workspace.direct_message(user_id).id,
                "tab": "home",
                **({"view": self.slack.views.as_json(home)} if home else {}),
            }
        )

    async def event(self, payload: Json, *, copies: int = 1) -> Acknowledgement:
        """Any event, in its envelope with a new event_id; the last of `copies` answers.

        An event that the app is not subscribed to is not delivered.
        """
        if not self._is_subscribed(payload):
            return Acknowledgement(status=200, is_delivered=False)
        workspace = self.slack.workspace
        event = {"event_ts": workspace.new_ts(), **payload}
        channel = workspace.channels.get(str(event.get("channel")))
        envelope = {
            "token": "legacy-verification-token",
            "team_id": workspace.team_id,
            "context_team_id": workspace.team_id,
            "api_app_id": workspace.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": workspace.new_id("Ev"),
            "event_time": int(self.slack.clock().timestamp()),
            "event_context": f"4-{workspace.count('event')}",
            "is_ext_shared_channel": bool(channel and channel.is_ext_shared),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.team_id,
                    "user_id": workspace.bot.id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
        }
        for _ in range(copies - 1):
            await self.delivery.event(envelope)
        return await self.delivery.event(envelope)

    async def settled(self) -> None:
        """Wait until the echoes of the bot's own messages are delivered."""
        while self._echoes:
            await asyncio.gather(*self._echoes)

    def _insider(self, user_id: str) -> Member:
        """A member of the workspace itself: the app's commands and shortcuts are not there for others."""
        member = self.people.member(user_id)
        if member.team_id != self.slack.workspace.team_id:
            raise NotPossible(
                f"{member.name} is of another workspace and has no commands or shortcuts of this app"
            )
        return member

    def _own(self, user_id: str, channel: str, ts: str) -> tuple[Message, Channel]:
        place = self.slack.workspace.channel(channel)
        message = place.message(ts)
        if message is None or message.user != self.people.member(user_id).id:
            raise NotPossible(f"this person wrote no message {ts!r} in #{place.name}")
        return message, place

    def _posted(self, subtype: str, message: Message) -> None:
        """The bot's own messages come back to it as events, when `echo` is on."""
        if not self.echo:
            return
        place = self.slack.workspace.channels[message.channel]
        echo: Coroutine[Any, Any, Any] = self._tell(message, place, subtype)
        task = asyncio.get_running_loop().create_task(echo)
        self._echoes.add(task)
        task.add_done_callback(self._echoes.discard)

    async def _tell(
        self, message: Message, place: Channel, subtype: str, *, copies: int = 1
    ) -> Acknowledgement:
        if not place.has_bot:
            return Acknowledgement(status=200, is_delivered=False)
        return await self.event(self._message_event(message, place, subtype), copies=copies)

    def _message_event(self, message: Message, place: Channel, subtype: str) -> Json:
        written = self.slack.message_json(message, with_payload="metadata.message:read" in self.slack.scopes)
        where = {"channel": place.id, "channel_type": CHANNEL_TYPES[place.kind]}
        if subtype == "message_changed":
            event = {"subtype": subtype, "hidden": True, "message": written, "previous_message": written}
            return {"type": "message", **event, **where, "ts": self.slack.workspace.new_ts()}
        if subtype == "message_deleted":
            event = {
                "subtype": subtype,
                "hidden": True,
                "deleted_ts": message.ts,
                "previous_message": written,
            }
            return {"type": "message", **event, **where, "ts": self.slack.workspace.new_ts()}
        said = {**written, **where, "event_ts": message.ts}
        return {**said, "subtype": subtype} if subtype else said

    def _is_subscribed(self, payload: Json) -> bool:
        if self.events is None:
            return True
        kind = payload["type"]
        if kind == "message":
            plural = {"channel": "channels", "group": "groups", "im": "im"}
            kind = f"message.{plural.get(payload.get('channel_type', 'channel'), 'channels')}"
        return kind in self.events


def _escaped(text: str) -> str:
    """Text as Slack stores it: `&`, `<` and `>` escaped, mentions and links left as they are."""
    parts = LIVE.split(text)
    plain = [part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for part in parts[::2]]
    live = [*parts[1::2], ""]
    return "".join(piece for pair in zip(plain, live, strict=True) for piece in pair)


def _written(text: str, block_id: str) -> Json:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "block_id": block_id, "elements": [section]}

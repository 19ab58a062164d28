"""How do tests and the demo hold LINE in their hands: people who act, and a platform that answers?"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox.exchange import Answer, Call, Doorway, Exchange
from sandbox.line import endpoints, rich_menus, sending
from sandbox.line.channel import RATE_LIMIT, Channel
from sandbox.line.control import control_app
from sandbox.line.people import Bubble, OpenedLink, Person
from sandbox.line.routes import answer
from sandbox.line.webhooks import Delivery, Webhooks

WEBHOOK_ANSWER_SECONDS = 2.0
"""How long LINE waits for the bot server (Check webhook error statistics)."""
BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari Line/15.0.0"
LINK_PREVIEWER = "facebookexternalhit/1.1;line-poker/1.0"
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

Tapped = Delivery | OpenedLink | None


class LineStandIn:
    """A loopback LINE platform for one Messaging API channel.

    `app` has LINE's API (api.line.me and api-data.line.me together), `control` the demo page's own
    surface. `journal` holds every API request seen, `deliveries` every webhook sent, `faults` what is to
    go wrong next; `webhooks.copies` sends every webhook several times, `webhooks.is_standby` gives the
    chat to another module channel. Moments come from `clock` only.
    """

    def __init__(
        self,
        *,
        channel_secret: str,
        access_token: str,
        clock: Callable[[], datetime],
        webhook_url: str | None = None,
        webhook_timeout_seconds: float = WEBHOOK_ANSWER_SECONDS,
        quota: int | None = None,
    ) -> None:
        self.channel = Channel(channel_secret, access_token, clock, webhook_url=webhook_url, quota=quota)
        self.webhooks = Webhooks(self.channel, timeout_seconds=webhook_timeout_seconds)
        self.menus = rich_menus.RichMenus()
        self._routes = (
            *sending.ROUTES,
            *endpoints.ROUTES,
            endpoints.testing_webhook(self.webhooks),
            *self.menus.routes(),
        )
        self._door = Doorway(
            self._answer,
            clock=clock,
            request_ids=self.channel.ids.request_id,
            request_id_header="x-line-request-id",
        )
        self.journal = self._door.journal
        self.faults = self._door.faults
        self.deliveries = self.webhooks.deliveries
        self.local_hosts: dict[str, str] = {}
        """Where public addresses are on this machine: `https://bot.example` → `http://127.0.0.1:8000`."""
        self.app = Starlette(routes=[Mount("/", self._door)])
        self.control = control_app(self)

    async def _answer(self, call: Call, exchange: Exchange) -> Answer:
        return await answer(self._routes, self.channel, call, exchange)

    # Settings ---------------------------------------------------------------------------------------

    @property
    def clock(self) -> Callable[[], datetime]:
        return self.channel.clock

    @property
    def webhook_url(self) -> str | None:
        return self.channel.webhook_url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        self.channel.webhook_url = url

    @property
    def webhook_redelivery(self) -> bool:
        return self.webhooks.redelivers

    @webhook_redelivery.setter
    def webhook_redelivery(self, is_on: bool) -> None:
        self.webhooks.redelivers = is_on

    @property
    def quota(self) -> int | None:
        return self.channel.quota

    @quota.setter
    def quota(self, messages_a_month: int | None) -> None:
        self.channel.quota = messages_a_month

    @property
    def consumed(self) -> int:
        """Messages counted in this month (in Japan)."""
        return self.channel.used[self.channel.month()]

    def consume(self, messages: int) -> None:
        """Count messages sent elsewhere on the same account, as from LINE Official Account Manager."""
        self.channel.used[self.channel.month()] += messages

    def limit_rate(self, path: str = "*", *, times: int = 1) -> None:
        """Answer the next requests with 429 for too many requests."""
        self.faults.add(path, times=times, status=429, body={"message": RATE_LIMIT})

    # People -----------------------------------------------------------------------------------------

    def add_person(
        self, display_name: str, language: str = "ja", user_id: str | None = None, *, is_friend: bool = False
    ) -> str:
        """A LINE user of this provider; not a friend until they `follow`. Returns the user id."""
        person = Person(user_id or self.channel.ids.user_id(), display_name, language, is_friend=is_friend)
        self.channel.people[person.user_id] = person
        return person.user_id

    def add_group(self, kind: str = "group") -> str:
        """A group or room with the account in it; returns its id. What it is told is in `texts`."""
        group_id = ("C" if kind == "group" else "R") + self.channel.ids.user_id()[1:]
        self.channel.groups[group_id] = kind
        return self.add_person(kind, user_id=group_id, is_friend=True)

    def person(self, user_id: str) -> Person:
        return self.channel.person(user_id)

    @property
    def people(self) -> list[Person]:
        return list(self.channel.people.values())

    def phone(self, user_id: str) -> list[dict[str, Any]]:
        """What this person's chat shows, oldest first.

        Each bubble: `id at from via type text alt_text buttons quick_replies sender is_silent is_unsent
        is_read raw`; `from` is `bot` or `person`; `at` an aware datetime; `buttons` and `quick_replies`
        lists of `{label, type, action}`.
        """
        return self.channel.person(user_id).phone()

    def texts(self, user_id: str) -> list[str]:
        """The words of every bot message on this person's phone, oldest first."""
        return [bubble["text"] or "" for bubble in self.phone(user_id) if bubble["from"] == "bot"]

    def delete_account(self, user_id: str) -> None:
        """The person deletes their LINE account: no webhook tells."""
        self.channel.person(user_id).is_deleted = True

    # What people do ---------------------------------------------------------------------------------

    async def follow(self, user_id: str, is_unblocked: bool | None = None) -> Delivery:
        """Adds the account as a friend, or unblocks it (told apart from the past unless given)."""
        person = self.channel.person(user_id)
        told = person.has_blocked if is_unblocked is None else is_unblocked
        person.is_friend, person.has_blocked = True, False
        return await self.webhooks.send(self.webhooks.event("follow", person, follow={"isUnblocked": told}))

    async def unfollow(self, user_id: str) -> Delivery:
        """Blocks the account."""
        person = self.channel.person(user_id)
        person.has_blocked = True
        return await self.webhooks.send(self.webhooks.event("unfollow", person))

    async def say(self, user_id: str, text: str, *, quoted_message_id: str | None = None) -> Delivery:
        """Writes a text; `delivery.message_id` is its id."""
        extra = {"quotedMessageId": quoted_message_id} if quoted_message_id else {}
        return await self._speak(user_id, {"type": "text", "text": text, **extra}, is_quotable=True)

    async def send_sticker(self, user_id: str, package_id: str = "446", sticker_id: str = "1988") -> Delivery:
        message = {
            "type": "sticker",
            "packageId": package_id,
            "stickerId": sticker_id,
            "stickerResourceType": "STATIC",
            "keywords": ["thanks", "happy"],
        }
        return await self._speak(user_id, message, is_quotable=True)

    async def send_image(
        self, user_id: str, image: bytes, media_type: str = "image/jpeg", *, preparing: int = 0
    ) -> Delivery:
        """Sends a picture; its content can be fetched by `message_id`, after `preparing` answers of 202."""
        message = {"type": "image", "contentProvider": {"type": "line"}}
        return await self._speak(
            user_id, message, is_quotable=True, content=(image, media_type), preparing=preparing
        )

    async def send_file(
        self, user_id: str, file_name: str, content: bytes, media_type: str = "application/octet-stream"
    ) -> Delivery:
        message = {"type": "file", "fileName": file_name, "fileSize": len(content)}
        return await self._speak(user_id, message, content=(content, media_type))

    async def send_location(
        self,
        user_id: str,
        title: str = "東京駅",
        address: str = "東京都千代田区丸の内1丁目",
        latitude: float = 35.681236,
        longitude: float = 139.767125,
    ) -> Delivery:
        message = {"type": "location", "title": title, "address": address}
        return await self._speak(user_id, {**message, "latitude": latitude, "longitude": longitude})

    async def unsend(self, user_id: str, message_id: str) -> Delivery:
        """Takes a message back: it goes from the phone and its content from LINE."""
        person = self.channel.person(user_id)
        for bubble in person.bubbles:
            if bubble.id == message_id:
                bubble.is_unsent = True
        self.channel.contents.pop(message_id, None)
        return await self.webhooks.send(
            self.webhooks.event("unsend", person, unsend={"messageId": message_id})
        )

    async def press(
        self,
        user_id: str,
        postback_data: str,
        display_text: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Delivery:
        """Presses something with a postback action; `params` as of a date picker or rich menu switch."""
        person = self._acting(user_id)
        if display_text:
            self._show(person, {"type": "text", "text": display_text}, via="postback")
        postback = {"data": postback_data} | ({"params": dict(params)} if params else {})
        return await self.webhooks.send(self.webhooks.event("postback", person, postback=postback))

    async def tap_quick_reply(
        self, user_id: str, label: str, *, params: Mapping[str, str] | None = None
    ) -> Tapped:
        """Taps a quick reply on the last bubble; raises `LookupError` when it is not on the screen."""
        person = self.channel.person(user_id)
        action = person.action_of_quick_reply(label)
        person.bubbles[-1].is_answered = True
        return await self._do(user_id, action, params)

    async def tap_button(
        self, user_id: str, label: str, *, params: Mapping[str, str] | None = None
    ) -> Tapped:
        """Taps the newest button of that label, in a template, Flex or imagemap message."""
        return await self._do(user_id, self.channel.person(user_id).action_of_button(label), params)

    async def tap_rich_menu(self, user_id: str, area: int) -> Tapped:
        """Taps the area at that position of the rich menu the person sees; the first is 0."""
        person = self.channel.person(user_id)
        return await self._do(user_id, self.menus.action(person, area), None)

    async def open_link(self, user_id: str, url: str, *, user_agent: str = BROWSER) -> OpenedLink:
        """Opens a link: GET when it is on loopback (or in `local_hosts`), without following redirects."""
        opened = OpenedLink(self.clock(), url)
        self.channel.person(user_id).opened_links.append(opened)
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        local = self.local_hosts.get(origin, origin)
        if urlsplit(local).hostname in _LOOPBACK and urlsplit(local).scheme == "http":
            async with (
                aiohttp.ClientSession(trust_env=False, headers={"user-agent": user_agent}) as session,
                session.get(local + url[len(origin) :], allow_redirects=False) as response,
            ):
                opened.status = response.status
                opened.location = response.headers.get("location")
                opened.body = (await response.text(errors="replace"))[:20_000]
        return opened

    async def preview_link(self, user_id: str, url: str) -> OpenedLink:
        """LINE's own fetch of a link in a chat, which no person has made."""
        opened = await self.open_link(user_id, url, user_agent=LINK_PREVIEWER)
        self.channel.person(user_id).opened_links.remove(opened)
        return opened

    async def link_account(self, user_id: str, link_token: str, nonce: str) -> Delivery | None:
        """Finishes the account-link dialog; an expired or used link token gives no event at all."""
        person = self.channel.person(user_id)
        owner, expires_at = self.channel.link_tokens.pop(link_token, ("", self.clock()))
        if not owner or self.clock() >= expires_at:
            return None
        if owner != user_id or not 10 <= len(nonce) <= 255:
            return await self.webhooks.send(
                self.webhooks.event("accountLink", None, link={"result": "failed", "nonce": nonce})
            )
        return await self.webhooks.send(
            self.webhooks.event("accountLink", person, link={"result": "ok", "nonce": nonce})
        )

    # Webhooks by hand -------------------------------------------------------------------------------

    async def raw_event(self, event: dict[str, Any]) -> Delivery:
        """Sends one webhook event exactly as given."""
        return await self.webhooks.deliver([event])

    def event(self, kind: str, user_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """A well-formed webhook event of type `kind`, to be given to `deliver`."""
        return self.webhooks.event(kind, self.channel.person(user_id) if user_id else None, **fields)

    async def deliver(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        redelivery: bool = False,
        bad_signature: bool = False,
    ) -> Delivery:
        """Sends these events in one webhook request, even while webhooks are held back."""
        return await self.webhooks.deliver(events, redelivery=redelivery, bad_signature=bad_signature)

    def hold_webhooks(self) -> None:
        """From now on keep webhooks back until `release_webhooks`."""
        self.webhooks.is_holding = True

    async def release_webhooks(
        self, *, is_reversed: bool = False, copies: int = 1, in_one: bool = False
    ) -> list[Delivery]:
        """Delivers what was held back: reversed, each several times, or all in one request."""
        return await self.webhooks.release(is_reversed=is_reversed, copies=copies, in_one=in_one)

    async def redeliver(self) -> list[Delivery]:
        """Delivers again what the bot server did not answer with 2xx (needs `webhook_redelivery`)."""
        return await self.webhooks.redeliver()

    # ------------------------------------------------------------------------------------------------

    def _acting(self, user_id: str) -> Person:
        person = self.channel.person(user_id)
        if person.has_blocked or person.is_deleted:
            raise ValueError(f"{person.display_name} has blocked the account and cannot write to it")
        return person

    async def _speak(
        self,
        user_id: str,
        message: dict[str, Any],
        *,
        is_quotable: bool = False,
        content: tuple[bytes, str] | None = None,
        preparing: int = 0,
    ) -> Delivery:
        person = self._acting(user_id)
        person.last_spoke_at = self.clock()
        bubble = self._show(person, message, via="chat")
        extra = {"id": bubble.id, "markAsReadToken": self.channel.ids.token()}
        self.channel.read_tokens[extra["markAsReadToken"]] = (user_id, bubble.id)
        if is_quotable:
            extra["quoteToken"] = self.channel.ids.token()
        if content is not None:
            self.channel.contents[bubble.id] = content
            self.channel.preparing[bubble.id] = preparing
        return await self.webhooks.send(self.webhooks.event("message", person, message=message | extra))

    def _show(self, person: Person, message: Mapping[str, Any], *, via: str) -> Bubble:
        bubble = Bubble(self.channel.ids.message_id(), self.clock(), "person", via, message)
        person.bubbles.append(bubble)
        return bubble

    async def _do(self, user_id: str, action: Mapping[str, Any], params: Mapping[str, str] | None) -> Tapped:
        match action["type"]:
            case "message":
                return await self.say(user_id, action["text"])
            case "postback" | "datetimepicker":
                if "text" in action:
                    await self.say(user_id, action["text"])
                return await self.press(user_id, action["data"], action.get("displayText"), params)
            case "richmenuswitch":
                return await self.press(
                    user_id, action["data"], params=self.menus.switch(self.person(user_id), action)
                )
            case "uri":
                return await self.open_link(user_id, action.get("uri") or action["linkUri"])
            case "clipboard":
                self.person(user_id).copied.append(action["clipboardText"])
                return None
            case "location":
                return await self.send_location(user_id)
            case "camera" | "cameraRoll":
                return await self.send_image(user_id, hashlib.sha256(user_id.encode()).digest())
            case other:
                raise ValueError(f"nobody can tap an action of type {other!r}")

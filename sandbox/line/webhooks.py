"""How does LINE tell the bot server what people did?"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from sandbox.line.channel import Channel, ReplyToken
from sandbox.line.people import Person

HELD = "held back"
_REPLYABLE = {
    "join",
    "memberJoined",
    "message",
    "follow",
    "postback",
    "accountLink",
    "videoPlayComplete",
    "beacon",
    "membership",
}


@dataclass(slots=True)
class Delivery:
    """One webhook request. `status` is None when nobody answered; then `reason` says why in LINE's words."""

    at: datetime
    events: list[dict[str, Any]]
    status: int | None = None
    reason: str | None = None
    answer: str = ""
    seconds: float = 0.0
    is_redelivery: bool = False

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def message_id(self) -> str | None:
        """The id of the first message delivered, if there is one."""
        ids = (event["message"]["id"] for event in self.events if "message" in event)
        return next(ids, None)


def signature(channel_secret: str, body: bytes) -> str:
    """`x-line-signature`: base64 of the HMAC-SHA256 of the raw body under the channel secret."""
    digest = hmac.new(channel_secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Webhooks:
    """LINE's side of the webhook: makes events, signs and delivers them, redelivers what failed."""

    def __init__(self, channel: Channel, *, timeout_seconds: float) -> None:
        self.channel = channel
        self.timeout_seconds = timeout_seconds
        self.deliveries: list[Delivery] = []
        self.undelivered: list[list[dict[str, Any]]] = []
        self.held: list[list[dict[str, Any]]] = []
        self.is_holding = False
        self.copies = 1
        self.redelivers = False
        self.is_standby = False

    def event(self, kind: str, person: Person | None, **fields: Any) -> dict[str, Any]:
        """A webhook event of type `kind` by `person`, with everything LINE adds; `fields` come last."""
        now = self.channel.clock()
        event: dict[str, Any] = {
            "type": kind,
            "mode": "standby" if self.is_standby else "active",
            "timestamp": int(now.timestamp() * 1000),
            "webhookEventId": self.channel.ids.webhook_event_id(now),
            "deliveryContext": {"isRedelivery": False},
        }
        if person is not None:
            kind_of = self.channel.groups.get(person.user_id, "user")
            event["source"] = {"type": kind_of, f"{kind_of}Id": person.user_id}
            if kind in _REPLYABLE and not self.is_standby:
                token = event["replyToken"] = self.channel.ids.reply_token()
                self.channel.reply_tokens[token] = ReplyToken(person.user_id, now, now)
        return event | fields

    async def send(self, event: dict[str, Any]) -> Delivery:
        """Deliver one event as the settings say: held back, in several copies, kept for redelivery."""
        if self.is_holding:
            self.held.append([event])
            return Delivery(self.channel.clock(), [event], reason=HELD)
        for _ in range(self.copies - 1):
            await self.deliver([event])
        return await self.deliver([event])

    async def release(
        self, *, is_reversed: bool = False, copies: int = 1, in_one: bool = False
    ) -> list[Delivery]:
        """Stop holding back and deliver what was held, in order or reversed, `copies` times each."""
        self.is_holding = False
        batches, self.held = self.held, []
        if is_reversed:
            batches.reverse()
        if in_one and batches:
            batches = [[event for batch in batches for event in batch]]
        return [await self.deliver(batch) for batch in batches for _ in range(copies)]

    async def redeliver(self) -> list[Delivery]:
        """Deliver again what was not answered with 2xx; what fails again is kept."""
        batches, self.undelivered = self.undelivered, []
        return [await self.deliver(batch, redelivery=True) for batch in batches]

    async def deliver(
        self,
        events: Sequence[Mapping[str, Any]],
        *,
        redelivery: bool = False,
        bad_signature: bool = False,
    ) -> Delivery:
        """POST these events now, as they are, in one signed request."""
        batch = [deepcopy(dict(event)) for event in events]
        if redelivery:
            for event in batch:
                event["deliveryContext"] = {"isRedelivery": True}
        self._tokens_received(batch)
        body = json.dumps(
            {"destination": self.channel.bot_user_id, "events": batch},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode("utf-8", "surrogatepass")
        secret = "not the channel secret" if bad_signature else self.channel.channel_secret
        delivery = Delivery(self.channel.clock(), batch, is_redelivery=redelivery)
        await self._post(delivery, body, signature(secret, body))
        self.deliveries.append(delivery)
        if self.redelivers and not delivery.is_ok and batch:
            self.undelivered.append(batch)
        return delivery

    def _tokens_received(self, events: Sequence[Mapping[str, Any]]) -> None:
        for event in events:
            token = self.channel.reply_tokens.get(str(event.get("replyToken")))
            if token is not None:
                token.received_at = self.channel.clock()

    async def _post(self, delivery: Delivery, body: bytes, signed: str) -> None:
        url = self.channel.webhook_url
        if url is None:
            delivery.reason = "could_not_connect"
            return
        headers = {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "LineBotWebhook/2.0",
            "x-line-signature": signed,
        }
        timeout = aiohttp.ClientTimeout(total=self.timeout_seconds)
        started = asyncio.get_running_loop().time()
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                delivery.answer = (await response.text(errors="replace"))[:2000]
                delivery.status = response.status
                delivery.reason = None if delivery.is_ok else "error_status_code"
        except TimeoutError:
            delivery.reason = "request_timeout"
        except aiohttp.ClientConnectorError:
            delivery.reason = "could_not_connect"
        except aiohttp.ClientError:
            delivery.reason = "unclassified"
        delivery.seconds = asyncio.get_running_loop().time() - started

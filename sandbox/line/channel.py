"""What does LINE know about one Official Account: its people, quota, tokens and accepted requests?"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.exchange import Declined
from sandbox.line.ids import LineIds
from sandbox.line.people import Bubble, Person

JST = ZoneInfo("Asia/Tokyo")
RETRY_KEY_LIVES = timedelta(hours=24)
REPLY_WITHIN = timedelta(minutes=1)
REPLY_AT_ALL = timedelta(minutes=20)
LINK_TOKEN_LIVES = timedelta(minutes=10)
MONTHLY_LIMIT = "You have reached your monthly limit."
RATE_LIMIT = "The API rate limit has been exceeded. Try again later."

_QUOTABLE = {"text", "textV2", "sticker", "image", "video", "template", "flex"}


@dataclass(slots=True)
class ReplyToken:
    user_id: str
    happened_at: datetime
    received_at: datetime
    is_used: bool = False

    def is_good(self, now: datetime) -> bool:
        """Unused, at most a minute after the last delivery and twenty after the event itself."""
        fresh = now - self.received_at <= REPLY_WITHIN and now - self.happened_at <= REPLY_AT_ALL
        return fresh and not self.is_used


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that LINE accepted under a retry key."""

    at: datetime
    request_id: str
    fingerprint: str
    sent: tuple[dict[str, str], ...]


@dataclass
class Channel:
    """One Messaging API channel, seen from LINE's side. Every time comes from `clock`."""

    channel_secret: str
    access_token: str
    clock: Callable[[], datetime]
    ids: LineIds = field(default_factory=LineIds)
    display_name: str = "よりそい商店"
    basic_id: str = "@123abcde"
    webhook_url: str | None = None
    is_verified: bool = True
    quota: int | None = None
    """Messages a month; None: no limit."""
    people: dict[str, Person] = field(default_factory=dict)
    reply_tokens: dict[str, ReplyToken] = field(default_factory=dict)
    accepted: dict[str, Accepted] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)
    """Messages counted, by month `2026-11` in Japan."""
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Messages sent by API, by kind and day `20261122` in Japan."""
    units: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Messages by month and aggregation unit."""
    contents: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    preparing: Counter[str] = field(default_factory=Counter)
    """How many more times the content of a message is answered as not ready yet (202)."""
    read_tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    link_tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    """The groups and rooms the account is in: `group` or `room`, by id."""

    def __post_init__(self) -> None:
        self.bot_user_id = self.ids.user_id()

    def person(self, user_id: str) -> Person:
        """The person of that id; raises `LookupError` for one this channel has never heard of."""
        try:
            return self.people[user_id]
        except KeyError:
            raise LookupError(f"no person {user_id}: add_person first") from None

    def month(self) -> str:
        return self.clock().astimezone(JST).strftime("%Y-%m")

    def take_reply_token(self, token: str) -> Person:
        """Use a reply token up, or decline as LINE does."""
        known = self.reply_tokens.get(token)
        if known is None or not known.is_good(self.clock()):
            raise Declined(400, {"message": "Invalid reply token"})
        known.is_used = True
        return self.people[known.user_id]

    def count(self, recipients: Sequence[Person]) -> list[Person]:
        """Take the reachable recipients from the month's quota, all or none."""
        now, month = self.clock(), self.month()
        reached = [person for person in recipients if person.is_reachable(now)]
        if self.quota is not None and self.used[month] + max(len(reached), 1) > self.quota:
            raise Declined(429, {"message": MONTHLY_LIMIT})
        self.used[month] += len(reached)
        return reached

    def show(
        self,
        recipients: Sequence[Person],
        messages: Sequence[Mapping[str, Any]],
        *,
        via: str,
        request_id: str,
        is_silent: bool = False,
    ) -> tuple[dict[str, str], ...]:
        """Put messages on the phones of those who can be reached; returns LINE's `sentMessages`."""
        now = self.clock()
        sent: list[dict[str, str]] = []
        for message in messages:
            entry = {"id": self.ids.message_id()}
            if message["type"] in _QUOTABLE:
                entry["quoteToken"] = self.ids.token()
            sent.append(entry)
        for person in recipients:
            if not person.is_reachable(now):
                continue
            person.loading_until = None
            self.sent[via, now.astimezone(JST).strftime("%Y%m%d")] += 1
            person.bubbles += [
                Bubble(
                    id=entry["id"],
                    at=now,
                    by="bot",
                    via=via,
                    message=message,
                    request_id=request_id,
                    is_silent=is_silent,
                )
                for entry, message in zip(sent, messages, strict=True)
            ]
        return tuple(sent)


def fingerprint(path: str, body: Any) -> str:
    """What makes two requests the same request: path and body, whatever the order of its keys."""
    return f"{path} {json.dumps(body, sort_keys=True)}"

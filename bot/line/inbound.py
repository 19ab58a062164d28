"""What did LINE tell us? Webhook bodies become stored events, stored events become our own types.

Tolerant by intent: LINE adds event types, values and fields without notice, and the SDK's parser then loses
the user's id. What cannot be read is kept as it came and has no effect.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import regex

from db.intake.inbox import Arrival, InboxRow

SOURCE = "line:"
REPLY_WITHIN = timedelta(seconds=50)
"""A reply token is good for one minute after the webhook (Reply token); the rest is for the way."""
STALE_AFTER = timedelta(hours=24)
"""An event this old on arrival, and not a redelivery, is a replay: it has no effect but a refusal."""
_AHEAD = timedelta(minutes=5)
_EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
_UNSTORABLE = regex.compile("[\0\ud800-\udfff]")
_ID = regex.compile(r"[!-~]{1,200}")
_USER_ID = regex.compile(r"U[0-9a-f]{32}")
_GROUP_ID = regex.compile(r"[CR][0-9a-f]{32}")
_NONCE = regex.compile(r"[!-~]{10,255}")
_PICKED = regex.compile(r"[0-9T:-]{4,20}")


# --- storing ------------------------------------------------------------------------------------------


def rows_of(body: bytes, *, received_at: datetime) -> list[Arrival]:
    """The events in a webhook's body, each as it came; what is not a LINE webhook becomes one row.

    Never raises: the signature was right, so whatever this is has to be kept and answered with 200.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return [_unreadable(body, received_at)]
    if not isinstance(parsed, dict) or not isinstance(parsed.get("events"), list):
        return [_unreadable(body, received_at)]
    destination = _id_of(parsed.get("destination"))
    return [_row(event, destination=destination, received_at=received_at) for event in parsed["events"]]


def _row(event: object, *, destination: str | None, received_at: datetime) -> Arrival:
    raw = json.dumps(event, separators=(",", ":")).encode()
    if not isinstance(event, dict):
        return _unreadable(raw, received_at, destination=destination)
    context = event.get("deliveryContext")
    return Arrival(
        source=_source_of(event.get("source")),
        event_id=_id_of(event.get("webhookEventId")) or _digest(event),
        kind=_id_of(event.get("type")) or "unknown",
        raw=raw,
        destination=destination,
        is_redelivery=isinstance(context, dict) and context.get("isRedelivery") is True,
        at=_moment_of(event.get("timestamp"), received_at),
        received_at=received_at,
    )


def _unreadable(raw: bytes, received_at: datetime, *, destination: str | None = None) -> Arrival:
    return Arrival(
        source=SOURCE,
        event_id=sha256(raw).hexdigest(),
        kind="unreadable",
        raw=raw,
        destination=destination,
        at=received_at,
        received_at=received_at,
    )


def _source_of(source: object) -> str:
    """`line:U…`, `line:group:C…`, `line:room:R…`, or `line:` where LINE names nobody."""
    if not isinstance(source, dict):
        return SOURCE
    if source.get("type", "user") == "user":
        return f"{SOURCE}{_id_of(source.get('userId')) or ''}"
    for kind in ("group", "room"):
        if (found := _id_of(source.get(f"{kind}Id"))) is not None:
            return f"{SOURCE}{kind}:{found}"
    return SOURCE


def _digest(event: Mapping[str, Any]) -> str:
    """Stands in for a missing event id: the same for a redelivery of the same event."""
    lasting = {key: value for key, value in event.items() if key not in {"deliveryContext", "replyToken"}}
    return sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


def _id_of(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _moment_of(value: object, received_at: datetime) -> datetime:
    """The event's time from milliseconds; its arrival where that is missing or cannot be."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return received_at
    try:
        at = datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return received_at
    return at if _EARLIEST <= at <= received_at + _AHEAD else received_at


# --- reading ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """They added us, or unblocked us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfollowed:
    """They blocked us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """They wrote a text."""

    line_message_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Showed:
    """They sent something that is not text: a sticker, an image, a place, …."""

    line_message_id: str
    kind: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """They took a message back."""

    line_message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """They pressed a button or a quick reply of ours. `picked`: the date or time they chose."""

    sent: str
    picked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """LINE's account-link dialog ended. Where it failed, LINE does not say whose it was."""

    nonce: str
    is_ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Something we do not act on."""

    because: str


What = Followed | Unfollowed | Said | Showed | Unsent | Pressed | Joined | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One event, read.

    Attributes:
        line_user_id: who; None for groups, rooms and events without a person.
        group: (`group` or `room`, its id) where it happened in one.
        is_leaving: the account is out of the group.
        is_standby: another module holds the chat: nothing may be sent.
        is_stale: older than a day on arrival and not marked as a redelivery.
        reply_token, reply_until: for an answer free of charge, until then.
    """

    event_id: str
    line_user_id: str | None
    destination: str | None
    at: datetime
    received_at: datetime
    is_standby: bool
    is_stale: bool
    reply_token: str | None
    reply_until: datetime | None
    what: What
    group: tuple[str, str] | None = None
    is_leaving: bool = False


def read(row: InboxRow | Arrival) -> Inbound:
    """A stored event in our own types; never raises."""
    event = _object(row.raw)
    person = row.source.removeprefix(SOURCE)
    line_user_id = person if is_user_id(person) else None
    is_standby = event.get("mode", "active") != "active"
    token = _id_of(event.get("replyToken"))
    is_good = token is not None and not is_standby and set(token) - {"0", "f"} != set()
    return Inbound(
        event_id=row.event_id,
        line_user_id=line_user_id,
        destination=row.destination,
        at=row.at,
        received_at=row.received_at,
        is_standby=is_standby,
        is_stale=not row.is_redelivery and row.received_at - row.at > STALE_AFTER,
        reply_token=token if is_good else None,
        reply_until=row.received_at + REPLY_WITHIN if is_good else None,
        what=_what(event),
        group=_group_of(person),
        is_leaving=event.get("type") == "leave",
    )


def _group_of(source: str) -> tuple[str, str] | None:
    kind, _, group_id = source.partition(":")
    return (kind, group_id) if _GROUP_ID.fullmatch(group_id) else None


def is_user_id(text: str) -> bool:
    """Has it the form of a LINE user's id?"""
    return _USER_ID.fullmatch(text) is not None


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _what(event: Mapping[str, Any]) -> What:
    match event.get("type"):
        case "follow":
            return Followed()
        case "unfollow":
            return Unfollowed()
        case "postback":
            return _pressed(event.get("postback"))
        case "accountLink":
            return _joined(event.get("link"))
        case "unsend":
            unsend = event.get("unsend")
            found = _id_of(unsend.get("messageId")) if isinstance(unsend, dict) else None
            return Unsent(line_message_id=found) if found else Unclear(because="unsend without messageId")
        case "message":
            return _message(event.get("message"))
        case kind:
            return Unclear(because=f"event type {_id_of(kind) or 'unknown'}")


def _pressed(postback: object) -> What:
    sent = postback.get("data") if isinstance(postback, dict) else None
    if not isinstance(postback, dict) or not isinstance(sent, str) or not sent:
        return Unclear(because="postback without data")
    params = postback.get("params")
    values = [params.get(mode) for mode in ("datetime", "date", "time")] if isinstance(params, dict) else []
    picked = next((each for each in values if isinstance(each, str) and _PICKED.fullmatch(each)), None)
    return Pressed(sent=_storable(sent)[:300], picked=picked)


def _joined(link: object) -> What:
    nonce = link.get("nonce") if isinstance(link, dict) else None
    if not isinstance(link, dict) or not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
        return Unclear(because="accountLink without nonce")
    return Joined(nonce=nonce, is_ok=link.get("result") == "ok")


def _message(message: object) -> What:
    if not isinstance(message, dict) or (line_message_id := _id_of(message.get("id"))) is None:
        return Unclear(because="message without id")
    kind = _id_of(message.get("type")) or "unknown"
    if kind == "text":
        text = message.get("text")
        if not isinstance(text, str) or not text.strip():
            return Unclear(because="text message without text")
        return Said(line_message_id=line_message_id, text=_storable(text))
    return Showed(line_message_id=line_message_id, kind=kind[:40], details=_details(kind, message))


_DETAILS = {
    "sticker": ("packageId", "stickerId", "stickerResourceType"),
    "video": ("duration",),
    "audio": ("duration",),
    "file": ("fileSize",),
    "location": ("latitude", "longitude"),
}
"""What is kept of messages without text, besides their kind."""


def _details(kind: str, message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: message[name] for name in _DETAILS.get(kind, ()) if name in message}
    provider = message.get("contentProvider")
    if isinstance(provider, dict) and provider.get("type", "line") != "line":
        kept["provider"] = "external"
    return {
        name: _storable(value)[:200] if isinstance(value, str) else value
        for name, value in kept.items()
        if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    }


def _storable(text: str) -> str:
    return str(_UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text))

"""What does a call in Segment's HTTP tracking format say, and what is wrong with it?

Format: `identify`, `track`, `group` and `batch` of https://segment.com/docs/connections/sources/catalog/
libraries/server/http-api/ (32 KB a call, 500 KB a request). What we add: every refusal names the call's
place and field.

Decisions: `timestamp` (else `originalTimestamp`) is when it happened, never corrected by `sentAt`, because a
repeat must carry the same time; without either it happened on arrival. A time without offset is UTC. Traits
are scalars; objects are flattened (`address.city`), lists are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

from pydantic_core import from_json, to_json

from bot.intake.attributes import MOST_BYTES_PER_CALL, document_of, traits_of
from bot.intake.wrong import Wrong, said, unstorable
from db.intake.events import EARLIEST, FURTHEST_AHEAD, NewEvent, untakeable
from db.intake.traits import Telling, language_of
from db.people.customers import customer_id_of
from followups.signals import unfiltered
from followups.times.zones import is_zone

MOST_BYTES = 500 * 1024
MOST_CALLS = 2500
"""As Segment: a batch has at most 2,500 calls."""
LONGEST_USER_ID, LONGEST_NAME, LONGEST_MESSAGE_ID = 200, 200, 100

_DERIVED = re.compile(r"^[@$]|#\d+$|~first$")
"""Names that signals derived from events have (`followups.signals`)."""
_NUL = b"\\u0000"
"""As JSON writes it; PostgreSQL cannot store it."""
_LINE_USER_ID = re.compile(r"U[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one call of a request."""

    index: int
    field: str
    message: str
    message_ja: str

    def shown(self) -> dict[str, object]:
        """As the answer tells it."""
        return {
            "index": self.index,
            "field": self.field,
            "message": self.message,
            "message_ja": self.message_ja,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LineClaim:
    """A trait said that this LINE user is this customer."""

    index: int
    customer_id: UUID
    line_user_id: str


@dataclass(slots=True)
class Calls:
    """What a request says, in our words. To be taken only when `problems` is empty."""

    now: datetime
    events: list[NewEvent] = field(default_factory=list)
    tellings: list[Telling] = field(default_factory=list)
    claims: list[LineClaim] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    repeats: dict[bytes, int] = field(default_factory=dict)
    """How often a call without `messageId` has occurred in this request, by content."""


def read_request(body: bytes, *, kind: str, now: datetime) -> Calls:
    """Read the body of `/v1/{kind}`: one call, or for `batch` an object with the list `batch`."""
    calls = Calls(now=now)
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        calls.problems.append(Problem(0, "", f"not JSON: {error}", f"JSONとして読めません（{error}）"))
        return calls
    if _NUL in body and (wrong := unstorable(content)):
        calls.problems.append(_problem(_index_of(wrong.where), wrong))
        return calls
    if kind != "batch":
        read_calls(calls, [content], kind=kind)
        return calls
    items = content.get("batch") if isinstance(content, dict) else None
    if not isinstance(items, list):
        calls.problems.append(
            Problem(0, "batch", "must be a list of calls", "呼び出しの配列を入れてください")
        )
    elif len(items) > MOST_CALLS:
        en = f"holds {len(items)} calls; at most {MOST_CALLS} fit (send several batches)"
        ja = f"{len(items)}件あります。1回に{MOST_CALLS}件までです（分けて送ってください）"
        calls.problems.append(Problem(MOST_CALLS, "batch", en, ja))
    else:
        read_calls(calls, items, kind=None)
    return calls


def read_calls(calls: Calls, items: Sequence[Any], *, kind: str | None) -> None:
    """Read calls; `kind` None: each names its own in `type`. What is wrong is added to `problems`."""
    latest = calls.now + FURTHEST_AHEAD
    add = calls.events.append
    for index, item in enumerate(items, start=calls.count):
        try:
            if not isinstance(item, dict):
                raise Wrong("", "must be an object", "オブジェクトではありません")
            said_kind = kind or item.get("type")
            if said_kind == "track":
                add(_plain_event(item, latest) or _event(calls, item))
            else:
                _read_call(calls, item, said_kind, index)
        except Wrong as wrong:
            calls.problems.append(_problem(index, wrong))
    calls.count += len(items)


def _problem(index: int, wrong: Wrong) -> Problem:
    return Problem(index, wrong.where, wrong.en, wrong.ja)


def _read_call(calls: Calls, item: dict[str, Any], kind: object, index: int) -> None:
    if kind == "identify":
        calls.tellings.append(_identity(calls, item, index))
    elif kind == "group":
        calls.tellings.append(_membership(calls, item))
    elif isinstance(kind, str) and kind in {"page", "screen"}:
        calls.events.append(_event(calls, _view(item, str(kind))))
    else:
        raise Wrong(
            "type",
            f"is {said(kind)}; only identify, track, group, page and screen are taken",
            f"{said(kind)}は扱えません。identify・track・group・page・screenのいずれかにしてください",
        )


def _view(item: dict[str, Any], kind: str) -> dict[str, Any]:
    """A page or screen call as the event `page_viewed` or `screen_viewed`, its name among the properties."""
    properties = item.get("properties")
    if properties is not None and not isinstance(properties, dict):
        return {**item, "event": f"{kind}_viewed"}
    named = {key: item[key] for key in ("name", "category") if isinstance(item.get(key), str)}
    return {**item, "event": f"{kind}_viewed", "properties": {**named, **(properties or {})}}


# --- kinds of calls -----------------------------------------------------------------------------------


def _plain_event(item: dict[str, Any], latest: datetime) -> NewEvent | None:
    """A track call with everything given and nothing unusual; None: to be looked at closely by `_event`.

    Most calls are so, and reading them is most of what a request costs.
    """
    user, name, text, message_id = map(item.get, ("userId", "event", "timestamp", "messageId"))
    if not (
        type(user) is type(name) is type(text) is type(message_id) is str
        and 0 < len(user) <= LONGEST_USER_ID
        and 0 < len(name) <= LONGEST_NAME
        and 0 < len(message_id) <= LONGEST_MESSAGE_ID
        and not (user.isspace() or name.isspace() or message_id.isspace() or is_reserved(name))
    ):
        return None
    document = None
    if properties := item.get("properties"):
        document = to_json(properties, inf_nan_mode="constants") if type(properties) is dict else b"Infinity"
        if len(document) > MOST_BYTES_PER_CALL or b"Infinity" in document:
            return None
    elif properties is not None and properties != {}:
        return None
    at = time_of(text)
    if at is None or not EARLIEST <= at <= latest:
        return None
    return NewEvent(customer_id_of(user), name, at, message_id, document, user, True)


def _event(calls: Calls, item: dict[str, Any]) -> NewEvent:
    user = _user(item)
    name = _text(item, "event", LONGEST_NAME)
    if is_reserved(name):
        raise Wrong(
            "event",
            f"{said(name)} is reserved: names may not begin with @ or $, nor end with #1 or ~first",
            f"{said(name)}は使えません。@・$で始まる名前、#数字・~firstで終わる名前は予約されています",
        )
    properties = document_of(item, "properties")
    at = _time(item, calls.now)
    if item.get("messageId") is not None:
        message_id = _text(item, "messageId", LONGEST_MESSAGE_ID)
    else:
        message_id = _derived_id(calls, user, name, properties, at)
    return NewEvent(customer_id_of(user), name, at or calls.now, message_id, properties, user, at is not None)


@lru_cache(maxsize=4096)
def is_reserved(name: str) -> bool:
    """True for names that only signals derived from events have."""
    return _DERIVED.search(name) is not None or bool(unfiltered(name)[1])


def _derived_id(calls: Calls, *content: object) -> str:
    """An id for a call without one, the same whenever this request is repeated.

    What tells repeats from distinct calls is the content and, within one request, the occurrence. Without a
    time of its own a call is taken each time it is sent.
    """
    digest = blake2b(to_json(content, inf_nan_mode="null"), digest_size=15).digest()
    occurrence = calls.repeats[digest] = calls.repeats.get(digest, 0) + 1
    if content[-1] is None:
        return f"arrived-{digest.hex()}-{calls.now.timestamp():.6f}-{occurrence}"
    return f"derived-{digest.hex()}-{occurrence}"


def _identity(calls: Calls, item: dict[str, Any], index: int) -> Telling:
    user = _user(item)
    customer_id = customer_id_of(user)
    traits = traits_of(item)
    line_user_id = traits.pop("line_user_id", None)
    if line_user_id is not None:
        if not isinstance(line_user_id, str) or not _LINE_USER_ID.fullmatch(line_user_id):
            raise Wrong(
                "traits.line_user_id",
                f"{said(line_user_id)} is not a LINE user id (U and 32 hexadecimal digits)",
                f"{said(line_user_id)}はLINEのユーザーIDではありません（Uと16進32桁）",
            )
        calls.claims.append(LineClaim(index=index, customer_id=customer_id, line_user_id=line_user_id))
    timezone = traits.get("timezone")
    if timezone is not None and not (isinstance(timezone, str) and is_zone(timezone)):
        raise Wrong(
            "traits.timezone",
            f"{said(timezone)} is not an IANA time zone (e.g. Asia/Tokyo)",
            f"{said(timezone)}はIANAのタイムゾーン名ではありません（例: Asia/Tokyo）",
        )
    language = traits.get("language")
    if language is not None and language_of(language) is None:
        raise Wrong(
            "traits.language",
            f"{said(language)} is not a language (e.g. ja, en)",
            f"{said(language)}は言語ではありません（例: ja, en）",
        )
    context = item.get("context")
    told = context if isinstance(context, dict) else {}
    zone = told.get("timezone")
    return Telling(
        customer_id=customer_id,
        external_id=user,
        at=_time(item, calls.now) or calls.now,
        attributes=traits,
        timezone=zone if isinstance(zone, str) and is_zone(zone) else None,
        language=language_of(told.get("locale")),
    )


def _membership(calls: Calls, item: dict[str, Any]) -> Telling:
    user = _user(item)
    return Telling(
        customer_id=customer_id_of(user),
        external_id=user,
        at=_time(item, calls.now) or calls.now,
        account=_text(item, "groupId", LONGEST_USER_ID),
        account_attributes=traits_of(item),
    )


# --- fields -------------------------------------------------------------------------------------------


def _user(item: dict[str, Any]) -> str:
    user = item.get("userId")
    if type(user) is str and 0 < len(user) <= LONGEST_USER_ID and not user.isspace():
        return user
    if isinstance(user, int) and not isinstance(user, bool):
        user = item["userId"] = str(user)
    if user is None or user == "":
        if item.get("anonymousId"):
            raise Wrong(
                "userId",
                "is missing; anonymousId alone is not taken, for nobody can be written to without knowing who"
                " they are (send the call after login, with userId)",
                "userIdがありません。anonymousIdだけでは誰にも連絡できないため、ログイン後にuserIdを付けて送ってください",
            )
        raise Wrong("userId", "is missing", "userIdがありません")
    return _text(item, "userId", LONGEST_USER_ID)


def _text(item: dict[str, Any], name: str, longest: int) -> str:
    value = item.get(name)
    if type(value) is str and len(value) <= longest and value and not value.isspace():
        return value
    if not isinstance(value, str):
        raise Wrong(name, f"must be text, not {said(value)}", f"文字列にしてください（{said(value)}）")
    if not value.strip():
        raise Wrong(name, "must not be empty", "空にはできません")
    raise Wrong(
        name,
        f"has {len(value)} characters; at most {longest} are taken",
        f"{len(value)}文字あります。{longest}文字までです",
    )


def time_of(text: str) -> datetime | None:
    """An ISO 8601 moment in UTC; without an offset it is UTC already. None: not one."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is UTC:
            return at
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _time(item: dict[str, Any], now: datetime) -> datetime | None:
    for name in ("timestamp", "originalTimestamp"):
        value = item.get(name)
        if value is None:
            continue
        at = time_of(value) if isinstance(value, str) else None
        if at is None:
            raise Wrong(
                name,
                f"{said(value)} is not an ISO 8601 time (e.g. 2026-11-22T09:30:00Z)",
                f"{said(value)}はISO 8601の日時ではありません（例: 2026-11-22T09:30:00+09:00）",
            )
        if refusal := untakeable(at, now=now):
            raise Wrong(name, refusal.en, refusal.ja)
        return at
    return None


def _index_of(where: str) -> int:
    found = re.match(r"batch\[(\d+)\]", where)
    return int(found[1]) if found else 0

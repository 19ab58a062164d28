"""Who are the sample company's customers, and what did they do in the past year?

「そら会計」, an accounting product that does not exist, and twelve customers who do not either. Histories
are the same at every start: times come from a hash, not from chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

YEAR = timedelta(days=365)
_ERA = datetime(2026, 1, 1, tzinfo=UTC)
_OPENS, _OPEN_FOR = timedelta(hours=0), timedelta(hours=9)
"""From nine to six in Japan, told in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One sample customer.

    Attributes:
        every: mean days between logins while active.
        quiet_for: days since the last login.
        habits: other events, with the mean days between them.
        once: single events, as days ago.
        on_line: is a friend, linked and agreed from the start.
    """

    id: str
    name: str
    company: str
    plan: str
    every: float
    quiet_for: float = 0
    joined_days_ago: float = 365
    habits: dict[str, float] = field(default_factory=dict)
    once: dict[str, float] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    on_line: bool = False


PEOPLE = (
    Person(
        id="c-1001",
        name="山田 花子",
        company="山田デザイン",
        plan="standard",
        every=3,
        habits={"invoice_created": 9, "report_viewed": 14},
        once={"data_connected": 360},
        traits={"birthday": "1984-10-21"},
    ),
    Person(
        id="c-1002",
        name="田中 一郎",
        company="田中商店",
        plan="trial",
        every=2,
        quiet_for=16,
        joined_days_ago=40,
        once={"data_connected": 39},
    ),
    Person(
        id="c-1003",
        name="鈴木 美咲",
        company="カフェ木漏れ日",
        plan="standard",
        every=5,
        habits={"invoice_created": 20},
        on_line=True,
        traits={"renewal_date": "2026-11-24"},
    ),
    Person(
        id="c-1004",
        name="高橋 亮",
        company="高橋工務店",
        plan="trial",
        every=1,
        joined_days_ago=4,
        on_line=True,
    ),
    Person(
        id="c-1005",
        name="伊藤 さくら",
        company="さくら整体院",
        plan="premium",
        every=4,
        habits={"invoice_created": 7},
        on_line=True,
    ),
    Person(
        id="c-1006",
        name="渡辺 誠",
        company="渡辺写真館",
        plan="standard",
        every=6,
        quiet_for=31,
    ),
    Person(
        id="c-1007",
        name="中村 葵",
        company="葵フラワー",
        plan="standard",
        every=3,
        habits={"order_completed": 32},
    ),
    Person(
        id="c-1008",
        name="小林 大輔",
        company="小林製作所",
        plan="premium",
        every=2,
        habits={"report_viewed": 5},
    ),
    Person(
        id="c-1009",
        name="加藤 結衣",
        company="ゆい音楽教室",
        plan="trial",
        every=2,
        joined_days_ago=12,
    ),
    Person(
        id="c-1010",
        name="吉田 拓也",
        company="吉田酒店",
        plan="standard",
        every=8,
        habits={"order_completed": 45},
    ),
    Person(
        id="c-1011",
        name="Emma Clark",
        company="Harbour Books",
        plan="standard",
        every=4,
        traits={"language": "en"},
    ),
    Person(
        id="c-1012",
        name="松本 直樹",
        company="松本農園",
        plan="standard",
        every=10,
        quiet_for=70,
    ),
)

HEROINE = PEOPLE[0]
UNASKED = PEOPLE[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something a customer can do in the product, under the name the playbooks know it by."""

    event: str
    ja: str
    en: str


DEEDS = (
    Deed(event="login", ja="ログインする", en="log in"),
    Deed(event="invoice_created", ja="請求書を作る", en="make an invoice"),
    Deed(event="report_scheduled", ja="便利な機能を1つ使う", en="use one feature"),
    Deed(event="form_started", ja="入力を途中でやめる", en="leave a form"),
    Deed(event="form_submitted", ja="入力を終える", en="submit the form"),
    Deed(event="order_completed", ja="購入する", en="buy"),
    Deed(event="data_connected", ja="初期設定を終える", en="finish set-up"),
    Deed(event="renewal_reviewed", ja="更新内容を確認する", en="review renewal"),
)
NEWCOMERS = (
    ("木村 蓮", "木村ベーカリー"),
    ("林 千尋", "はやし歯科"),
    ("清水 陸", "清水自転車"),
    ("森 ひかり", "森の学童"),
    ("池田 翔", "池田電設"),
)
"""Who signs up next, each stopping half-way in set-up."""


def history(now: datetime) -> Iterator[dict[str, Any]]:
    """Everything the product has to tell at `now`, as items of `/v1/batch`."""
    for person in PEOPLE:
        joined = now - timedelta(days=person.joined_days_ago)
        traits = {"name": person.name, "company": person.company, "plan": person.plan, **person.traits}
        yield {"type": "identify", "userId": person.id, "traits": traits, "timestamp": joined.isoformat()}
        yield _event(person, "signup", joined)
        for name, days_ago in person.once.items():
            yield _event(person, name, now - timedelta(days=days_ago))
        end = now - timedelta(days=person.quiet_for)
        for name, every in {"login": person.every, **person.habits}.items():
            moment = end
            while moment > joined:
                yield _event(person, name, moment)
                moment -= timedelta(days=every * (0.5 + _share(person.id, name, moment)))


def goes_on(person: Person, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """What a customer does by habit after `start` until `end`, in working hours; however it is cut."""
    for name, every in {"login": person.every, **person.habits}.items():
        first = int((start - _ERA) / timedelta(days=every)) - 1
        last = int((end - _ERA) / timedelta(days=every)) + 1
        for number in range(first, last + 1):
            day = (_ERA + timedelta(days=every * (number + 0.6 * _share(person.id, name, number)))).date()
            hour = _OPENS + _OPEN_FOR * _share(person.id, name, number, "hour")
            moment = datetime.combine(day, datetime.min.time(), UTC) + hour
            if start < moment <= end:
                yield _event(person, name, moment)


def _event(person: Person, name: str, at: datetime) -> dict[str, Any]:
    message_id = blake2b(f"{person.id}{name}{at}".encode(), digest_size=12).hexdigest()
    return {
        "type": "track",
        "userId": person.id,
        "event": name,
        "timestamp": at.isoformat(),
        "messageId": message_id,
    }


def _share(*parts: object) -> float:
    """A number in [0, 1) that is always the same for the same parts."""
    digest = blake2b("|".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64

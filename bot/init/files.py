"""Which files does a new set-up begin with?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import followups

PLAYBOOKS = Path(followups.__file__).parent / "playbooks"
FIRST_RULES = {"inactive-14d": "inactive-checkin", "onboarding-stalled": "onboarding-resume"}
"""The rules that are copied, each with the message it sends."""
SAMPLE_ADDRESS = "https://app.example.com"
KEPT_OUT_OF_GIT = (
    "# 鍵とお客様のデータ: 共有しません / Keys and customers: not to be shared\n.env\n.yorisoi/\n*.dump\n"
)

POLICY = """\
# すべての規則に共通の決まりです。書かなければ、ここにある値が使われます。
# What holds for every rule. Whatever is left out has the value it has here.
timezone: Asia/Tokyo

# この時間には、こちらからは送りません(null: 制限なし)
# Nothing is sent of our own accord in these hours (null: none).
quiet_hours: {from: "20:00", to: "09:00"}

# 担当者が答える曜日と時間。祝日は日本の暦です
# When people answer; holidays are Japan's.
business_hours: {days: [mon, tue, wed, thu, fri], from: "10:00", to: "18:00", holidays: JP}

# お客様一人に、こちらから送る数の上限(返信は数えません)
# The most that one customer gets of our own accord (replies are not counted).
caps: {per_day: 1, per_7_days: 2, per_30_days: 4}

# 2通続けて反応がなければ、60日間そっとしておきます
# After two messages without any reaction, leave the customer alone for 60 days.
silence_after_unanswered: {messages: 2, for: 60d}

# LINEの月間通数のうち、担当者の返信のために残しておく分
# The share of LINE's monthly messages that is kept for people's replies.
quota: {reserve_for_people: 20%}

# 効果を比べるために、送らずにおくお客様の割合(0%: 全員に送ります)
# The share of customers who get nothing, to compare with (0%: everybody gets it).
holdout: 10%

# 新しい規則は、まず10人だけに送って30分待ちます
# A new rule writes to ten customers first, then waits for half an hour.
canary: {size: 10, for: 30m}

# 1日にこの人数を超えて送る規則は、サポート責任者の承認を待ちます
# A rule that would write to more people in one day waits for a support lead.
approval_above: 50

# Slackで「送信」を押してから取り消せる秒数(0: すぐ送る)
# Seconds in which Send in Slack can be undone (0: none).
undo_seconds: 15

# 見込みのお客様を誰も引き受けないとき、次の人・責任者に知らせるまでの営業時間
# Business time until an unclaimed lead goes to the next person, and to a support lead.
sla: {claim: 15m, escalate: 30m}

# メッセージと下書きに書いてよいリンク先のホスト
# Hosts that messages and drafts may link to.
link_hosts: [PRODUCT_HOST]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to write where none is."""

    path: Path
    text: str


def policy_text(product_url: str | None) -> str:
    """policy.yaml with its defaults; the product's host is one that messages may link to."""
    host = urlsplit(product_url).hostname if product_url else None
    return POLICY.replace("PRODUCT_HOST", host or "")


def first_rules(folder: Path, product_url: str | None) -> Iterator[NewFile]:
    """Two rules with their tests and messages, linking to the product. They begin in shadow."""
    for rule, message in FIRST_RULES.items():
        for name in (f"{rule}.yaml", f"{rule}.test.yaml", f"messages/{message}.yaml"):
            text = (PLAYBOOKS / name).read_text(encoding="utf-8")
            if product_url:
                text = text.replace(SAMPLE_ADDRESS, product_url.rstrip("/"))
            yield NewFile(path=folder / name, text=text)


def has_rules(folder: Path) -> bool:
    """Has somebody put rules there already? Then it is theirs."""
    return folder.is_dir() and any(folder.glob("*.y*ml"))

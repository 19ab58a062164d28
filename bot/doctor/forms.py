"""What must a setting look like, before anybody is asked whether it works?"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from bot.doctor.findings import Words

MIN_INGEST_KEY = 20
"""Characters of an ingest key that nobody tries out."""
PRODUCT_URL = "product url"
"""Not a setting: where the buttons of copied messages lead."""
WEBHOOK_PATH = "/line/webhook"
SLACK_PATH = "/slack/events"
_LONGEST_WEBHOOK = 500  # LINE: Set webhook endpoint URL
_HEX_SECRET = re.compile(r"[0-9a-f]{32}")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,}")
_GROUP = re.compile(r"S[A-Z0-9]{6,}")
_PREFIXES = {"SLACK_BOT_TOKEN": "xoxb-", "SLACK_APP_TOKEN": "xapp-"}
_STRAY = "\"'“”‘’<>"


def wrong_form(name: str, value: str) -> Words | None:
    """What is wrong with this value of the setting `name` (upper case); None: it looks right.

    The sentence says what to enter, and never repeats a secret.
    """
    if any(letter.isspace() or letter in _STRAY or not letter.isprintable() for letter in value):
        return Words(
            ja=f"{name} に空白・引用符・改行などが混じっています。値だけをコピーし直してください",
            en=f"{name} holds blanks, quotes or line breaks; copy the value again, and nothing around it",
        )
    if "${" in value or not value.isascii():
        return Words(
            ja=f"{name} に使えない文字があります。半角の値をそのままコピーし直してください",
            en=f"{name} holds characters that cannot be part of it; copy the value again as it is",
        )
    if name == "PUBLIC_BASE_URL":
        return wrong_address(value)
    if name == PRODUCT_URL:
        return _wrong_product(value)
    if name == "LINE_CHANNEL_SECRET" and not all(_HEX_SECRET.fullmatch(each) for each in _parts(value)):
        return Words(
            ja="チャネルシークレットは32文字の英数字(0-9, a-f)です。"
            "LINE Developersコンソールの「チャネル基本設定」からコピーし直してください",
            en="a channel secret is 32 characters of 0-9 and a-f; copy it again from Basic settings in the"
            " LINE Developers console",
        )
    return _wrong_slack(name, value)


def _parts(value: str) -> list[str]:
    """The one secret, or the two while they are being exchanged."""
    return [each for each in value.split(",") if each] or [value]


def _wrong_product(value: str) -> Words | None:
    try:
        parts = urlsplit(value)
        is_right = parts.scheme == "https" and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        is_right = False
    if is_right:
        return None
    return Words(
        ja="製品のアドレスは https://app.example.co.jp の形で入れてください",
        en="enter the product's address as https://app.example.co.jp",
    )


def _wrong_slack(name: str, value: str) -> Words | None:
    if name == "SLACK_SIGNING_SECRET" and value.startswith(("xox", "xapp-")):
        return Words(
            ja="SLACK_SIGNING_SECRET にトークンが入っています。Slackアプリの「Basic Information」の"
            "Signing Secretを入れ直してください",
            en="SLACK_SIGNING_SECRET holds a token; enter the signing secret from Basic Information instead",
        )
    prefix = _PREFIXES.get(name)
    if prefix is not None and not value.startswith(prefix):
        return Words(
            ja=f"{name} は {prefix} で始まる値です。Slackの別の値が入っているようです。入れ直してください",
            en=f"{name} begins with {prefix}; this is another of Slack's values, enter the right one",
        )
    if name.startswith("SLACK_") and name.endswith("_CHANNEL") and not _CHANNEL.fullmatch(value):
        return Words(
            ja=f"{name} にはチャンネル名ではなくID(C…)を入れてください。"
            "チャンネル名を押して開く「チャンネル情報」の一番下にあります",
            en=f"{name} takes the channel's id (C…), not its name; see the end of its details",
        )
    if name.startswith("SLACK_") and name.endswith("_GROUP") and not _GROUP.fullmatch(value):
        return Words(
            ja=f"{name} にはユーザーグループのID(S…)を入れてください。"
            "グループの「…」メニューの「グループIDをコピー」で得られます",
            en=f"{name} takes the id of a user group (S…); “Copy group ID” in the group's … menu gives it",
        )
    return None


def wrong_address(value: str) -> Words | None:
    """What is wrong with a public address, for LINE and for customers' phones."""
    fix_ja = "外から届くアドレスを https://bot.example.co.jp の形で設定してください"
    fix_en = "set the address the outside reaches, as https://bot.example.co.jp"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return Words(
            ja=f"PUBLIC_BASE_URL がアドレスとして読めません。{fix_ja}",
            en=f"PUBLIC_BASE_URL is no address; {fix_en}",
        )
    if parts.scheme != "https":
        return Words(
            ja=f"PUBLIC_BASE_URL が https:// で始まっていません(LINEはhttpsだけに送ります)。{fix_ja}",
            en=f"PUBLIC_BASE_URL does not begin with https:// (LINE sends to https only); {fix_en}",
        )
    if not host or parts.username or parts.query or parts.fragment or port == 0:
        return Words(
            ja=f"PUBLIC_BASE_URL に余分なもの(?, #, @など)があるか、ホスト名がありません。{fix_ja}",
            en=f"PUBLIC_BASE_URL has something too much (?, #, @), or no host; {fix_en}",
        )
    if not _is_public(host):
        return Words(
            ja=f"PUBLIC_BASE_URL の {host} は外から届かないアドレスです。{fix_ja}",
            en=f"PUBLIC_BASE_URL names {host}, which cannot be reached from outside; {fix_en}",
        )
    for door in (WEBHOOK_PATH, SLACK_PATH):
        if parts.path.rstrip("/").endswith(door):
            return Words(
                ja=f"PUBLIC_BASE_URL の末尾の {door} は不要です。取り除いてください",
                en=f"PUBLIC_BASE_URL ends with {door}; take that off",
            )
    if len(value.rstrip("/")) + len(WEBHOOK_PATH) > _LONGEST_WEBHOOK:
        return Words(
            ja="PUBLIC_BASE_URL が長すぎます(LINEのWebhook URLは500文字まで)。短くしてください",
            en="PUBLIC_BASE_URL is too long (LINE takes webhook URLs of 500 characters); make it shorter",
        )
    return None


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.endswith((".local", ".localhost", ".internal", ".lan"))

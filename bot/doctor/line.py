"""Does LINE know us, and does what our customers write reach us?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from bot.clock import Clock
from bot.doctor.clocks import clock_finding, skew_of_header
from bot.doctor.findings import Finding, error, note, ok, warning
from bot.doctor.forms import WEBHOOK_PATH, wrong_address
from bot.errors import Unavailable
from bot.line.account import Told
from bot.line.client import LineClient
from bot.settings import Settings

INFO = "/v2/bot/info"
ENDPOINT = "/v2/bot/channel/webhook/endpoint"
TEST = "/v2/bot/channel/webhook/test"
QUOTA = "/v2/bot/message/quota"
CONSUMPTION = "/v2/bot/message/quota/consumption"
NEARLY_USED_UP = 0.8
_CLOCK_TOLERATED, _CLOCK_REFUSED = timedelta(seconds=30), timedelta(minutes=5)
_CONSOLE = ("LINE Developersコンソール", "the LINE Developers console")


async def look_at_line(settings: Settings, clock: Clock, *, is_webhook_tested: bool = False) -> list[Finding]:
    """Ask LINE. Only `is_webhook_tested` makes LINE call us: one webhook with nothing in it (60 an hour)."""
    token, secret = settings.line_channel_access_token, settings.line_channel_secret
    if token is None and secret is None:
        return [
            note(
                "line",
                "LINEは未設定です。何も送らず、何も受け取りません",
                "LINE is not configured: nothing is sent, nothing is received",
            )
        ]
    if token is None:
        return [
            error(
                "line.token",
                "LINE_CHANNEL_ACCESS_TOKEN がありません(シークレットはあります)",
                "LINE_CHANNEL_ACCESS_TOKEN is not set (the secret is)",
                fix=(
                    f"{_CONSOLE[0]}の「Messaging API設定」でチャネルアクセストークンを発行してください",
                    f"issue a channel access token in {_CONSOLE[1]}, tab Messaging API",
                ),
            )
        ]
    findings = [] if secret is not None else [_no_secret()]
    try:
        async with LineClient.connected(settings) as line:
            async for each in _asked(line, settings, clock, is_webhook_tested=is_webhook_tested):
                findings.append(each)  # noqa: PERF401 - what was found before an outage stays found
    except (Unavailable, ValueError) as failed:
        findings.append(_unreachable("line", str(failed)))
    return findings


def _no_secret() -> Finding:
    return error(
        "line.secret",
        "LINE_CHANNEL_SECRET がありません。お客様からのメッセージをすべて拒みます",
        "LINE_CHANNEL_SECRET is not set: everything customers write is refused",
        fix=(
            f"{_CONSOLE[0]}の「チャネル基本設定」からチャネルシークレットをコピーしてください",
            f"copy the channel secret from {_CONSOLE[1]}, tab Basic settings",
        ),
    )


async def _asked(
    line: LineClient, settings: Settings, clock: Clock, *, is_webhook_tested: bool
) -> AsyncIterator[Finding]:
    before = clock.now()
    told = await line.ask(INFO)
    after = clock.now()
    skew = skew_of_header(told.date, before=before, after=after)
    if skew is not None:
        yield clock_finding(
            "line.clock",
            skew,
            ja="LINEの時計",
            en="LINE's",
            tolerated=_CLOCK_TOLERATED,
            refused=_CLOCK_REFUSED,
        )
    if told.status != 200:
        yield _refused(told)
        return
    for finding in _account(told):
        yield finding
    yield _endpoint(await line.ask(ENDPOINT), settings)
    if is_webhook_tested:
        yield _tested(await line.ask(TEST, method="POST"))
    yield _quota(await line.ask(QUOTA), await line.ask(CONSUMPTION))
    yield note(
        "line.console",
        "次の3つはAPIで読めないので、目で確かめてください: コンソールの「Webhookの再送」がオン、"
        "LINE Official Account Managerの「応答メッセージ」と「あいさつメッセージ」がオフ",
        "three switches cannot be read by API, please look yourself: Webhook redelivery on (console),"
        " auto-reply and greeting messages off (LINE Official Account Manager)",
    )


def _refused(told: Told) -> Finding:
    if told.status in {401, 403}:
        return error(
            "line.token",
            f"LINEがアクセストークンを受け付けません({told.status})",
            f"LINE refuses the access token ({told.status})",
            fix=(
                f"{_CONSOLE[0]}の「Messaging API設定」でチャネルアクセストークンを再発行し、"
                "LINE_CHANNEL_ACCESS_TOKEN に入れてください",
                f"reissue the channel access token in {_CONSOLE[1]}, tab Messaging API, and set"
                " LINE_CHANNEL_ACCESS_TOKEN",
            ),
        )
    return _unreachable("line", f"HTTP {told.status}")


def _unreachable(key: str, because: str) -> Finding:
    return error(
        key,
        f"LINEから答えがありません({because})",
        f"no usable answer from LINE ({because})",
        fix=(
            "このマシンから https://api.line.me に出られるか(プロキシ、ファイアウォール)を確かめて、"
            "もう一度実行してください",
            "check that this machine reaches https://api.line.me (proxy, firewall), then run this again",
        ),
    )


def _account(told: Told) -> Iterator[Finding]:
    name, basic_id = told.body.get("displayName"), told.body.get("basicId")
    yield ok(
        "line.account",
        f"LINE公式アカウントは「{name}」({basic_id})です",
        f"the LINE Official Account is “{name}” ({basic_id})",
    )
    if told.body.get("chatMode") == "chat":
        yield warning(
            "line.chat_mode",
            "LINE公式アカウントの「チャット」がオンです。人とこのプログラムが、それぞれ別に答えることがあります",
            "the account's chat is on: a person there and this program may both answer",
            fix=(
                "LINE Official Account Managerの「応答設定」でチャットをオフにするか、"
                "返信はSlackからだけにしてください",
                "switch chat off in LINE Official Account Manager (response settings), or answer from Slack"
                " only",
            ),
        )


def _endpoint(told: Told, settings: Settings) -> Finding:
    key, address = "line.webhook", settings.public_base_url
    wanted = f"{settings.base_url}{WEBHOOK_PATH}"
    is_usable = address is not None and wrong_address(address) is None
    shown = wanted if is_usable else f"https://…{WEBHOOK_PATH}"
    set_it = (
        f"{_CONSOLE[0]}の「Messaging API設定」でWebhook URLを {shown} にしてください",
        f"set the webhook URL to {shown} in {_CONSOLE[1]}, tab Messaging API",
    )
    if told.status == 404:
        return error(
            key,
            "Webhook URLが設定されていません。お客様からのメッセージが届きません",
            "no webhook URL is set: nothing that customers write arrives",
            fix=set_it,
        )
    if told.status != 200:
        return _unreachable(key, f"HTTP {told.status}")
    endpoint = str(told.body.get("endpoint"))
    if is_usable and endpoint.rstrip("/") != wanted:
        return error(
            key,
            f"Webhook URLが {endpoint} になっていて、PUBLIC_BASE_URL と合いません",
            f"the webhook URL is {endpoint}, which is not under PUBLIC_BASE_URL",
            fix=set_it,
        )
    if told.body.get("active") is not True:
        return error(
            key,
            "「Webhookの利用」がオフです。お客様からのメッセージが届きません",
            "“Use webhook” is off: nothing that customers write arrives",
            fix=(
                f"{_CONSOLE[0]}の「Messaging API設定」で「Webhookの利用」をオンにしてください",
                f"switch “Use webhook” on in {_CONSOLE[1]}, tab Messaging API",
            ),
        )
    return ok(
        key,
        f"Webhook URLは {endpoint} で、オンです(実際に届くかは --webhook-test で)",
        f"the webhook URL is {endpoint}, and on (whether it arrives: --webhook-test)",
    )


def _tested(told: Told) -> Finding:
    key = "line.webhook_test"
    if told.status == 429:
        return warning(
            key,
            "Webhookの試験の回数が上限に達しました(1時間に60回)",
            "too many webhook tests (60 an hour)",
            fix=("1時間ほど待って、もう一度実行してください", "run this again in an hour"),
        )
    if told.status != 200:
        return _unreachable(key, f"HTTP {told.status}")
    if told.body.get("success") is True:
        return ok(key, "LINEからの呼び出しが届きました", "LINE's call reached this program")
    status, reason = told.body.get("statusCode"), str(told.body.get("reason") or "UNCLASSIFIED")
    return error(
        key,
        f"LINEからの呼び出しに正しく答えていません({reason}, {status})",
        f"LINE's call was not answered as it must be ({reason}, {status})",
        fix=_remedy(status, reason),
    )


def _remedy(status: object, reason: str) -> tuple[str, str]:
    if status in {401, 403}:
        return (
            "LINE_CHANNEL_SECRET を同じチャネルのシークレットにして、再起動してください",
            "set LINE_CHANNEL_SECRET to the secret of this very channel, and restart",
        )
    if status == 404:
        return (
            f"リバースプロキシが {WEBHOOK_PATH} をこのプログラムに渡しているか確かめてください",
            f"check that the reverse proxy passes {WEBHOOK_PATH} on to this program",
        )
    if reason == "REQUEST_TIMEOUT":
        return (
            "2秒以内に答える必要があります。yorisoi run が動いていることと、"
            "途中のプロキシの遅れを確かめてください",
            "the answer must come within two seconds: check that `yorisoi run` runs, and the proxies between",
        )
    if reason == "COULD_NOT_CONNECT":
        return (
            "yorisoi run が動いていることと、DNS、ファイアウォール、正規の証明書(TLS 1.2以上)を"
            "確かめてください",
            "check that `yorisoi run` runs, then DNS, firewall and certificate (public CA, TLS 1.2 or newer)",
        )
    return (
        "yorisoi run が動いていることと、リバースプロキシのログを確かめてください",
        "check that `yorisoi run` runs, then the reverse proxy's log",
    )


def _quota(quota: Told, consumption: Told) -> Finding:
    key = "line.quota"
    used, limit = consumption.body.get("totalUsage"), quota.body.get("value")
    if quota.status != 200 or consumption.status != 200 or not isinstance(used, int):
        return _unreachable(key, f"HTTP {quota.status}, {consumption.status}")
    if quota.body.get("type") == "none" or not isinstance(limit, int):
        return ok(
            key,
            f"今月は{used:,}通送信しました(上限なし)",
            f"{used:,} messages used this month (no limit)",
        )
    said = (
        f"今月は{limit:,}通のうち{used:,}通を使いました",
        f"{used:,} of {limit:,} messages used this month",
    )
    remedy = (
        "LINE Official Account Managerでプランか追加メッセージの上限を見直すか、来月を待ってください"
        "(返信は続けて送れます)",
        "raise the plan or the cap of extra messages in LINE Official Account Manager, or wait for next month"
        " (replies still go out)",
    )
    if used >= limit:
        return error(key, *said, fix=remedy)
    return warning(key, *said, fix=remedy) if used >= limit * NEARLY_USED_UP else ok(key, *said)

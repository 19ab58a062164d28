"""What is left to do by hand, in LINE's consoles, in Slack and here?"""

from __future__ import annotations

from collections.abc import Collection

from bot.doctor.forms import SLACK_PATH, WEBHOOK_PATH
from bot.slack.scopes import APP_SCOPE

_NO_ADDRESS = "https://YOUR-HOST"


def steps(
    *, public_base_url: str | None, is_socket_mode: bool, missing: Collection[str], language: str
) -> list[str]:
    """Lines to print, in `ja` or `en`. `missing`: settings that nobody gave yet."""
    address = (public_base_url or _NO_ADDRESS).rstrip("/")
    say = _japanese if language == "ja" else _english
    return say(address, is_socket_mode, missing)


def _japanese(address: str, is_socket_mode: bool, missing: Collection[str]) -> list[str]:
    lines = [
        "",
        "LINE Developersコンソール (https://developers.line.biz/console/) で:",
        "  1. 自社のプロバイダーのMessaging APIチャネルを開く(なければLINE公式アカウントから作る)",
        "  2.「チャネル基本設定」のチャネルシークレット → LINE_CHANNEL_SECRET",
        "  3.「Messaging API設定」でチャネルアクセストークン(長期)を発行 → LINE_CHANNEL_ACCESS_TOKEN",
        f"  4. 同じ画面のWebhook URLに {address}{WEBHOOK_PATH} を入れて「更新」",
        "  5.「Webhookの利用」をオン、「Webhookの再送」をオン",
        "LINE Official Account Manager (https://manager.line.biz/) の「設定」→「応答設定」で:",
        "  6.「応答メッセージ」と「あいさつメッセージ」をオフ(オンのままだと返事が二重になります)",
        "  7.「チャット」をオフ(担当者がそこでも返信するのでなければ)",
        "",
        "Slack (https://api.slack.com/apps) で:",
        "  1.「Create New App」→「From a manifest」に slack-manifest.yaml の中身を貼る",
    ]
    if is_socket_mode:
        lines += [
            "  2.「Install to Workspace」→ xoxb- で始まるトークン → SLACK_BOT_TOKEN",
            f"  3.「Basic Information」→「App-Level Tokens」で権限 {APP_SCOPE} のトークンを作る"
            " → SLACK_APP_TOKEN",
        ]
    else:
        lines += [
            "  2.「Basic Information」のSigning Secret → SLACK_SIGNING_SECRET",
            "  3.「Install to Workspace」→ xoxb- で始まるトークン → SLACK_BOT_TOKEN",
            f"     yorisoi run を動かしてから、{address}{SLACK_PATH} の「Verify」を押す",
        ]
    lines += [
        "  4. チャンネルを作り、それぞれで /invite @yorisoi を実行。ID(C…)は「チャンネル情報」の一番下"
        " → SLACK_LEADS_CHANNEL, SLACK_ALERTS_CHANNEL",
        "",
        "ここで:",
    ]
    if missing:
        lines += [f"  まだ空の設定を .env に書く: {', '.join(missing)}"]
    return [
        *lines,
        "  yorisoi rules check rules/     規則とメッセージを確かめる",
        "  yorisoi doctor                 設定を、LINEとSlackに問い合わせて確かめる",
        "  yorisoi run                    動かす",
        "  yorisoi doctor --webhook-test  LINEからの呼び出しが届くか確かめる",
        "規則は記録だけの状態(shadow)で始まります。送るには: yorisoi rules enable inactive-14d",
    ]


def _english(address: str, is_socket_mode: bool, missing: Collection[str]) -> list[str]:
    lines = [
        "",
        "In the LINE Developers console (https://developers.line.biz/console/):",
        "  1. open the Messaging API channel of your own provider (or make one from the Official Account)",
        "  2. Basic settings: channel secret -> LINE_CHANNEL_SECRET",
        "  3. Messaging API: issue a long-lived channel access token -> LINE_CHANNEL_ACCESS_TOKEN",
        f"  4. same tab: set Webhook URL to {address}{WEBHOOK_PATH} and press Update",
        "  5. switch “Use webhook” on, and “Webhook redelivery” on",
        "In LINE Official Account Manager (https://manager.line.biz/), Settings, Response settings:",
        "  6. switch auto-reply messages and the greeting message off (or people get two answers)",
        "  7. switch Chat off (unless people also answer there)",
        "",
        "In Slack (https://api.slack.com/apps):",
        "  1. Create New App, From a manifest: paste slack-manifest.yaml",
    ]
    if is_socket_mode:
        lines += [
            "  2. Install to Workspace: the token that begins with xoxb- -> SLACK_BOT_TOKEN",
            f"  3. Basic Information, App-Level Tokens: make one with {APP_SCOPE} -> SLACK_APP_TOKEN",
        ]
    else:
        lines += [
            "  2. Basic Information: signing secret -> SLACK_SIGNING_SECRET",
            "  3. Install to Workspace: the token that begins with xoxb- -> SLACK_BOT_TOKEN",
            f"     with `yorisoi run` running, press Verify next to {address}{SLACK_PATH}",
        ]
    lines += [
        "  4. make the channels and type /invite @yorisoi in each; their ids (C…) stand at the end of the"
        " channel's details -> SLACK_LEADS_CHANNEL, SLACK_ALERTS_CHANNEL",
        "",
        "Here:",
    ]
    if missing:
        lines += [f"  write what is still empty into .env: {', '.join(missing)}"]
    return [
        *lines,
        "  yorisoi rules check rules/     look at the rules and messages",
        "  yorisoi doctor                 ask LINE and Slack whether all of this is right",
        "  yorisoi run                    run",
        "  yorisoi doctor --webhook-test  see whether LINE's calls arrive",
        "Rules begin in shadow: they record and send nothing. To send: yorisoi rules enable inactive-14d",
    ]

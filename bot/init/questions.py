"""What does `init` ask, in which order, and where does each answer stand?"""

from __future__ import annotations

from dataclasses import dataclass

from bot.doctor.findings import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One setting to be asked for. `is_hidden`: not shown while it is typed."""

    name: str
    what: Words
    is_hidden: bool = False

    @property
    def option(self) -> str:
        """The option that answers it."""
        return "--" + self.name.lower().replace("_", "-")


QUESTIONS = (
    Question(
        name="PUBLIC_BASE_URL",
        what=Words(
            ja="外から届くこのプログラムのアドレス(例: https://bot.example.co.jp)",
            en="The address at which the outside reaches this program (like https://bot.example.co.jp)",
        ),
    ),
    Question(
        name="LINE_CHANNEL_SECRET",
        what=Words(
            ja="LINE: チャネルシークレット(コンソールの「チャネル基本設定」)",
            en="LINE: channel secret (console, Basic settings)",
        ),
        is_hidden=True,
    ),
    Question(
        name="LINE_CHANNEL_ACCESS_TOKEN",
        what=Words(
            ja="LINE: チャネルアクセストークン(コンソールの「Messaging API設定」)",
            en="LINE: channel access token (console, Messaging API)",
        ),
        is_hidden=True,
    ),
    Question(
        name="SLACK_BOT_TOKEN",
        what=Words(
            ja="Slack: ボットのトークン(xoxb-…、OAuth & Permissions)",
            en="Slack: bot token (xoxb-…, OAuth & Permissions)",
        ),
        is_hidden=True,
    ),
    Question(
        name="SLACK_SIGNING_SECRET",
        what=Words(
            ja="Slack: Signing Secret(Basic Information。Socket Modeなら空のまま)",
            en="Slack: signing secret (Basic Information; leave empty for Socket Mode)",
        ),
        is_hidden=True,
    ),
    Question(
        name="SLACK_APP_TOKEN",
        what=Words(
            ja="Slack: App-Level Token(xapp-…。Socket Modeのときだけ)",
            en="Slack: app-level token (xapp-…; for Socket Mode only)",
        ),
        is_hidden=True,
    ),
    Question(
        name="SLACK_LEADS_CHANNEL",
        what=Words(
            ja="Slack: 見込みのお客様を知らせるチャンネルのID(C…)",
            en="Slack: id of the channel for leads (C…)",
        ),
    ),
    Question(
        name="SLACK_ALERTS_CHANNEL",
        what=Words(
            ja="Slack: 注意の要ることを知らせるチャンネルのID(C…)",
            en="Slack: id of the channel for what needs attention (C…)",
        ),
    ),
    Question(
        name="SLACK_DIGEST_CHANNEL",
        what=Words(
            ja="Slack: 平日の朝のまとめを出すチャンネルのID(C…。空なら出しません)",
            en="Slack: id of the channel for the digest on weekday mornings (C…; empty: none)",
        ),
    ),
    Question(
        name="SLACK_SALES_GROUP",
        what=Words(
            ja="Slack: 営業のユーザーグループのID(S…。空なら全員が操作できます)",
            en="Slack: id of the sales user group (S…; empty: every full member may act)",
        ),
    ),
    Question(
        name="SLACK_SUPPORT_LEADS_GROUP",
        what=Words(
            ja="Slack: サポート責任者のユーザーグループのID(S…。空なら全員)",
            en="Slack: id of the support leads' user group (S…; empty: every full member)",
        ),
    ),
    Question(
        name="OPENAI_API_KEY",
        what=Words(
            ja="OpenAI: APIキー(空なら、下書きは定型文から作ります)",
            en="OpenAI: API key (empty: drafts come from templates)",
        ),
        is_hidden=True,
    ),
)

PRODUCT = Words(
    ja="メッセージのボタンが開く、自社の製品のアドレス(例: https://app.example.co.jp)",
    en="The address of your product, which buttons in messages open (like https://app.example.co.jp)",
)
"""Not a setting: it goes into the messages that are copied."""

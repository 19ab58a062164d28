"""Does Slack know us, may we do what we have to, and are the channels and groups there?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

from bot.clock import Clock
from bot.doctor.clocks import clock_finding, skew_of_header
from bot.doctor.findings import Finding, error, note, ok, warning
from bot.doctor.forms import wrong_form
from bot.errors import Unavailable
from bot.settings import Settings
from bot.slack.calls import SlackRefused
from bot.slack.examining import ExaminingSlack, Introduction
from bot.slack.scopes import APP_SCOPE, SCOPES

CHANNELS = ("slack_leads_channel", "slack_alerts_channel", "slack_digest_channel")
GROUPS = ("slack_sales_group", "slack_support_leads_group")
_NEEDED = {
    "slack_leads_channel": ("見込みのカードを出すチャンネル", "the channel for lead cards"),
    "slack_alerts_channel": ("注意の知らせを出すチャンネル", "the channel for alerts"),
}
_CLOCK_TOLERATED, _CLOCK_REFUSED = timedelta(seconds=30), timedelta(minutes=5)
"""Slack's signatures are refused when they are more than five minutes off."""
_REINSTALL = (
    "Slackアプリの「OAuth & Permissions」で追加し、ワークスペースに再インストールしてください",
    "add it under OAuth & Permissions of the Slack app, and reinstall the app to the workspace",
)


async def look_at_slack(settings: Settings, clock: Clock) -> list[Finding]:
    """Ask Slack; posts nothing, joins nothing."""
    if settings.slack_bot_token is None:
        others = [
            name
            for name in ("slack_signing_secret", "slack_app_token", *CHANNELS)
            if getattr(settings, name) is not None
        ]
        if not others:
            return [
                note(
                    "slack",
                    "Slackは未設定です。見込みのお客様の知らせは、設定するまで待ちます",
                    "Slack is not configured: leads wait until it is",
                )
            ]
        return [
            error(
                "slack.token",
                f"SLACK_BOT_TOKEN がありません({others[0].upper()} はあります)",
                f"SLACK_BOT_TOKEN is not set ({others[0].upper()} is)",
                fix=(
                    "Slackアプリの「OAuth & Permissions」にある xoxb- で始まるトークンを入れてください",
                    "set it to the token that begins with xoxb-, under OAuth & Permissions of the Slack app",
                ),
            )
        ]
    slack = ExaminingSlack(
        token=settings.slack_bot_token.get_secret_value(), clock=clock, base_url=settings.slack_api_base_url
    )
    findings = [each async for each in _identity(slack, settings, clock)]
    is_known = any(each.key == "slack.account" for each in findings)
    findings += [each async for each in _entrance(slack, settings)]
    if is_known:
        for name in CHANNELS:
            findings += [each async for each in _channel(slack, settings, name)]
        for name in GROUPS:
            findings += [each async for each in _group(slack, settings, name)]
    findings += _who_may_act(settings)
    return findings


async def _identity(slack: ExaminingSlack, settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    before = clock.now()
    try:
        found = await slack.introduction()
    except SlackRefused as refused:
        yield error(
            "slack.token",
            f"SlackがSLACK_BOT_TOKENを受け付けません({refused.code})",
            f"Slack refuses SLACK_BOT_TOKEN ({refused.code})",
            fix=(
                "Slackアプリをワークスペースに再インストールし、「OAuth & Permissions」の"
                " xoxb- で始まるトークンを入れ直してください",
                "reinstall the Slack app to the workspace, and set the token that begins with xoxb-, under"
                " OAuth & Permissions",
            ),
        )
        return
    except Unavailable as failed:
        yield _unreachable("slack", str(failed))
        return
    skew = skew_of_header(found.date, before=before, after=clock.now())
    if skew is not None:
        yield clock_finding(
            "slack.clock",
            skew,
            ja="Slackの時計",
            en="Slack's",
            tolerated=_CLOCK_TOLERATED,
            refused=_CLOCK_REFUSED,
        )
    yield ok(
        "slack.account",
        f"Slackのワークスペース「{found.team}」に @{found.bot} としてつながりました",
        f"connected to the Slack workspace “{found.team}” as @{found.bot}",
    )
    for finding in _scopes(found, settings):
        yield finding


def _scopes(found: Introduction, settings: Settings) -> Iterator[Finding]:
    if not found.is_scopes_told:
        return
    has_groups = any(getattr(settings, name) is not None for name in GROUPS)
    missing = [
        scope
        for scope in SCOPES
        if scope not in found.identity.scopes and (has_groups or scope != "usergroups:read")
    ]
    for scope in missing:
        ja, en = SCOPES[scope]
        yield error(
            f"slack.scope.{scope}",
            f"Slackの権限 {scope} がありません({ja})",
            f"the Slack scope {scope} is missing ({en})",
            fix=_REINSTALL,
        )
    spare = sorted(found.identity.scopes - set(SCOPES))
    if spare:
        yield note(
            "slack.scopes.spare",
            f"使わないSlackの権限があります({', '.join(spare)})。外すと、鍵が漏れた時の害が減ります",
            f"Slack scopes that nothing uses ({', '.join(spare)}): a leaked token does less harm without",
        )
    if not missing:
        yield ok("slack.scopes", "Slackの権限はそろっています", "every Slack scope is there")


async def _entrance(slack: ExaminingSlack, settings: Settings) -> AsyncIterator[Finding]:
    """How what people do in Slack comes to us: over HTTP, or by Socket Mode."""
    if settings.slack_app_token is None:
        if settings.slack_signing_secret is None:
            yield error(
                "slack.signing_secret",
                "SLACK_SIGNING_SECRET がありません。Slackで押されたボタンをすべて拒みます",
                "SLACK_SIGNING_SECRET is not set: every button pressed in Slack is refused",
                fix=(
                    "Slackアプリの「Basic Information」からSigning Secretをコピーするか、"
                    "Socket Modeを使うなら SLACK_APP_TOKEN を入れてください",
                    "copy the signing secret from Basic Information of the Slack app; for Socket Mode, set"
                    " SLACK_APP_TOKEN instead",
                ),
            )
        else:
            yield ok(
                "slack.signing_secret",
                "Signing Secretがあります(正しいかは、Slackでボタンを押すと分かります)",
                "there is a signing secret (pressing a button in Slack shows whether it is the right one)",
            )
        return
    try:
        await slack.try_socket(settings.slack_app_token.get_secret_value())
    except SlackRefused as refused:
        yield error(
            "slack.app_token",
            f"SlackがSLACK_APP_TOKENを受け付けません({refused.code})",
            f"Slack refuses SLACK_APP_TOKEN ({refused.code})",
            fix=(
                f"Slackアプリの「Basic Information」で、権限 {APP_SCOPE} のApp-Level Tokenを作り直し、"
                "Socket Modeをオンにしてください",
                f"make an app-level token with the scope {APP_SCOPE} under Basic Information of the app,"
                " and switch Socket Mode on",
            ),
        )
    except Unavailable as failed:
        yield _unreachable("slack.app_token", str(failed))
    else:
        yield ok("slack.app_token", "Socket Modeでつながります", "Socket Mode can connect")


async def _channel(slack: ExaminingSlack, settings: Settings, name: str) -> AsyncIterator[Finding]:
    key, variable = f"slack.channel.{name.split('_')[1]}", name.upper()
    channel_id: str | None = getattr(settings, name)
    if channel_id is None:
        if name in _NEEDED:
            ja, en = _NEEDED[name]
            yield warning(
                key,
                f"{ja}({variable})が未設定です。その投稿は待ち続けます",
                f"{en} ({variable}) is not set: those posts wait",
                fix=(
                    f"チャンネルのID(C…)を {variable} に入れてください",
                    f"set {variable} to the id of a channel (C…)",
                ),
            )
        return
    if wrong_form(variable, channel_id) is not None:
        return  # told among the forms
    try:
        found = await slack.channel(channel_id)
    except SlackRefused as refused:
        if refused.code == "missing_scope":
            return  # told among the scopes
        yield error(
            key,
            f"{variable} のチャンネル {channel_id} が見つかりません({refused.code})",
            f"the channel {channel_id} of {variable} is not found ({refused.code})",
            fix=(
                "IDを確かめ、非公開のチャンネルなら、そこで /invite @ボットの名前 を実行してください",
                "check the id; in a private channel, type /invite and the bot's name",
            ),
        )
        return
    except Unavailable as failed:
        yield _unreachable(key, str(failed))
        return
    title = f"#{found.get('name', channel_id)}"
    wrong = _why_not(title, found)
    if wrong is None:
        yield ok(key, f"{variable} は {title} です", f"{variable} is {title}")
    else:
        (ja, en), remedy = wrong
        yield error(key, f"{variable}: {ja}", f"{variable}: {en}", fix=remedy)


def _why_not(title: str, channel: dict[str, object]) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Why nothing can be posted there, and what to do."""
    if channel.get("is_archived"):
        return (
            (f"{title} はアーカイブされています", f"{title} is archived"),
            (
                "アーカイブを解除するか、別のチャンネルのIDにしてください",
                "unarchive it, or name another channel",
            ),
        )
    if channel.get("is_ext_shared"):
        return (
            (
                f"{title} は社外と共有されています。お客様の情報は投稿しません",
                f"{title} is shared with another organisation: nothing about customers is posted there",
            ),
            ("社内だけのチャンネルのIDにしてください", "name a channel of your own organisation only"),
        )
    if not channel.get("is_member"):
        return (
            (f"ボットが {title} に入っていません", f"the bot is not in {title}"),
            (
                f"{title} で /invite @ボットの名前 を実行してください",
                f"type /invite and the bot's name in {title}",
            ),
        )
    return None


async def _group(slack: ExaminingSlack, settings: Settings, name: str) -> AsyncIterator[Finding]:
    variable, group_id = name.upper(), getattr(settings, name)
    key = f"slack.group.{name.removeprefix('slack_').removesuffix('_group')}"
    if group_id is None or wrong_form(variable, group_id) is not None:
        return
    try:
        members = await slack.members_of(group_id)
    except SlackRefused as refused:
        if refused.code == "missing_scope":
            return  # told among the scopes
        is_plan = refused.code == "plan_upgrade_required"
        yield error(
            key,
            f"{variable} のユーザーグループ {group_id} を読めません({refused.code})",
            f"the user group {group_id} of {variable} cannot be read ({refused.code})",
            fix=(
                f"ユーザーグループは有料プランの機能です。{variable} を空にしてください(全員が操作できます)",
                f"user groups need a paid plan; leave {variable} empty (every full member may act)",
            )
            if is_plan
            else (
                f"グループの「…」メニューの「グループIDをコピー」で得たIDを {variable} に入れてください",
                f"set {variable} to the id that “Copy group ID” in the group's … menu gives",
            ),
        )
    except Unavailable as failed:
        yield _unreachable(key, str(failed))
    else:
        if members:
            number = len(members)
            yield ok(key, f"{variable} は{number}人です", f"{variable} has {number} members")
        else:
            yield warning(
                key,
                f"{variable} のグループに誰もいません。この役割では誰も操作できません",
                f"nobody is in the group of {variable}: nobody may act in that role",
                fix=("Slackでグループに人を加えてください", "add people to the group in Slack"),
            )


def _who_may_act(settings: Settings) -> Iterator[Finding]:
    if settings.slack_sales_group is None or settings.slack_support_leads_group is None:
        unset = [name.upper() for name in GROUPS if getattr(settings, name) is None]
        named = ", ".join(unset)
        yield note(
            "slack.everyone",
            f"{named} が空なので、ワークスペースの正式なメンバーなら誰でも操作できます(ゲストは除く)",
            f"{named}: not set, so every full member of the workspace may act (guests may not)",
        )


def _unreachable(key: str, because: str) -> Finding:
    return error(
        key,
        f"Slackから答えがありません({because})",
        f"no usable answer from Slack ({because})",
        fix=(
            "このマシンから https://slack.com に出られるか(プロキシ、ファイアウォール)を確かめて、"
            "もう一度実行してください",
            "check that this machine reaches https://slack.com (proxy, firewall), then run this again",
        ),
    )

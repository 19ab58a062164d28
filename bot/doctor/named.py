"""Is what other settings name right: sources, reply templates, the page for linking, the webhooks' secret?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values

from bot.doctor.findings import Finding, error, note, ok, warning
from bot.errors import Misconfigured
from bot.intake.signatures import secrets_of
from bot.intake.sources import address_of, sources_of
from bot.settings import Settings
from followups.rules.parsing import RuleError
from prompts.replies import reply_templates


def look_at_named(settings: Settings, *, env_file: Path) -> list[Finding]:
    """Read the files; opens no database of others (`yorisoi pull --check` does)."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _sources(settings, env_file),
        lambda: _templates(settings.yorisoi_templates),
        lambda: _webhook_secret(settings),
        lambda: _link_page(settings.line_link_page),
        lambda: _exchange(settings),
        lambda: _doors(settings.host),
    )
    return [finding for look in looks for finding in look()]


def _sources(settings: Settings, env_file: Path) -> Iterator[Finding]:
    key, path = "sources", settings.yorisoi_sources
    if path is None:
        return
    try:
        sources = sources_of(path)
    except Misconfigured:
        yield error(
            key,
            f"YORISOI_SOURCES の {path} が読めません",
            f"{path} of YORISOI_SOURCES cannot be read",
            fix=("YORISOI_SOURCES のパスを確かめてください", "check the path in YORISOI_SOURCES"),
        )
        return
    except RuleError as wrong:
        for problem in wrong.problems:
            line = problem.line
            fix = (f"{problem.path} の{line}行目を直してください", f"correct line {line} there")
            yield error(key, problem.said("ja"), problem.said("en"), fix=fix)
        return
    known = dotenv_values(env_file, interpolate=False) if env_file.is_file() else {}
    environment = {**known, **os.environ}
    missing = []
    for source in sources:
        try:
            address_of(source, environment)
        except Misconfigured:
            missing.append(source)
    for source in missing:
        yield error(
            key,
            f"取り込み元 {source.name} のアドレス {source.url} が設定されていません",
            f"the source {source.name} reads {source.url}, which is not set",
            fix=(
                f"{source.url}=postgresql://reader:PASSWORD@HOST/NAME の形で環境変数か .env に書いてください",
                f"set {source.url}=postgresql://reader:PASSWORD@HOST/NAME in the environment or .env",
            ),
        )
    if not missing:
        yield ok(
            key,
            f"{path} の取り込み元{len(sources)}件は正しく読めます(中身は yorisoi pull --check で)",
            f"{len(sources)} sources in {path} are sound (what they hold: yorisoi pull --check)",
        )


def _templates(folder: Path | None) -> Iterator[Finding]:
    key = "templates"
    if folder is None:
        return
    try:
        found = reply_templates(folder)
    except Misconfigured as wrong:
        yield error(
            key,
            f"返信のひな形が読めません: {str(wrong).splitlines()[0]}",
            f"a reply template cannot be read: {str(wrong).splitlines()[0]}",
            fix=(
                "docs/slack.md の「Reply templates」の形に直してください",
                "write it as docs/slack.md, Reply templates, shows",
            ),
        )
        return
    if found:
        yield ok(key, f"返信のひな形{len(found)}件を読めます", f"{len(found)} reply templates can be read")
        return
    yield warning(
        key,
        f"YORISOI_TEMPLATES の {folder} にひな形がありません",
        f"{folder} of YORISOI_TEMPLATES holds no templates",
        fix=(
            "そこに *.yaml を置くか、YORISOI_TEMPLATES を空にしてください(付属のものを使います)",
            "put *.yaml files there, or leave YORISOI_TEMPLATES empty (then the shipped ones are used)",
        ),
    )


def _webhook_secret(settings: Settings) -> Iterator[Finding]:
    if settings.yorisoi_webhook_secret is None:
        return
    key = "webhook.secret"
    try:
        known = secrets_of(settings.yorisoi_webhook_secret.get_secret_value())
    except Misconfigured:
        known = ()
    if known:
        yield ok(key, "署名つきWebhookの秘密の値があります", "there is a secret for signed webhooks")
        return
    yield error(
        key,
        "YORISOI_WEBHOOK_SECRET がbase64の16バイト以上の値ではありません",
        "YORISOI_WEBHOOK_SECRET is not base64 of 16 bytes or more",
        fix=(
            "openssl rand -base64 32 で作り、送る側にも同じ値を入れてください",
            "make one with openssl rand -base64 32, and give the sender the same",
        ),
    )


def _link_page(page: str | None) -> Iterator[Finding]:
    if page is None:
        return
    key = "line.link_page"
    if urlsplit(page).scheme == "https":
        yield ok(key, f"アカウント連携のページは {page} です", f"the page for linking accounts is {page}")
        return
    yield error(
        key,
        f"LINE_LINK_PAGE の {page} はhttpsではないので、LINEのボタンから開けません",
        f"LINE_LINK_PAGE names {page}, which is not https: LINE's button cannot open it",
        fix=("https:// で始まるアドレスにしてください", "use an address that begins with https://"),
    )


def _exchange(settings: Settings) -> Iterator[Finding]:
    """Two secrets at once are for the time of an exchange."""
    for name in ("line_channel_secret", "slack_signing_secret", "yorisoi_webhook_secret"):
        secret = getattr(settings, name)
        number = sum(bool(each.strip()) for each in secret.get_secret_value().split(",")) if secret else 0
        if number == 2:
            yield note(
                f"exchange.{name}",
                f"{name.upper()} に二つの値があり、両方を受け付けます。交換が済んだら古い方を消してください",
                f"{name.upper()} holds two values, and both are accepted: take the old one out afterwards",
            )
        elif number > 2:
            yield warning(
                f"exchange.{name}",
                f"{name.upper()} に{number}個の値があります",
                f"{name.upper()} holds {number} values",
                fix=("使っていない古い値を消してください", "take out the old ones that nobody uses"),
            )


def _doors(host: str) -> Iterator[Finding]:
    if host in {"127.0.0.1", "::1", "localhost"}:
        return
    yield note(
        "doors.open",
        f"HOST が {host} なので、/readyz と /metrics を含むすべての入口がほかのマシンからも開けます。"
        "外には /v1/、/line/webhook、/slack/events、/r/、/media/ だけを通してください",
        f"HOST is {host}: other machines reach every door, /readyz and /metrics too; let the reverse proxy"
        " pass /v1/, /line/webhook, /slack/events, /r/ and /media/ only",
    )

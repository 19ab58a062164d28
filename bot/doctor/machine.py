"""Is what stands on this machine right: `.env`, the public address, the data folder, the rules, the key?"""

from __future__ import annotations

import difflib
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from bot.doctor.findings import Finding, error, note, ok, warning
from bot.doctor.forms import MIN_INGEST_KEY, wrong_form
from bot.errors import Misconfigured
from bot.flows.answers.scripts import read_own
from bot.intake.rule_files import policy_beside, read_folder
from bot.settings import Settings
from followups.rules.model import Policy, RuleState
from followups.rules.parsing import Problem, RuleError, parse_policy
from followups.rules.parsing import read_folder as read_rules

LOW_DISK, NO_DISK = 2_000_000_000, 300_000_000
"""Bytes free below which it is time to act, and below which PostgreSQL may stop any moment."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MORE_PROBLEMS = 10
_PLACEHOLDER = "app.example.com"
_SHAPED = (
    "public_base_url",
    "line_channel_secret",
    "line_channel_access_token",
    "slack_bot_token",
    "slack_signing_secret",
    "slack_app_token",
    "slack_leads_channel",
    "slack_alerts_channel",
    "slack_digest_channel",
    "slack_sales_group",
    "slack_support_leads_group",
    "openai_api_key",
    "yorisoi_ingest_key",
)


def look_at_machine(settings: Settings, *, env_file: Path) -> list[Finding]:
    """Everything that can be seen without asking anybody."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: env_file_findings(env_file),
        lambda: _forms(settings),
        lambda: _address(settings),
        lambda: _ingest_key(settings),
        lambda: _data_folder(settings),
        lambda: _rules(settings),
    )
    return [finding for look in looks for finding in look()]


def value_of(settings: Settings, name: str) -> str | None:
    """The text of a setting, secret or not."""
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return None if value is None else str(value)


def env_file_findings(path: Path) -> Iterator[Finding]:
    """Who can read `.env`, and is every name in it one of ours?"""
    if not path.is_file():
        yield note(
            "env.file",
            f"{path} はありません(環境変数だけを使います)",
            f"there is no {path} (only the environment counts)",
        )
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _OTHERS:
        yield error(
            "env.mode",
            f"{path} をほかの利用者も読めます(モード {mode:04o})。鍵が入っています",
            f"others can read {path} (mode {mode:04o}), and it holds keys",
            fix=(f"chmod 600 {path} を実行してください", f"run: chmod 600 {path}"),
        )
    else:
        yield ok("env.mode", f"{path} は本人だけが読めます", f"only its owner can read {path}")
    try:
        names = list(dotenv_values(path, interpolate=False, encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        yield error(
            "env.file",
            f"{path} が読めません",
            f"{path} cannot be read",
            fix=(
                "UTF-8で保存し、持ち主をこのプログラムの利用者にしてください",
                "save it as UTF-8, owned by the user this program runs as",
            ),
        )
        return
    known = [name.upper() for name in Settings.model_fields]
    for name in names:
        near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.84)
        if near and name.upper() not in known:
            yield warning(
                "env.unknown",
                f"{path} の {name} という設定はありません",
                f"{path} sets {name}, which is no setting",
                fix=(f"{near[0]} の書き間違いなら直してください", f"if {near[0]} was meant, correct it"),
            )


def _forms(settings: Settings) -> Iterator[Finding]:
    for field in _SHAPED:
        value = value_of(settings, field)
        if value is None or field == "public_base_url":
            continue
        wrong = wrong_form(field.upper(), value)
        if wrong is not None:
            yield error(
                f"setting.{field}",
                f"{field.upper()} の形が正しくありません",
                f"{field.upper()} does not look right",
                fix=(wrong.ja, wrong.en),
            )


def _address(settings: Settings) -> Iterator[Finding]:
    key, address = "address.public", settings.public_base_url
    if address is None:
        is_needed = settings.line_channel_access_token is not None
        level = error if is_needed else warning
        yield level(
            key,
            "PUBLIC_BASE_URL がありません。メッセージのリンクがお客様のスマートフォンから開けません",
            "PUBLIC_BASE_URL is not set: customers' phones cannot open the links in messages",
            fix=(
                "外から届くアドレスを PUBLIC_BASE_URL=https://bot.example.co.jp の形で設定してください",
                "set the address the outside reaches, as PUBLIC_BASE_URL=https://bot.example.co.jp",
            ),
        )
        return
    wrong = wrong_form("PUBLIC_BASE_URL", address)
    if wrong is not None:
        yield error(
            key,
            "PUBLIC_BASE_URL が使えません",
            "PUBLIC_BASE_URL cannot be used",
            fix=(wrong.ja, wrong.en),
        )
    else:
        yield ok(
            key, f"公開アドレスは {settings.base_url} です", f"the public address is {settings.base_url}"
        )


def _ingest_key(settings: Settings) -> Iterator[Finding]:
    key, value = "ingest.key", value_of(settings, "yorisoi_ingest_key")
    if value is None:
        yield note(
            key,
            "YORISOI_INGEST_KEY は未設定です。製品からのイベントは受け付けません(yorisoi init で作れます)",
            "YORISOI_INGEST_KEY is not set: events from products are refused (`yorisoi init` makes one)",
        )
    elif len(value) < MIN_INGEST_KEY:
        yield error(
            key,
            f"YORISOI_INGEST_KEY が短すぎます({len(value)}文字)",
            f"YORISOI_INGEST_KEY is too short ({len(value)} characters)",
            fix=(
                f"推測できない{MIN_INGEST_KEY}文字以上にしてください"
                "(.env の行を消して yorisoi init を実行すると作れます)",
                f"use at least {MIN_INGEST_KEY} that nobody can guess (delete its line in .env and run"
                " `yorisoi init`)",
            ),
        )
    else:
        yield ok(key, "イベントの受け取り用の鍵があります", "there is a key for events")


def _data_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.yorisoi_data_dir.expanduser()
    if settings.database_url is None:
        if folder.is_dir():
            mode = stat.S_IMODE(folder.stat().st_mode)
            if mode & _OTHERS:
                yield error(
                    "data.mode",
                    f"データフォルダ {folder} にほかの利用者も入れます(モード {mode:04o})",
                    f"others can enter the data folder {folder} (mode {mode:04o})",
                    fix=(f"chmod 700 {folder} を実行してください", f"run: chmod 700 {folder}"),
                )
            else:
                yield ok(
                    "data.mode",
                    f"データフォルダ {folder} は本人だけが使えます",
                    f"only its owner can enter the data folder {folder}",
                )
        place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        yield disk_finding(shutil.disk_usage(place).free, folder)


def disk_finding(free: int, folder: Path) -> Finding:
    """What `free` bytes mean for the data folder."""
    size = f"{free / 1_000_000_000:.1f} GB"
    if free >= LOW_DISK:
        return ok("data.disk", f"ディスクの空きは {size} です", f"{size} of disk are free")
    level = error if free < NO_DISK else warning
    return level(
        "data.disk",
        f"ディスクの空きが {size} しかありません",
        f"only {size} of disk are free",
        fix=(
            f"空きを増やすか、YORISOI_DATA_DIR を別のディスクに移してください(今は {folder})",
            f"free some, or move YORISOI_DATA_DIR (now {folder}) to another disk",
        ),
    )


def _rules(settings: Settings) -> Iterator[Finding]:
    folder = settings.yorisoi_rules
    try:
        policy_text = policy_beside(folder, settings.yorisoi_policy)
        policy = parse_policy(policy_text.source, path=policy_text.path) if policy_text else Policy()
    except Misconfigured as wrong:
        yield _unreadable("policy", str(wrong))
        policy = Policy()
    except RuleError as wrong:
        yield from _problems("policy", wrong.problems)
        policy = Policy()
    else:
        if policy_text is not None:
            yield ok("policy", f"{policy_text.path} は正しく読めます", f"{policy_text.path} is sound")
    if folder is None:
        yield note(
            "rules",
            "YORISOI_RULES は未設定です(規則は yorisoi rules apply で公開します)",
            "YORISOI_RULES is not set (publish rules with `yorisoi rules apply`)",
        )
        return
    try:
        files = read_folder(folder)
    except Misconfigured as wrong:
        yield _unreadable("rules", str(wrong))
        return
    rule_set = read_rules(files, policy=policy)
    problems = (*rule_set.problems, *read_own(files).problems)
    if problems:
        yield from _problems("rules", problems)
        return
    if not rule_set.rules:
        yield warning(
            "rules",
            f"{folder} に規則がありません",
            f"{folder} holds no rules",
            fix=(
                f"{folder} に規則のYAMLファイルを置いてください",
                f"put the YAML files of rules into {folder}",
            ),
        )
        return
    live = sum(rule.state is RuleState.LIVE for rule in rule_set.rules)
    yield ok(
        "rules",
        f"{folder} の規則{len(rule_set.rules)}件は正しく読めます(最初から送信する規則: {live}件)",
        f"{len(rule_set.rules)} rules in {folder} are sound ({live} of them begin live)",
    )
    unfinished = [path for path, text in files.items() if _PLACEHOLDER in text]
    if unfinished:
        yield warning(
            "rules.links",
            f"{unfinished[0]} など{len(unfinished)}件に見本のリンク({_PLACEHOLDER})が残っています",
            f"{len(unfinished)} files hold the sample link ({_PLACEHOLDER}), {unfinished[0]} among them",
            fix=("自社の製品のアドレスに書き換えてください", "put your product's address there"),
        )


def _unreadable(key: str, because: str) -> Finding:
    return error(
        key,
        f"読めません: {because}",
        f"cannot be read: {because}",
        fix=(
            "YORISOI_RULES と YORISOI_POLICY のパスを確かめてください",
            "check the paths in YORISOI_RULES and YORISOI_POLICY",
        ),
    )


def _problems(key: str, problems: tuple[Problem, ...]) -> Iterator[Finding]:
    for problem in problems[:_MORE_PROBLEMS]:
        yield error(
            key,
            problem.said("ja"),
            problem.said("en"),
            fix=(
                f"{problem.path} の{problem.line}行目を直してください",
                f"correct line {problem.line} there",
            ),
        )

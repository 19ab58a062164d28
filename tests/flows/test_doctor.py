"""Is every mistake in a set-up found, named with what to do, and nothing else called wrong?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.clock import SystemClock
from bot.doctor.clocks import skew_of
from bot.doctor.database import findings_of
from bot.doctor.examine import examine
from bot.doctor.findings import Finding, Level
from bot.doctor.line import CONSUMPTION, ENDPOINT, INFO, QUOTA, TEST
from bot.doctor.machine import disk_finding
from bot.settings import Settings
from bot.slack.scopes import SCOPES
from db.keeping.vitals import Vitals, known_revisions
from sandbox.line import LineStandIn
from sandbox.openai import OpenAIStandIn
from sandbox.serve import serving
from sandbox.slack import SlackStandIn

SECRET = "0123456789abcdef0123456789abcdef"
TOKEN, BOT, APP = "line-token/abc+def=", "xoxb-1-abc", "xapp-1-abc"
PUBLIC = "https://bot.acme.co.jp"
RULE = (
    "id: back\nname: しばらくご利用のない方へ\ngoal: {event: login, within: 7d}\n"
    "when: {event: login, last: {more_than: 14d}}\n"
    "then:\n  - send: {text: 設定で手が止まっている所はありませんか。お困りでしたらお返事ください。}\n"
)


@dataclass(kw_only=True)
class Place:
    """A healthy set-up, to be broken in one way; settings in `values`, None: not set."""

    line: LineStandIn
    slack: SlackStandIn
    openai: OpenAIStandIn
    folder: Path
    values: dict[str, Any]
    ahead: dict[str, timedelta] = field(default_factory=dict)
    is_webhook_tested: bool = False

    @property
    def env_file(self) -> Path:
        return self.folder / ".env"

    async def examined(self) -> list[Finding]:
        set_ones = {name: value for name, value in self.values.items() if value is not None}
        return await examine(
            Settings.of(**set_ones),
            SystemClock(),
            env_file=self.env_file,
            is_webhook_tested=self.is_webhook_tested,
        )


@asynccontextmanager
async def place(folder: Path, database_url: str) -> AsyncIterator[Place]:
    now = SystemClock().now
    line = LineStandIn(channel_secret=SECRET, access_token=TOKEN, clock=now, quota=200)
    line.webhook_url = f"{PUBLIC}/line/webhook"
    slack = SlackStandIn(bot_token=BOT, signing_secret=SECRET, app_token=APP, clock=now, scopes=SCOPES)
    openai = OpenAIStandIn(now, api_key="sk-1")
    ann = slack.add_member("ann")
    (folder / ".env").write_text(f"PUBLIC_BASE_URL={PUBLIC}\n")
    (folder / ".env").chmod(0o600)
    (folder / "rules").mkdir()
    (folder / "rules" / "back.yaml").write_text(RULE)
    (folder / "policy.yaml").write_text("undo_seconds: 20\n")
    async with AsyncExitStack() as stack:
        ahead: dict[str, timedelta] = {}
        served = [
            await stack.enter_async_context(serving(dated(each.app, ahead, name)))
            for name, each in (("line", line), ("slack", slack), ("openai", openai))
        ]
        stack.push_async_callback(slack.close)
        yield Place(
            line=line,
            slack=slack,
            openai=openai,
            folder=folder,
            ahead=ahead,
            values={
                "database_url": database_url,
                "yorisoi_data_dir": folder / "data",
                "public_base_url": PUBLIC,
                "yorisoi_ingest_key": "k" * 22,
                "yorisoi_rules": folder / "rules",
                "yorisoi_policy": folder / "policy.yaml",
                "line_channel_secret": SECRET,
                "line_channel_access_token": TOKEN,
                "line_api_base_url": served[0],
                "slack_bot_token": BOT,
                "slack_signing_secret": SECRET,
                "slack_api_base_url": f"{served[1]}/api/",
                "slack_leads_channel": slack.add_channel("leads"),
                "slack_alerts_channel": slack.add_channel("alerts", private=True),
                "slack_sales_group": slack.add_user_group("sales", [ann]),
                "slack_support_leads_group": slack.add_user_group("support", [ann]),
                "openai_api_key": "sk-1",
                "openai_base_url": f"{served[2]}/v1",
                "openai_model": "sandbox",
            },
        )


def dated(app: Any, ahead: dict[str, timedelta], name: str) -> Any:
    """The platform, telling the time in its answers as the real ones do."""

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        async def stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                moment = SystemClock().now() + ahead.get(name, timedelta(0))
                date = format_datetime(moment.astimezone(UTC), usegmt=True)
                message = {**message, "headers": [*message["headers"], (b"date", date.encode())]}
            await send(message)

        await app(scope, receive, stamped)

    return answering


@pytest.fixture
async def sound(tmp_path: Path, server_url: str, template: str) -> AsyncIterator[Place]:
    async with place(tmp_path, server_url.format(template)) as found:
        yield found


def problems(found: list[Finding]) -> dict[str, Level]:
    return {each.key: each.level for each in found if each.is_problem}


async def test_a_healthy_set_up_has_nothing_to_be_done(sound: Place) -> None:
    found = await sound.examined()
    assert problems(found) == {}
    assert {each.key for each in found if each.level is Level.NOTE} == {"line.console"}
    assert {each.key for each in found if each.level is Level.OK} >= {
        "env.mode", "address.public", "ingest.key", "rules", "policy", "database.version",
        "database.durability", "database.schema", "database.clock", "line.account", "line.webhook",
        "line.quota", "line.clock", "slack.account", "slack.scopes", "slack.signing_secret", "slack.clock",
        "slack.channel.leads", "slack.channel.alerts", "slack.group.sales", "slack.group.support_leads",
        "openai",
    }  # fmt: skip


async def test_nothing_is_changed_and_nobody_is_called_by_looking(sound: Place) -> None:
    before = {path: path.read_bytes() for path in sound.folder.rglob("*") if path.is_file()}
    await sound.examined()
    assert {path: path.read_bytes() for path in sound.folder.rglob("*") if path.is_file()} == before
    assert [call.path for call in sound.line.journal if call.method != "GET"] == []
    assert sound.line.deliveries == []
    assert {call.method for call in sound.slack.journal} == {
        "auth.test", "conversations.info", "usergroups.users.list",
    }  # fmt: skip
    assert {(call.method, call.path) for call in sound.openai.journal} == {("GET", "/v1/models")}


async def test_nothing_configured_is_said_and_is_no_error(tmp_path: Path) -> None:
    found = await examine(
        Settings.of(yorisoi_data_dir=tmp_path / "data", public_base_url=PUBLIC),
        SystemClock(),
        env_file=tmp_path / ".env",
    )
    assert problems(found) == {}
    notes = {each.key for each in found if each.level is Level.NOTE}
    assert notes == {"env.file", "ingest.key", "rules", "database", "line", "slack", "openai"}
    assert not (tmp_path / "data").exists()


# --- one mistake each ---------------------------------------------------------------------------------

Mistake = Callable[[Place], None]
ERROR, WARNING = Level.ERROR, Level.WARNING


def setting(**values: Any) -> Mistake:
    return lambda place: place.values.update(values)


def told(path: str, *, status: int = 200, **body: Any) -> Mistake:
    """LINE answers this."""
    return lambda place: place.line.faults.add(path, status=status, body=body)


def written(name: str, text: str, mode: int = 0o600) -> Mistake:
    def write(place: Place) -> None:
        path = place.folder / name
        path.write_text(text)
        path.chmod(mode)

    return write


def without(*scopes: str) -> Mistake:
    def take(place: Place) -> None:
        place.slack.state.scopes = tuple(each for each in SCOPES if each not in scopes)

    return take


def channel(**how: Any) -> Mistake:
    def name(place: Place) -> None:
        place.values["slack_leads_channel"] = place.slack.add_channel("other", **how)

    return name


def ahead(name: str, seconds: int) -> Mistake:
    return lambda place: place.ahead.update({name: timedelta(seconds=seconds)})


def webhook_says(**body: Any) -> Mistake:
    def ask(place: Place) -> None:
        place.is_webhook_tested = True
        place.line.faults.add(TEST, status=200, body={"success": False, **body})

    return ask


def open_folder(place: Place) -> None:
    place.values.update(database_url=None, yorisoi_data_dir=place.folder / "open")
    (place.folder / "open").mkdir()
    (place.folder / "open").chmod(0o755)


def no_groups_on_this_plan(place: Place) -> None:
    place.slack.state.are_user_groups_available = False


def nobody_in_the_group(place: Place) -> None:
    place.values["slack_sales_group"] = place.slack.add_user_group("empty")


def nearly_used_up(place: Place) -> None:
    place.line.consume(170)


def used_up(place: Place) -> None:
    place.line.consume(200)


def no_webhook(place: Place) -> None:
    place.line.webhook_url = None


def other_webhook(place: Place) -> None:
    place.line.webhook_url = "https://old.acme.co.jp/line/webhook"


def strange_models(place: Place) -> None:
    place.openai.faults.add("/v1/models", status=503, body={"error": {"message": "x"}})


GONE = "http://127.0.0.1:9"
SOURCE = (
    "- name: orders\n  url: SHOP_DATABASE_URL\n  query: select * from orders\n  customer: member_no\n"
    "  time: paid_at\n  id: id\n  event: order_completed\n"
)


def sources(text: str | None) -> Mistake:
    def name(place: Place) -> None:
        place.values["yorisoi_sources"] = place.folder / "sources.yaml"
        if text is not None:
            (place.folder / "sources.yaml").write_text(text)

    return name


def templates(text: str | None) -> Mistake:
    def name(place: Place) -> None:
        place.values["yorisoi_templates"] = place.folder / "replies"
        (place.folder / "replies").mkdir()
        if text is not None:
            (place.folder / "replies" / "visit.yaml").write_text(text)

    return name


def a_script_with_a_slip(place: Place) -> None:
    (place.folder / "rules" / "scripts").mkdir()
    (place.folder / "rules" / "scripts" / "x.yaml").write_text("id: x\nexcat: [a]\ntext: はい\n")


MISTAKES: dict[str, tuple[Mistake, dict[str, Level], str, str]] = {
    # this machine
    ".env readable by all": (
        written(".env", "HOST=127.0.0.1\n", 0o644), {"env.mode": ERROR}, "chmod 600", "chmod 600",
    ),
    "a slip in a name": (
        written(".env", "LINE_CHANEL_SECRET=x\n"), {"env.unknown": WARNING},
        "LINE_CHANNEL_SECRET was meant", "LINE_CHANNEL_SECRET の書き間違い",
    ),
    "no public address": (
        setting(public_base_url=None), {"address.public": ERROR}, "PUBLIC_BASE_URL=https://", "外から届く",
    ),
    "http": (
        setting(public_base_url="http://bot.acme.co.jp"), {"address.public": ERROR},
        "https://bot.example", "https://bot.example",
    ),
    "loopback": (
        setting(public_base_url="https://127.0.0.1:8000"), {"address.public": ERROR},
        "cannot be reached from outside", "外から届かない",
    ),
    "a private network": (
        setting(public_base_url="https://192.168.1.4"), {"address.public": ERROR},
        "cannot be reached from outside", "外から届かない",
    ),
    "the whole webhook as address": (
        setting(public_base_url=f"{PUBLIC}/line/webhook"), {"address.public": ERROR},
        "take that off", "取り除いて",
    ),
    "short ingest key": (
        setting(yorisoi_ingest_key="secret"), {"ingest.key": ERROR}, "at least 20", "20文字以上",
    ),
    "open data folder": (open_folder, {"data.mode": ERROR}, "chmod 700", "chmod 700"),
    "no such rule folder": (
        setting(yorisoi_rules=Path("/nowhere/rules")), {"rules": ERROR}, "YORISOI_RULES", "YORISOI_RULES",
    ),
    "a rule with a slip": (
        written("rules/back.yaml", RULE.replace("more_than", "more_then")), {"rules": ERROR},
        "correct line 4", "4行目を直して",
    ),
    "a policy with a slip": (
        written("policy.yaml", "undo_second: 3\n"), {"policy": ERROR}, "correct line 1", "1行目を直して",
    ),
    "no such policy": (
        setting(yorisoi_policy=Path("/nowhere/policy.yaml")), {"policy": ERROR},
        "YORISOI_POLICY", "YORISOI_POLICY",
    ),
    "an empty rule folder": (
        lambda place: (place.folder / "rules" / "back.yaml").unlink(), {"rules": WARNING},
        "put the YAML files", "YAMLファイルを置いて",
    ),
    "sample links left": (
        written("rules/note.yaml", RULE.replace("id: back", "id: note").replace("お返事",
        "https://app.example.com へお返事")),
        {"rules.links": WARNING}, "your product's address", "自社の製品",
    ),
    "points with a slip": (
        written("rules/scoring.yaml", "treshold: 70\n"), {"rules": ERROR}, "correct line 1", "1行目を直して",
    ),
    "a scripted answer with a slip": (
        a_script_with_a_slip, {"rules": ERROR}, "correct line 2", "2行目を直して",
    ),
    # what settings name
    "no such sources": (sources(None), {"sources": ERROR}, "YORISOI_SOURCES", "YORISOI_SOURCES"),
    "a source with a slip": (
        sources(SOURCE.replace("query", "qeury")), {"sources": ERROR}, "correct line 3", "3行目を直して",
    ),
    "a source without its address": (
        sources(SOURCE), {"sources": ERROR}, "SHOP_DATABASE_URL=postgresql://", "SHOP_DATABASE_URL=postgres",
    ),
    "no templates": (templates(None), {"templates": WARNING}, "the shipped ones", "付属のもの"),
    "a template with a slip": (
        templates("title: x\ntxet: y\n"), {"templates": ERROR}, "docs/slack.md", "docs/slack.md",
    ),
    "a webhook secret that is none": (
        setting(yorisoi_webhook_secret="secret"), {"webhook.secret": ERROR}, "openssl rand", "openssl rand",
    ),
    "a link page that LINE does not open": (
        setting(line_link_page="http://app.acme.co.jp/link"), {"line.link_page": ERROR}, "https://",
        "https://",
    ),
    "three secrets": (
        setting(line_channel_secret=f"{SECRET},{'a' * 32},{'b' * 32}"),
        {"exchange.line_channel_secret": WARNING}, "take out the old ones", "古い値を消して",
    ),
    "one of two secrets is none": (
        setting(line_channel_secret=f"{SECRET},{TOKEN}"), {"setting.line_channel_secret": ERROR},
        "32 characters", "32文字",
    ),
    "bot token as signing secret": (
        setting(slack_signing_secret=BOT), {"setting.slack_signing_secret": ERROR}, "Basic Information",
        "Basic Information",
    ),
    # the database
    "nobody at the database": (
        setting(database_url="postgresql://u:hidden@127.0.0.1:9/x"), {"database": ERROR},
        "DATABASE_URL", "DATABASE_URL",
    ),
    "another database engine": (
        setting(database_url="mysql://u:hidden@127.0.0.1/x"), {"database": ERROR},
        "DATABASE_URL", "DATABASE_URL",
    ),
    # LINE
    "LINE secret missing": (
        setting(line_channel_secret=None), {"line.secret": ERROR}, "Basic settings", "チャネル基本設定",
    ),
    "LINE token missing": (
        setting(line_channel_access_token=None), {"line.token": ERROR},
        "issue a channel access token", "発行して",
    ),
    "LINE token wrong": (
        setting(line_channel_access_token="other"), {"line.token": ERROR}, "reissue", "再発行",
    ),
    "secret and token mixed up": (
        setting(line_channel_secret=TOKEN), {"setting.line_channel_secret": ERROR},
        "32 characters", "32文字",
    ),
    "a token copied with quotes": (
        setting(line_channel_access_token=f'"{TOKEN}"'),
        {"setting.line_channel_access_token": ERROR, "line.token": ERROR}, "copy the value again",
        "コピーし直して",
    ),
    "LINE out of reach": (setting(line_api_base_url=GONE), {"line": ERROR}, "firewall", "ファイアウォール"),
    "LINE down": (told(INFO, status=503), {"line": ERROR}, "run this again", "もう一度実行"),
    "chat is on": (
        told(INFO, userId="U1", basicId="@1", displayName="店", chatMode="chat", markAsReadMode="auto"),
        {"line.chat_mode": WARNING}, "switch chat off", "チャットをオフ",
    ),
    "no webhook": (no_webhook, {"line.webhook": ERROR}, f"{PUBLIC}/line/webhook", f"{PUBLIC}/line/webhook"),
    "webhook elsewhere": (
        other_webhook, {"line.webhook": ERROR}, f"{PUBLIC}/line/webhook", f"{PUBLIC}/line/webhook",
    ),
    "webhook switched off": (
        told(ENDPOINT, endpoint=f"{PUBLIC}/line/webhook", active=False), {"line.webhook": ERROR},
        "“Use webhook” on", "「Webhookの利用」をオン",
    ),
    "webhook answers 401": (
        webhook_says(statusCode=401, reason="ERROR_STATUS_CODE"), {"line.webhook_test": ERROR},
        "LINE_CHANNEL_SECRET", "LINE_CHANNEL_SECRET",
    ),
    "webhook answers 404": (
        webhook_says(statusCode=404, reason="ERROR_STATUS_CODE"), {"line.webhook_test": ERROR},
        "reverse proxy", "リバースプロキシ",
    ),
    "webhook too slow": (
        webhook_says(statusCode=0, reason="REQUEST_TIMEOUT"), {"line.webhook_test": ERROR}, "two seconds",
        "2秒以内",
    ),
    "webhook not connected": (
        webhook_says(statusCode=0, reason="COULD_NOT_CONNECT"), {"line.webhook_test": ERROR},
        "certificate", "証明書",
    ),
    "quota nearly used up": (nearly_used_up, {"line.quota": WARNING}, "raise the plan", "プラン"),
    "quota used up": (used_up, {"line.quota": ERROR}, "raise the plan", "プラン"),
    "quota unreadable": (told(QUOTA, status=500), {"line.quota": ERROR}, "run this again", "もう一度実行"),
    "usage without a number": (told(CONSUMPTION), {"line.quota": ERROR}, "run this again", "もう一度実行"),
    "our clock behind LINE's": (ahead("line", 90), {"line.clock": WARNING}, "NTP", "時刻合わせ"),
    # Slack
    "Slack token wrong": (
        setting(slack_bot_token="xoxb-2"), {"slack.token": ERROR}, "reinstall the Slack app",
        "再インストール",
    ),
    "Slack token missing": (
        setting(slack_bot_token=None), {"slack.token": ERROR}, "begins with xoxb-", "xoxb- で始まる",
    ),
    "app token as bot token": (
        setting(slack_bot_token=APP), {"setting.slack_bot_token": ERROR, "slack.token": ERROR},
        "begins with xoxb-", "xoxb- で始まる",
    ),
    "Slack out of reach": (
        setting(slack_api_base_url=f"{GONE}/"), {"slack": ERROR}, "firewall", "ファイアウォール",
    ),
    "no way in from Slack": (
        setting(slack_signing_secret=None), {"slack.signing_secret": ERROR},
        "SLACK_APP_TOKEN", "SLACK_APP_TOKEN",
    ),
    "app token wrong": (
        setting(slack_app_token="xapp-2"), {"slack.app_token": ERROR}, "connections:write",
        "connections:write",
    ),
    "a scope missing": (
        without("commands"), {"slack.scope.commands": ERROR}, "reinstall the app", "再インストール",
    ),
    "two scopes missing": (
        without("channels:read", "usergroups:read"),
        {"slack.scope.channels:read": ERROR, "slack.scope.usergroups:read": ERROR},
        "OAuth & Permissions", "OAuth & Permissions",
    ),
    "a channel's name": (
        setting(slack_leads_channel="#leads"), {"setting.slack_leads_channel": ERROR}, "id (C…)", "ID(C…)",
    ),
    "no such channel": (
        setting(slack_alerts_channel="C0NOTTHERE"), {"slack.channel.alerts": ERROR}, "check the id",
        "IDを確かめ",
    ),
    "not in the channel": (
        channel(bot_member=False), {"slack.channel.leads": ERROR}, "/invite", "/invite",
    ),
    "not in the private channel": (
        channel(bot_member=False, private=True), {"slack.channel.leads": ERROR}, "/invite", "/invite",
    ),
    "archived": (channel(archived=True), {"slack.channel.leads": ERROR}, "unarchive", "アーカイブを解除"),
    "shared with outsiders": (
        channel(ext_shared=True), {"slack.channel.leads": ERROR}, "your own organisation", "社内だけ",
    ),
    "no channel for leads": (
        setting(slack_leads_channel=None), {"slack.channel.leads": WARNING},
        "set SLACK_LEADS_CHANNEL", "SLACK_LEADS_CHANNEL に入れて",
    ),
    "no such group": (
        setting(slack_sales_group="S0NOTTHERE"), {"slack.group.sales": ERROR}, "Copy group ID",
        "グループIDをコピー",
    ),
    "a group's handle": (
        setting(slack_sales_group="@sales"), {"setting.slack_sales_group": ERROR}, "Copy group ID",
        "グループIDをコピー",
    ),
    "a free plan": (
        no_groups_on_this_plan,
        {"slack.group.sales": ERROR, "slack.group.support_leads": ERROR}, "paid plan", "有料プラン",
    ),
    "an empty group": (nobody_in_the_group, {"slack.group.sales": WARNING}, "add people", "人を加えて"),
    "our clock far ahead of Slack's": (ahead("slack", -900), {"slack.clock": ERROR}, "NTP", "時刻合わせ"),
    # the model
    "model key refused": (setting(openai_api_key="sk-2"), {"openai": ERROR}, "new key", "鍵を作り直して"),
    "no such model": (setting(openai_model="gpt-0"), {"openai": WARNING}, "OPENAI_MODEL", "OPENAI_MODEL"),
    "model out of reach": (
        setting(openai_base_url=GONE), {"openai": WARNING}, "OPENAI_BASE_URL", "OPENAI_BASE_URL",
    ),
    "meaning without a key": (
        setting(openai_api_key=None, openai_embedding_model="embed"), {"openai.embeddings": WARNING},
        "set OPENAI_API_KEY", "OPENAI_API_KEY を入れる",
    ),
    "no such model of meaning": (
        setting(openai_embedding_model="embed-0"), {"openai.embeddings": WARNING}, "to a name it lists",
        "一覧にある名前",
    ),
    "model down": (strange_models, {"openai": WARNING}, "OPENAI_BASE_URL", "OPENAI_BASE_URL"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_mistake_is_found_with_what_to_do_and_no_other_is(sound: Place, name: str) -> None:
    mistake, expected, fix_en, fix_ja = MISTAKES[name]
    mistake(sound)
    found = await sound.examined()
    assert problems(found) == expected
    fixes = [each.fix for each in found if each.fix is not None]
    assert any(fix_en in fix.en for fix in fixes)
    assert any(fix_ja in fix.ja for fix in fixes)
    said = "\n".join(each.line() for each in found)
    for secret in (SECRET, TOKEN, BOT, "xapp-", "hidden", "sk-1", "k" * 22):
        assert secret not in said


async def test_a_wrong_secret_is_found_by_letting_line_call_us(sound: Place) -> None:
    from fastapi import FastAPI

    from handlers.line import router
    from tests.wiring import deps_without_platforms

    deps = deps_without_platforms()
    doors = FastAPI()
    doors.include_router(router(deps))
    async with serving(doors) as address:
        sound.line.webhook_url = f"{address}/line/webhook"
        sound.is_webhook_tested = True
        found = {each.key: each for each in await sound.examined()}
    test = found["line.webhook_test"]
    assert "401" in test.what.en
    assert test.fix is not None
    assert "LINE_CHANNEL_SECRET" in test.fix.en
    assert len(sound.line.deliveries) == 1


async def test_a_call_from_line_that_arrives_is_said(sound: Place) -> None:
    sound.is_webhook_tested = True
    sound.line.faults.add(TEST, status=200, body={"success": True, "statusCode": 200})
    found = await sound.examined()
    assert problems(found) == {}
    assert "line.webhook_test" in {each.key for each in found}


async def test_what_was_found_before_an_outage_stays_found(sound: Place) -> None:
    sound.line.faults.add(ENDPOINT, drop="before", times=5)
    found = await sound.examined()
    assert problems(found) == {"line": ERROR}
    assert "line.account" in {each.key for each in found}


async def test_socket_mode_needs_no_signing_secret(sound: Place) -> None:
    sound.values.update(slack_app_token=APP, slack_signing_secret=None)
    found = await sound.examined()
    assert problems(found) == {}
    assert "slack.app_token" in {each.key for each in found}


async def test_without_groups_everybody_may_act_and_that_is_said(sound: Place) -> None:
    sound.values.update(slack_sales_group=None, slack_support_leads_group=None)
    without("usergroups:read")(sound)
    found = await sound.examined()
    assert problems(found) == {}
    (said,) = [each for each in found if each.key == "slack.everyone"]
    assert "every full member" in said.what.en
    assert "誰でも" in said.what.ja


async def test_two_secrets_and_an_open_door_are_said_and_are_no_error(sound: Place) -> None:
    sound.values.update(line_channel_secret=f"{'a' * 32},{SECRET}", host="0.0.0.0")
    found = await sound.examined()
    assert problems(found) == {}
    said = {each.key: each.what.en for each in found if each.level is Level.NOTE}
    assert "both are accepted" in said["exchange.line_channel_secret"]
    assert "/media/" in said["doors.open"]


async def test_permissions_that_nothing_uses_are_said(sound: Place) -> None:
    sound.slack.state.scopes = (*SCOPES, "im:write")
    found = await sound.examined()
    assert problems(found) == {}
    assert any(each.key == "slack.scopes.spare" and "im:write" in each.what.en for each in found)


async def test_a_server_without_a_list_of_models_is_no_error(sound: Place) -> None:
    sound.openai.faults.add("/v1/models", status=404, body={"error": {"message": "no such path"}})
    found = await sound.examined()
    assert problems(found) == {}


# --- the database --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "key", "level", "fix"),
    [
        (
            "ALTER DATABASE {} SET synchronous_commit = off",
            "database.synchronous_commit",
            ERROR,
            "ALTER SYSTEM",
        ),
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "database.read_only", ERROR, "primary"),
        ("UPDATE alembic_version SET version_num = '9999'", "database.schema", ERROR, "newer version"),
    ],
    ids=["synchronous_commit off", "read only", "a newer schema"],
)
async def test_a_database_that_breaks_promises_is_refused(
    tmp_path: Path, database_url: str, statement: str, key: str, level: Level, fix: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.format(connection.info.dbname))  # type: ignore[arg-type]
    found = await examine(
        Settings.of(database_url=database_url, public_base_url=PUBLIC),
        SystemClock(),
        env_file=tmp_path / ".env",
    )
    assert problems(found) == {key: level}
    (said,) = [each for each in found if each.is_problem]
    assert said.fix is not None
    assert fix in said.fix.en


NOON = datetime(2026, 11, 2, 3, tzinfo=UTC)
VITALS = {
    "version": 180_004,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "is_read_only": False,
    "now": NOON,
    "revision": "0002",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, {}),
        ({"version": 160_000}, {}),
        ({"version": 150_009}, {"database.version": ERROR}),
        ({"fsync": "off"}, {"database.fsync": ERROR}),
        ({"full_page_writes": "off"}, {"database.full_page_writes": ERROR}),
        ({"synchronous_commit": "remote_apply"}, {}),
        ({"revision": "0001"}, {"database.schema": WARNING}),
        ({"revision": None}, {}),
        ({"now": NOON + timedelta(seconds=8)}, {"database.clock": WARNING}),
        ({"now": NOON - timedelta(minutes=3)}, {"database.clock": ERROR}),
    ],
    ids=str,
)
def test_what_a_server_says_of_itself_is_judged(change: dict[str, Any], expected: dict[str, Level]) -> None:
    found = findings_of(
        Vitals(**{**VITALS, **change}), known=("0002", "0001"), before=NOON, after=NOON + timedelta(seconds=1)
    )
    assert problems(list(found)) == expected


def test_the_newest_revision_we_know_comes_first() -> None:
    assert known_revisions()[-1] == "0001"


@pytest.mark.parametrize(
    ("free", "level"), [(50e9, Level.OK), (1e9, Level.WARNING), (1e8, Level.ERROR)], ids=str
)
def test_a_disk_that_fills_up_is_told_in_time(free: float, level: Level) -> None:
    assert disk_finding(int(free), Path(".yorisoi")).level is level


@pytest.mark.parametrize(
    ("theirs", "off"), [(0, 0), (-0.9, 0), (1.5, 0), (2, 0), (12, 10), (-11, -10)], ids=str
)
def test_an_answer_that_took_long_is_no_wrong_clock(theirs: float, off: float) -> None:
    moment = NOON + timedelta(seconds=theirs)
    assert skew_of(moment, before=NOON, after=NOON + timedelta(seconds=2)) == timedelta(seconds=off)

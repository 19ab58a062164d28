"""Do `yorisoi init` and `yorisoi doctor` leave alone what is there, say what is next, and end rightly?"""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from bot.cli import program, rules, setup
from bot.cli.running import refuse_open_keys
from bot.doctor.forms import wrong_form
from bot.init.env_file import edited, quoted, values_of
from bot.init.files import policy_text
from bot.init.manifest import manifest
from bot.settings import Settings
from bot.slack.ids import Command
from bot.slack.scopes import SCOPES
from followups.rules.model import Policy
from followups.rules.parsing import parse_policy
from sandbox.slack.state import BOT_SCOPES

SECRET = "0123456789abcdef0123456789abcdef"
PUBLIC = "https://bot.acme.co.jp"
GIVEN = (
    "--public-base-url",
    PUBLIC,
    "--line-channel-secret",
    SECRET,
    "--product-url",
    "https://acme.co.jp/app",
)


def yorisoi(*words: str, typed: str | None = None, **environment: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    setup.register(app)
    rules.register(app)
    return CliRunner().invoke(app, list(words), input=typed, env={"LANG": "C.UTF-8", **environment})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and an environment that sets nothing of ours."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


def everything_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_init_writes_a_set_up_that_the_program_and_its_rules_accept(here: Path) -> None:
    result = yorisoi("init", "--yes", *GIVEN)
    assert (result.exit_code, result.stderr) == (0, "")
    assert stat.S_IMODE((here / ".env").stat().st_mode) == 0o600
    settings = Settings(_env_file=here / ".env")
    assert settings.public_base_url == PUBLIC
    assert settings.line_channel_secret is not None
    assert settings.line_channel_secret.get_secret_value() == SECRET
    assert settings.yorisoi_ingest_key is not None
    assert len(settings.yorisoi_ingest_key.get_secret_value()) >= 22
    assert SECRET not in result.output
    assert yorisoi("rules", "check", "rules", "--policy", "policy.yaml").exit_code == 0
    tested = yorisoi("rules", "test", "rules", "--policy", "policy.yaml")
    assert (tested.exit_code, tested.stdout.count("✓")) == (0, 2)
    assert "https://acme.co.jp/app/start" in (here / "rules/messages/inactive-checkin.yaml").read_text()


def test_a_second_time_changes_nothing(here: Path) -> None:
    yorisoi("init", "--yes", *GIVEN)
    before = everything_in(here)
    for words in ((), GIVEN, ("--force",), ("--force", *GIVEN)):
        again = yorisoi("init", "--yes", *words)
        assert again.exit_code == 0
        assert everything_in(here) == before
        assert "+ " not in again.stdout.split("\n\n")[0]


def test_what_others_wrote_into_env_stays_to_the_letter(here: Path) -> None:
    mine = "# ours\nexport OTHER='a b'  # kept\n\nLINE_CHANNEL_SECRET=\nHOST=0.0.0.0"
    (here / ".env").write_text(mine)
    (here / ".env").chmod(0o644)
    assert yorisoi("init", "--yes", *GIVEN).exit_code == 0
    text = (here / ".env").read_text()
    assert text.startswith(
        f"# ours\nexport OTHER='a b'  # kept\n\nLINE_CHANNEL_SECRET={SECRET}\nHOST=0.0.0.0\n"
    )
    assert stat.S_IMODE((here / ".env").stat().st_mode) == 0o600


def test_a_setting_that_stands_is_replaced_only_by_force(here: Path) -> None:
    yorisoi("init", "--yes", *GIVEN)
    before = everything_in(here)
    other = ("--yes", "--public-base-url", "https://new.acme.co.jp")
    refused = yorisoi("init", *other)
    assert refused.exit_code == 1
    assert "PUBLIC_BASE_URL" in refused.stderr
    assert "--force" in refused.stderr
    assert everything_in(here) == before
    key = values_of((here / ".env").read_text())["YORISOI_INGEST_KEY"]
    assert yorisoi("init", "--force", *other).exit_code == 0
    known = values_of((here / ".env").read_text())
    assert known["PUBLIC_BASE_URL"] == "https://new.acme.co.jp"
    assert known["YORISOI_INGEST_KEY"] == key
    assert "https://new.acme.co.jp/slack/events" in (here / "slack-manifest.yaml").read_text()


def test_rules_and_policy_belong_to_those_who_write_them(here: Path) -> None:
    (here / "rules").mkdir()
    (here / "rules/mine.yaml").write_text("id: mine\n")
    (here / "policy.yaml").write_text("undo_seconds: 3\n")
    assert yorisoi("init", "--yes", "--force").exit_code == 0
    assert [path.name for path in (here / "rules").iterdir()] == ["mine.yaml"]
    assert ".env" in (here / ".gitignore").read_text().splitlines()
    assert (here / "policy.yaml").read_text() == "undo_seconds: 3\n"


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--public-base-url", "http://bot.acme.co.jp", "https://"),
        ("--slack-bot-token", "xapp-1", "xoxb-"),
        ("--slack-leads-channel", "#leads", "C…"),
        ("--line-channel-secret", "not-a-secret", "32"),
        ("--openai-api-key", "sk 1", "blanks"),
        ("--product-url", "acme.co.jp", "https://app"),
    ],
)
def test_an_answer_that_cannot_be_right_is_refused_and_nothing_is_written(
    here: Path, option: str, value: str, says: str
) -> None:
    result = yorisoi("init", "--yes", option, value)
    assert result.exit_code == 2
    assert says in result.stderr
    assert everything_in(here) == {}


def test_asking_goes_on_until_the_answer_can_be_right_and_secrets_are_not_shown(here: Path) -> None:
    typed = [
        "http://x",
        PUBLIC,
        SECRET,
        "line-token",
        "xoxb-1",
        "s" * 32,
        "C0LEADS00",
        "C0ALERTS0",
        "",
        "",
        "",
        "",
        "",
    ]
    result = yorisoi("init", "-l", "ja", typed="\n".join(typed) + "\n")
    assert result.exit_code == 0, result.output
    assert "httpsだけ" in result.stderr
    assert SECRET not in result.output
    known = values_of((here / ".env").read_text())
    assert known["SLACK_LEADS_CHANNEL"] == "C0LEADS00"
    assert known["LINE_CHANNEL_ACCESS_TOKEN"] == "line-token"
    assert "SLACK_APP_TOKEN" not in known
    again = yorisoi("init", typed="\n" * 20)
    assert again.exit_code == 0
    assert "channel secret (console" not in again.stdout


def test_giving_up_half_way_writes_nothing(here: Path) -> None:
    assert yorisoi("init", typed=f"{PUBLIC}\n").exit_code == 1
    assert everything_in(here) == {}


def test_the_steps_name_the_switches_in_the_readers_language(here: Path) -> None:
    ja, en = (yorisoi("init", "--yes", "-l", tongue, *GIVEN).stdout for tongue in ("ja", "en"))
    for word in (
        "Webhookの再送",
        "応答メッセージ",
        "あいさつメッセージ",
        f"{PUBLIC}/line/webhook",
        "/invite",
    ):
        assert word in ja
    for word in ("Webhook redelivery", "auto-reply", "greeting message", f"{PUBLIC}/line/webhook", "/invite"):
        assert word in en
    assert "LINE_CHANNEL_ACCESS_TOKEN" in en.split("still empty")[1].splitlines()[0]


@pytest.mark.parametrize("is_socket_mode", [True, False])
def test_the_manifest_is_an_app_that_can_do_all_we_do(is_socket_mode: bool) -> None:
    app: dict[str, Any] = YAML(typ="safe").load(
        manifest(public_base_url=f"{PUBLIC}/", is_socket_mode=is_socket_mode)
    )
    assert set(app["oauth_config"]["scopes"]["bot"]) == set(SCOPES) <= set(BOT_SCOPES)
    commands = app["features"]["slash_commands"]
    assert {each["command"] for each in commands} == {each.value for each in Command}
    assert app["settings"]["socket_mode_enabled"] is is_socket_mode
    url = None if is_socket_mode else f"{PUBLIC}/slack/events"
    doors = [*commands, app["settings"]["interactivity"], app["settings"]["event_subscriptions"]]
    assert {door.get("url", door.get("request_url")) for door in doors} == {url}
    assert len(app["display_information"]["description"]) <= 140


def test_the_policy_that_is_written_says_what_holds_anyway() -> None:
    written = parse_policy(policy_text(None), path="policy.yaml")
    usual = Policy()
    different = [
        name for name in Policy.__dataclass_fields__ if getattr(written, name) != getattr(usual, name)
    ]
    assert different in ([], ["holdout"])
    assert parse_policy(policy_text("https://acme.co.jp/x"), path="p").link_hosts == ("acme.co.jp",)


@pytest.mark.parametrize("value", ["plain", "with space", "it's", "a#b", 'say "x"', "back\\slash", "a=b"])
def test_a_value_comes_back_from_env_as_it_went_in(value: str, tmp_path: Path) -> None:
    edit = edited("", {"OPENAI_API_KEY": value})
    assert values_of(edit.text) == {"OPENAI_API_KEY": value}
    (tmp_path / ".env").write_text(f"OPENAI_MODEL={quoted(value)}\n")
    assert Settings(_env_file=tmp_path / ".env").openai_model == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_BASE_URL", "https://bot.acme.co.jp:8443/yorisoi/"),
        ("SLACK_LEADS_CHANNEL", "C08ABCDEFG1"),
        ("SLACK_SALES_GROUP", "S08ABCDEFG1"),
        ("LINE_CHANNEL_ACCESS_TOKEN", "a/b+c=="),
    ],
)
def test_a_right_value_is_not_objected_to(name: str, value: str) -> None:
    assert wrong_form(name, value) is None


# --- doctor ---------------------------------------------------------------------------------------------


def test_doctor_after_init_finds_no_error_and_says_what_is_not_configured(here: Path) -> None:
    yorisoi("init", "--yes", "--public-base-url", PUBLIC, "--product-url", "https://acme.co.jp")
    before = everything_in(here)
    result = yorisoi("doctor")
    assert result.exit_code == 0, result.output
    assert everything_in(here) == before
    for key in ("line", "slack", "openai", "database"):
        assert f"i {key}: " in result.stdout
    assert "errors: 0, warnings: 0" in result.stdout


def test_doctor_ends_with_1_on_an_error_and_speaks_both_languages_or_one(here: Path) -> None:
    yorisoi("init", "--yes")
    (here / ".env").chmod(0o644)
    both = yorisoi("doctor", "--problems")
    assert both.exit_code == 1
    (line,) = [line for line in both.stdout.splitlines() if line.startswith("✗ env.mode")]
    assert "others can read" in line
    assert "ほかの利用者も読めます" in line
    assert "others can read" not in yorisoi("doctor", "-l", "ja").stdout
    assert "利用者" not in yorisoi("doctor", "-l", "en").stdout


def test_doctor_speaks_json(here: Path) -> None:
    yorisoi("init", "--yes")
    result = yorisoi("doctor", "--json")
    told = json.loads(result.stdout)
    assert told["ok"] is (result.exit_code == 0)
    keys = {each["key"]: each for each in told["findings"]}
    assert keys["rules.links"]["level"] == "warning"
    assert "app.example.com" in keys["rules.links"]["en"]
    assert keys["rules.links"]["fix_ja"]


def test_doctor_says_which_setting_cannot_be_read(here: Path) -> None:
    (here / ".env").write_text("PORT=many\n")
    (here / ".env").chmod(0o600)
    result = yorisoi("doctor")
    assert result.exit_code == 1
    assert "PORT" in result.stdout
    assert "Traceback" not in result.output


def test_the_program_does_not_start_with_keys_that_others_can_read(here: Path) -> None:
    (here / ".env").write_text("YORISOI_INGEST_KEY=secret-in-the-file\n")
    (here / ".env").chmod(0o644)
    app = typer.Typer(rich_markup_mode=None)
    program.register(app)
    for command in ("run", "web", "worker"):
        result = CliRunner().invoke(app, [command])
        assert result.exit_code == 2
        assert "chmod 600 .env" in result.stderr
        assert "secret-in-the-file" not in result.output
    assert not (here / ".yorisoi").exists()


def test_keys_that_only_their_owner_can_read_are_no_objection(here: Path) -> None:
    refuse_open_keys()
    (here / ".env").write_text("YORISOI_INGEST_KEY=x\n")
    (here / ".env").chmod(0o600)
    refuse_open_keys()


@pytest.mark.parametrize("is_socket_mode", [True, False])
def test_the_manifest_keeps_to_slacks_limits(is_socket_mode: bool) -> None:
    """Slack's app manifest schema: lengths, counts, and no key that it does not know."""
    app: dict[str, Any] = YAML(typ="safe").load(
        manifest(public_base_url=PUBLIC, is_socket_mode=is_socket_mode)
    )
    assert set(app) == {"_metadata", "display_information", "features", "oauth_config", "settings"}
    assert len(app["display_information"]["name"]) <= 35
    assert set(app["features"]) <= {"app_home", "bot_user", "slash_commands", "shortcuts"}
    assert len(app["features"]["bot_user"]["display_name"]) <= 80
    assert len(app["features"]["slash_commands"]) <= 50
    for command in app["features"]["slash_commands"]:
        assert set(command) <= {"command", "url", "description", "usage_hint", "should_escape"}
        assert re.fullmatch(r"/[a-z]{1,31}", command["command"])
        assert len(command["description"]) <= 2000
        assert len(command.get("usage_hint", "")) <= 1000
    assert set(app["settings"]) <= {
        "event_subscriptions", "interactivity", "org_deploy_enabled", "socket_mode_enabled",
        "token_rotation_enabled",
    }  # fmt: skip
    assert len(app["oauth_config"]["scopes"]["bot"]) <= 255
    assert len(app["settings"]["event_subscriptions"]["bot_events"]) <= 100
    if "commands" not in app["oauth_config"]["scopes"]["bot"]:
        assert app["features"]["slash_commands"] == []

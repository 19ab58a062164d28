"""Do `yorisoi rules` and `yorisoi why` say what is wrong, where, and end with the right exit code?"""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli import rules, why
from bot.cli.rule_life import commands as rule_life

LIFE = ("history", "rollback", "diff", "export", "approve")
PLAYBOOKS = Path(__file__).parents[3] / "followups" / "playbooks"
RULE = """
id: inactive
name: しばらくご利用のない方へ
goal: {event: login, within: 7d}
when: {event: login, last: {more_than: 14d}}
then:
  - send:
      text: |-
        {customer.name}様、設定や使い方で、手が止まっている所はありませんか。
        下のボタンから、前回の続きを始められます。返信は不要です。
"""


def yorisoi(*words: str | Path, **environment: str) -> Result:
    app = typer.Typer(rich_markup_mode=None)
    rules.register(app)
    rule_life.register(app)
    why.register(app)
    return CliRunner().invoke(app, [str(word) for word in words], env={"LANG": "C.UTF-8", **environment})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inactive.yaml").write_text(RULE)
    return tmp_path


def test_the_rules_we_ship_are_sound_and_pass_their_tests() -> None:
    checked = yorisoi("rules", "check", PLAYBOOKS)
    assert (checked.exit_code, checked.stderr) == (0, "")
    tested = yorisoi("rules", "test", PLAYBOOKS)
    assert (tested.exit_code, tested.stderr) == (0, "")
    assert "✓ inactive-14d" in tested.stdout


def test_a_sound_folder_is_said_to_be_so_in_the_readers_language(folder: Path) -> None:
    assert yorisoi("rules", "check", folder).stdout == "1 rules, 0 messages: sound\n"
    assert "問題ありません" in yorisoi("rules", "check", folder, LANG="ja_JP.UTF-8").stdout
    assert "問題ありません" in yorisoi("rules", "check", folder, "--language", "ja").stdout
    assert yorisoi("rules", "check", folder, "--language", "fr").exit_code == 2


def test_a_mistake_is_told_with_file_line_and_column_on_stderr(folder: Path) -> None:
    (folder / "inactive.yaml").write_text(RULE.replace("more_than", "more_then"))
    result = yorisoi("rules", "check", folder)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"{folder}/inactive.yaml:5:")
    assert "(did you mean “more_than”?)" in result.stderr
    japanese = yorisoi("rules", "test", folder, "-l", "ja")
    assert japanese.exit_code == 1
    assert "「more_than」ではありませんか" in japanese.stderr


def test_a_text_that_must_not_be_sent_fails_the_check_and_one_to_improve_does_not(folder: Path) -> None:
    (folder / "inactive.yaml").write_text(RULE.replace("返信は不要です", "今なら無料です"))
    promised = yorisoi("rules", "check", folder)
    assert promised.exit_code == 1
    assert "inactive.yaml:1:1:" in promised.stderr
    assert "無料" in promised.stderr
    (folder / "inactive.yaml").write_text(RULE.replace("返信は不要です", "★"))
    urging = yorisoi("rules", "check", folder)
    assert urging.exit_code == 0
    assert "★" in urging.stderr


def test_a_rule_without_tests_fails_the_tests(folder: Path) -> None:
    result = yorisoi("rules", "test", folder)
    assert result.exit_code == 1
    assert "✗ inactive (0)" in result.stdout
    assert "write inactive.test.yaml" in result.stderr


def test_a_folder_that_does_not_exist_or_is_empty_is_refused(tmp_path: Path) -> None:
    missing = yorisoi("rules", "check", tmp_path / "nowhere")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "is no folder" in missing.stderr
    assert "no rules" in yorisoi("rules", "check", tmp_path).stderr


def test_a_policy_with_a_mistake_is_told_too(folder: Path) -> None:
    (folder / "policy.yaml").write_text("timezone: Mars")
    result = yorisoi("rules", "check", folder)
    assert result.exit_code == 1
    assert "policy.yaml:1:11:" in result.stderr
    elsewhere = yorisoi("rules", "check", folder, "--policy", folder / "none.yaml")
    assert "does not exist" in elsewhere.stderr


@pytest.mark.parametrize("command", ["check", "test", "apply", "list", "enable", "pause", *LIFE])
def test_every_command_shows_an_example(command: str) -> None:
    shown = yorisoi("rules", command, "--help")
    assert shown.exit_code == 0
    assert f"yorisoi rules {command}" in " ".join(shown.stdout.split())
    assert "Example: yorisoi why" in yorisoi("why", "--help").stdout


def test_a_folder_is_published_listed_and_switched(folder: Path, database_url: str) -> None:
    def online(*words: str | Path) -> Result:
        return yorisoi(*words, DATABASE_URL=database_url, LOG_LEVEL="WARNING")

    applied = online("rules", "apply", folder)
    assert (applied.exit_code, applied.stderr) == (0, "")
    assert applied.stdout == "+ inactive\nrevision 1, 0 customers to look at\n"
    assert "= inactive" in online("rules", "apply", folder).stdout
    listed = online("rules", "list").stdout.splitlines()
    assert listed[1].split()[:5] == ["inactive", "shadow", "1", "0", "0"]
    assert online("rules", "enable", "inactive").stdout == "inactive: live\n"
    assert online("rules", "pause", "inactive").stdout == "inactive: paused\n"
    assert "inactive: shadow" in online("rules", "enable", "inactive", "--shadow").stdout
    assert online("rules", "apply", folder, "--live").exit_code == 0
    assert "live" in online("rules", "list").stdout

    unknown = online("rules", "pause", "inactiv")
    assert unknown.exit_code == 1
    assert "did you mean inactive?" in unknown.stderr
    nobody = online("why", "c1", "-l", "ja")
    assert nobody.exit_code == 1
    assert "お客様 c1 は見つかりません" in nobody.stderr


def test_versions_are_told_compared_taken_back_and_written_out(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, database_url: str
) -> None:
    def online(*words: str | Path) -> Result:
        return yorisoi(*words, DATABASE_URL=database_url, LOG_LEVEL="WARNING")

    file = folder / "inactive.yaml"
    assert "+ inactive" in online("rules", "diff", folder).stdout
    online("rules", "apply", folder)
    file.write_text(RULE.replace("14d", "10d"))
    differs = online("rules", "diff", folder, "inactive")
    assert "threshold: when.last.more_than: 14d → 10d" in differs.stdout
    assert "0 customers under way" in differs.stdout
    assert "~ inactive" in online("rules", "apply", folder, "--yes").stdout

    back = online("rules", "rollback", "inactive", "--yes")
    assert (back.exit_code, back.stdout) == (0, "inactive: v3 = v1\n")
    told = online("rules", "history", "inactive").stdout
    assert "v3" in told
    assert "(rollback)" in told
    assert "rule.published" in told

    stale = online("rules", "apply", folder)
    assert stale.exit_code == 1
    assert "! inactive" in stale.stdout
    assert "--theirs inactive" in stale.stderr
    kept = online("rules", "apply", folder, "--theirs", "inactive")
    assert (kept.exit_code, kept.stdout.splitlines()[0]) == (0, "< inactive")
    assert online("rules", "apply", folder, "--ours", "inactive", "--theirs", "inactive").exit_code == 2
    taken = online("rules", "apply", folder, "--ours", "inactive")
    assert (taken.exit_code, taken.stdout.splitlines()[0]) == (0, "~ inactive")

    out = tmp_path_factory.mktemp("out")
    assert online("rules", "export", out).exit_code == 0
    assert (out / "inactive.yaml").read_text() == file.read_text()
    assert "nothing waits" in online("rules", "approve", "inactive").stdout

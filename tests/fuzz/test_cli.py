"""Does every wrong word or setting end in one clear line that names it, and never in a traceback?"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from db import embedded


def yorisoi(*words: str | Path, **environment: str) -> Result:
    result = CliRunner().invoke(
        app, [str(word) for word in words], env={"LANG": "C.UTF-8", **environment}, catch_exceptions=False
    )
    assert "Traceback" not in result.output
    return result


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def one_line(result: Result, *, names: str) -> None:
    """The command failed with one line on stderr that names what is wrong, and said nothing else."""
    assert result.exit_code in {1, 2}, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert names in result.stderr


SETTINGS: list[tuple[str, dict[str, str]]] = [
    ("DATABASE_URL", {"DATABASE_URL": "nonsense"}),
    ("DATABASE_URL", {"DATABASE_URL": "mysql://a/b"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://u:p%ss@[::1/db"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://127.0.0.1:port/db"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://127.0.0.1:99999/db"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://u:geheim@127.0.0.1:1/db"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://127.0.0.1:1/db?colour=blue"}),
    ("YORISOI_DATA_DIR", {"YORISOI_DATA_DIR": "/proc/nowhere"}),
    ("YORISOI_DATA_DIR", {"YORISOI_DATA_DIR": "/dev/null"}),
    ("YORISOI_DATA_DIR", {"YORISOI_DATA_DIR": "/etc/passwd/here"}),
    ("YORISOI_DATA_DIR", {"YORISOI_DATA_DIR": "x" * 120}),
    ("YORISOI_TICK_SECONDS", {"YORISOI_TICK_SECONDS": "abc"}),
    ("YORISOI_TICK_SECONDS", {"YORISOI_TICK_SECONDS": "0"}),
    ("YORISOI_TICK_SECONDS", {"YORISOI_TICK_SECONDS": "nan"}),
    ("YORISOI_TICK_SECONDS", {"YORISOI_TICK_SECONDS": "inf"}),
    ("PORT", {"PORT": "http"}),
    ("PORT", {"PORT": "70000"}),
    ("PORT", {"PORT": "８０００x"}),
    ("LOG_LEVEL", {"LOG_LEVEL": "loud"}),
    ("PUBLIC_BASE_URL", {"PUBLIC_BASE_URL": "bot.example.com"}),
    ("LINE_API_BASE_URL", {"LINE_API_BASE_URL": "ftp://x"}),
    ("OPENAI_BASE_URL", {"OPENAI_BASE_URL": "https://a b"}),
    ("LINE_CHANNEL_ACCESS_TOKEN", {"LINE_CHANNEL_ACCESS_TOKEN": "tökén", "LINE_CHANNEL_SECRET": "x"}),
    ("LINE_CHANNEL_ACCESS_TOKEN", {"LINE_CHANNEL_SECRET": "x"}),
    ("LINE_CHANNEL_SECRET", {"LINE_CHANNEL_ACCESS_TOKEN": "x"}),
    ("SLACK_BOT_TOKEN", {"SLACK_SIGNING_SECRET": "x"}),
    ("SLACK_BOT_TOKEN", {"SLACK_APP_TOKEN": "xapp-1"}),
    ("SLACK_SIGNING_SECRET", {"SLACK_BOT_TOKEN": "xoxb-1"}),
]


@pytest.mark.parametrize(("name", "environment"), SETTINGS, ids=[str(values) for _, values in SETTINGS])
def test_a_wrong_setting_is_named_in_one_line(name: str, environment: dict[str, str]) -> None:
    before = Path("/dev/null").stat().st_mode
    result = yorisoi("run", **environment)
    one_line(result, names=name)
    assert "geheim" not in result.stderr
    assert Path("/dev/null").stat().st_mode == before


@pytest.mark.parametrize("content", [b"PORT=\xff\xfe", b"PORT=http\n"])
def test_a_broken_env_file_is_named_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    one_line(yorisoi("rules", "list"), names=".env")


def test_a_taken_port_is_named_in_one_line(database_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        one_line(yorisoi("run", PORT=port, DATABASE_URL=database_url), names="set PORT")
    one_line(yorisoi("web", HOST="192.0.2.1", PORT="0", DATABASE_URL=database_url), names="set HOST")
    one_line(yorisoi("run", YORISOI_RULES="none", DATABASE_URL=database_url), names="none is no folder")
    one_line(yorisoi("run", YORISOI_POLICY="none", DATABASE_URL=database_url), names="YORISOI_POLICY")


WORDS: list[tuple[str, ...]] = [
    ("nope",), ("rules",), ("rules", "chekc"), ("rules", "check"), ("rules", "check", "a", "b"),
    ("rules", "check", "--nope"), ("rules", "list", "--language", "xx"), ("rules", "check", "-l", ""),
    ("why",), ("why", "\udcff"), ("why", "c1", "\udcff"), ("rules", "enable"), ("rules", "enable", "\udcff"),
    ("import",), ("import", "--event", "\udcff", "f"), ("import", "--event", "a", "--event-column", "b", "f"),
    ("import", "--timezone", "Mars", "f"), ("demo", "--port", "abc"),
    ("demo", "--port", "99999"), ("migrate", "extra"), ("run", "--port", "1"),
]  # fmt: skip


@pytest.mark.parametrize("words", WORDS, ids=repr)
def test_wrong_words_are_answered_with_how_to_say_it(words: tuple[str, ...]) -> None:
    result = yorisoi(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("why", "c1"), ("why", ""), ("why", "x" * 5000), ("why", "c1", "no-rule"), ("why", "'; --"),
        ("rules", "enable", "no-rule"), ("rules", "enable", ""), ("rules", "pause", "../a"),
        ("rules", "apply", "none"), ("rules", "apply", "."), ("import", "none.csv"), ("import", "."),
        ("import", "empty.csv"), ("import", "--encoding", "klingon", "one.csv"),
        ("import", "one.csv"), ("import", "--event", "x", "--customer", "who", "one.csv"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_one_line(
    tmp_path: Path, words: tuple[str, ...], database_url: str
) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "one.csv").write_text("a,b\n1,2\n")
    one_line(yorisoi(*words, DATABASE_URL=database_url), names="")


def test_refused_lines_are_told_with_their_place_and_decide_the_exit_code(
    tmp_path: Path, database_url: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("customer_id,time,event\nc1,2026-10-01,buy\nc2,soon,buy\n")
    result = yorisoi("import", path, DATABASE_URL=database_url)
    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith(str(path))]
    assert [line.split(": ")[0] for line in told] == [f"{path}:3:2"]
    assert yorisoi("import", path, "--allow-partial", DATABASE_URL=database_url).exit_code == 0


HEAVY = ("linebot", "slack_sdk", "slack_bolt", "openai", "fastapi", "aiohttp", "apscheduler")
STORAGE = ("sqlalchemy", "psycopg", "procrastinate", "alembic")


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        (["--help"], HEAVY + STORAGE),
        (["rules", "check", "rules"], HEAVY + STORAGE),
        (["rules", "test", "rules"], HEAVY + STORAGE),
        (["rules", "list"], HEAVY),
        (["why", "c1"], HEAVY),
    ],
    ids=repr,
)
def test_a_command_imports_only_what_it_needs(
    words: list[str], forbidden: tuple[str, ...], database_url: str
) -> None:
    script = (
        "import sys; from bot.__main__ import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        f"print('loaded:', *sorted(sys.modules.keys() & {set(forbidden)!r}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"DATABASE_URL": database_url, "PYTHONPATH": str(Path(__file__).parents[2])},
        timeout=120,
    )
    assert said.stdout.splitlines()[-1] == "loaded:", said.stdout + said.stderr


def test_a_data_folder_that_went_away_is_left_without_complaint(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    tmp_path.chmod(0o755)
    server = embedded.start(folder)
    folder.rename(elsewhere)
    server.stop()
    server.stop()
    elsewhere.rename(folder)
    embedded.start(folder).stop()
    assert not (folder / "pg" / "postmaster.pid").exists()

"""Does `yorisoi report` write what it is asked for, and say what is wrong with the right exit code?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import typer
from pyarrow import parquet
from typer.testing import CliRunner, Result

from bot.cli import why
from bot.cli.report import command
from followups.measure.table import COLUMNS


@pytest.fixture
def yorisoi(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(rich_markup_mode=None)
    command.register(app)
    why.register(app)

    def run(*words: str | Path) -> Result:
        environment = {"DATABASE_URL": database_url, "LANG": "C.UTF-8"}
        return CliRunner().invoke(app, [str(word) for word in words], env=environment)

    return run


def test_a_report_before_anything_happened_says_so(yorisoi) -> None:
    english, japanese = yorisoi("report"), yorisoi("report", "--language", "ja")
    assert (english.exit_code, english.stderr) == (0, "")
    assert "no customer has entered any rule yet" in english.stdout
    assert "まだ誰も規則の対象になっていません" in japanese.stdout


def test_every_file_is_written(yorisoi, tmp_path: Path) -> None:
    written = [tmp_path / name for name in ("a.html", "a.csv", "a.parquet")]
    result = yorisoi("report", "--html", written[0], "--csv", written[1], "--parquet", written[2])
    assert (result.exit_code, result.stderr) == (0, "")
    page = written[0].read_text(encoding="utf-8")
    assert "What the follow-ups achieved" in page
    assert "フォローの成果" in page
    assert written[1].read_bytes().startswith(b"\xef\xbb\xbf")
    with written[1].open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file)) == list(COLUMNS)
    assert parquet.read_table(written[2]).schema.names == list(COLUMNS)


def test_one_language_is_one_language(yorisoi, tmp_path: Path) -> None:
    yorisoi("report", "--html", tmp_path / "a.html", "--language", "ja")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "What the follow-ups" not in page
    assert '<html lang="ja">' in page


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from", "yesterday"), 2, "is no day"),
        (("--to", "2026-02-30"), 2, "is no day"),
        (("--rule", "nobody"), 1, "nobody"),
        (("--from", "2026-02-02", "--to", "2026-01-31"), 1, "the span is empty"),
        (("--html", "no/such/folder/a.html"), 1, "choose another place with --html"),
        (("--plan", "nobody"), 1, "nobody"),
        (("--plan", "no.yaml"), 1, "does not exist"),
        (("--plan", "a", "--rule", "b"), 2, "--plan stands alone"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr(yorisoi, words: tuple[str, ...], code: int, said: str) -> None:
    result = yorisoi("report", *words)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""

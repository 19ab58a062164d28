"""Does every command line of the documentation do its work on a real installation, and never break?"""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.settings import Settings
from tests import test_docs as docs

ELSEWHERE = {
    "yorisoi run": "tests/stories/test_kill.py and others start it as a process",
    "yorisoi doctor --webhook-test": "asks LINE: tests/flows/test_doctor.py",
    "yorisoi restore /var/backups/yorisoi.dump": "replaces the database: tests/flows/test_restore.py",
}
"""Run by other tests."""
ORDER = (
    "init", "import", "rules check", "rules test", "rules schema", "rules apply", "rules list",
    "rules enable",
    "rules history", "rules diff", "rules approve", "rules preview", "rules backtest", "rules export",
    "rules rollback", "rules pause", "why", "pull", "predict", "report", "quota", "knowledge apply",
    "knowledge list", "knowledge ask", "doctor", "pause", "resume", "backup", "privacy consent",
    "privacy export", "privacy unlink", "privacy erase",
)  # fmt: skip
"""A sensible order: what others need comes first."""
REFUSED = {
    "yorisoi rules export my-rules/": "different texts",
    "yorisoi report --plan inactive-14d": "import events",
    "yorisoi rules rollback inactive-14d --to 3": "version 3",
    "yorisoi why CUSTOMER": "CUSTOMER",
}
"""What ends with 1 here, because of what little there is in this installation; with a word of why."""


def documented() -> list[str]:
    lines = {line for _, line, is_whole in docs.COMMANDS if is_whole}
    return sorted(lines - ELSEWHERE.keys(), key=lambda line: (rank(line), line))


def rank(line: str) -> int:
    found = [place for place, words in enumerate(ORDER) if line.startswith(f"yorisoi {words}")]
    return max(found, default=len(ORDER))


def prepare(here: Path) -> None:
    """The files that the pages show, and a shop's own database."""
    for name, path in docs.sample_files(here).items():
        assert path.name == name
    rows = ["customer_id date amount"]
    rows += [
        f"{k % 150:05d} 2025{1 + k % 12:02d}{1 + k % 27:02d} {k % 90}.5" for k in range(600)
    ]  # enough for a model of who buys again
    (here / "purchases.txt").write_text("\n".join(rows) + "\n")
    for shown, text in docs.FILES.items():
        (here / shown).parent.mkdir(parents=True, exist_ok=True)
        (here / shown).write_text(text, encoding="utf-8")
    new = docs.FILES["my-rules/inactive-14d.yaml"].replace("id: inactive-14d", "id: new")
    for sample in docs.samples_of(docs.ROOT / "README.md"):
        if sample.kind == "csv":
            (here / "events.csv").write_text(sample.text, encoding="utf-8")
    (here / "new.yaml").write_text(new, encoding="utf-8")
    (here / "knowledge").mkdir()
    (here / "knowledge" / "bills.md").write_text(
        "# 請求書はどこで発行できますか\n「設定」の「請求書」から発行できます。\n", encoding="utf-8"
    )
    (here / "sources.yaml").write_text(
        next(each.text for each in docs.YAML if "SHOP_DATABASE_URL" in each.text), encoding="utf-8"
    )
    shop = sqlite3.connect(here / "shop.db")
    shop.execute("create table orders (id, member_no, paid_at, total, plan, status)")
    shop.execute("insert into orders values (1, 'c-1042', '2026-10-01 10:00:00', 480, 'trial', 'paid')")
    shop.execute("create table members (member_no, updated_at, name, plan, renewal_date)")
    shop.commit()
    shop.close()


def a_rule_of_ones_own(here: Path) -> None:
    for sample in docs.samples_of(docs.ROOT / "README.md"):
        if sample.file is not None:
            (here / sample.file).write_text(sample.text, encoding="utf-8")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("YORISOI_SOURCES", "sources.yaml")
    monkeypatch.setenv("SHOP_DATABASE_URL", f"sqlite:///{tmp_path / 'shop.db'}")
    prepare(tmp_path)
    return tmp_path


def carry_out(line: str, here: Path) -> Result:
    words = [word.replace("/var/backups", str(here)) for word in shlex.split(line)[1:]]
    return CliRunner().invoke(app, words, input="\n" * 30 if words[0] == "init" else "y\ny\n")


def test_every_command_line_of_the_documentation_does_its_work(here: Path) -> None:
    wrong = []
    for line in documented():
        if line.startswith("yorisoi import"):
            a_rule_of_ones_own(here)  # `init` writes the first rules where there are none
        for named in re.findall(r"\S+/new\.yaml", line):  # a rule that nobody published yet
            shutil.copy(here / "new.yaml", here / named)
        result = carry_out(line, here)
        is_broken = result.exception is not None and not isinstance(result.exception, SystemExit)
        is_as_told = (
            REFUSED[line] in result.output and result.exit_code == 1
            if line in REFUSED
            else result.exit_code == 0
        )
        if is_broken or not is_as_told:
            wrong.append((line, result.exit_code, result.output[-300:], repr(result.exception)))
    assert not wrong, "\n".join(map(str, wrong))
    with (here / "report.csv").open(encoding="utf-8-sig") as made:
        assert len(list(csv.reader(made))) >= 1
    for name in ("report.html", "report.parquet", "forecast.html", "likely.csv", "yorisoi.dump"):
        assert (here / name).stat().st_size > 0, name

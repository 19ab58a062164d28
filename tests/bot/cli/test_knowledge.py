"""Do `yorisoi knowledge` and the scripts of a rule folder work from a shell, and at the program's start?"""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli import knowledge, rules
from bot.flows.answers.learn import known, learn_at_start
from bot.flows.answers.scripts import scripts_in_force
from bot.flows.rules.publish import publish_at_start
from bot.opening import connected
from bot.settings import Settings
from tests.bot.cli.test_rules import RULE
from tests.flows.knowledge import FOLDER

SCRIPT = """
id: parking
contains: [駐車場, parking]
text: {ja: 駐車場はございません。, en: We have no parking.}
"""


def yorisoi(*words: str | Path, database_url: str = "") -> Result:
    app = typer.Typer(rich_markup_mode=None)
    knowledge.register(app)
    rules.register(app)
    environment = {"DATABASE_URL": database_url, "LANG": "C.UTF-8", "LOG_LEVEL": "ERROR"}
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inactive.yaml").write_text(RULE)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "parking.yaml").write_text(SCRIPT)
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "shop.md").write_text(
        "# 営業\n\n## 送料はいくらですか\n\n送料は全国一律600円です。\n"
    )
    return tmp_path


def test_pages_are_applied_listed_and_asked(database_url: str) -> None:
    applied = yorisoi("knowledge", "apply", FOLDER, database_url=database_url)
    assert (applied.exit_code, applied.stderr) == (0, "")
    assert "pages" in applied.stdout
    assert "0 added" in yorisoi("knowledge", "apply", FOLDER, database_url=database_url).stdout
    listed = yorisoi("knowledge", "list", database_url=database_url).stdout
    assert "billing.md#請求書の発行" in listed
    asked = yorisoi("knowledge", "ask", "請求書はどこで発行できますか", database_url=database_url).stdout
    assert asked.startswith("✓")
    assert "請求書は、画面右上の「設定」" in asked
    other = yorisoi("knowledge", "ask", "明日の天気は？", database_url=database_url).stdout
    assert "a person would get this" in other


def test_a_page_with_a_mistake_changes_nothing(database_url: str, folder: Path) -> None:
    yorisoi("knowledge", "apply", folder / "knowledge", database_url=database_url)
    (folder / "knowledge" / "b.md").write_text("見出しのない文です。\n")
    refused = yorisoi("knowledge", "apply", folder / "knowledge", database_url=database_url)
    assert refused.exit_code == 1
    assert "b.md:" in refused.stderr
    assert "shop.md" in yorisoi("knowledge", "list", database_url=database_url).stdout
    assert yorisoi("knowledge", "apply", folder / "nowhere", database_url=database_url).exit_code == 1


def test_scripts_are_checked_and_come_into_force_with_their_folder(database_url: str, folder: Path) -> None:
    assert yorisoi("rules", "check", folder).exit_code == 0
    applied = yorisoi("rules", "apply", folder, database_url=database_url)
    assert (applied.exit_code, applied.stderr) == (0, "")
    (folder / "scripts" / "parking.yaml").write_text(SCRIPT.replace("contains", "contians"))
    checked = yorisoi("rules", "check", folder)
    assert checked.exit_code == 1
    assert "scripts/parking.yaml:3" in checked.stderr.replace(str(folder) + "/", "")
    refused = yorisoi("rules", "apply", folder, database_url=database_url)
    assert refused.exit_code == 1


async def test_the_folder_of_the_program_brings_its_scripts_and_knowledge(
    database_url: str, folder: Path
) -> None:
    settings = Settings.of(database_url=database_url, yorisoi_rules=folder)
    async with connected(settings) as deps:
        for _ in range(2):
            await publish_at_start(deps)
            await learn_at_start(deps)
        async with deps.db.begin() as session:
            script = (await scripts_in_force(session)).answer_to("駐車場はありますか")
        assert script is not None
        assert script.id == "parking"
        assert [row.path for row in await known(deps)] == ["shop.md"]
        (folder / "scripts" / "parking.yaml").write_text("id: [")
        (folder / "knowledge" / "shop.md").write_text("見出しのない文です。\n")
        await publish_at_start(deps)
        assert await learn_at_start(deps) is None
        async with deps.db.begin() as session:
            assert (await scripts_in_force(session)).answer_to("駐車場はありますか") is not None
        assert [row.path for row in await known(deps)] == ["shop.md"]

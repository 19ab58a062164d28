"""Whatever order edits, folders, exports and rollbacks come in: is anything lost, or overwritten unseen?"""

from __future__ import annotations

import contextlib
import random
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col

from bot.errors import Refused
from bot.flows.rules.edit import ChangedMeanwhile, edit_rule
from bot.flows.rules.publish import publish
from bot.flows.versions.export import export
from bot.flows.versions.rollback import rollback
from bot.intake.rule_files import read_folder
from db.engine import Database
from db.rulebook.rules import RuleRow, RuleVersion
from followups.versions.edits import edited
from followups.versions.leaves import leaves
from tests.flows.shop import Shop

COMMENTS = ("", "   # なぜか", "  # because")
SPAN, PRIORITY, AGAIN = ("when", "all", 0, "last", "more_than"), ("priority",), ("again_after",)


def written(rng: random.Random) -> str:
    """A rule in one of many layouts, with comments in all kinds of places."""
    end = rng.choice(["\n", "\r\n"])
    note = lambda: rng.choice(COMMENTS)  # noqa: E731
    condition = rng.choice(
        [
            ["when:", f"  all:{note()}", "    - event: login", f"      last: {{more_than: 14d}}{note()}"],
            ["when: {all: [{event: login, last: {more_than: 14d}}]}" + note()],
            ["when:", "  all:", "  - event: login", "    last:", "      # inside", "      more_than: '14d'"],
        ]
    )
    lines = [
        rng.choice(["# 規則", "---", ""]),
        f"id: inactive{note()}",
        "goal: {event: login, within: 7d}",
        *rng.sample([f"priority: 50{note()}", f"again_after: 30d{note()}"], 2),
        "",
        *condition,
        rng.choice(["", "# before the steps"]),
        "then:",
        rng.choice(["  - send: checkin", "- {send: checkin}"]) + note(),
        *rng.choice([[], ["", "# the end"]]),
    ]
    return end.join(lines) + rng.choice(["", end])


WORDS = "# words\ntext: |-\n  お困りでは\n\n  ありませんか。\n# end\n"


@pytest.mark.parametrize("seed", range(200))
def test_an_edit_touches_its_value_alone_in_any_layout(seed: int) -> None:
    rng = random.Random(seed)
    text = written(rng)
    path, value = rng.choice([(SPAN, "10d"), (PRIORITY, 90), (AGAIN, "60d")])
    before, new = leaves(text), edited(text, [(path, value)])
    assert leaves(new) == {**before, path: value}
    old_lines, new_lines = text.splitlines(), new.splitlines()
    assert len(old_lines) == len(new_lines)
    changed = [(one, other) for one, other in zip(old_lines, new_lines, strict=True) if one != other]
    assert len(changed) == 1
    assert changed[0][1] == changed[0][0].replace(str(before[path]), str(value)).replace('"', "'")
    assert new.count("#") == text.count("#")


class Folder:
    """A copy of the rules that somebody works on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def rule(self) -> Path:
        return self.path / "inactive.yaml"

    def edit(self, path: tuple[str | int, ...], value: str | int) -> None:
        text = self.rule.read_bytes().decode()
        self.rule.write_bytes(edited(text, [(path, value)]).encode())


@pytest.mark.parametrize("seed", range(12))
async def test_no_change_is_lost_and_none_made_elsewhere_is_overwritten(
    db: Database, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    shop = Shop(db)
    first = Folder(tmp_path / "one")
    (first.path / "messages").mkdir(parents=True)
    first.rule.write_bytes(written(rng).encode())
    (first.path / "messages" / "checkin.yaml").write_text(WORDS)
    await publish(shop.deps, read_folder(first.path), by="file")
    shutil.copytree(first.path, tmp_path / "two")
    folders = [first, Folder(tmp_path / "two")]
    made: list[str] = [first.rule.read_bytes().decode()]

    for step in range(14):
        shop.clock.turn(timedelta(minutes=1))
        [row] = await shop.rows(RuleRow)
        folder = rng.choice(folders)
        match rng.choice(["edit", "stale edit", "file", "apply", "apply", "export", "rollback"]):
            case "edit":
                path, value = rng.choice([(SPAN, f"{step + 2}d"), (PRIORITY, step), (AGAIN, f"{step + 20}d")])
                await edit_rule(shop.deps, "inactive", [(path, value)], base_version=row.version, by="slack")
            case "stale edit" if row.version > 1:
                with pytest.raises(ChangedMeanwhile):
                    await edit_rule(
                        shop.deps, "inactive", [(PRIORITY, 99)], base_version=row.version - 1, by="slack"
                    )
            case "file":
                folder.edit(*rng.choice([(PRIORITY, 50 + step), (AGAIN, f"{step + 40}d")]))
            case "apply":
                before = {each.version: each.source for each in await shop.rows(RuleVersion)}
                text = folder.rule.read_bytes().decode()
                applied = (await publish(shop.deps, read_folder(folder.path), by="file")).applied
                if applied.changed:
                    held = leaves(text)
                    newest = next(
                        each for each in await shop.rows(RuleVersion) if each.version == max(before)
                    )
                    if newest.origin == "edit":  # the folder knew of the change it goes on from
                        [last] = leaves_changed(before[max(before) - 1], newest.source)
                        assert held[last] != leaves(before[max(before) - 1]).get(last)
            case "export":
                await export(shop.deps, folder.path, is_overwriting=True)
                [row] = await shop.rows(RuleRow)
                [now] = await shop.rows(RuleVersion, col(RuleVersion.version) == row.version)
                assert folder.rule.read_bytes().decode() == now.source
            case "rollback" if row.version > 1:
                with contextlib.suppress(Refused):
                    await rollback(shop.deps, "inactive", to=rng.randint(1, row.version - 1), by="slack")
            case _:
                pass
        versions = sorted(await shop.rows(RuleVersion), key=lambda each: each.version)
        assert [each.version for each in versions] == list(range(1, len(versions) + 1))
        assert [each.source for each in versions[: len(made)]] == made
        made = [each.source for each in versions]

    last = tmp_path / "last"
    await export(shop.deps, last)
    applied = (await publish(shop.deps, read_folder(last), by="file")).applied
    assert (applied.unchanged, applied.changed, applied.conflicts) == (("inactive",), (), ())
    again = {path: path.read_bytes() for path in last.rglob("*.yaml")}
    assert (await export(shop.deps, last)).files == ()
    assert {path: path.read_bytes() for path in last.rglob("*.yaml")} == again


def leaves_changed(one: str, other: str) -> list[tuple[str | int, ...]]:
    before, after = leaves(one), leaves(other)
    return [path for path in after if before.get(path) != after[path]]

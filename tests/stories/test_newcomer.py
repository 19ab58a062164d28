"""Does somebody who follows the README alone get to a rule of their own, on their own events, in shadow?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SECTION = "## Ten minutes to a rule of your own"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLING = "make setup"
"""The one line that a test leaves out: it fetches packages."""


def blocks() -> list[tuple[str, str]]:
    """The section's fenced blocks, in order: what kind, and what it says."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return _FENCE.findall(text.split(f"{SECTION}\n")[1].split("\n## ")[0])


@pytest.fixture
def clone() -> Iterator[Path]:
    """A folder that looks as the repository does after `make setup`, and room beside it."""
    parent = Path(tempfile.mkdtemp(prefix="yn", dir="/tmp"))
    parent.chmod(0o755)
    (parent / "clone" / ".venv").mkdir(parents=True)
    (parent / "clone" / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    yield parent / "clone"
    shutil.rmtree(parent, ignore_errors=True)


def script(words: str) -> str:
    assert INSTALLING in words or "yorisoi" in words
    return "\n".join(line for line in words.splitlines() if not line.startswith(INSTALLING))


def test_the_readme_leads_to_a_rule_of_ones_own_in_shadow_within_minutes(clone: Path) -> None:
    files = clone.parent / "follow-up"
    environment = {name: os.environ[name] for name in ("TMPDIR", "SYSTEMROOT") if name in os.environ}
    environment |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(clone.parent), "LANG": "C.UTF-8"}
    assert not {name.upper() for name in Settings.model_fields} & set(environment)
    state = clone.parent / "state"  # where the reader's terminal stands, and how it finds programs
    begin, said, is_first = time.monotonic(), "", True
    for kind, words in blocks():
        if kind == "csv":
            (files / "events.csv").write_text(words, encoding="utf-8")
        elif kind == "yaml":
            (files / words.removeprefix("# ").splitlines()[0]).write_text(words, encoding="utf-8")
        else:
            resumed = "" if is_first else f". {state}\n"
            kept = f'\nprintf \'cd "%s"\\nexport PATH="%s"\\n\' "$PWD" "$PATH" > {state}'
            done = subprocess.run(
                ["/bin/bash", "-euc", resumed + script(words) + kept],
                cwd=clone,
                env=environment,
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            said, is_first = said + done.stdout + done.stderr, False
    took = time.monotonic() - begin
    assert "6 new events" in said
    assert "✓ quiet-week (2)" in said
    assert "+ quiet-week" in said
    preview = said.split("quiet-week: 一週間お使いでない方へ", 1)[1]
    assert "3 customers match" in preview
    assert "not_linked" in preview
    assert "設定や使い方で、手が止まっている所はありませんか。" in preview
    assert re.search(r"messages [1-9]", preview), "the past shows whom it would have written to"
    assert "(shadow: sends nothing)" in said.rsplit("quiet-week v1", 1)[1].splitlines()[0]
    assert "Traceback" not in said
    assert took < 240, "ten minutes are for people who read"

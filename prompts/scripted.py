"""Which scripted answers do we ship? The samples in `scripts/`, in force unless the user's replace them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.errors import Misconfigured
from followups.answers.scripts import ScriptSet, read_scripts

FOLDER = Path(__file__).parent / "scripts"


@cache
def shipped_scripts() -> ScriptSet:
    """Our scripts, by id.

    Raises:
        Misconfigured: one of them is not written as it should be.
    """
    files = {f"scripts/{path.name}": path.read_text("utf-8") for path in sorted(FOLDER.glob("*.yaml"))}
    found = read_scripts(files)
    if found.problems:
        raise Misconfigured(str(found.problems[0]))
    return found

"""How do scripted answers come into force, beside the rules of the same folder?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.rulebook.scripts import own_scripts, put_scripts
from followups.answers.scripts import ScriptSet, joined, read_scripts
from followups.rules.yaml.problems import RuleError
from prompts.scripted import shipped_scripts

log = structlog.get_logger()


async def scripts_in_force(session: AsyncSession) -> ScriptSet:
    """Our scripts with the user's over them."""
    return joined(shipped_scripts(), await own_scripts(session))


def scripts_among(files: Mapping[str, str]) -> dict[str, str]:
    """Those of a rule folder's files that are scripts: `scripts/*.yaml`."""
    return {
        path: text
        for path, text in files.items()
        if path.endswith(".yaml") and path.replace("\\", "/").split("/")[-2:-1] == ["scripts"]
    }


def read_own(files: Mapping[str, str]) -> ScriptSet:
    """The scripts among a rule folder's files; what is wrong with them in `problems`."""
    return read_scripts(scripts_among(files), known=shipped_scripts().by_id)


async def publish_scripts(
    session: AsyncSession, files: Mapping[str, str], *, by: str, now: datetime
) -> int | None:
    """Make the scripts of a rule folder the user's; a folder without any changes nothing.

    Returns:
        The new version, None when nothing changed.

    Raises:
        RuleError: something in them is wrong.
    """
    scripts = scripts_among(files)
    if not scripts:
        return None
    found = read_own(files)
    if found.problems:
        raise RuleError(found.problems)
    version = await put_scripts(session, scripts, by=by, now=now)
    if version is not None:
        log.info("scripts.published", by=by, version=version, scripts=len(found.by_id))
    return version

"""Which scripted answers has the user published, in which version, and who changed them?

The setting `scripts` holds the files in force; each version stays under `scripts@N`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from db.rulebook.rules import put_setting, setting
from followups.answers.scripts import ScriptSet, read_scripts

log = structlog.get_logger()

SCRIPTS = "scripts"
_sets: dict[str, ScriptSet] = {}
_KEPT_SETS = 8


async def put_scripts(
    session: AsyncSession, files: Mapping[str, str], *, by: str, now: datetime
) -> int | None:
    """Make these files (text by path) the user's scripts; the new version, None when nothing changed."""
    digest = blake2b(json.dumps(sorted(files.items())).encode(), digest_size=8).hexdigest()
    before = await setting(session, SCRIPTS)
    if before is not None and before["digest"] == digest:
        return None
    version = (int(before["version"]) if before is not None else 0) + 1
    content = {"version": version, "digest": digest, "by": by, "files": dict(files)}
    await put_setting(session, f"{SCRIPTS}@{version}", content, now=now)
    await put_setting(session, SCRIPTS, content, now=now)
    return version


async def own_scripts(session: AsyncSession) -> ScriptSet:
    """The user's scripts in force; those this version cannot read are left out, loudly."""
    content = await setting(session, SCRIPTS)
    if content is None:
        return ScriptSet()
    digest = str(content["digest"])
    if digest not in _sets:
        found = read_scripts(content["files"], are_targets_known=True)
        for problem in found.problems:
            log.error("script.left_out", problem=str(problem))
        while len(_sets) >= _KEPT_SETS:
            _sets.pop(next(iter(_sets)))
        _sets[digest] = found
    return _sets[digest]

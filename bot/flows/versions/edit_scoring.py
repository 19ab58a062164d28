"""How does a change of scoring.yaml made outside of files become its next version, its layout untouched?"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.edit import Changes
from bot.flows.rules.publish import backfill_all, hold_time
from db.keeping.setting_versions import setting_version, setting_versions
from db.rulebook.publications import Outdated, edit_scoring_text
from db.rulebook.rules import SCORING, setting
from followups.rules.parsing import parse_scoring
from followups.versions.edits import CannotEdit, edited

log = structlog.get_logger()


async def edit_scoring(
    deps: Deps, session: AsyncSession, changes: Changes, *, base_version: int, by: str
) -> int:
    """Change single values of scoring.yaml; its new version. The next tick looks through everyone.

    Args:
        changes: (path, new value).
        base_version: the version the person saw.

    Raises:
        Refused: it was changed meanwhile, there is none, or no such place in it.
        RuleError: the result is no valid scoring; nothing was changed.
    """
    now = deps.clock.now()
    await hold_time(session, deps)
    stored = await setting(session, SCORING)
    if stored is None:
        raise Refused("scoring.yaml はまだありません。", "There is no scoring.yaml yet.")
    try:
        source = edited(stored["source"], changes)
    except CannotEdit as error:
        raise Refused(
            f"scoring.yaml のこの箇所は変更できません: {error}",
            f"this place of scoring.yaml cannot be changed: {error}",
        ) from None
    await asyncio.to_thread(parse_scoring, source, path=stored["path"])
    try:
        version, watches = await edit_scoring_text(
            session, source, stored["path"], base_version=base_version, by=by, ids=deps.ids, now=now
        )
    except Outdated as other:
        raise await _changed_meanwhile(session, other.version) from None
    await backfill_all(session, watches)
    log.info("scoring.edited", version=version, by=by)
    return version


async def scoring_version(session: AsyncSession) -> int:
    """The version in force; 0: none was stored since versions are kept."""
    return await setting_version(session, SCORING)


async def _changed_meanwhile(session: AsyncSession, version: int) -> Refused:
    versions = await setting_versions(session, SCORING)
    by = versions[-1].created_by if versions else "?"
    return Refused(
        f"scoring.yaml は {by} が先に変更しました（バージョン {version}）。もう一度確かめてください。",
        f"{by} changed scoring.yaml meanwhile (version {version}); look at it again first.",
    )

"""How does a rule come back to what it said before?"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.publish import backfill_all, hold_time, scan_all
from bot.flows.versions.history import unknown_version
from db.rulebook.publications import held_row, replace_version
from db.rulebook.rules import current_rulebook
from db.rulebook.versions import ROLLBACK, versions_of, written_at
from followups.rules.parsing import load_folder

log = structlog.get_logger()


async def rollback(
    deps: Deps, rule_id: str, *, to: int | None = None, by: str, is_moving: bool = False
) -> int:
    """As `take_back`, in a transaction of its own; everyone who may match is looked through afterwards."""

    async def write(session: AsyncSession) -> int:
        return await take_back(deps, session, rule_id, to=to, by=by, is_moving=is_moving)

    version = await deps.db.run(write)
    await scan_all(deps)
    log.info("rule.rolled_back", rule_id=rule_id, version=version, by=by)
    return version


async def take_back(
    deps: Deps,
    session: AsyncSession,
    rule_id: str,
    *,
    to: int | None = None,
    by: str,
    is_moving: bool = False,
) -> int:
    """Make a new version with the text of an older one (its messages' and tests' too); the new version.

    Args:
        to: the older version; None: the one before the current.
        is_moving: customers under way go over to it.

    Raises:
        Refused: there is no such rule or version, or it says the same as now.
        RuleError: this program cannot read the old text any more.
    """
    now = deps.clock.now()
    await hold_time(session, deps)
    row = await held_row(session, rule_id)
    versions = {each.version: each for each in await versions_of(session, rule_id)}
    wanted = row.version - 1 if to is None else to
    if wanted not in versions:
        raise unknown_version(rule_id, wanted, row.version)
    old = versions[wanted]
    if old.digest == versions[row.version].digest:
        raise Refused(
            ja=f"規則 {rule_id} は今もバージョン {wanted} と同じ内容です",
            en=f"the rule {rule_id} says the same as in version {wanted}",
        )
    written = written_at(old)
    book = await current_rulebook(session)
    files = {written.path: written.source, **written.messages}
    await asyncio.to_thread(load_folder, files, policy=book.policy, scoring=book.scoring)
    row, watches = await replace_version(
        session,
        written,
        base_version=row.version,
        origin=ROLLBACK,
        by=by,
        ids=deps.ids,
        now=now,
        is_moving=is_moving,
        because={"to": wanted},
    )
    await backfill_all(session, watches)
    return row.version

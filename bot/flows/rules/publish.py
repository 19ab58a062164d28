"""How do rules come into force, and go out of it?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.answers.scripts import publish_scripts
from bot.intake.rule_files import policy_beside, read_folder
from db.deciding.followups import counts_by_rule
from db.deciding.ticks import begin_ticking, watermark
from db.desk.posts import add_alert
from db.intake.signals import backfill, hold_watch_changes
from db.rulebook.publications import Applied, Side, apply, set_state
from db.rulebook.rules import RuleBook, current_rulebook, current_versions
from db.rulebook.scans import scan_some
from followups.rules.model import RuleState
from followups.rules.parsing import PolicyText, RuleError, load_folder, parse_policy
from followups.signals import Watch

log = structlog.get_logger()

_AT_START = "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What came of publishing: what changed, and how many customers are looked at because of it."""

    applied: Applied
    scanned: int


async def publish(
    deps: Deps,
    files: Mapping[str, str],
    *,
    by: str,
    policy: PolicyText | None = None,
    sides: Mapping[str, Side] | None = None,
    is_moving: bool = False,
) -> Published:
    """Publish a rule folder: everything in it, or nothing; conflicts with changes made elsewhere stay.

    Scripted answers among the files (`scripts/*.yaml`) come into force with it.

    Args:
        files: text by path, as `followups.rules.parsing.load_folder` takes it.
        by: who does (a Slack user id, or a word like `cli`).
        policy: the policy to publish with it; None: the stored one stays.
        sides: by rule id, whose text is taken in a conflict.
        is_moving: customers under way go over to the new versions.

    Raises:
        RuleError: something in the files is wrong; nothing was changed.
    """
    now = deps.clock.now()
    new_policy = parse_policy(policy.source, path=policy.path) if policy is not None else None

    async def write(session: AsyncSession) -> Applied:
        await hold_time(session, deps)
        book = await current_rulebook(session)
        against = new_policy or book.policy
        rule_set = await asyncio.to_thread(load_folder, files, policy=against, scoring=book.scoring)
        applied = await apply(
            session,
            rule_set,
            files,
            policy=policy,
            by=by,
            ids=deps.ids,
            now=now,
            sides=sides,
            is_moving=is_moving,
        )
        await publish_scripts(session, files, by=by, now=now)
        await backfill_all(session, applied.watches)
        return applied

    applied = await deps.db.run(write)
    scanned = await scan_all(deps)
    log.info(
        "rules.published",
        by=by,
        added=list(applied.added),
        changed=list(applied.changed),
        conflicts=[each.rule_id for each in applied.conflicts],
        revision=applied.revision,
        scanned=scanned,
    )
    return Published(applied=applied, scanned=scanned)


async def switch(deps: Deps, rule_id: str, state: RuleState, *, by: str) -> int:
    """Enable (`live`), try (`canary`), rehearse (`shadow`) or pause a rule; how many are looked at for it.

    Raises:
        Refused: there is no such rule, it cannot be read, or it cannot go there from where it is.
    """
    now = deps.clock.now()

    async def write(session: AsyncSession) -> None:
        await hold_time(session, deps)
        await backfill_all(session, await set_state(session, rule_id, state, by=by, ids=deps.ids, now=now))

    await deps.db.run(write)
    scanned = await scan_all(deps)
    log.info("rule.switched", by=by, rule_id=rule_id, state=state.value, scanned=scanned)
    await deps.waker.wake("deliver")
    return scanned


async def publish_at_start(deps: Deps) -> Published | None:
    """Publish what YORISOI_RULES and YORISOI_POLICY name, if they do.

    Rules with mistakes are told, loudly, and the last good ones go on: a slip must not stop the program.

    Raises:
        Misconfigured: the folder or the file does not exist.
    """
    files, policy = await asyncio.to_thread(_of_settings, deps)
    if not files and policy is None:
        return None
    try:
        published = await publish(deps, files, by=_AT_START, policy=policy)
        await _tell_conflicts(deps, published.applied)
        return published
    except RuleError as error:
        problems = [str(problem) for problem in error.problems]
    for problem in problems:
        log.error("rules.not_published", problem=problem)
    return None


async def _tell_conflicts(deps: Deps, applied: Applied) -> None:
    """A folder that does not know of changes made elsewhere overwrites nothing; staff hear of it once."""
    now = deps.clock.now()
    if applied.is_scoring_kept:
        log.warning("scoring.conflict_found")
        async with deps.db.begin() as session:
            await add_alert(
                session,
                key=f"scoring_conflict:{applied.revision}",
                ja="scoring.yaml: YORISOI_RULES のファイルは、Slackでの変更を知りません。"
                "何も上書きしていません。yorisoi rules export で書き出してから編集してください。",
                en="scoring.yaml: the file in YORISOI_RULES does not know of a change made in Slack. Nothing"
                " was overwritten. Run yorisoi rules export and edit what it writes.",
                ids=deps.ids,
                now=now,
            )
    for conflict in applied.conflicts:
        rule_id, version = conflict.rule_id, conflict.current.version
        log.warning("rule.conflict_found", rule_id=rule_id, version=version, is_only_old=conflict.is_only_old)
        async with deps.db.begin() as session:
            await add_alert(
                session,
                key=f"rule_conflict:{rule_id}:{version}:{conflict.incoming.digest}",
                ja=f"規則 {rule_id}: YORISOI_RULES のファイルは、別の場所での変更（バージョン {version}）を"
                "知りません。何も上書きせず、今のまま動いています。"
                " yorisoi rules export で今の規則を書き出してから編集してください。",
                en=f"Rule {rule_id}: the file in YORISOI_RULES does not know of a change made elsewhere"
                f" (version {version}). Nothing was overwritten; the rule goes on as it is."
                " Run yorisoi rules export and edit what it writes.",
                ids=deps.ids,
                now=now,
            )
    if applied.conflicts or applied.is_scoring_kept:
        await deps.waker.wake("post")


def _of_settings(deps: Deps) -> tuple[dict[str, str], PolicyText | None]:
    folder, path = deps.settings.yorisoi_rules, deps.settings.yorisoi_policy
    files = read_folder(folder) if folder is not None else {}
    return files, policy_beside(folder, path)


async def hold_time(session: AsyncSession, deps: Deps) -> None:
    """Keep time and events still while what is watched changes; always in this order."""
    await begin_ticking(session, now=deps.clock.now())
    await watermark(session, is_held=True)
    await hold_watch_changes(session)


async def backfill_all(session: AsyncSession, watches: tuple[Watch, ...]) -> None:
    """Keep from history what is watched from now on."""
    for watch in watches:
        if not watch.event.startswith("@"):
            await backfill(session, watch)


async def scan_all(deps: Deps) -> int:
    """Run the full statement of each rule that asks for it, in pieces; a tick goes on where this ends."""

    async def some(session: AsyncSession) -> int | None:
        return await scan_some(session, now=deps.clock.now())

    total = 0
    while (found := await deps.db.run(some)) is not None:
        total += found
    if total:
        await deps.waker.wake("decide")
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule on the list. `matched`: customers it had something to say about; `sent`: accepted by LINE.

    `changed_at`, `changed_by`: the last change of its text or state.
    """

    rule_id: str
    name: str
    state: str
    version: int
    matched: int
    sent: int
    changed_at: datetime
    changed_by: str


async def overview(deps: Deps) -> list[RuleLine]:
    """Every stored rule with its state and what came of it; one that cannot be read says so for a name."""
    async with deps.db.begin() as session:
        book = await current_rulebook(session)
        counts = await counts_by_rule(session)
        rows = await current_versions(session)
    lines = []
    for row, _ in rows:
        rule = book.by_id.get(row.rule_id)
        matched, sent = counts.get(row.rule_id, (0, 0))
        name = rule.name if rule is not None else f"! {book.broken.get(row.rule_id, '')}"
        lines.append(
            RuleLine(
                rule_id=row.rule_id,
                name=name,
                state=row.state,
                version=row.version,
                matched=matched,
                sent=sent,
                changed_at=row.changed_at,
                changed_by=row.changed_by,
            )
        )
    return lines


async def rulebook(deps: Deps) -> RuleBook:
    """The rules and the policy in force."""
    async with deps.db.begin() as session:
        return await current_rulebook(session)

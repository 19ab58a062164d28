"""How do rules get published, switched and looked through once, with everything that follows from it?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from bot.errors import Refused
from db.columns import UUID, datetime
from db.deciding.rooms import begin_canary, end_canary
from db.deciding.ticks import mark_dirty
from db.desk import audit
from db.intake.signals import WatchRow
from db.keeping.setting_versions import put_setting_version, setting_version, would_undo
from db.rulebook.rules import (
    POLICY,
    PUBLISHED_STATES,
    REVISION,
    SCORING,
    RuleRow,
    Setting,
    current_rulebook,
    current_versions,
    put_setting,
    revision_of,
    setting,
    stored_policy,
    watched,
)
from db.rulebook.scans import ask_scan
from db.rulebook.versions import (
    EDIT,
    FILE,
    Conflict,
    Written,
    conflict_with,
    digest_of,
    move_people,
    put_version,
    written_in,
)
from followups.rules.model import RuleState
from followups.rules.parsing import PolicyText, RuleSet
from followups.rules.yaml.problems import nearest
from followups.signals import Watch
from followups.versions.life import may_switch

_LOWEST = UUID(int=0)


class Side(StrEnum):
    """Whose text is taken where a folder and the database differ in earnest."""

    FILE = "file"
    STORED = "stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What publishing a folder changed.

    Attributes:
        added, changed, unchanged: rule ids.
        absent: stored rules that the folder does not have; they stay as they are.
        conflicts: rules whose text in the folder does not know of the version in force; they stay.
        kept: rules whose stored version was kept though the folder says otherwise, as asked.
        moved: how many customers under way went over to a new version.
        is_scoring_kept: the folder's scoring.yaml knows nothing of a change made in Slack, which stays.
        watches: what has to be kept of events from now on and was not before; to be backfilled.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    kept: tuple[str, ...] = ()
    moved: int = 0
    is_policy_changed: bool = False
    is_scoring_kept: bool = False
    revision: int = 0
    watches: tuple[Watch, ...] = ()


async def apply(
    session: AsyncSession,
    rule_set: RuleSet,
    files: Mapping[str, str],
    *,
    policy: PolicyText | None,
    by: str,
    ids: Ids,
    now: datetime,
    sides: Mapping[str, Side] | None = None,
    is_moving: bool = False,
) -> Applied:
    """Publish a folder that was read without problems: all of it, in this transaction.

    A rule gets a new version only when its text, that of a message it uses or that of its tests changed.
    `state:` in the file is where a new rule starts; a known one keeps the state it has. A rule that was
    changed elsewhere, and whose text in the folder does not know of that, is a conflict and stays as it is.

    Args:
        files: the texts `rule_set` was read from, by path.
        policy: the new policy; None leaves the stored one.
        by: who publishes (a Slack user id, or a word like `cli`).
        sides: by rule id, whose text is taken in a conflict.
        is_moving: customers under way go over to the new version where it has a place for them.
    """
    await _hold_configuration(session, now=now)
    is_policy_changed = await _put_policy(session, policy, by=by, ids=ids, now=now)
    is_scoring_changed, is_scoring_kept = await _put_scoring(
        session, rule_set, files, by=by, ids=ids, now=now
    )
    stored = {row.rule_id: (row, version) for row, version in await current_versions(session)}
    outcome: dict[str, list[str]] = {name: [] for name in ("added", "changed", "unchanged", "kept")}
    conflicts: list[Conflict] = []
    for source in rule_set.sources:
        written = written_in(source, rule_set, files)
        rule_id = written.rule_id
        known = stored.get(rule_id)
        if known is not None and known[1].digest == written.digest:
            known[0].file_version = known[0].version
            outcome["unchanged"].append(rule_id)
            continue
        row = known[0] if known is not None else None
        if row is not None and (conflict := await conflict_with(session, row, written)) is not None:
            side = (sides or {}).get(rule_id)
            if side is None:
                conflicts.append(conflict)
            if side is Side.STORED:
                outcome["kept"].append(rule_id)
            if side is not Side.FILE:
                continue
        await put_version(
            session, written, row, origin=FILE, state=source.rule.state, by=by, ids=ids, now=now
        )
        if known is None and source.rule.state is RuleState.CANARY:
            size = (await stored_policy(session)).canary_size
            await begin_canary(session, rule_id, size=size, now=now)
        outcome["added" if known is None else "changed"].append(rule_id)
    if is_policy_changed:
        await audit.record(session, actor=by, action="policy.changed", ids=ids, now=now)
    if is_scoring_changed:
        await audit.record(session, actor=by, action="scoring.changed", ids=ids, now=now)
    await session.flush()
    touched = {*outcome["added"], *outcome["changed"]}
    is_everything_changed = is_policy_changed or is_scoring_changed
    watches: tuple[Watch, ...] = ()
    moved = 0
    if touched or is_everything_changed:
        await ask_scan(session, None if is_everything_changed else touched)
        watches = await _renew(session, now=now)
        moved = await _move(session, outcome["changed"], now=now) if is_moving else 0
    revision, _ = await revision_of(session)
    return Applied(
        added=tuple(outcome["added"]),
        changed=tuple(outcome["changed"]),
        unchanged=tuple(outcome["unchanged"]),
        kept=tuple(outcome["kept"]),
        conflicts=tuple(conflicts),
        absent=tuple(sorted(stored.keys() - {rule.id for rule in rule_set.rules})),
        moved=moved,
        is_policy_changed=is_policy_changed,
        is_scoring_kept=is_scoring_kept,
        revision=revision,
        watches=watches,
    )


async def replace_version(
    session: AsyncSession,
    written: Written,
    *,
    base_version: int,
    origin: str,
    by: str,
    ids: Ids,
    now: datetime,
    is_moving: bool = False,
    because: Mapping[str, object] | None = None,
) -> tuple[RuleRow, tuple[Watch, ...]]:
    """Store one rule's new version, made elsewhere than in a folder; what has to be backfilled.

    Raises:
        Outdated: the rule is not at `base_version` any more.
        Refused: there is no such rule.
    """
    await _hold_configuration(session, now=now)
    row = await held_row(session, written.rule_id)
    if row.version != base_version:
        raise Outdated(row.version)
    await put_version(
        session,
        written,
        row,
        origin=origin,
        state=RuleState(row.state),
        by=by,
        ids=ids,
        now=now,
        because=because,
    )
    await ask_scan(session, {written.rule_id})
    watches = await _renew(session, now=now)
    if is_moving:
        await _move(session, [written.rule_id], now=now)
    return row, watches


class Outdated(Exception):
    """The rule was changed meanwhile; it is at `version` now."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


async def held_row(session: AsyncSession, rule_id: str) -> RuleRow:
    """The rule's row, held until the transaction ends.

    Raises:
        Refused: there is no such rule.
    """
    row = await session.get(RuleRow, rule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise unknown_rule(rule_id, await session.scalars(select(col(RuleRow.rule_id))))
    return row


async def _move(session: AsyncSession, rule_ids: Collection[str], *, now: datetime) -> int:
    """Take the customers under way over to the current versions."""
    book = await current_rulebook(session)
    moved: list[UUID] = []
    for rule_id in sorted(rule_ids):
        moved += await move_people(session, book.by_id[rule_id])
    await mark_dirty(session, moved, now=now)
    return len(moved)


async def _hold_configuration(session: AsyncSession, *, now: datetime) -> None:
    """Let one transaction at a time change the configuration."""
    await session.execute(
        insert(Setting)
        .values(name=REVISION, content={"revision": 0, "digest": ""}, changed_at=now)
        .on_conflict_do_nothing()
    )
    await session.execute(select(col(Setting.name)).where(col(Setting.name) == REVISION).with_for_update())


async def _put_policy(
    session: AsyncSession, policy: PolicyText | None, *, by: str, ids: Ids, now: datetime
) -> bool:
    known = await setting(session, POLICY)
    if policy is None or (known is not None and known["source"] == policy.source):
        return False
    await put_setting_version(
        session, POLICY, policy.source, policy.path, origin=FILE, by=by, ids=ids, now=now
    )
    return True


async def _put_scoring(
    session: AsyncSession, rule_set: RuleSet, files: Mapping[str, str], *, by: str, ids: Ids, now: datetime
) -> tuple[bool, bool]:
    """Keep the folder's scoring.yaml; a folder without one leaves the stored one. (is changed, was kept)"""
    path = rule_set.scoring_path
    if path is None or rule_set.scoring is None:
        return False, False
    known = await setting(session, SCORING)
    if known is not None and known["source"] == files[path]:
        return False, False
    if await would_undo(session, SCORING, files[path]):
        return False, True
    await put_setting_version(session, SCORING, files[path], path, origin=FILE, by=by, ids=ids, now=now)
    return True, False


async def edit_scoring_text(
    session: AsyncSession, source: str, path: str, *, base_version: int, by: str, ids: Ids, now: datetime
) -> tuple[int, tuple[Watch, ...]]:
    """Store a scoring.yaml that was made elsewhere than in a folder; its version, and what to backfill.

    Raises:
        Outdated: it is not at `base_version` any more.
    """
    await _hold_configuration(session, now=now)
    current = await setting_version(session, SCORING)
    if current != base_version:
        raise Outdated(current)
    version = await put_setting_version(session, SCORING, source, path, origin=EDIT, by=by, ids=ids, now=now)
    await ask_scan(session, None)
    return version, await _renew(session, now=now)


async def _renew(session: AsyncSession, *, now: datetime) -> tuple[Watch, ...]:
    """After a change: a new revision, and what is watched follows what is published."""
    rows = await current_versions(session)
    policy, scoring = await setting(session, POLICY), await setting(session, SCORING)
    parts = [f"{row.rule_id}/{row.version}/{row.state}/{version.digest}" for row, version in rows]
    parts += [scoring["source"]] if scoring is not None else []
    digest = digest_of([policy["source"] if policy is not None else "", *parts])
    revision, _ = await revision_of(session)
    content = {"revision": revision + 1, "digest": digest}
    await put_setting(session, REVISION, content, now=now)
    book = await current_rulebook(session)
    return await _put_watches(session, watched([*book.rules, *book.older], book.scoring))


async def _put_watches(session: AsyncSession, wanted: Mapping[str, Watch]) -> tuple[Watch, ...]:
    """Store what is watched; returns those of which more is kept than before."""
    known = {row.event: row for row in (await session.execute(select(WatchRow))).scalars()}
    grown: list[Watch] = []
    for event, watch in sorted(wanted.items()):
        row = known.get(event)
        if row is None:
            row = WatchRow(
                event=event,
                source=watch.source if watch.where else None,
                filter=dict(watch.where) or None,
                ranks=[],
            )
            session.add(row)
            has_grown = bool(
                watch.where or watch.depth or watch.ranks or watch.is_first_watched or event.startswith("@")
            )
        else:
            has_grown = (
                watch.depth > row.depth
                or bool(watch.ranks - set(row.ranks))
                or (watch.is_first_watched and not row.is_first_watched)
            )
        row.depth, row.ranks = watch.depth, sorted(watch.ranks)
        row.is_first_watched = watch.is_first_watched
        if has_grown:
            grown.append(watch)
    gone = known.keys() - wanted.keys()
    if gone:
        await session.execute(delete(WatchRow).where(col(WatchRow.event).in_(gone)))
    await session.flush()
    return tuple(grown)


async def set_state(
    session: AsyncSession, rule_id: str, state: RuleState, *, by: str, ids: Ids, now: datetime
) -> tuple[Watch, ...]:
    """Enable or pause a rule; returns what has to be backfilled. Nothing happens when it is in that state.

    Raises:
        Refused: there is no such rule, this program cannot read it, or it cannot go there from where it is.
    """
    await _hold_configuration(session, now=now)
    row = await held_row(session, rule_id)
    if row.state == state and state is not RuleState.CANARY:
        return ()
    if (refusal := may_switch(RuleState(row.state), state)) is not None:
        raise Refused(ja=f"規則 {rule_id}: {refusal.ja}", en=f"{rule_id}: {refusal.en}")
    book = await current_rulebook(session)
    if state in PUBLISHED_STATES and rule_id in book.broken:
        because = book.broken[rule_id]
        raise Refused(
            ja=f"規則 {rule_id} は読み取れません。直して rules apply してください。{because}",
            en=f"the rule {rule_id} cannot be read (fix it and run rules apply): {because}",
        )
    before, row.state, row.changed_at, row.changed_by = row.state, state.value, now, by
    await session.flush()
    if state is RuleState.CANARY:
        await begin_canary(session, rule_id, size=book.policy.canary_size, now=now)
    else:
        await end_canary(session, rule_id)
    if state in PUBLISHED_STATES:
        await ask_scan(session, {rule_id})
    await audit.record(
        session,
        actor=by,
        action="rule.switched",
        ids=ids,
        now=now,
        rule_id=rule_id,
        before=before,
        after=state.value,
    )
    return await _renew(session, now=now)


def unknown_rule(rule_id: str, known: Iterable[str]) -> Refused:
    """What to tell someone who names a rule that does not exist."""
    near = nearest(rule_id, known)
    ja = f"「{near}」ではありませんか。" if near else "yorisoi rules list で確かめてください。"
    en = f"did you mean {near}?" if near else "see yorisoi rules list"
    return Refused(ja=f"規則 {rule_id} はありません。{ja}", en=f"there is no rule {rule_id} ({en})")

"""How do rules get published, switched and looked through once, with everything that follows from it?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePosixPath

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Ids
from bot.errors import Refused
from db import audit
from db.candidates import mark_matching, range_end
from db.columns import UUID, datetime
from db.customers import Customer
from db.rules import (
    POLICY,
    PUBLISHED_STATES,
    REVISION,
    RuleRow,
    RuleVersion,
    Setting,
    current_rulebook,
    current_versions,
    put_setting,
    revision_of,
    setting,
    watched,
)
from db.signals import WatchRow, set_moments
from db.ticks import watermark
from followups.rules.model import Rule, RuleState, SendStep
from followups.rules.parsing import PolicyText, RuleSet
from followups.rules.yaml.problems import nearest
from followups.signals import Watch, attribute_key
from followups.zones import attribute_moment, zone_of

_DIGEST_BYTES = 16
_LOWEST = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What publishing a folder changed.

    Attributes:
        added, changed, unchanged: rule ids.
        absent: stored rules that the folder does not have; they stay as they are.
        watches: what has to be kept of events from now on and was not before; to be backfilled.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    is_policy_changed: bool = False
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
) -> Applied:
    """Publish a folder that was read without problems: all of it, in this transaction.

    A rule gets a new version only when its text or that of a message it uses changed. `state:` in the file
    is where a new rule starts; a known one keeps the state it has.

    Args:
        files: the texts `rule_set` was read from, by path.
        policy: the new policy; None leaves the stored one.
        by: who publishes (a Slack user id, or a word like `cli`).
    """
    await _hold_configuration(session, now=now)
    is_policy_changed = await _put_policy(session, policy, now=now)
    stored = {row.rule_id: (row, version) for row, version in await current_versions(session)}
    added, changed, unchanged = [], [], []
    for source in rule_set.sources:
        rule = source.rule
        messages = _message_texts(rule, rule_set, files)
        digest = _digest([files[source.path], *(f"{path}\n{text}" for path, text in messages.items())])
        known = stored.get(rule.id)
        if known is not None and known[1].digest == digest:
            unchanged.append(rule.id)
            continue
        version = known[0].version + 1 if known is not None else 1
        session.add(
            RuleVersion(
                rule_id=rule.id,
                version=version,
                source=files[source.path],
                path=source.path,
                messages=messages,
                digest=digest,
                created_at=now,
                created_by=by,
            )
        )
        if known is None:
            added.append(rule.id)
            row = RuleRow(rule_id=rule.id, version=1, state=rule.state.value, changed_at=now, changed_by=by)
            session.add(row)
        else:
            changed.append(rule.id)
            row = known[0]
            row.version, row.changed_at, row.changed_by = version, now, by
        action = "rule.published" if known is None else "rule.changed"
        await audit.record(
            session, actor=by, action=action, ids=ids, now=now, rule_id=rule.id, version=version
        )
    if is_policy_changed:
        await audit.record(session, actor=by, action="policy.changed", ids=ids, now=now)
    await session.flush()
    touched = {*added, *changed}
    watches: tuple[Watch, ...] = ()
    if touched or is_policy_changed:
        await _ask_scan(session, None if is_policy_changed else touched)
        watches = await _renew(session, now=now)
    revision, _ = await revision_of(session)
    return Applied(
        added=tuple(added),
        changed=tuple(changed),
        unchanged=tuple(unchanged),
        absent=tuple(sorted(stored.keys() - {rule.id for rule in rule_set.rules})),
        is_policy_changed=is_policy_changed,
        revision=revision,
        watches=watches,
    )


def _digest(parts: Iterable[str]) -> str:
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()


def _message_texts(rule: Rule, rule_set: RuleSet, files: Mapping[str, str]) -> dict[str, str]:
    """The texts of the message files this rule names, by path."""
    named = {
        step.message.name
        for step in rule.steps
        if isinstance(step, SendStep) and step.message.name in rule_set.messages
    }
    wanted = {("messages", f"{name}.yaml") for name in named}
    return {path: files[path] for path in sorted(files) if PurePosixPath(path).parts[-2:] in wanted}


async def _hold_configuration(session: AsyncSession, *, now: datetime) -> None:
    """Let one transaction at a time change the configuration."""
    await session.execute(
        insert(Setting)
        .values(name=REVISION, content={"revision": 0, "digest": ""}, changed_at=now)
        .on_conflict_do_nothing()
    )
    await session.execute(select(col(Setting.name)).where(col(Setting.name) == REVISION).with_for_update())


async def _put_policy(session: AsyncSession, policy: PolicyText | None, *, now: datetime) -> bool:
    known = await setting(session, POLICY)
    if policy is None or (known is not None and known["source"] == policy.source):
        return False
    content = {"source": policy.source, "path": policy.path}
    await put_setting(session, POLICY, content, now=now)
    return True


async def _renew(session: AsyncSession, *, now: datetime) -> tuple[Watch, ...]:
    """After a change: a new revision, and what is watched follows what is published."""
    rows = await current_versions(session)
    policy = await setting(session, POLICY)
    parts = [f"{row.rule_id}/{row.version}/{row.state}/{version.digest}" for row, version in rows]
    digest = _digest([policy["source"] if policy is not None else "", *parts])
    revision, _ = await revision_of(session)
    content = {"revision": revision + 1, "digest": digest}
    await put_setting(session, REVISION, content, now=now)
    return await _put_watches(session, watched((await current_rulebook(session)).rules))


async def _put_watches(session: AsyncSession, wanted: Mapping[str, Watch]) -> tuple[Watch, ...]:
    """Store what is watched; returns those of which more is kept than before."""
    known = {row.event: row for row in (await session.execute(select(WatchRow))).scalars()}
    grown: list[Watch] = []
    for event, watch in sorted(wanted.items()):
        row = known.get(event)
        if row is None:
            row = WatchRow(event=event, ranks=[])
            session.add(row)
            has_grown = bool(watch.depth or watch.ranks or watch.is_first_watched or event.startswith("@"))
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
        Refused: there is no such rule, or this program cannot read it.
    """
    await _hold_configuration(session, now=now)
    row = await session.get(RuleRow, rule_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise unknown_rule(rule_id, await session.scalars(select(col(RuleRow.rule_id))))
    if row.state == state:
        return ()
    book = await current_rulebook(session)
    if state in PUBLISHED_STATES and rule_id in book.broken:
        because = book.broken[rule_id]
        raise Refused(
            ja=f"規則 {rule_id} は読み取れません。直して rules apply してください。{because}",
            en=f"the rule {rule_id} cannot be read (fix it and run rules apply): {because}",
        )
    before, row.state, row.changed_at, row.changed_by = row.state, state.value, now, by
    await session.flush()
    if state in PUBLISHED_STATES:
        await _ask_scan(session, {rule_id})
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


# --- looking through everyone once -------------------------------------------------------------------------


async def _ask_scan(session: AsyncSession, rule_ids: Collection[str] | None) -> None:
    """Have the full statement of these published rules (None: of all) run once."""
    query = update(RuleRow).where(col(RuleRow.state).in_([state.value for state in PUBLISHED_STATES]))
    if rule_ids is not None:
        query = query.where(col(RuleRow.rule_id).in_(rule_ids))
    await session.execute(query.values(scan_from=_LOWEST).execution_options(synchronize_session=False))


async def scan_some(session: AsyncSession, *, size: int = 20_000, now: datetime) -> int | None:
    """Look through the next `size` customers for one rule that asks for it; call again until None.

    Whoever may match is marked dirty. How far it got is kept in the same transaction, so a kill loses
    nothing, and any number of processes may do this at once.

    Returns:
        How many may match; None: nothing is left that nobody else is at.
    """
    row = await session.scalar(
        select(RuleRow)
        .where(col(RuleRow.scan_from).is_not(None))
        .order_by(col(RuleRow.rule_id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None or row.scan_from is None:
        return None
    rule = (await current_rulebook(session)).by_id.get(row.rule_id)
    if rule is None or rule.state not in PUBLISHED_STATES:
        row.scan_from = None
        return 0
    # The tick may be ahead of this clock: what it looked at already, it does not look at for this rule again.
    at = max(now, await watermark(session) or now)
    upto = await range_end(session, above=row.scan_from, size=size)
    for threshold in rule.when.thresholds():
        if threshold.key.startswith(attribute_key("")):
            await _keep_dates(session, threshold.key, above=row.scan_from, upto=upto)
    found = await mark_matching(session, rule.when, above=row.scan_from, upto=upto, now=at)
    row.scan_from = upto
    return found


async def _keep_dates(session: AsyncSession, key: str, *, above: UUID, upto: UUID | None) -> None:
    """Keep the moment at which a date attribute's day begins, for customers of one range.

    They are held, so that an attribute that changes meanwhile is written after this.
    """
    attribute = key.removeprefix(attribute_key(""))
    of, attributes = col(Customer.customer_id), col(Customer.attributes)
    query = (
        select(of, attributes[attribute], col(Customer.timezone))
        .where(of > above, func.jsonb_exists(attributes, attribute))
        .order_by(of)
        .with_for_update(key_share=True)
    )
    if upto is not None:
        query = query.where(of <= upto)
    policy = (await current_rulebook(session)).policy
    await set_moments(
        session,
        {
            (customer_id, key): attribute_moment(value, zone_of(timezone, policy.timezone))
            for customer_id, value, timezone in await session.execute(query)
        },
    )

"""Which rules, messages and policy are published, in which version and state, and who changed them?

A stored rule is its text and the text of the messages it uses; it is parsed again by every process when the
configuration's digest changes. Date attributes that rules read are watched under `@attribute`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import structlog
from sqlalchemy import and_, column, exists, or_, select, table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from db.columns import UUID, Json, datetime, document, moment
from followups.facts import FollowUpState
from followups.rules.conditions import Threshold
from followups.rules.hot_lead import hot_lead
from followups.rules.model import Policy, Rule, RuleState
from followups.rules.parsing import RuleError, load_folder, parse_policy, parse_scoring
from followups.signals import Watch, first_key, merge, nth_key
from followups.standing.scoring import Scoring

log = structlog.get_logger()

PUBLISHED_STATES = frozenset({RuleState.SHADOW, RuleState.CANARY, RuleState.LIVE})
POLICY = "policy"
SCORING = "scoring"
REVISION = "config_revision"


class RuleRow(SQLModel, table=True):
    """The current version and state of one rule.

    `scan_from`: everyone with an id above it is still to be looked at by the rule's full statement, because
    the rule is new, was edited or was enabled; None: done. `file_version`: the version that a folder was last
    known to hold (applied from one, or exported to one).
    """

    __tablename__ = "rule"

    rule_id: str = Field(primary_key=True)
    version: int
    state: str
    changed_at: datetime = moment()
    changed_by: str
    scan_from: UUID | None = None
    file_version: int | None = None


class RuleVersion(SQLModel, table=True):
    """One version of a rule as written, with the text of its message templates (by path) at that time.

    `origin`: `file` (a folder was applied), else where it was made: `edit` (Slack), `rollback`.
    `digest` is of everything written here: two versions with the same digest are the same.
    """

    __tablename__ = "rule_version"

    rule_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    source: str
    path: str
    messages: Json = document(default_factory=dict)
    tests: str | None = None
    origin: str = "file"
    digest: str
    created_at: datetime = moment()
    created_by: str


class Setting(SQLModel, table=True):
    """A global value kept in the database (`policy`, `paused`, `config_revision`)."""

    __tablename__ = "setting"

    name: str = Field(primary_key=True)
    content: Json = document(default_factory=dict)
    changed_at: datetime = moment()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """Everything decisions are made by, at one revision of the configuration.

    Attributes:
        rules: the published ones (shadow, canary, live), by id order.
        by_id: every stored rule that can be read, whatever its state (`rule.state` says).
        scoring: what customers' points are made of; with a threshold, `rules` and `by_id` hold the rule that
            opens a lead from it on (`followups.rules.hot_lead`).
        broken: why a stored rule cannot be read by this version of the program, by rule id.
        versions: older versions that may still have customers in them, by (rule id, version); their state is
            the rule's.
        read_keys: the keys of all signals that a published rule reads, in any version.
        thresholds: of all conditions of all published rules, in any version.
        revision: grows with every change of rules, states or policy.
        digest: stands for the whole content.
    """

    rules: tuple[Rule, ...]
    by_id: Mapping[str, Rule]
    policy: Policy
    scoring: Scoring | None = None
    revision: int = 0
    digest: str = ""
    broken: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    versions: Mapping[tuple[str, int], Rule] = field(default_factory=lambda: MappingProxyType({}))
    read_keys: frozenset[str] = frozenset()
    thresholds: frozenset[Threshold] = frozenset()

    def rule_at(self, rule_id: str, version: int) -> Rule | None:
        """The rule as it was at this version; None: unknown, unreadable, or nobody is in it any more."""
        rule = self.by_id.get(rule_id)
        if rule is not None and rule.version == version:
            return rule
        return self.versions.get((rule_id, version))

    @property
    def older(self) -> tuple[Rule, ...]:
        """Older versions of published rules that may still have customers in them."""
        return tuple(rule for rule in self.versions.values() if rule.state in PUBLISHED_STATES)


_books: dict[tuple[int, str], RuleBook] = {}
_KEPT_BOOKS = 8
"""Parsed configurations a process keeps; one is in use, more where a process serves several databases."""


async def current_rulebook(session: AsyncSession) -> RuleBook:
    """The rules and the policy as this transaction sees them; parsed again only when they changed.

    A stored rule that this version of the program cannot read is left out, loudly; the others go on.
    """
    revision, digest = await revision_of(session)
    book = _books.get((revision, digest))
    if book is None:
        book = await _read_book(session, revision, digest)
        while len(_books) >= _KEPT_BOOKS:
            _books.pop(next(iter(_books)))
        _books[revision, digest] = book
    return book


async def revision_of(session: AsyncSession) -> tuple[int, str]:
    """The configuration's revision and digest."""
    content = await setting(session, REVISION)
    return (int(content["revision"]), str(content["digest"])) if content is not None else (0, "")


async def _read_book(session: AsyncSession, revision: int, digest: str) -> RuleBook:
    policy = await stored_policy(session)
    scoring = await _stored_scoring(session)
    stored: dict[str, Rule] = {}
    broken: dict[str, str] = {}
    for row, version in await current_versions(session):
        try:
            stored[row.rule_id] = parsed(row, version, policy, scoring)
        except RuleError as error:
            broken[row.rule_id] = str(error)
    for rule_id, because in broken.items():
        log.error("rule.left_out", rule_id=rule_id, because=because)
    published = tuple(rule for rule in stored.values() if rule.state in PUBLISHED_STATES)
    versions = await _older_versions(session, policy, scoring)
    hot = hot_lead(scoring)
    if hot is not None:
        published, stored[hot.id] = (*published, hot), hot
    running = [*published, *(rule for rule in versions.values() if rule.state in PUBLISHED_STATES)]
    return RuleBook(
        rules=published,
        by_id=MappingProxyType(stored),
        policy=policy,
        scoring=scoring,
        revision=revision,
        digest=digest,
        broken=MappingProxyType(broken),
        versions=MappingProxyType(versions),
        read_keys=frozenset(key for rule in running for key in read_keys(rule)) | scored_keys(scoring),
        thresholds=frozenset(
            each for rule in running for condition in rule.conditions for each in condition.thresholds()
        ),
    )


async def _older_versions(
    session: AsyncSession, policy: Policy, scoring: Scoring | None
) -> dict[tuple[str, int], Rule]:
    """Those with customers in them, and the one before the current: others may just be entering it."""
    is_current = col(RuleVersion.version) == col(RuleRow.version)
    is_in_use = exists().where(
        _passage.c.rule_id == col(RuleVersion.rule_id),
        _passage.c.rule_version == col(RuleVersion.version),
        _passage.c.state == FollowUpState.ACTIVE.value,
    )
    rows = await session.execute(
        select(RuleRow, RuleVersion)
        .join(RuleVersion, col(RuleVersion.rule_id) == col(RuleRow.rule_id))
        .where(~is_current, or_(col(RuleVersion.version) == col(RuleRow.version) - 1, is_in_use))
        .order_by(col(RuleVersion.rule_id), col(RuleVersion.version))
    )
    versions: dict[tuple[str, int], Rule] = {}
    for row, version in rows:
        try:
            versions[row.rule_id, version.version] = replace(
                parsed(row, version, policy, scoring), version=version.version
            )
        except RuleError as error:
            log.warning(
                "rule.version_left_out", rule_id=row.rule_id, version=version.version, because=str(error)
            )
    return versions


_passage = table("follow_up", column("rule_id"), column("rule_version"), column("state"))


def parsed(row: RuleRow, version: RuleVersion, policy: Policy, scoring: Scoring | None) -> Rule:
    files = {version.path: version.source, **version.messages}
    read = load_folder(files, policy=policy, scoring=scoring)
    return replace(read.rules[0], version=row.version, state=RuleState(row.state))


async def stored_policy(session: AsyncSession) -> Policy:
    """The policy as this transaction sees it; the defaults where there is none, or it cannot be read."""
    content = await setting(session, POLICY)
    if content is None:
        return Policy()
    because = ""
    try:
        return parse_policy(content["source"], path=content["path"])
    except RuleError as error:
        because = str(error)
    # Going on with the defaults (quiet hours, caps) is the careful way to be wrong.
    log.error("policy.left_out", because=because)
    return Policy()


async def _stored_scoring(session: AsyncSession) -> Scoring | None:
    content = await setting(session, SCORING)
    if content is None:
        return None
    because = ""
    try:
        return parse_scoring(content["source"], path=content["path"])
    except RuleError as error:
        because = str(error)
    log.error("scoring.left_out", because=because)
    return None


async def setting(session: AsyncSession, name: str) -> Json | None:
    """A global value, if it was set."""
    return (
        await session.execute(select(col(Setting.content)).where(col(Setting.name) == name))
    ).scalar_one_or_none()


async def current_versions(session: AsyncSession) -> list[tuple[RuleRow, RuleVersion]]:
    """Every stored rule with its current text, by id."""
    rows = await session.execute(
        select(RuleRow, RuleVersion)
        .join(
            RuleVersion,
            and_(
                col(RuleVersion.rule_id) == col(RuleRow.rule_id),
                col(RuleVersion.version) == col(RuleRow.version),
            ),
        )
        .order_by(col(RuleRow.rule_id))
        .execution_options(populate_existing=True)
    )
    return [(row, version) for row, version in rows]


def read_keys(rule: Rule) -> frozenset[str]:
    """The keys of the signals that deciding about this rule reads."""
    keys = {rule.goal.event}
    for condition in rule.conditions:
        keys.update(threshold.key for threshold in condition.thresholds())
    for watch in _watches(rule):
        keys.add(watch.event)
        keys.update(nth_key(watch.event, rank) for rank in watch.ranks)
        if watch.is_first_watched:
            keys.add(first_key(watch.event))
    return frozenset(keys)


def scored_keys(scoring: Scoring | None) -> frozenset[str]:
    """The keys of the signals that a score reads."""
    return frozenset(each.key for each in scoring.pointed) if scoring is not None else frozenset()


def watched(rules: Collection[Rule], scoring: Scoring | None = None) -> dict[str, Watch]:
    """The union of what these rules and the scoring watch, by event or `@attribute`."""
    wanted = [watch for rule in rules for watch in _watches(rule)]
    wanted += scoring.watches() if scoring is not None else ()
    wanted += [Watch(event=rule.goal.event) for rule in rules]
    for rule in rules:
        keys = {each.key for condition in rule.conditions for each in condition.thresholds()}
        wanted += [Watch(event=key) for key in sorted(keys) if key.startswith("@")]
    return merge(wanted)


def _watches(rule: Rule) -> list[Watch]:
    return [watch for condition in rule.conditions for watch in condition.watches()]


async def put_setting(session: AsyncSession, name: str, content: Json, *, now: datetime) -> None:
    """Keep a global value."""
    await session.execute(
        insert(Setting)
        .values(name=name, content=content, changed_at=now)
        .on_conflict_do_update(index_elements=["name"], set_={"content": content, "changed_at": now})
    )

"""Propose: the one change that would help most now, and what follows when somebody answers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.edit import edit
from bot.flows.rules.publish import backfill_all, hold_time
from bot.flows.staff.acting import Answer
from bot.flows.versions.edit_scoring import edit_scoring, scoring_version
from bot.slack.ids import Action
from bot.slack.overview.orders import Order
from db.desk import audit
from db.desk.digests import touch_digests
from db.desk.precision import endings, scored_endings
from db.keeping.declined import resting_proposals, settle_proposal, settled_proposal
from db.rulebook.publications import set_state
from db.rulebook.rules import RuleBook, current_versions
from followups.measure.figures import Figures
from followups.measure.precision import Precision, ScoredEnding, precision_of
from followups.measure.proposals import REMEMBERED, Proposal, ScoredRule, proposals
from followups.rules.conditions import Condition
from followups.rules.conditions.customers import ScoreIs
from followups.rules.conditions.groups import Group
from followups.rules.hot_lead import HOT_LEAD
from followups.rules.model import Rule, RuleState
from followups.rules.parsing import RuleError
from followups.versions.leaves import Path, leaves

log = structlog.get_logger()

LOOKS_BACK = timedelta(weeks=12)
"""Leads closed within it are what thresholds and precision are judged by."""
_SCORE_PATH = ("score", "at_least")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A proposal as a button carries it. `version`: of the rule, or of scoring.yaml, that it is about."""

    proposal: Proposal
    version: int

    @property
    def value(self) -> str:
        """What the buttons carry."""
        one = self.proposal
        return f"{one.key}|{one.before or 0}|{one.after or 0}|{self.version}"


async def best_offer(session: AsyncSession, book: RuleBook, ever: Figures, *, now: datetime) -> Offer | None:
    """The best proposal now; None: nothing is worth it, or there is too little to judge by.

    Args:
        ever: the figures over all time.
    """
    since = now - LOOKS_BACK
    closed = await scored_endings(session, since=since, now=now)
    running = {rule.id for rule in book.rules if rule.id != HOT_LEAD and rule.state is not RuleState.SHADOW}
    found = proposals(
        ever,
        _scored_rules(book, closed),
        await precisions(session, book, since=since, now=now),
        running=running,
        declined=await resting_proposals(session, now=now),
    )
    if not found:
        return None
    best = found[0]
    if best.rule_id == HOT_LEAD:
        return Offer(proposal=best, version=await scoring_version(session))
    return Offer(proposal=best, version=book.by_id[best.rule_id].version)


async def precisions(
    session: AsyncSession, book: RuleBook, *, since: datetime, now: datetime
) -> tuple[Precision, ...]:
    """Each rule's precision, from the leads that people closed from then on."""
    return precision_of(await endings(session, since=since, now=now, timezone=book.policy.timezone))


def _scored_rules(book: RuleBook, closed: list[ScoredEnding]) -> list[ScoredRule]:
    found = []
    for rule in book.rules:
        threshold = _threshold_of(rule, book)
        some = [each for each in closed if each.rule_id == rule.id]
        if threshold is not None and some and rule.state is not RuleState.SHADOW:
            weeks = LOOKS_BACK / timedelta(weeks=1)
            found.append(
                ScoredRule(rule_id=rule.id, name=rule.name, threshold=threshold, endings=some, weeks=weeks)
            )
    return found


def _threshold_of(rule: Rule, book: RuleBook) -> float | None:
    if rule.id == HOT_LEAD:
        return book.scoring.threshold if book.scoring is not None else None
    asked = [at_least for condition in rule.conditions for at_least in _scores_asked(condition)]
    return asked[0] if len(asked) == 1 else None


def _scores_asked(condition: Condition) -> Iterator[float]:
    """The scores that a condition asks for, however deep; not under `none`, where more is less."""
    if isinstance(condition, ScoreIs):
        yield condition.at_least
    elif isinstance(condition, Group) and condition.kind != "none":
        for each in condition.members:
            yield from _scores_asked(each)


# --- answering --------------------------------------------------------------------------------------------


async def answer_proposal(session: AsyncSession, deps: Deps, order: Order) -> Answer:
    """Apply or decline a proposal; it is not made again for four weeks. Who may is for the caller.

    Raises:
        Refused: somebody settled it before, or what it is about has changed since.
    """
    now, by = deps.clock.now(), order.slack_user_id
    key, before, after, version = _read(order.about)
    kind, _, rule_id = key.partition(":")
    settled = await settled_proposal(session, key, now=now)
    if settled is not None:
        who = f"<@{settled['by']}>"
        raise Refused(f"この提案は{who}さんが先に処理しています。", f"{who} settled this proposal before.")
    is_applied = order.action is Action.APPLY
    if is_applied:
        try:
            await _apply(session, deps, kind, rule_id, by=by, before=before, after=after, version=version)
        except RuleError as error:
            raise Refused(f"変更できませんでした: {error}", f"it could not be changed: {error}") from None
    word = "applied" if is_applied else "declined"
    await settle_proposal(session, key, word=word, by=by, rests_for=REMEMBERED, now=now)
    await audit.record(
        session,
        actor=by,
        action=f"proposal.{word}",
        ids=deps.ids,
        now=now,
        proposal=key,
        before=before,
        after=after,
        version=version,
    )
    await touch_digests(session, key)
    log.info("proposal.answered", proposal=key, word=word, by=by)
    if is_applied:
        return Answer(
            ja="提案を適用しました。`rules export` にも反映され、履歴から元に戻せます。",
            en="The proposal is in force. It is in `rules export` too, and can be rolled back.",
        )
    return Answer(ja="4週間は提案しません。", en="It will not be proposed again for four weeks.")


def _read(value: str) -> tuple[str, int, int, int]:
    parts = value.split("|")
    if len(parts) != 4 or not all(
        each.isascii() and each.isdecimal() and len(each) < 9 for each in parts[1:]
    ):
        raise Refused("このボタンはもう使えません。", "This button does nothing any more.")
    return parts[0], int(parts[1]), int(parts[2]), int(parts[3])


async def _apply(
    session: AsyncSession,
    deps: Deps,
    kind: str,
    rule_id: str,
    *,
    by: str,
    before: int,
    after: int,
    version: int,
) -> None:
    now = deps.clock.now()
    if kind == "stop":
        await hold_time(session, deps)
        await backfill_all(
            session, await set_state(session, rule_id, RuleState.PAUSED, by=by, ids=deps.ids, now=now)
        )
    elif rule_id == HOT_LEAD:
        await edit_scoring(deps, session, [(("threshold",), after)], base_version=version, by=by)
    else:
        path = await _score_path(session, rule_id, before)
        await edit(deps, session, rule_id, [(path, after)], base_version=version, by=by)


async def _score_path(session: AsyncSession, rule_id: str, before: int) -> Path:
    for row, stored in await current_versions(session):
        if row.rule_id == rule_id:
            for path, value in leaves(stored.source).items():
                if path[-2:] == _SCORE_PATH and isinstance(value, int | float) and int(value) == before:
                    return path
    raise Refused(
        f"規則 {rule_id} の点数の基準は、もう {before} ではありません。",
        f"the rule {rule_id} does not ask for a score of {before} any more",
    )

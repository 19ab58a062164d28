"""What does a support lead's App Home show beside leads: what needs them, rules, quota, health?"""

from __future__ import annotations

from importlib.metadata import version

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.flows.measure.attention import needs
from bot.flows.measure.digest import offer_shown
from bot.flows.measure.kept_figures import KeptFigures
from bot.flows.measure.propose import best_offer
from bot.flows.staff.notices import notice
from bot.ports import Json
from bot.slack.overview.digest import Said
from bot.slack.overview.health import HealthShown
from bot.slack.overview.home import MOST_APPROVALS, FailedShown, QuotaShown, RuleLine, Steering
from bot.slack.rule_blocks import PauseShown, RuleShown
from db.deciding.pauses import current_pause
from db.deciding.quota import ALL, last_reading, month_of, outstanding, quota_left, spent_in
from db.desk.homes import under_way
from db.keeping.backlogs import backlogs
from db.keeping.vitals import vitals
from db.rulebook.learned import last_trial
from db.rulebook.rules import RuleBook, current_rulebook, current_versions
from db.talk.troubled import Troubled
from followups.budget import limit_of
from followups.measure.figures import Figures
from followups.measure.wording import added_said, effect_said
from followups.predict.reliability import reliability_said
from followups.rules.checks import Text
from followups.rules.model import Policy


async def standing(
    session: AsyncSession, deps: Deps, kept: KeptFigures, *, language: str, page: int
) -> Steering:
    """All of it, as it stands now; the figures as they were reckoned last."""
    now = deps.clock.now()
    book = await current_rulebook(session)
    found = await needs(session, book, kept.ever, now=now)
    waiting = await outstanding(session)
    pause = await current_pause(session)
    questions: list[list[Json]] = []
    for each in found.approvals[:MOST_APPROVALS]:
        content = {"approval_id": str(each.approval_id)}
        if (written := await notice(session, content, language=language, now=now)) is not None:
            questions.append(written.blocks)
    trial = await last_trial(session)
    lately = kept.lately.together
    return Steering(
        pause=PauseShown(
            by=pause.by if pause else None,
            at=pause.at if pause else None,
            waiting=sum(number for rule_id, number in waiting.items() if rule_id is not None),
        ),
        failed=tuple(_failed(each) for each in found.failed),
        failed_number=found.failed_number,
        approvals=tuple(questions),
        notes=(*_uncounted(len(found.approvals)), *found.notes),
        offer=offer_shown(await best_offer(session, book, kept.ever, now=now)),
        rules=await _rules(session, book, kept.ever, waiting),
        page=page,
        quota=await _quota(session, deps, book.policy),
        opted_out=(lately.opted_out, lately.eligible),
        added=_said(added_said(kept.ever)),
        learned=_said(reliability_said(trial)) if trial is not None else None,
        as_of=kept.as_of,
        health=await _health(session, deps),
    )


def _uncounted(questions: int) -> tuple[Said, ...]:
    if questions <= MOST_APPROVALS:
        return ()
    return (Said(ja=f"承認待ちが {questions} 件", en=f"{questions} questions wait for an approval"),)


def _said(text: Text) -> Said:
    return Said(ja=text.ja, en=text.en)


def _failed(one: Troubled) -> FailedShown:
    return FailedShown(
        customer_id=one.customer_id,
        message_id=one.message_id,
        state=one.state,
        name=one.name or one.external_id or "",
        kind=one.kind,
        rule_id=one.rule_id,
        because=one.because or "",
        at=one.at,
    )


async def _rules(
    session: AsyncSession, book: RuleBook, ever: Figures, waiting: dict[str | None, int]
) -> tuple[RuleLine, ...]:
    entered = await under_way(session)
    lines = []
    for row, _ in await current_versions(session):
        rule, figures = book.by_id.get(row.rule_id), ever.of(row.rule_id)
        lines.append(
            RuleLine(
                shown=RuleShown(
                    rule_id=row.rule_id,
                    name=rule.name if rule is not None else row.rule_id,
                    state=row.state,
                    version=row.version,
                    matched=figures.treated.eligible + figures.held_out.eligible if figures else 0,
                    sent=figures.treated.accepted if figures else 0,
                    opted_out=figures.treated.opted_out if figures else 0,
                    under_way=entered.get(row.rule_id, 0),
                    waiting=waiting.get(row.rule_id, 0),
                    broken=book.broken.get(row.rule_id),
                ),
                reached=figures.treated.reached if figures else 0,
                judged=figures.treated.judged if figures else 0,
                effect=_said(effect_said(figures.effect)) if figures else None,
            )
        )
    return tuple(lines)


async def _quota(session: AsyncSession, deps: Deps, policy: Policy) -> QuotaShown | None:
    now = deps.clock.now()
    reading = await last_reading(session)
    if reading is None:
        return None
    limit = limit_of(reading.limit, monthly=policy.quota_monthly, yen_per_extra=policy.yen_per_extra)
    left = await quota_left(session, policy, now=now)
    spent = (await spent_in(session, month_of(now))).get(ALL, 0)
    is_this_month = month_of(reading.at) == month_of(now)
    used = reading.used + spent - reading.spent.get(ALL, 0) if is_this_month else spent
    return QuotaShown(used=max(0, used), limit=limit, left=left.messages)


async def _health(session: AsyncSession, deps: Deps) -> HealthShown:
    now = deps.clock.now()
    work, server = await backlogs(session, now=now), await vitals(session)
    kept = {"fsync": server.fsync, "synchronous_commit": server.synchronous_commit}
    kept["full_page_writes"] = server.full_page_writes
    return HealthShown(
        waiting=tuple((each.kind, each.rows, each.oldest) for each in work.waiting if each.rows),
        tick_age=work.tick_age,
        unsafe=tuple(f"{name}=off" for name, value in kept.items() if value == "off"),
        program=version("yorisoi"),
        database=f"{server.version // 10_000}.{server.version % 10_000}",
        schema=server.revision or "–",
    )

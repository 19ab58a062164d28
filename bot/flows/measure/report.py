"""What did the rules achieve, in numbers? The one source of figures for every report."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.intake.named_rules import stored_rule
from db.deciding.exposures import Span, counted, days, exposures
from db.deciding.outcomes import work_out
from db.rulebook.rules import RuleBook, current_rulebook
from followups.facts import Arm
from followups.measure.figures import Counts, Figures, Told, figures_of


async def figures(
    deps: Deps, *, start: datetime | None = None, end: datetime | None = None, rule_id: str | None = None
) -> Figures:
    """The figures of all rules that somebody entered, or of one, after bringing the outcomes up to date.

    Args:
        start: only passages that began from then on; None: all. An effect is best read over all of them.
        end: only passages that began before; None: until now.
        rule_id: only this rule.

    Raises:
        Refused: there is no such rule, or the span is empty.
    """
    now = deps.clock.now()
    if start is not None and start >= (end or now):
        raise Refused(
            ja="期間が空です。開始日を終了日より前にしてください。",
            en="the span is empty (the first day must lie before the last)",
        )

    async def read(session: AsyncSession) -> Figures:
        return await figures_in(session, start=start, end=end, rule_id=rule_id, now=now)

    return await deps.db.run(read)


async def figures_in(
    session: AsyncSession, *, start: datetime | None, end: datetime | None, rule_id: str | None, now: datetime
) -> Figures:
    """The same within a transaction that is under way."""
    book = await current_rulebook(session)
    if rule_id is not None:
        stored_rule(rule_id, book)  # refuses what there is not
    await work_out(session, book, now=now)
    span = Span(start=start, end=end or now, rule_id=rule_id)
    by_day = await days(session, span, timezone=book.policy.timezone)
    return figures_of(
        await _told(session, book, span, now=now),
        by_day,
        start=start,
        end=span.end,
        timezone=book.policy.timezone,
        now=now,
    )


async def _told(session: AsyncSession, book: RuleBook, span: Span, *, now: datetime) -> list[Told]:
    seen = await exposures(session, span, now=now)
    empty = Counts()
    treated: defaultdict[str, dict[str | None, Counts]] = defaultdict(dict)
    held: dict[str, Counts] = {}
    for rule_id, arm, variant, counts in await counted(session, span, now=now):
        if arm == Arm.HELD_OUT:
            held[rule_id] = held.get(rule_id, empty) + counts
        else:
            treated[rule_id][variant] = counts
    told = []
    for rule_id in sorted({*treated, *held} | ({span.rule_id} if span.rule_id is not None else set())):
        rule = book.by_id.get(rule_id)
        of_rule = treated.get(rule_id, {})
        told.append(
            Told(
                rule_id=rule_id,
                name=rule.name if rule is not None else "",
                goal_event=rule.goal.event if rule is not None else "",
                goal_within=rule.goal.within if rule is not None else None,
                treated=sum(of_rule.values(), empty),
                held_out=held.get(rule_id, empty),
                by_variant={key: each for key, each in of_rule.items() if key is not None},
                exposures=seen.get(rule_id, ()),
            )
        )
    return told

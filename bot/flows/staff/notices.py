"""What do notices among the alerts show now: questions to support leads, backtests?"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.rule_blocks.forecast import ForecastShown, forecast
from bot.slack.rule_blocks.questions import Question, question
from db.deciding.approvals import approval_shown
from db.deciding.forecasts import forecast_by_id
from db.rulebook.rules import RuleBook, current_rulebook
from followups.rules.model import Rule, SendStep, every_step
from followups.times.zones import local_day, zone_of


async def notice(session: AsyncSession, content: Json, *, language: str, now: datetime) -> Written | None:
    """The message as it has to look now; None: what it is about is gone, or the content is no notice."""
    if approval_id := content.get("approval_id"):
        return await _question(session, UUID(str(approval_id)), language=language, now=now)
    if forecast_id := content.get("forecast_id"):
        return await _forecast(session, UUID(str(forecast_id)), language=language)
    return None


async def _question(
    session: AsyncSession, approval_id: UUID, *, language: str, now: datetime
) -> Written | None:
    found = await approval_shown(session, approval_id)
    if found is None:
        return None
    row, waiting = found
    book = await current_rulebook(session)
    rule = book.by_id.get(row.rule_id)
    today = local_day(now, zone_of(book.policy.timezone))
    is_day = row.day is not None
    asked = Question(
        approval_id=row.approval_id,
        rule_id=row.rule_id,
        rule_name=rule.name if rule is not None else "",
        version=row.rule_version,
        is_day=is_day,
        recipients=row.recipients,
        text=_sample(rule, language) if is_day else row.text,
        state=row.state,
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        is_over=row.day is not None and row.day < today,
        waiting=waiting,
    )
    return question(asked, language=language)


def _sample(rule: Rule | None, language: str) -> str:
    """The first text the rule writes, placeholders and all."""
    for step in every_step(rule.steps) if rule is not None else ():
        if isinstance(step, SendStep):
            texts = step.message.text
            return texts.get(language) or next(iter(texts.values()), "")
    return ""


async def _forecast(session: AsyncSession, forecast_id: UUID, *, language: str) -> Written | None:
    row = await forecast_by_id(session, forecast_id)
    if row is None:
        return None
    name = _name(await current_rulebook(session), row.rule_id)
    told = row.outcome.get(language) or row.outcome.get("ja") or {}
    shown = ForecastShown(
        rule_id=row.rule_id,
        rule_name=name,
        by=row.by,
        state=row.state,
        done=row.done,
        total=row.total,
        **told,
    )
    return forecast(shown, language=language)


def _name(book: RuleBook, rule_id: str) -> str:
    rule = book.by_id.get(rule_id)
    return rule.name if rule is not None else rule_id

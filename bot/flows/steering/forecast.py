"""Forecast: backtests that were asked for in Slack run, one at a time, and say how far they are."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.backtest import Backtested, backtest
from bot.ports import Json
from db.deciding.forecasts import (
    MOST_ATTEMPTS,
    ForecastRow,
    ForecastState,
    finish,
    go_on,
    take_forecast,
)
from db.desk.notices import touch_notices
from followups.words.gates import gate_said
from followups.words.wording import span_en, span_ja

log = structlog.get_logger()

MOST_GATES = 6


async def forecast(deps: Deps) -> int:
    """Run what was asked for; how many were finished. A run that dies is begun again by the next."""
    finished = 0
    while (
        row := await deps.db.run(lambda session: take_forecast(session, now=deps.clock.now()))
    ) is not None:
        if row.attempts > MOST_ATTEMPTS:
            await _finish(deps, row, ForecastState.FAILED, _both(because="…"))
            continue
        await _run(deps, row)
        finished += 1
    return finished


async def _run(deps: Deps, row: ForecastRow) -> None:
    progress = asyncio.Queue[tuple[int, int]]()

    async def say() -> None:
        while True:
            done, total = await progress.get()
            while not progress.empty():
                done, total = progress.get_nowait()
            await _tell_progress(deps, row, done, total)

    telling = asyncio.create_task(say())
    try:
        answer = await backtest(
            deps, [row.rule_id], on_customers=lambda done, total: progress.put_nowait((done, total))
        )
        state, outcome = ForecastState.DONE, _outcome(answer)
    except Refused as refused:
        state, outcome = ForecastState.FAILED, {"ja": {"because": refused.ja}, "en": {"because": refused.en}}
    except Exception:
        ref = deps.ids.token()[:8]
        log.exception("forecast.failed", ref=ref, rule_id=row.rule_id)
        state, outcome = ForecastState.FAILED, _both(because=ref)
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    await _finish(deps, row, state, outcome)


async def _tell_progress(deps: Deps, row: ForecastRow, done: int, total: int) -> None:
    async def write(session: AsyncSession) -> None:
        if await go_on(session, row, done=done, total=total, now=deps.clock.now()):
            await touch_notices(session, [_notice(row)])

    await deps.db.run(write)
    await deps.waker.wake("post")


async def _finish(deps: Deps, row: ForecastRow, state: ForecastState, outcome: Json) -> None:
    async def write(session: AsyncSession) -> bool:
        is_mine = await finish(session, row, state, outcome, now=deps.clock.now())
        if is_mine:
            await touch_notices(session, [_notice(row)])
        return is_mine

    if await deps.db.run(write):
        log.info("forecast.finished", rule_id=row.rule_id, state=state.value)
        await deps.waker.wake("post")


def _notice(row: ForecastRow) -> str:
    return f"forecast:{row.forecast_id}"


def _both(**told: Any) -> Json:
    return {"ja": told, "en": told}


def _outcome(answer: Backtested) -> Json:
    """The figures for people, by language; `bot.slack.rule_blocks.forecast.ForecastShown` takes them."""
    rule = answer.forecast.rules[0]
    common: Json = {
        "matched": rule.matched,
        "entered": rule.entered,
        "escalations": sum(rule.escalations),
        "by_day": list(rule.sends),
        "days": [day.isoformat() for day in answer.forecast.days],
    }
    held = sorted(rule.held.items(), key=lambda pair: -pair[1].occasions)[:MOST_GATES]
    told: Json = {}
    for language in ("ja", "en"):
        is_ja = language == "ja"
        rate = None
        if rule.judged:
            span = span_ja(rule.goal_within) if is_ja else span_en(rule.goal_within)
            share = "–" if rule.rate is None else f"{rule.rate:.1%}"
            rate = f"{share} ({rule.reached:,}/{rule.judged:,}, {rule.goal_event} {span})"
        told[language] = {
            **common,
            "gates": [f"{gate_said(gate, language)} {counted.occasions:,}" for gate, counted in held],
            "rate": rate,
            "notes": _notes(answer, is_ja=is_ja),
        }
    return told


def _notes(answer: Backtested, *, is_ja: bool) -> list[str]:
    notes = [
        "全員が LINE と連携済み・同意済みで、誰も返信しないと仮定しています。"
        if is_ja
        else "Everybody is taken as linked and agreed, and nobody answers."
    ]
    if answer.really_sent:
        notes.append(
            f"この期間に実際に {answer.really_sent:,} 通送っています。何もしない場合の割合ではありません。"
            if is_ja
            else f"{answer.really_sent:,} messages were really sent in this time:"
            " the share is not one of doing nothing."
        )
    return notes

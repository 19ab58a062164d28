"""Ask: a support lead wants a rule tried on the past, and the result as a message."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import Refused
from bot.flows.steering.leading import Steering, Told
from bot.intake.named_rules import stored_rule
from db.deciding.forecasts import ask_forecast, under_way
from db.desk import audit
from db.desk.audit import NOBODY
from db.desk.notices import add_notice
from db.rulebook.rules import current_rulebook


async def ask_for_forecast(session: AsyncSession, act: Steering) -> Told:
    """Have the rule replayed; one at a time, in the order asked.

    Raises:
        Refused: there is no such rule, it cannot be read, or it is being tried already.
    """
    rule_id, deps = act.subject.name, act.deps
    stored_rule(rule_id, await current_rulebook(session))
    if (running := await under_way(session, rule_id)) is not None:
        raise Refused(
            f"規則 {rule_id} はいま試しています（<@{running.by}> の依頼）。終わるとメッセージが届きます。",
            f"The rule {rule_id} is being tried just now (asked by <@{running.by}>). The result is posted.",
        )
    forecast_id = deps.ids.uuid()
    channel = deps.settings.slack_alerts_channel or deps.settings.slack_leads_channel or ""
    await ask_forecast(session, forecast_id, rule_id=rule_id, by=act.by, channel=channel, now=act.now)
    content = {"forecast_id": str(forecast_id)}
    await add_notice(session, NOBODY, f"forecast:{forecast_id}", content, ids=deps.ids, now=act.now)
    await audit.record(
        session, actor=act.by, action="backtest.asked", ids=deps.ids, now=act.now, rule_id=rule_id
    )
    return Told(
        ja=f"規則 {rule_id} を過去90日で試します。途中経過と結果は <#{channel}> に出ます。",
        en=f"The rule {rule_id} is being tried on the past 90 days. Progress and result are posted in"
        f" <#{channel}>.",
        wakes=("forecast",),
    )

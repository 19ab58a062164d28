"""How many customers and weeks does a rule's comparison need, judged by the own history?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.deps import Deps
from bot.errors import Refused
from bot.flows.rules.backtest import backtest
from bot.intake.named_rules import rule_named
from db.rulebook.rules import current_rulebook
from followups.experiments import share_held_out
from followups.measure.planning import Plan, plan

LOOKS_BACK = timedelta(days=90)
USUAL_HOLDOUT = 0.1
"""What is planned with where neither the rule nor the policy holds anybody out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The plan of one rule. `is_holdout_set`: False: nobody is held out yet, the plan takes 10 %."""

    rule_id: str
    plan: Plan
    is_holdout_set: bool


async def plan_rule(deps: Deps, name: str) -> Planned:
    """Replay the last 90 days through a rule: how many it meets, and how many of them need no message.

    Args:
        name: the id of a stored rule in any state, or the path of a rule file.

    Raises:
        Refused: there is no such rule, or its history says nothing about the goal yet.
        RuleError, Misconfigured: the file has mistakes, or does not exist.
    """
    async with deps.db.begin() as session:
        book = await current_rulebook(session)
    rule = rule_named(name, book)
    replayed = await backtest(deps, [name], start=LOOKS_BACK)
    (forecast,) = replayed.forecast.rules
    if forecast.rate is None or not forecast.judged:
        raise Refused(
            ja=f"「{name}」の達成率を見積もれる記録がまだありません。"
            "出来事を取り込んでから、もう一度お試しください。",
            en=f"the known history says nothing about the goal of {name} yet (import events, then ask again)",
        )
    share = share_held_out(book.policy, rule)
    weeks = len(replayed.forecast.days) / 7
    met = forecast.entered / (1 - share) if share < 1 else 0.0  # a replay counts the treated only
    return Planned(
        rule_id=forecast.rule_id,
        plan=plan(forecast.rate, met / weeks, holdout=share or USUAL_HOLDOUT),
        is_holdout_set=share > 0,
    )

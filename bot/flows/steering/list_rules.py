"""Which rules are there, how do they stand, and is everything paused?"""

from __future__ import annotations

from bot.deps import Deps
from bot.flows.rules.publish import overview
from bot.slack.cards import Written
from bot.slack.rule_blocks.rows import PauseShown, RuleShown, rules_list
from db.deciding.pauses import current_pause
from db.rulebook.rules import current_rulebook
from db.rulebook.standing import Standing, standing_by_rule

_ORDER = {"live": 0, "canary": 1, "shadow": 2, "paused": 3, "draft": 4}


async def shown_rules(deps: Deps) -> tuple[list[RuleShown], PauseShown]:
    """Every stored rule as lists show it, running ones first; and the pause in force, with what waits."""
    lines = await overview(deps)
    async with deps.db.begin() as session:
        standing = await standing_by_rule(session)
        pause = await current_pause(session)
        broken = (await current_rulebook(session)).broken
    nothing = Standing()
    rules = [
        RuleShown(
            rule_id=line.rule_id,
            name=line.name if line.rule_id not in broken else line.rule_id,
            state=line.state,
            version=line.version,
            matched=line.matched,
            sent=line.sent,
            opted_out=standing.get(line.rule_id, nothing).opted_out,
            under_way=standing.get(line.rule_id, nothing).under_way,
            waiting=standing.get(line.rule_id, nothing).waiting,
            broken=broken.get(line.rule_id),
        )
        for line in lines
    ]
    rules.sort(key=lambda rule: (_ORDER.get(rule.state, 9), rule.rule_id))
    waiting = sum(each.waiting for each in standing.values())
    if pause is None:
        return rules, PauseShown(waiting=waiting)
    return rules, PauseShown(by=pause.by, at=pause.at, waiting=waiting)


async def list_rules(deps: Deps, *, language: str, page: int = 0) -> Written:
    """The list as a message."""
    rules, pause = await shown_rules(deps)
    return rules_list(rules, pause, language=language, page=page)

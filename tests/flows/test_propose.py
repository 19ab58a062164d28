"""Does one press on a suggestion change the rule it is about, and nothing when the rule is another by now?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.flows.rules.edit import edit_rule
from bot.flows.rules.publish import publish
from db.engine import Database
from db.rulebook.rules import RuleRow, RuleVersion
from followups.rules.model import RuleState
from tests.flows.desk import Desk, desk
from tests.flows.test_digest import SCORES, answer, closed, digests, settle

KEEN = """\
id: keen
name: 関心の高い方
state: live
goal: {event: bought, within: 7d}
when:
  all:
    - event: login
      last: {less_than: 7d}   # still here
    - score: {at_least: 60}   # by scoring.yaml
then:
  - escalate: {reason: 点数が高い}
"""


@pytest.fixture
async def d(db: Database) -> AsyncIterator[Desk]:
    async with desk(db) as d:
        d.set(slack_alerts_channel=d.slack.add_channel("alerts"))
        await publish(
            d.deps, {"scoring.yaml": SCORES.replace("threshold: 65   # agreed with sales\n", "")}, by="test"
        )
        await publish(d.deps, {"keen.yaml": KEEN}, by="test")
        yield d


async def shown(d: Desk) -> Any:
    await settle(d)
    (found,) = digests(d)
    return found


async def row(d: Desk) -> RuleRow:
    (found,) = await d.rows(RuleRow)
    assert isinstance(found, RuleRow)
    return found


async def test_a_rules_own_threshold_becomes_a_new_version_of_the_rule(d: Desk) -> None:
    await closed(d, ("won", 85, 20), ("dismissed", 62, 20), rule_id="keen")
    suggestion = await shown(d)
    assert "60 → 85" in suggestion.text
    await answer(d, suggestion, "proposal.apply")
    versions = sorted(await d.rows(RuleVersion), key=lambda each: each.version)
    assert [(each.version, each.origin) for each in versions] == [(1, "file"), (2, "edit")]
    assert versions[1].source == KEEN.replace("at_least: 60", "at_least: 85")
    assert versions[1].created_by == d.suzuki


async def test_nothing_is_changed_when_somebody_edited_the_rule_meanwhile(d: Desk) -> None:
    await closed(d, ("won", 85, 20), ("dismissed", 62, 20), rule_id="keen")
    suggestion = await shown(d)
    path = ("when", "all", 1, "score", "at_least")
    await edit_rule(d.deps, "keen", [(path, 70)], base_version=1, by="taro")
    await answer(d, suggestion, "proposal.apply")
    assert (await row(d)).version == 2
    assert "85" not in max(await d.rows(RuleVersion), key=lambda each: each.version).source
    assert "70" in d.whispers(d.suzuki)[-1] or "もう 60 ではありません" in d.whispers(d.suzuki)[-1]


async def test_a_rule_whose_leads_are_worth_nothing_is_paused_by_one_press(d: Desk) -> None:
    await closed(d, ("won", 61, 1), ("dismissed", 61, 59), rule_id="keen")
    suggestion = await shown(d)
    assert "60 件のうち" in suggestion.text
    await answer(d, suggestion, "proposal.apply")
    assert (await row(d)).state == RuleState.PAUSED
    await answer_again(d)


async def answer_again(d: Desk) -> None:
    """The button is gone, and the rule stays."""
    (rewritten,) = digests(d)
    assert [each.action_id for each in rewritten.buttons()] == []
    await settle(d)
    assert (await row(d)).state == RuleState.PAUSED


async def test_thin_data_brings_no_suggestion_but_the_precision_is_told(d: Desk) -> None:
    await closed(d, ("won", 61, 4), ("dismissed", 61, 4), rule_id="keen")
    suggestion = await shown(d)
    assert [each.action_id for each in suggestion.buttons()] == []
    assert "関心の高い方: 50% (4/8) 誤検知 4" in suggestion.plain_text()

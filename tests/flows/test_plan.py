"""Is it said before a comparison starts how many customers it needs?"""

from __future__ import annotations

import pytest

from bot.cli.report.text import plan_told
from bot.errors import Refused
from bot.flows.measure.plan import plan_rule
from db.engine import Database
from followups.measure import sample_size
from tests.flows.shop import Shop, inactive


@pytest.fixture
async def shop(db: Database) -> Shop:
    """Ten customers go quiet for three weeks within the last 90 days; two of them come back by themselves."""
    shop = Shop(db)
    for number in range(10):
        customer_id = await shop.customer(f"c{number}")
        await shop.track(customer_id, "login", shop.ago(days=60))
        if number < 2:
            await shop.track(customer_id, "login", shop.ago(days=43))
    other = await shop.customer("other")
    await shop.track(other, "login", shop.ago(days=1))
    await shop.publish(inactive(state="shadow", again_after="90d", holdout="20%"))
    return shop


async def test_the_plan_comes_from_the_own_history(shop: Shop):
    planned = await plan_rule(shop.deps, "inactive")
    assert planned.is_holdout_set
    assert planned.plan.holdout == pytest.approx(0.2)
    assert planned.plan.baseline == pytest.approx(1 / 7)  # of the ten, three are held out by chance
    assert planned.plan.per_week == pytest.approx(7 / 0.8 / (90 / 7), rel=0.05)
    assert planned.plan.wanted[0.05] == sample_size(1 / 7, 1 / 7 + 0.05, holdout=0.2)
    lines = "\n".join(plan_told(planned, "en"))
    assert "14.3% reach the goal without any message" in lines
    assert "to see +5.0 points: " in lines
    assert "何もしなくても目標を達成する割合 14.3%" in "\n".join(plan_told(planned, "ja"))


async def test_a_rule_that_holds_nobody_out_is_told_to(shop: Shop):
    await shop.publish(inactive("open", state="shadow", holdout="0%"))
    planned = await plan_rule(shop.deps, "open")
    assert (planned.is_holdout_set, planned.plan.holdout) == (False, 0.1)
    assert "write holdout: 10%" in "\n".join(plan_told(planned, "en"))


async def test_without_a_rule_or_its_history_nothing_is_promised(shop: Shop):
    await shop.publish(inactive("new", when="{event: login, last: {more_than: 80d}}"))
    with pytest.raises(Refused, match="says nothing about the goal"):
        await plan_rule(shop.deps, "new")
    with pytest.raises(Refused, match="nobody"):
        await plan_rule(shop.deps, "nobody")

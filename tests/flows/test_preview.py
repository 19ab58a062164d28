"""Does a preview say whom a rule would reach now, with which words, and what keeps it from the others?"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import Refused
from bot.flows.rules.preview import preview, told
from bot.flows.rules.publish import switch
from db.deciding.followups import DecisionRow
from db.engine import Database
from db.talk.messages import Message
from followups.rules.model import RuleState
from tests.flows.shop import Shop, inactive


async def quiet_customers(db: Database, number: int = 3) -> Shop:
    """Customers quiet for 20 days, and one who is not."""
    shop = Shop(db)
    for n in range(number):
        await shop.track(await shop.customer(f"c{n}"), "login", shop.ago(days=20))
    await shop.track(await shop.customer("busy"), "login", shop.ago(days=1))
    return shop


async def test_a_draft_is_previewed_as_if_it_were_live_and_nothing_is_written(db: Database) -> None:
    shop = await quiet_customers(db)
    await shop.publish(inactive(state="draft"))
    seen: list[tuple[int, int]] = []
    answer = await preview(shop.deps, "inactive", on_customers=lambda done, total: seen.append((done, total)))
    assert (answer.matched, answer.sends, answer.escalations, answer.withheld) == (3, 3, 0, {})
    assert seen == [(3, 3)]
    assert len(answer.samples) == 3
    assert answer.samples[0].said.ja == "田中様、お困りではありませんか。"
    assert answer.samples[0].length == 16
    assert await shop.rows(DecisionRow) == []
    assert await shop.rows(Message) == []


async def test_who_is_kept_from_it_is_told_by_reason(db: Database) -> None:
    shop = await quiet_customers(db, 2)
    await shop.track(await shop.customer("silent", agreed=False), "login", shop.ago(days=20))
    await shop.publish(inactive(state="draft"))
    answer = await preview(shop.deps, "inactive")
    assert (answer.matched, answer.sends, answer.withheld) == (3, 2, {"consent": 1})
    english = "\n".join(told(answer, "en"))
    assert "3 customers match" in english
    assert "consent: no consent" in english
    assert "16/5,000 UTF-16 units" in english
    assert "同意なし" in "\n".join(told(answer, "ja"))


async def test_what_was_sent_already_and_rules_that_go_first_are_reasons_too(db: Database) -> None:
    shop = await quiet_customers(db, 2)
    await shop.publish(inactive("first", priority="90"), inactive("later", state="draft"))
    answer = await preview(shop.deps, "later")
    assert answer.withheld == {"arbitration": 2}
    await shop.settle()
    assert (await preview(shop.deps, "later")).withheld == {"caps": 2}
    assert (await preview(shop.deps, "first")).withheld == {"under_way": 2}


async def test_at_night_it_says_so(db: Database) -> None:
    shop = await quiet_customers(db, 1)
    await shop.publish(inactive(state="draft"))
    shop.clock.turn_to(shop.clock.now().replace(hour=14))
    assert (await preview(shop.deps, "inactive")).withheld == {"quiet_hours": 1}


async def test_a_file_that_looks_at_what_nothing_keeps_yet_is_answered_from_the_events(
    db: Database, tmp_path: Path
) -> None:
    shop = Shop(db)
    for name, times in (("c1", 3), ("c2", 2)):
        customer_id = await shop.customer(name, renewal="2026-11-26")
        for n in range(times):
            await shop.track(customer_id, "view", shop.ago(days=n, hours=1))
    file = tmp_path / "keen.yaml"
    file.write_text(inactive("keen", when="{event: view, count: {at_least: 3, within: 4d}}")["keen.yaml"])
    answer = await preview(shop.deps, str(file))
    assert (answer.matched, answer.sends, answer.is_history_read) == (1, 1, True)
    assert [sample.customer for sample in answer.samples] == ["c1"]
    dated = tmp_path / "dated.yaml"
    dated.write_text(inactive("dated", when="{attribute: renewal, within: 3d}")["dated.yaml"])
    assert (await preview(shop.deps, str(dated))).matched == 2


async def test_a_paused_rule_can_be_previewed_and_an_unknown_one_is_refused(db: Database) -> None:
    shop = await quiet_customers(db, 1)
    await shop.publish(inactive())
    await switch(shop.deps, "inactive", RuleState.PAUSED, by="test")
    assert (await preview(shop.deps, "inactive")).sends == 1
    with pytest.raises(Refused, match="no rule"):
        await preview(shop.deps, "inactiv")

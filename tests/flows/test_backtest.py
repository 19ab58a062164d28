"""Does a backtest of the stored history decide as the program would have, living through it?"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col

from bot.cli.forecasts.page import page_of
from bot.cli.forecasts.text import json_of, sparkline, told
from bot.errors import Refused
from bot.flows.rules.backtest import backtest
from db.deciding.followups import DecisionRow, FollowUpRow
from db.engine import Database
from db.intake.events import Event
from db.intake.histories import known_since, times_of
from followups.backtest import Past, Replay, reachable
from followups.facts import Facts
from tests.flows.shop import Shop, inactive

RULES: Mapping[str, str] = {
    **inactive("quiet", when="{event: login, last: {more_than: 5d}}", again_after="12d", priority="40"),
    **inactive("twin", when="{event: login, last: {more_than: 5d}}", again_after="9d", priority="30"),
    **inactive(
        "stuck",
        when="{stalled: {since: {event: signup}, without: {event: setup}, for: 2d}}",
        goal="{event: setup, within: 3d}",
        again_after=None,
        priority="70",
    ),
    **inactive(
        "keen",
        when="{event: view, count: {at_least: 3, within: 4d}}",
        goal="{event: order, within: 2d}",
        again_after="6d",
    ),
}
DAYS = 24


async def test_a_backtest_decides_as_living_through_the_history_did(db: Database) -> None:
    """A dozen customers, 24 days in steps of three hours; every event lies on a step."""
    shop, chance = Shop(db), random.Random(11)
    start = shop.clock.now()
    ids = {await shop.customer(f"c{number}"): number for number in range(12)}
    happenings: list[tuple[int, UUID, str]] = []
    for customer_id, number in ids.items():
        for name in ("login", "view", "signup", "setup", "order"):
            steps = [chance.randrange(1, DAYS * 8) for _ in range(chance.randrange(1 + number % 4, 8))]
            happenings += [(step, customer_id, name) for step in steps]
    await shop.publish(RULES)
    await shop.settle()
    at: dict[int, list[tuple[UUID, str]]] = {}
    for step, customer_id, name in happenings:
        at.setdefault(step, []).append((customer_id, name))
    for step in range(1, DAYS * 8):
        shop.clock.turn(timedelta(hours=3))
        for customer_id, name in at.get(step, ()):
            await shop.track(customer_id, name)
        await shop.settle()
        await shop.accept_all()
    lived = sorted((row.customer_id, row.entered_at, row.rule_id) for row in await shop.rows(FollowUpRow))
    end = start + timedelta(days=DAYS)
    shop.clock.turn_to(end)
    replay = await replay_of(shop, start=start, end=end)
    replayed = []
    async with db.begin() as session:
        since = await known_since(session, above=UUID(int=0), limit=100)
        times = await times_of(session, list(since), replay.names, until=end)
    for customer_id in since:
        facts = Facts(customer_id=customer_id, external_id=None, attributes={"name": "田中"})
        past = Past(
            facts=reachable(facts, ["support"], at=start), known_from=start, events=times.get(customer_id, {})
        )
        replayed += [(customer_id, entry.at, entry.rule_id) for entry in replay.of(past).entries]
    assert sorted(replayed) == lived
    assert {rule_id for _, _, rule_id in lived} == {"quiet", "twin", "stuck", "keen"}
    waited = await shop.rows(DecisionRow, col(DecisionRow.verdict) == "wait")
    assert {"arbitration", "caps", "quiet_hours"} <= {row.gate for row in waited}
    whole = await backtest(shop.deps, ["keen", "quiet", "stuck", "twin"], start=start, end=end)
    assert sum(whole.forecast.sends) == len(lived)
    assert whole.really_sent == len(lived)
    assert whole == await backtest(shop.deps, ["stuck", "twin", "keen", "quiet"], start=start, end=end)


async def replay_of(shop: Shop, **span: Any) -> Replay:
    from db.rulebook.rules import current_rulebook

    async with shop.deps.db.begin() as session:
        book = await current_rulebook(session)
    return Replay(book.rules, book.policy, **span)


async def a_small_past(db: Database) -> Shop:
    """Two people, one of them unlinked: quiet since 30 days ago, one comes back 12 days ago."""
    shop = Shop(db)
    for name, days in (("c1", (30, 12)), ("c2", (30,))):
        customer_id = await shop.customer(name, agreed=name == "c1")
        for ago in days:
            await shop.track(customer_id, "login", shop.ago(days=ago))
    await shop.publish(inactive())
    return shop


async def test_nothing_is_written_and_a_person_can_read_it(db: Database, tmp_path: Path) -> None:
    shop = await a_small_past(db)
    before = len(await shop.rows(Event)), len(await shop.rows(DecisionRow))
    seen: list[tuple[int, int]] = []
    answer = await backtest(
        shop.deps,
        ["inactive"],
        start=timedelta(days=40),
        on_customers=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(2, 2)]
    assert (len(await shop.rows(Event)), len(await shop.rows(DecisionRow))) == before
    (line,) = answer.forecast.rules
    assert (line.matched, line.entered, sum(line.sends)) == (2, 2, 2)
    english = "\n".join(told(answer, "en"))
    assert "everybody is taken as linked on LINE and agreed" in english
    assert "messages 2: a day at least 0 / median 0 / at most 2" in english
    japanese = "\n".join(told(answer, "ja"))
    assert "全員が LINE と連携済み・同意済みと仮定" in japanese
    content = json.loads(json_of(answer))
    assert sum(content["rules"][0]["sends_by_day"]) == 2
    assert len(content["days"]) == len(content["sends_by_day"])
    page = page_of(answer, "ja")
    assert "<svg" in page
    assert "http://" not in page
    assert "https://" not in page


async def test_as_reachable_as_now_somebody_without_consent_is_held(db: Database) -> None:
    shop = await a_small_past(db)
    answer = await backtest(shop.deps, ["inactive"], start=timedelta(days=40), assume_reachable=False)
    (line,) = answer.forecast.rules
    assert line.entered == 1
    assert line.held["consent"].occasions == 1


async def test_a_rule_file_is_tried_before_it_is_published(db: Database, tmp_path: Path) -> None:
    shop = await a_small_past(db)
    file = tmp_path / "sooner.yaml"
    file.write_text(inactive("sooner", when="{event: login, last: {more_than: 7d}}")["sooner.yaml"])
    answer = await backtest(shop.deps, [str(file), "inactive"], start=timedelta(days=40))
    assert [rule.rule_id for rule in answer.forecast.rules] == ["inactive", "sooner"]
    assert answer.forecast.overlaps == {("inactive", "sooner"): 2}


async def test_what_cannot_be_replayed_is_refused(db: Database) -> None:
    shop = await a_small_past(db)
    with pytest.raises(Refused, match="no rule"):
        await backtest(shop.deps, ["inactiv"])
    with pytest.raises(Refused, match="named twice"):
        await backtest(shop.deps, ["inactive", "inactive"])
    with pytest.raises(Refused, match="empty"):
        await backtest(shop.deps, ["inactive"], start=shop.clock.now(), end=shop.ago(days=1))


def test_a_sparkline_shows_the_shape_and_never_hides_a_day() -> None:
    assert sparkline([0, 1, 4, 8]) == "·▂▅█"
    assert sparkline([0, 0]) == "··"
    assert len(sparkline([1] * 500)) == 60

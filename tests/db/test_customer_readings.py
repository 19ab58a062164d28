"""Does SQL miss anyone whose segment, stage or score changes what a rule says?"""

from __future__ import annotations

import random

import pytest
from sqlalchemy import delete, select

from bot.clock import TurnableClock
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import publish, rulebook
from db.deciding.ticks import dirty
from db.engine import Database
from db.intake.events import fold_due
from db.rulebook.candidates import full
from followups.rules.parsing import PolicyText
from tests.db.histories import EVENTS, POLICY, SCORING, STANDING, leaf, rule_file
from tests.db.test_candidates import History
from tests.wiring import deps_without_platforms

POLICY_TEXT = PolicyText(path="policy.yaml", source=POLICY)


def _leaf(rng: random.Random) -> dict[str, object]:
    return leaf(rng, rng.choice(STANDING))


def _condition(rng: random.Random) -> dict[str, object]:
    if rng.random() < 0.4:
        return _leaf(rng)
    beside = {"event": rng.choice(EVENTS), "last": {"less_than": rng.choice(["1d", "5d"])}}
    members = [_leaf(rng), rng.choice([_leaf(rng), beside])]
    return {rng.choice(["all", "any", "none"]): members}


async def _history(db: Database, seed: int) -> History:
    deps = deps_without_platforms(db)
    assert isinstance(deps.clock, TurnableClock)
    history = History(deps, deps.clock, seed)
    await history.begin()
    files = {f"rules/r{n}.yaml": rule_file(f"r{n}", _condition(history.rng)) for n in range(12)}
    async with db.begin() as session:
        await fold_due(session, now=deps.clock.now())
        await session.execute(delete(dirty))
    await publish(deps, {**files, "rules/scoring.yaml": SCORING}, by="test", policy=POLICY_TEXT)
    return history


@pytest.mark.parametrize("seed", range(4))
async def test_nobody_who_changes_is_missed(db: Database, seed: int) -> None:
    history = await _history(db, 7000 + seed)
    rules = dict((await rulebook(history.deps)).by_id)
    assert {customer for customer, _ in history.holding(rules)} <= await history.marked()
    await decide_due(history.deps)
    flips, missed = await history.run(30)
    assert flips > 20
    assert missed == set()


@pytest.mark.parametrize("seed", range(2))
async def test_the_full_statement_names_everyone_who_matches(db: Database, seed: int) -> None:
    history = await _history(db, 7100 + seed)
    now = history.clock.now()
    for rule in (await rulebook(history.deps)).rules:
        async with db.begin() as session:
            found = set(await session.scalars(full(rule.when, now=now)))
            everyone = {life.customer_id for life in history.lives}
        assert {customer for customer, _ in history.holding({rule.id: rule})} <= found
        assert found <= everyone


async def test_without_alarms_somebody_is_missed(db: Database) -> None:
    history = await _history(db, 7200)
    history.without = ("alarms",)
    await decide_due(history.deps)
    _, missed = await history.run(40)
    assert missed


async def test_a_scoring_is_published_with_the_folder_and_stays_without_one(db: Database) -> None:
    deps = deps_without_platforms(db)
    rule = {"rules/r.yaml": rule_file("r", {"score": {"at_least": 50}})}
    await publish(deps, {**rule, "rules/scoring.yaml": SCORING}, by="test")
    book = await rulebook(deps)
    assert book.scoring is not None
    assert {"login", "export", "signup"} <= book.read_keys
    assert [each.id for each in book.rules] == ["r"]
    applied = (await publish(deps, rule, by="test")).applied
    assert applied.unchanged == ("r",)
    assert applied.revision == book.revision
    with_threshold = f"{SCORING}threshold: 70\n"
    applied = (await publish(deps, {**rule, "rules/scoring.yaml": with_threshold}, by="test")).applied
    assert applied.revision == book.revision + 1
    assert [each.id for each in (await rulebook(deps)).rules] == ["r", "$hot-lead"]
    async with db.begin() as session:
        assert not list(await session.scalars(select(dirty.c.customer_id)))

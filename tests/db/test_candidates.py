"""Does SQL ever miss someone for whom a rule's conditions change?"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select
from sqlmodel import col

from bot.clock import TurnableClock
from bot.deps import Deps
from bot.flows.rules.decide import decide_due
from bot.flows.rules.publish import publish, rulebook
from bot.flows.rules.tick import tick
from db.deciding.ticks import Moved, Undecided, dirty, mark_dirty, move_watermark, ring_alarms
from db.engine import Database
from db.intake.events import NewEvent, fold_due, take_in
from db.intake.rhythms import Figures, begin_figures, put_figures
from db.intake.traits import Telling, take_tellings
from db.people.customers import Customer, LineUser
from db.rulebook.candidates import full, mark_crossings, read
from followups.rules.model import Rule
from followups.rules.parsing import PolicyText
from tests.db.histories import (
    ANSWERS,
    EVENTS,
    HOUR,
    KINDS,
    PLANS,
    POLICY,
    RHYTHMS,
    SCORING,
    STANDING,
    START,
    ZONES,
    Life,
    condition,
    leaf,
    rule_file,
)
from tests.wiring import deps_without_platforms

Pair = tuple[UUID, str]


class History:
    """A few customers living on at random, and what became of finding them."""

    def __init__(self, deps: Deps, clock: TurnableClock, seed: int, *, without: Collection[str] = ()) -> None:
        self.deps, self.clock, self.rng, self.without = deps, clock, random.Random(seed), without
        self.lives = [
            Life(external_id=f"c{number}", zone=self.rng.choice(ZONES), is_linked=self.rng.random() < 0.5)
            for number in range(12)
        ]
        self.sent = 0

    async def begin(self) -> None:
        async with self.deps.db.begin() as session:
            for number, life in enumerate(self.lives):
                session.add(
                    Customer(
                        customer_id=life.customer_id,
                        external_id=life.external_id,
                        timezone=life.zone,
                        created_at=START,
                    )
                )
                if life.is_linked:
                    session.add(
                        LineUser(
                            line_user_id=f"U{number:032d}", customer_id=life.customer_id, created_at=START
                        )
                    )
        for _ in range(5):
            await self.live()
            self.clock.turn(HOUR * 7)

    async def live(self) -> None:
        """Some things happen: on time, late, twice, or dated ahead; a few attributes change."""
        now = self.clock.now()
        events = []
        for life in self.rng.sample(self.lives, 4):
            name = self.rng.choice([*EVENTS, *EVENTS, *ANSWERS])
            properties = {"plan": self.rng.choice(PLANS), "n": self.rng.choice([1, 2])}
            at = now + self.rng.choice([0, 0, 0, -3, -30, -200, 5, 50]) * HOUR
            life.live(name, at, properties)
            self.sent += 1
            events.append(NewEvent(life.customer_id, name, at, f"m{self.sent}", properties))
        async with self.deps.db.begin() as session:
            await take_in(session, [*events, *events[:1]], now=now)
        for life in self.rng.sample(self.lives, 2):
            await self._identify(life, now=now)

    async def _identify(self, life: Life, *, now: datetime) -> None:
        day = (now + timedelta(days=self.rng.randint(-8, 8))).date()
        year = self.rng.choice([day.year, day.year, 2020])
        value = day.replace(year=year, day=min(day.day, 28)).isoformat()
        plan = self.rng.choice(PLANS)
        told: dict[str, Any] = {"day": self.rng.choice([value, value, value, "soon"]), "plan": plan}
        life.attributes = {name: each for name, each in told.items() if each is not None}
        telling = Telling(customer_id=life.customer_id, external_id=life.external_id, at=now, attributes=told)
        async with self.deps.db.begin() as session:
            changed = await take_tellings(session, [telling], default_timezone="Asia/Tokyo", now=now)
            await mark_dirty(session, changed, now=now)

    def holding(self, rules: dict[str, Rule]) -> set[Pair]:
        now = self.clock.now()
        return set().union(*(life.holding(rules, now=now) for life in self.lives))

    async def marked(self) -> set[UUID]:
        async with self.deps.db.begin() as session:
            return set(await session.scalars(select(dirty.c.customer_id)))

    async def undecided(self) -> int:
        async with self.deps.db.begin() as session:
            return len(list(await session.scalars(select(Undecided))))

    async def gather(self) -> None:
        """A tick, or one that leaves out a source of candidates."""
        if not self.without:
            await tick(self.deps)
            return
        now = self.clock.now()
        async with self.deps.db.begin() as session:
            if "changes" in self.without:
                await session.execute(delete(dirty))
            if "future" not in self.without:
                await fold_due(session, now=now)
            moved = await move_watermark(session, now=now)
            assert isinstance(moved, Moved)
            if "thresholds" not in self.without:
                book = await rulebook(self.deps)
                thresholds = {each for rule in book.rules for each in rule.when.thresholds()}
                await mark_crossings(session, thresholds, previous=moved.previous, now=now)
            if "alarms" not in self.without:
                await ring_alarms(session, now=now)

    async def publish(self, files: dict[str, str]) -> dict[str, Rule]:
        """Publish rules; with their full statements, or without; all rules there are then."""
        messages = {"rules/messages/checkin.yaml": "text: お元気でしょうか。下のトークからいつでもどうぞ。\n"}
        scoring = {"rules/scoring.yaml": SCORING}
        policy = PolicyText(path="policy.yaml", source=POLICY)
        await publish(self.deps, {**files, **messages, **scoring}, by="test", policy=policy)
        if "scan" in self.without:
            async with self.deps.db.begin() as session:
                await session.execute(delete(dirty))
        return dict((await rulebook(self.deps)).by_id)

    async def run(self, ticks: int, *, late: dict[str, str] | None = None) -> tuple[int, set[Pair]]:
        """Live through some ticks; how many flips there were, and who was missed.

        Args:
            late: rules that are published halfway.
        """
        rules = dict((await rulebook(self.deps)).by_id)
        before, flips, missed = self.holding(rules), 0, set[Pair]()
        for number in range(ticks):
            if late and number == ticks // 2:
                rules = await self.publish(late)
            self.clock.turn(timedelta(minutes=self.rng.choice([7, 61, 200, 600, 1500])))
            if self.rng.random() < 0.6:
                await self.live()
            await self.gather()
            after = self.holding(rules)
            marked = await self.marked()
            flipped = before ^ after
            flips += len(flipped)
            missed |= {pair for pair in flipped if pair[0] not in marked}
            await decide_due(self.deps)
            assert await self.undecided() == 0
            before = after
        return flips, missed


async def history_of(
    db: Database,
    seed: int,
    *,
    kinds: Collection[str] = (),
    size: int = 12,
    of: Sequence[str] = KINDS,
    **more: object,
) -> History:
    deps = deps_without_platforms(db)
    assert isinstance(deps.clock, TurnableClock)
    history = History(deps, deps.clock, seed, **more)  # type: ignore[arg-type]
    await history.begin()
    rng = history.rng
    wanted = [leaf(rng, kind) for kind in kinds] or [condition(rng, kinds=of) for _ in range(size)]
    files = {f"rules/r{n}.yaml": rule_file(f"r{n}", when) for n, when in enumerate(wanted)}
    async with db.begin() as session:
        await fold_due(session, now=deps.clock.now())
        await session.execute(delete(dirty))
    async with db.begin() as session:
        await begin_figures(session, now=deps.clock.now())
        await put_figures(session, Figures(measured_on=START.date(), gaps=RHYTHMS), now=deps.clock.now())
    await history.publish(files)
    return history


def rules_of(seed: int, size: int, *, kinds: Sequence[str] = KINDS) -> dict[str, str]:
    """Random rules by path."""
    rng = random.Random(seed)
    return {f"rules/late{n}.yaml": rule_file(f"late{n}", condition(rng, kinds=kinds)) for n in range(size)}


@pytest.mark.parametrize("seed", range(4))
async def test_nobody_whose_conditions_flip_is_missed(db: Database, seed: int) -> None:
    history = await history_of(db, seed)
    rules = dict((await rulebook(history.deps)).by_id)
    assert {customer for customer, _ in history.holding(rules)} <= await history.marked()
    await decide_due(history.deps)
    flips, missed = await history.run(30)
    assert flips > 10
    assert missed == set()


async def test_in_twenty_thousand_looks_at_a_rule_nobody_is_missed(db: Database) -> None:
    """100 random rules of every kind, 50 more halfway, 180 ticks, 12 customers: 22,500 rule-ticks."""
    every = (*KINDS, *STANDING)
    history = await history_of(db, 50, size=100, of=every)
    await decide_due(history.deps)
    flips, missed = await history.run(180, late=rules_of(51, 50, kinds=every))
    assert flips > 2000
    assert missed == set()


@pytest.mark.parametrize("seed", range(3))
async def test_every_kind_of_condition_alone_is_found(db: Database, seed: int) -> None:
    history = await history_of(db, 100 + seed, kinds=(*KINDS, *STANDING))
    await decide_due(history.deps)
    flips, missed = await history.run(30)
    assert flips > 30
    assert missed == set()


@pytest.mark.parametrize("source", ["thresholds", "changes", "alarms", "future", "scan"])
async def test_leaving_out_a_source_of_candidates_is_noticed(db: Database, source: str) -> None:
    history = await history_of(db, 200, kinds=KINDS * 2, without=(source,))
    await decide_due(history.deps)
    _, missed = await history.run(40, late=rules_of(201, 10))
    assert missed


@pytest.mark.parametrize("kind", ["trend", "idle", "anniversary", "stage", "score"])
async def test_leaving_out_the_alarms_of_one_kind_of_condition_is_noticed(db: Database, kind: str) -> None:
    history = await history_of(db, 210, kinds=[kind] * 8, without=("alarms",))
    await decide_due(history.deps)
    _, missed = await history.run(40)
    assert missed


@pytest.mark.parametrize("seed", range(3))
async def test_the_full_statement_names_everyone_who_matches_and_few_more(db: Database, seed: int) -> None:
    history = await history_of(db, 300 + seed)
    now, more, matching = history.clock.now(), 0, 0
    for rule in (await rulebook(history.deps)).rules:
        async with db.begin() as session:
            found = set(await session.scalars(full(rule.when, now=now)))
        holding = {customer for customer, _ in history.holding({rule.id: rule})}
        assert holding <= found, rule.when
        more, matching = more + len(found - holding), matching + len(holding)
    assert matching
    assert more < matching


@pytest.mark.parametrize("kind", [*KINDS, *STANDING])
async def test_each_condition_reads_the_same_in_sql_and_in_python(db: Database, kind: str) -> None:
    history = await history_of(db, 400, kinds=[kind] * 8)
    now = history.clock.now()
    for rule in (await rulebook(history.deps)).rules:
        holding = {customer for customer, _ in history.holding({rule.id: rule})}
        reading = read(rule.when, now=now)
        everyone = select(col(Customer.customer_id))
        async with db.begin() as session:
            may = set(await session.scalars(everyone.where(reading.may)))
            must = set(await session.scalars(everyone.where(reading.must)))
        assert must <= holding <= may, rule.when
        if kind not in {"attribute", "anniversary", "trend", "idle", *STANDING}:
            assert must == may

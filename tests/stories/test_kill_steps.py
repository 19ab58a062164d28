"""Does a rule of several steps, tried on a few first, lose or repeat a step when the program is killed?"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlmodel import col

from db.deciding.followups import DecisionRow, FollowUpRow
from db.deciding.rooms import Canary, CanaryState
from db.engine import Database
from db.rulebook.rules import RuleRow
from db.talk.messages import Message
from tests.stories.program import Program
from tests.stories.test_kill import PURCHASES_A_KILL, Shop, kill_often, now, shop_open

FIRST, SECOND = "ご注文を承りました。発送までお待ちください。", "お荷物は届きましたか。"
FEW = 5
RULE = f"""\
id: parcel
name: 発送のご案内
state: canary
goal: {{event: reviewed, within: 7d}}
during_conversation: send
when: {{event: bought, never: false}}
then:
  - send: {{text: "{FIRST}"}}
  - wait: {{for: 3d, until: {{event: arrived, never: false}}}}
  - send: {{text: "{SECOND}"}}
"""
POLICY = f"""\
quiet_hours: null
caps: null
silence_after_unanswered: null
approval_above: 10000
canary: {{size: {FEW}, for: 10h}}
"""
FILES = {"parcel.yaml": RULE, "policy.yaml": POLICY}


class Post(Shop):
    """A shop that sends parcels, most of which arrive, some even before the customer is written to."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.arrived: set[str] = set()

    async def buy(self, customer: str) -> None:
        await super().buy(customer)
        if self.rng.random() < 0.25:
            return
        await asyncio.sleep(self.rng.uniform(0, 2))
        body = {
            "userId": customer,
            "event": "arrived",
            "messageId": f"parcel-{customer}",
            "timestamp": now().isoformat(),
        }
        await self.until(lambda: self.post("/v1/track", body))
        self.arrived.add(customer)

    def read(self, customer: str) -> list[str]:
        return [each for each in self.line.texts(self.people[customer]) if each in {FIRST, SECOND}]

    def reached(self) -> set[str]:
        return {customer for customer in self.people if self.read(customer)}


async def state_of_the_trial(db: Database) -> str | None:
    async with db.begin() as session:
        return await session.scalar(select(col(Canary.state)).where(col(Canary.rule_id) == "parcel"))


async def let_the_pause_end(db: Database, shop: Post, seen: list[set[str]]) -> None:
    """When the few have been written to, look who they are; then ten hours pass at once."""
    while await state_of_the_trial(db) != CanaryState.PAUSING:
        await asyncio.sleep(0.2)
    await until(lambda: len(shop.reached()) >= FEW, seconds=60)
    await asyncio.sleep(2)
    seen.append(shop.reached())
    async with db.begin() as session:
        await session.execute(update(Canary).values(until=now()))


async def left(db: Database) -> list[object]:
    """What the program says of the trial, the rule and who waits."""
    async with db.begin() as session:
        return [
            *(await session.execute(select(col(Canary.state), col(Canary.left), col(Canary.until)))).all(),
            *(await session.execute(select(col(RuleRow.rule_id), col(RuleRow.state)))).all(),
            *(
                await session.execute(
                    select(col(DecisionRow.gate), func.count()).group_by(col(DecisionRow.gate))
                )
            ).all(),
            *(
                await session.execute(select(col(Message.state), func.count()).group_by(col(Message.state)))
            ).all(),
        ]


async def until(is_so: Callable[[], bool], *, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_so() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.5)


@pytest.fixture
def kills() -> int:
    return int(os.environ.get("KILLS", "6"))


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("SEED", random.randrange(1_000_000)))


async def test_kills_lose_no_step_and_repeat_none_and_the_few_stay_few(
    db: Database, database_url: str, tmp_path: Path, kills: int, seed: int
) -> None:
    rng, seen = random.Random(seed), list[set[str]]()
    customers = max(int(kills * PURCHASES_A_KILL), 2 * FEW)
    opened = shop_open(database_url, tmp_path, rng, customers, kind=Post, files=FILES)
    async with opened as (shop, values):
        fleet = [Program(values), Program(values, is_web=False)]
        try:
            async with asyncio.TaskGroup() as group:
                trading = group.create_task(shop.trade())
                pausing = group.create_task(asyncio.wait_for(let_the_pause_end(db, shop, seen), 180))
                await kill_often(fleet, shop, rng, kills)
                await trading
                await pausing
            expected = {
                customer: [FIRST, SECOND] if customer in shop.arrived else [FIRST] for customer in shop.bought
            }
            await until(lambda: all(shop.read(each) == read for each, read in expected.items()), seconds=90)
            assert {customer: shop.read(customer) for customer in shop.reached()} == expected, await left(db)
        finally:
            for program in fleet:
                with contextlib.suppress(AttributeError):
                    program.kill()
    (few,) = seen
    assert len(few) == FEW, "as many as were to be tried, exactly"
    async with db.begin() as session:
        passages = list(await session.scalars(select(FollowUpRow)))
    standing = {row.customer_id: row.step for row in passages}
    assert len(standing) == len(passages) == len(shop.bought)
    assert sorted(step is None for step in standing.values()).count(True) == len(shop.arrived)
    assert [call for call in shop.line.journal if call.contract_violation] == []

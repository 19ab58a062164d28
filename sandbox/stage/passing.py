"""How does time pass in the sample company, and what happened to a customer on the way?

Everybody who is not quiet goes on using the product by their habits; their events come in through the
program's own door, before it looks at the time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import col

from bot.flows.rules.why import Why, ask
from db.desk.posts import next_due as next_post_due
from db.intake.histories import times_of
from db.people.customers import customer_id_of
from db.talk.messages import Message, MessageState
from db.talk.messages import next_due as next_message_due
from followups.explain import next_chance, rule_decision_of
from followups.verdicts import Escalate, Send
from sandbox.company import DEEDS, PEOPLE, goes_on
from sandbox.world import MOMENT, World

Json = dict[str, Any]

FURTHEST = timedelta(days=60)
"""How far ahead something is looked for that will happen."""
LOOKED_BACK = timedelta(days=60)
IN_FLIGHT_SECONDS = 10.0
_DAY = timedelta(days=1)
_JAPAN = ZoneInfo("Asia/Tokyo")
_EVENTS = {"signup": ("登録", "signed up"), "invoice_created": ("請求書を作成", "made an invoice")} | {
    "report_viewed": ("レポートを見た", "viewed a report"),
    **{deed.event: (deed.ja, deed.en) for deed in DEEDS},
}
_MOST_WORDS = 80


class Passing:
    """Lets time pass, one change at a time, and remembers who is quiet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turning = asyncio.Lock()
        self.quiet = {person.id for person in PEOPLE if person.quiet_for}

    async def by(self, span: timedelta) -> datetime:
        """Let a span pass, stopping each day at ten, when the working day's messages go out."""
        async with self._turning:
            end = self._world.clock.now() + span
            if span > MOMENT:
                await self._to(self._world.clock.now() + MOMENT)  # what is under way goes out
            while (now := self._world.clock.now()) < end:
                await self._to(min(_next_ten(now), end))
            return end

    async def to_next(self) -> Json:
        """Turn to the next moment at which something new stands on a phone or in Slack.

        Answers `{now, happened}`: `happened` holds `{ja, en}`, or None when nothing does within 60 days.
        """
        async with self._turning:
            world = self._world
            end, before = world.clock.now() + FURTHEST, self._shown()
            while world.clock.now() < end:
                await self._to(min(await self._next_moment(), end))
                if (after := self._shown()) != before:
                    return {"now": world.clock.now().isoformat(), "happened": _new(before, after)}
            return {"now": world.clock.now().isoformat(), "happened": None}

    async def _to(self, moment: datetime) -> None:
        world = self._world
        start = world.clock.now()
        if moment <= start:
            return
        await self._landed()
        world.clock.turn(moment - start)
        lived = [
            item
            for person in PEOPLE
            if person.id not in self.quiet
            for item in goes_on(person, start, moment)
        ]
        await world.batch(lived)
        await world.settle()

    async def _landed(self) -> None:
        """Wait for what is on its way to LINE: an answer that takes a day would count as lost."""
        under_way = select(func.count()).where(col(Message.state) == MessageState.SENDING)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IN_FLIGHT_SECONDS):
                while True:
                    async with self._world.deps.db.begin() as session:
                        if not await session.scalar(under_way):
                            return
                    await asyncio.sleep(0.05)

    async def _next_moment(self) -> datetime:
        """The earliest of what waits and of what time alone changes; at most a day ahead: people live."""
        world = self._world
        now = world.clock.now()
        async with world.deps.db.begin() as session:
            moments = [await next_message_due(session), await next_post_due(session)]
        for person in PEOPLE:
            if person.id in world.phones:
                decided = (await ask(world.deps, person.id)).decision
                moments += [next_chance(rule.verdict) for rule in decided.rules if not rule.is_shadow]
        ahead = [at for at in moments if at is not None and at > now]
        return max(min([*ahead, _next_ten(now)]), now + timedelta(seconds=1))

    def _shown(self) -> dict[str, int]:
        """What stands where, in numbers."""
        world = self._world
        phones = {
            f"LINE {person.display_name}": sum(bubble.by == "bot" for bubble in person.bubbles)
            for person in world.line.people
        }
        rooms = {
            f"Slack #{room.name}": len(room.messages) for room in world.slack.workspace.channels.values()
        }
        return phones | rooms


async def seen(world: World, customer: str) -> Json:
    """`{now, past, ahead}` of one customer, oldest first; entries hold `{at, lane, ja, en}`.

    Lanes: `product` (what they did there), `out` (we wrote), `in` (they wrote), `desk` (a person's turn).

    Raises:
        Refused: there is no such customer.
    """
    now = world.clock.now()
    answer = await ask(world.deps, customer)
    entries = [*await _product(world, customer, now), *_chat(world, customer), *_turns(answer)]
    past = sorted(
        (each for each in entries if each["at"] >= (now - LOOKED_BACK)), key=lambda each: each["at"]
    )
    return {
        "now": now.isoformat(),
        "past": [{**each, "at": each["at"].isoformat()} for each in past],
        "ahead": [{**each, "at": each["at"].isoformat()} for each in _ahead(answer)],
    }


async def _product(world: World, customer: str, now: datetime) -> list[Json]:
    customer_id = customer_id_of(customer)
    async with world.deps.db.begin() as session:
        times = await times_of(session, [customer_id], list(_EVENTS), until=now + timedelta(seconds=1))
    return [
        _entry(at, "product", *_EVENTS[name])
        for name, moments in times.get(customer_id, {}).items()
        for at in moments
    ]


def _chat(world: World, customer: str) -> Iterator[Json]:
    user_id = world.phones.get(customer)
    for bubble in world.line.phone(user_id) if user_id else ():
        words = (bubble["text"] or bubble["alt_text"] or f"[{bubble['type']}]").replace("\n", " ")
        shown = words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"
        yield _entry(bubble["at"], "in" if bubble["from"] == "person" else "out", shown, shown)


def _turns(answer: Why) -> Iterator[Json]:
    for row in answer.history.decisions:
        decided = rule_decision_of(row.trace)
        if isinstance(decided.verdict, Escalate) and not row.is_shadow:
            yield _entry(row.at, "desk", f"担当者へ: {row.rule_id}", f"to a person: {row.rule_id}")
        elif isinstance(decided.verdict, Send) and row.is_shadow:
            yield _entry(row.at, "shadow", f"試運転なら送信: {row.rule_id}", f"would be sent: {row.rule_id}")


def _ahead(answer: Why) -> list[Json]:
    known = []
    for rule in answer.decision.rules:
        at = next_chance(rule.verdict)
        if at is not None and at - answer.decision.at <= LOOKED_BACK and not rule.is_shadow:
            name = rule.rule_name or rule.rule_id
            known.append(_entry(at, "ahead", f"次に変わりうる: {name}", f"could change: {name}"))
    return sorted(known, key=lambda each: each["at"])


def _entry(at: datetime, lane: str, ja: str, en: str) -> Json:
    return {"at": at, "lane": lane, "ja": ja, "en": en}


def _new(before: dict[str, int], after: dict[str, int]) -> Json:
    places = [place for place, number in after.items() if number > before.get(place, 0)]
    changed = places or [place for place, number in after.items() if number != before.get(place, 0)]
    return {"ja": "・".join(changed), "en": ", ".join(changed)}


def _next_ten(moment: datetime) -> datetime:
    ten = moment.astimezone(_JAPAN).replace(hour=10, minute=0, second=0, microsecond=0)
    return ten if ten > moment else ten + _DAY

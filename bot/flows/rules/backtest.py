"""What would these rules have done with the own past? Nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot.deps import Deps
from bot.errors import Refused
from bot.intake.named_rules import rule_named
from db.deciding.expected import expected_values
from db.deciding.facts import load_facts
from db.intake.histories import known_since, latest_of, messages_sent, number_of_customers, times_of
from db.rulebook.rules import current_rulebook
from followups.backtest import Forecast, Months, Past, Replay, Tally, reachable
from followups.backtest.replay import LEAD_OPEN_FOR
from followups.room import Room
from followups.rules.model import Policy, Rule
from followups.times.zones import next_midnight, zone_of

CUSTOMERS_AT_ONCE = 1000
DEFAULT_SPAN = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtested:
    """A forecast and what has to be known to read it.

    Attributes:
        forecast: what the rules would have done, LINE's monthly messages kept to where the policy names them.
        reps: people among whom leads were divided.
        timezone: of its days.
        is_reachable_assumed: everybody was taken as linked and agreed; else as they are now.
        known_until: up to when events are known, for goals.
        really_sent: follow-ups that LINE accepted in this time: with some, the base rate is not free of them.
        lead_open_for: how long a lead was taken to stay open.
    """

    forecast: Forecast
    timezone: str
    is_reachable_assumed: bool
    known_until: datetime
    really_sent: int
    lead_open_for: timedelta
    reps: int = 1


async def backtest(
    deps: Deps,
    names: Sequence[str],
    *,
    start: datetime | timedelta | None = None,
    end: datetime | None = None,
    assume_reachable: bool = True,
    lead_open_for: timedelta = LEAD_OPEN_FOR,
    reps: int = 1,
    on_customers: Callable[[int, int], None] = lambda done, total: None,
) -> Backtested:
    """Replay the stored events between two moments through `decide`, all given rules as if live.

    Args:
        names: ids of stored rules in any state, or paths of rule files.
        start: when the rules are enabled, or how long before `end`; not given: 90 days before `end`.
        end: not given: the end of the day of the latest event that matters to the rules.
        assume_reachable: take everybody as linked and agreed; else reachability is as it is now.
        reps: people who take leads, for leads per person and day.
        on_customers: told (done, of all) as it goes on; with a quota that is short, a second time.

    Raises:
        Refused: no such rule, one named twice, or an empty span.
        RuleError: a rule's file has mistakes.
        Misconfigured: no such file.
    """
    now = deps.clock.now()
    async with deps.db.begin() as session:
        book = await current_rulebook(session)
        rules = _chosen([rule_named(name, book) for name in names])
        total = await number_of_customers(session)
        room = Room(expected=await expected_values(session, now=now))
        heard = await latest_of(session, Replay(rules, book.policy, start=now, end=now).names)
    known_until = min(now, _day_ends(heard, book.policy)) if heard is not None else now
    start, end = _span(start, end, default_end=known_until)
    replay = Replay(
        rules,
        book.policy,
        start=start,
        end=end,
        known_until=known_until,
        lead_open_for=lead_open_for,
        room=room,
    )
    async with deps.db.begin() as session:
        really_sent = await messages_sent(session, start=start, end=end)
    tally, alone, written = Tally(replay), Tally(replay), list[Past]()
    monthly = book.policy.quota_monthly if book.policy.yen_per_extra is None else None
    months = Months(replay, monthly=monthly) if monthly is not None else None
    above, done = UUID(int=0), 0
    while pasts := await _some(deps, replay, above=above, reach_all=assume_reachable, now=now):
        for past in pasts:
            replayed = replay.of(past)
            tally.add(past, replayed)
            if months is None:
                continue
            if months.want(replayed):
                written.append(past)
            else:
                alone.add(past, replayed)
        above, done = pasts[-1].facts.customer_id, done + len(pasts)
        on_customers(done, max(total, done))
        await asyncio.sleep(0)
    if months is not None and months.is_short:
        tally = await _together(months, written, alone, on_customers)
    return Backtested(
        forecast=tally.forecast(months=months.told() if months is not None else ()),
        timezone=book.policy.timezone,
        is_reachable_assumed=assume_reachable,
        known_until=known_until,
        really_sent=really_sent,
        lead_open_for=lead_open_for,
        reps=reps,
    )


async def _together(
    months: Months, written: list[Past], tally: Tally, on_customers: Callable[[int, int], None]
) -> Tally:
    """Those who would be written to, once more and at once: they share the months."""
    for done, (past, replayed) in enumerate(months.together(written), start=1):
        tally.add(past, replayed)
        on_customers(done, len(written))
        await asyncio.sleep(0)
    return tally


def _chosen(rules: Sequence[Rule]) -> Sequence[Rule]:
    ids = [rule.id for rule in rules]
    for rule_id in ids:
        if ids.count(rule_id) > 1:
            raise Refused(
                ja=f"規則 {rule_id} が2回指定されています。", en=f"the rule {rule_id} is named twice"
            )
    return rules


def _day_ends(at: datetime, policy: Policy) -> datetime:
    return next_midnight(at, zone_of(policy.timezone))


def _span(
    start: datetime | timedelta | None, end: datetime | None, *, default_end: datetime
) -> tuple[datetime, datetime]:
    end = end or default_end
    if start is None or isinstance(start, timedelta):
        start = end - (start or DEFAULT_SPAN)
    if start >= end:
        raise Refused(
            ja=f"期間が空です（{start.isoformat()} から {end.isoformat()} まで）。",
            en=f"the span is empty (from {start.isoformat()} to {end.isoformat()})",
        )
    return start, end


async def _some(deps: Deps, replay: Replay, *, above: UUID, reach_all: bool, now: datetime) -> list[Past]:
    """The next customers with their events, by id."""
    longest = max(rule.goal.within for rule in replay.rules)
    async with deps.db.begin() as session:
        since = await known_since(session, above=above, limit=CUSTOMERS_AT_ONCE)
        if not since:
            return []
        facts = await load_facts(session, since, now=now)
        events = await times_of(session, list(since), replay.names, until=replay.end + longest)
    return [
        Past(
            facts=reachable(facts[each], replay.purposes, at=known) if reach_all else facts[each],
            known_from=known,
            events=events.get(each, {}),
        )
        for each, known in sorted(since.items())
        if each in facts
    ]

"""What would LINE's monthly messages have allowed, all customers of a replay together?

Without a limit customers do not touch one another, and each is replayed alone. With one they do: then those
who would have been written to are replayed again, all at once in the order of time, each moment with what
the others have left of its month.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from followups.backtest.passage import Passage
from followups.backtest.past import Past, Replayed
from followups.backtest.replay import Replay
from followups.budget import Demand, allot, left_for_rules
from followups.room import Room
from followups.times.zones import month_begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month in which LINE counts, as it begins in Japan.

    Attributes:
        limit: messages that rules may send in it, people's part left out.
        wanted: what they would have sent without a limit; `sent`: with it.
    """

    begins: datetime
    limit: int
    wanted: int
    sent: int


class Months:
    """Counts what rules want in each month, and gives it out to those that matter most."""

    def __init__(self, replay: Replay, *, monthly: int) -> None:
        """Count for the months of the replay's span.

        Args:
            monthly: messages a month that the plan holds; people's part is kept from them.
        """
        self.replay = replay
        share = replay.policy.reserve_for_people
        self.limit = left_for_rules(monthly, used=0, by_people=0, share=share)
        begins = [month_begins(replay.start)]
        while (following := month_begins(begins[-1] + timedelta(days=32))) < replay.end:
            begins.append(following)
        self._begins = begins
        self._wanted: list[Counter[str]] = [Counter() for _ in begins]
        self._sent = [0] * len(begins)

    def _of(self, at: datetime) -> int:
        return bisect_right(self._begins, at) - 1

    def want(self, replayed: Replayed) -> bool:
        """Count what one customer was sent without a limit; was it anything?"""
        is_any = False
        for entry in replayed.entries:
            if not entry.is_escalation:
                self._wanted[self._of(entry.at)][entry.rule_id] += 1
                is_any = True
        return is_any

    @property
    def is_short(self) -> bool:
        """Is there a month with too few?"""
        return any(wanted.total() > self.limit for wanted in self._wanted)

    def together(self, pasts: Iterable[Past]) -> Iterator[tuple[Past, Replayed]]:
        """Replay these customers at once, in the order of time, then of their ids."""
        waiting: list[tuple[datetime, int, Passage, Past]] = []
        for past in pasts:
            passage = Passage(self.replay, past)
            if passage.at is not None:
                waiting.append((passage.at, past.facts.customer_id.int, passage, past))
            else:
                yield past, passage.replayed()
        heapq.heapify(waiting)
        month, room = -1, self.replay.room
        while waiting:
            at, number, passage, past = waiting[0]
            if (now_in := self._of(at)) != month:
                month, room = now_in, self._begin(now_in, (each[2] for each in waiting))
            for rule_id in passage.step(room):
                room = room.after(rule_id)
                self._sent[month] += 1
            if passage.at is not None:
                heapq.heapreplace(waiting, (passage.at, number, passage, past))
                continue
            heapq.heappop(waiting)
            yield past, passage.replayed()

    def _begin(self, month: int, passages: Iterable[Passage]) -> Room:
        """The room of a new month: what rules will ask for is known here, and what was left over besides."""
        demands = Counter(self._wanted[month])
        for passage in passages:
            demands.update(rule_id for rule_id, gates in passage.occasions.items() if "quota" in gates)
        room, rules = self.replay.room, self.replay.by_id
        allotted = allot(
            self.limit,
            [
                Demand(
                    rule_id=rule_id,
                    priority=rules[rule_id].priority,
                    expected=room.expected.get(rule_id, 0.0),
                    messages=number,
                )
                for rule_id, number in sorted(demands.items())
            ],
        )
        opens_at = month_begins(self._begins[month] + timedelta(days=32))
        return replace(
            room,
            quota_left=self.limit,
            quota_opens_at=opens_at,
            floor=allotted.floor,
            shares=allotted.capped,
        )

    def told(self) -> tuple[Month, ...]:
        """By month; where no month was short, all that was wanted was sent."""
        sent: Mapping[int, int] = dict(enumerate(self._sent)) if self.is_short else {}
        return tuple(
            Month(
                begins=begins,
                limit=self.limit,
                wanted=wanted.total(),
                sent=sent.get(number, wanted.total()),
            )
            for number, (begins, wanted) in enumerate(zip(self._begins, self._wanted, strict=True))
        )

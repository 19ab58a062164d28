"""What would these rules have done with one customer, moment by moment?

The moments are exactly those at which an answer can change: an event, a threshold that time crosses, a gate
that opens, a cool-down or a goal's window that ends, a lead that is settled. Between two of them `decide`
would only repeat itself. What it decides becomes a contact and a passage, so that caps, cool-downs and
arbitration act on what follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from followups.backtest.passage import Passage
from followups.backtest.past import Past, Replayed
from followups.facts import Facts
from followups.room import Room
from followups.rules.model import Policy, Rule, RuleState
from followups.signals import CLICKED, Watch, attribute_key, first_key, merge, nth_key
from followups.times.zones import attribute_moment, zone_of

LEAD_OPEN_FOR = timedelta(days=1)
_ANY_ROOM = Room()


class Replay:
    """The rules, the policy and the span, made ready for many customers."""

    def __init__(
        self,
        rules: Sequence[Rule],
        policy: Policy,
        *,
        start: datetime,
        end: datetime,
        known_until: datetime | None = None,
        lead_open_for: timedelta = LEAD_OPEN_FOR,
        room: Room = _ANY_ROOM,
    ) -> None:
        """Every rule is decided as if it were live; their order does not matter.

        Args:
            start: the moment the rules are enabled: everybody known then is looked at.
            end: the moment after the last one.
            known_until: up to when events are known, for goals; not given: up to `end`.
            lead_open_for: how long people take to settle a lead.
            room: what messages are expected to bring, for arbitration; each customer begins with all of it.
        """
        self.rules = tuple(
            replace(rule, state=RuleState.LIVE) for rule in sorted(rules, key=lambda rule: rule.id)
        )
        self.policy = policy
        self.start, self.end = start, end
        self.known_until = known_until or end
        self.lead_open_for = lead_open_for
        self.room = room
        self.by_id = {rule.id: rule for rule in self.rules}
        self.watches = merge(
            chain(
                (each for rule in self.rules for asked in rule.conditions for each in asked.watches()),
                (Watch(event=rule.goal.event) for rule in self.rules),
                (Watch(event=CLICKED),),
            )
        )
        self._crossings = _crossings(self.rules, self.watches)
        self._attributes = _attribute_spans(self.rules)

    @property
    def names(self) -> frozenset[str]:
        """The events that matter."""
        return frozenset(self.watches)

    @property
    def purposes(self) -> frozenset[str]:
        """The purposes of all messages that may be sent."""
        messages = [message for rule in self.rules for message in rule.messages]
        return frozenset({self.policy.default_purpose, *(m.purpose for m in messages if m.purpose)})

    def of(self, past: Past) -> Replayed:
        """Go through one customer's history."""
        passage = Passage(self, past)
        while passage.at is not None:
            passage.step(self.room)
        return passage.replayed()

    def crossings_of(self, event: str) -> Sequence[tuple[int, timedelta]]:
        """The thresholds on one event: (rank, 0 for the earliest; span)."""
        return self._crossings.get(event, ())

    def attribute_moments(self, facts: Facts) -> list[datetime]:
        """The moments at which a date attribute makes a condition change."""
        zone = zone_of(facts.timezone, self.policy.timezone)
        moments = []
        for attribute, after in self._attributes:
            begins = attribute_moment(facts.attributes.get(attribute), zone)
            if begins is not None:
                moments.append(begins + after)
        return sorted(set(moments))


def _crossings(
    rules: Sequence[Rule], watches: Mapping[str, Watch]
) -> dict[str, tuple[tuple[int, timedelta], ...]]:
    """By event: which of its moments (rank; 0: the earliest), after which span, changes some condition."""
    places: dict[str, tuple[str, int]] = {}
    for event, watch in watches.items():
        places[event] = (event, 1)
        places[first_key(event)] = (event, 0)
        places.update({nth_key(event, rank): (event, rank) for rank in watch.ranks})
    found: dict[str, set[tuple[int, timedelta]]] = {}
    for threshold in (each for rule in rules for asked in rule.conditions for each in asked.thresholds()):
        if threshold.key in places:
            event, rank = places[threshold.key]
            found.setdefault(event, set()).add((rank, threshold.after))
    return {event: tuple(sorted(spans)) for event, spans in found.items()}


def _attribute_spans(rules: Sequence[Rule]) -> tuple[tuple[str, timedelta], ...]:
    prefix = attribute_key("")
    spans = {
        (threshold.key.removeprefix(prefix), threshold.after)
        for rule in rules
        for asked in rule.conditions
        for threshold in asked.thresholds()
        if threshold.key.startswith(prefix)
    }
    return tuple(sorted(spans))

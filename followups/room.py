"""How much is left to give now, for all customers together?

The gates of one customer ask it; whoever decides about many takes one message off after each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from followups.rules.conditions import Text
from followups.rules.model import Rule

_NOTHING_LEFT = Text(ja="いまは送れる人数に達している", en="no recipients are left for now")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRoom:
    """What one rule may do now.

    Attributes:
        left: how many more customers may enter; None: any number.
        gate: what holds the others back.
        until: when time alone gives more room; None: when a person does.
        because: told to whoever asks why.
    """

    left: int | None = None
    gate: Literal["canary", "approval"] = "canary"
    until: datetime | None = None
    because: Text = _NOTHING_LEFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is left to give now; an empty one holds nobody back.

    Attributes:
        quota_left: messages that rules may still send on LINE's plan; None: not known, or no limit.
        quota_opens_at: when there will be more.
        floor: the lowest (priority, expected value) that may use what is left.
        shares: by rule id, how many of them rules of exactly that worth may use: what is beyond is kept for
            those that matter more and may write later.
        rules: by rule id, those with little room.
        expected: by rule id, what one message of it is expected to bring, on any one scale.
    """

    quota_left: int | None = None
    quota_opens_at: datetime | None = None
    floor: tuple[int, float] | None = None
    shares: Mapping[str, int] = field(default_factory=dict)
    rules: Mapping[str, RuleRoom] = field(default_factory=dict)
    expected: Mapping[str, float] = field(default_factory=dict)

    def worth(self, rule: Rule) -> tuple[int, float]:
        """(priority, expected value): what rules are ranked by; the same for both goes by id."""
        return rule.priority, self.expected.get(rule.id, 0.0)

    def after(self, rule_id: str, *, is_entry: bool = True) -> Room:
        """The room with one message of this rule less.

        Args:
            is_entry: the customer enters with it; later messages of a scenario use the quota alone.
        """
        quota_left = self.quota_left - 1 if self.quota_left is not None else None
        shares = self.shares
        if rule_id in shares:
            shares = {**shares, rule_id: shares[rule_id] - 1}
        rules, own = self.rules, self.rules.get(rule_id)
        if is_entry and own is not None and own.left is not None:
            rules = {**rules, rule_id: replace(own, left=own.left - 1)}
        if quota_left == self.quota_left and rules is self.rules:
            return self
        return replace(self, quota_left=quota_left, shares=shares, rules=rules)

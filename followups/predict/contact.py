"""Is a message worth more than it costs, the risk of being blocked included?

    worth = gain · margin − cost − risk · value at stake

Gain is what the message adds to the chance of the goal, against the held-out; risk what it adds to the
chance of a block. Where rules compete, only differences count: there everything is told in goals, the cost
of a message, the same for all, is left out, and a block counts as so many goals that will not be.
"""

from __future__ import annotations

from dataclasses import dataclass

MESSAGE_YEN = 3.0
"""What an extra LINE message costs at most on Japanese plans."""
GOALS_A_BLOCK_COSTS = 5.0
"""Whoever blocks us is not reached again: some goals of the next year, of all rules together."""
PSEUDO_PEOPLE = 200.0
"""A rule's blocks are drawn towards none by so many people, so that one early block decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What one more message is expected to bring, on the scale of the margin (yen, or goals)."""

    gain: float
    risk: float
    expected: float


def worth(gain: float, risk: float, *, margin: float, at_stake: float, cost: float = MESSAGE_YEN) -> Worth:
    """The worth of a message.

    Args:
        gain: what it adds to the chance of the goal (0.02: two more of a hundred).
        risk: what it adds to the chance of a block; below 0 counts as none.
        margin: what reaching the goal brings.
        at_stake: what a customer who blocks us would have brought.
        cost: of the message itself.
    """
    return Worth(gain=gain, risk=risk, expected=gain * margin - cost - max(0.0, risk) * at_stake)


def risk_of(*, treated: int, blocked: int, held_out: int, blocked_held_out: int) -> float:
    """What being written to adds to the chance of a block, drawn towards nothing where few are known."""
    if not treated:
        return 0.0
    without = blocked_held_out / held_out if held_out else 0.0
    return (blocked - without * treated) / (treated + PSEUDO_PEOPLE)


def in_goals(gain: float, risk: float) -> float:
    """The worth of a message in goals; for arbitration, `Room.expected`."""
    return worth(gain, risk, margin=1.0, at_stake=GOALS_A_BLOCK_COSTS, cost=0.0).expected

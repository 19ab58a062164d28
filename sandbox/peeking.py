"""How often is a message that does nothing called a success? On made-up customers, the truth being known.

`python -m sandbox.peeking`: the same numbers each time, in some seconds.
"""

from __future__ import annotations

import numpy as np

from followups.measure import Tally, newcombe, sequence

RUNS = 1_000
LOOKS = 60
PER_LOOK = 100
HOLDOUT = 0.2
BASELINE = 0.1


def main() -> None:
    """Print one line a truth: false or true wins by one look at the end, by peeking, and by our interval."""
    print(
        f"{RUNS:,} comparisons, {LOOKS} looks, {PER_LOOK} customers a look, {HOLDOUT:.0%} held out,"
        f" {BASELINE:.0%} reach the goal anyway"
    )
    print(f"{'truth':>12} {'one look':>10} {'peeking':>10} {'any time':>10} {'truth inside':>13}")
    for added in (0.0, 0.02, 0.05):
        once, peeking, any_time, inside = compared(added)
        print(f"{added * 100:+10.1f}pt {once:10.1%} {peeking:10.1%} {any_time:10.1%} {inside:13.1%}")


def compared(added: float, *, runs: int = RUNS, seed: int = 11) -> tuple[float, float, float, float]:
    """Shares of all comparisons: (difference at the last look, at any look, by our interval, truth inside).

    The first two by Newcombe's interval for one look; the last two by the always-valid one, at all looks.
    """
    rng = np.random.default_rng(seed)
    held = rng.binomial(PER_LOOK, HOLDOUT, (runs, LOOKS))
    n = np.stack([PER_LOOK - held, held]).cumsum(axis=2)
    reached = np.stack(
        [rng.binomial(PER_LOOK - held, BASELINE + added), rng.binomial(held, BASELINE)]
    ).cumsum(axis=2)
    once = peeking = any_time = inside = 0
    for run in range(runs):
        found = [_look(n[:, run, look], reached[:, run, look], added) for look in range(LOOKS)]
        once += found[-1][0]
        peeking += any(each[0] for each in found)
        any_time += any(each[1] for each in found)
        inside += all(each[2] for each in found)
    return once / runs, peeking / runs, any_time / runs, inside / runs


def _look(n: np.ndarray, reached: np.ndarray, added: float) -> tuple[bool, bool, bool]:
    naive = newcombe(int(reached[0]), int(n[0]), int(reached[1]), int(n[1]))
    treated, held_out = (_tally(int(n[arm]), int(reached[arm])) for arm in (0, 1))
    interval = sequence(treated, held_out)
    if interval is None:
        return not naive.holds(0.0), False, True
    return not naive.holds(0.0), not interval.holds(0.0), interval.holds(added)


def _tally(n: int, reached: int) -> Tally:
    return Tally(units=n, people=n, reached=reached, people_2=n, reached_2=reached, both=reached)


if __name__ == "__main__":
    main()

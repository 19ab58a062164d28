"""What is to be said about one rule: it helps, it harms, it makes no difference, or not yet?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from followups.measure.checks import SampleRatio
from followups.measure.planning import weeks_to_see
from followups.measure.proportions import Interval
from followups.measure.sequence import Tally, always_valid_p, error_of, sequence

NEGLIGIBLE = 0.01
"""A difference of one point of share: below it, a rule adds about nothing."""
_PRIOR_SPREAD = 0.02
"""Before anything is known, effects are taken to be around 0 with this standard deviation."""


class EffectState(StrEnum):
    """What may be said.

    `broken`: the arms are not what the assignment makes them, so nothing. `alone`: nobody is held out, so
    nothing. `waiting`: not enough data yet. `helps`, `harms`: the interval lies on one side of 0. `nothing`:
    it lies within one point around 0.
    """

    BROKEN = "broken"
    ALONE = "alone"
    WAITING = "waiting"
    HELPS = "helps"
    HARMS = "harms"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The difference of the goal's share, treated minus held out, by intention to treat.

    Attributes:
        interval: valid at any time; None where it is hidden (`broken`) or untold (`alone`, few units).
        weeks: about how many more until a difference of the size seen so far (or one point) would stand out;
            None: not foreseeable, or nothing to wait for.
        p: always valid; for Holm.
        ratio: the check of the split.
    """

    state: EffectState
    treated: Tally
    held_out: Tally
    interval: Interval | None
    weeks: int | None
    p: float
    ratio: SampleRatio

    @property
    def added(self) -> Interval | None:
        """Goals that the treated reached because they were treated, with the same interval."""
        if self.interval is None:
            return None
        n = self.treated.people
        return Interval(
            estimate=self.interval.estimate * n, low=self.interval.low * n, high=self.interval.high * n
        )


def effect_of(
    treated: Tally,
    held_out: Tally,
    *,
    ratio: SampleRatio,
    units_per_week: float,
    is_compared: bool | None = None,
) -> Effect:
    """Judge one comparison.

    Args:
        ratio: the split of all units that entered, also of those whose window is still open.
        units_per_week: units that become judged in a week, in both arms together.
        is_compared: is anybody held out at all, even if nobody is judged yet? Not given: as the tally says.
    """
    interval = sequence(treated, held_out)
    weeks: int | None = None
    if ratio.is_broken:
        state, interval = EffectState.BROKEN, None
    elif not (held_out.units > 0 if is_compared is None else is_compared):
        state = EffectState.ALONE
    elif interval is None or interval.holds(0.0):
        is_small = interval is not None and interval.low > -NEGLIGIBLE and interval.high < NEGLIGIBLE
        state = EffectState.NOTHING if is_small else EffectState.WAITING
        if not is_small:
            weeks = _weeks(treated, held_out, units_per_week)
    else:
        state = EffectState.HELPS if interval.low > 0 else EffectState.HARMS
    p = 1.0 if ratio.is_broken else always_valid_p(treated, held_out)
    return Effect(
        state=state, treated=treated, held_out=held_out, interval=interval, weeks=weeks, p=p, ratio=ratio
    )


def _weeks(treated: Tally, held_out: Tally, units_per_week: float) -> int | None:
    return weeks_to_see(
        max(abs(treated.share - held_out.share), NEGLIGIBLE),
        units=treated.units + held_out.units,
        held_units=held_out.units,
        error=error_of(treated, held_out),
        units_per_week=units_per_week,
    )


def shrunk(effect: Effect) -> float:
    """The difference to count on when choosing whom to write to: nearer to 0, the less is known.

    The mean of a normal posterior whose prior is around 0 with a standard deviation of two points. 0 where
    the comparison is broken or there is none.
    """
    if effect.state in {EffectState.BROKEN, EffectState.ALONE}:
        return 0.0
    treated, held_out = effect.treated, effect.held_out
    if not (treated.people and held_out.people):
        return 0.0
    noise = error_of(treated, held_out) ** 2
    prior = _PRIOR_SPREAD**2
    return (treated.share - held_out.share) * prior / (prior + noise)

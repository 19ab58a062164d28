"""What did a rule achieve, how surely, and how long until that can be said?

`proportions` and `means`: intervals for one fixed look. `sequence`: an interval that stays valid however
often it is looked at; the default. `checks`: is the comparison sound, does it do harm, how many rules were
asked. `planning`: how many customers a comparison needs. `effect`: the verdict on one rule. `figures`: all of
it for a report. Shares are numbers from 0 to 1, differences are treated minus held out.
"""

from followups.measure.checks import (
    Guardrail,
    GuardrailState,
    SampleRatio,
    guardrail,
    holm,
    sample_ratio,
    sample_ratio_of_many,
)
from followups.measure.effect import Effect, EffectState, effect_of, shrunk
from followups.measure.figures import Counts, Figures, RuleFigures
from followups.measure.means import MeansArm, cuped, welch
from followups.measure.planning import Plan, detectable, plan, sample_size, weeks_to_see
from followups.measure.proportions import Interval, newcombe, wilson
from followups.measure.sequence import Tally, always_valid_p, radius, sequence, tally_of

__all__ = [
    "Counts",
    "Effect",
    "EffectState",
    "Figures",
    "Guardrail",
    "GuardrailState",
    "Interval",
    "MeansArm",
    "Plan",
    "RuleFigures",
    "SampleRatio",
    "Tally",
    "always_valid_p",
    "cuped",
    "detectable",
    "effect_of",
    "guardrail",
    "holm",
    "newcombe",
    "plan",
    "radius",
    "sample_ratio",
    "sample_ratio_of_many",
    "sample_size",
    "sequence",
    "shrunk",
    "tally_of",
    "weeks_to_see",
    "welch",
    "wilson",
]

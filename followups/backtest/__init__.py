"""What would rules have done with a past that is known? One evaluator: every answer is `decide`'s."""

from __future__ import annotations

from followups.backtest.months import Month, Months
from followups.backtest.past import Entry, Held, Past, Replayed, reachable
from followups.backtest.replay import Replay
from followups.backtest.rhythm import Flagged, Rhythm, Rhythms, quiet_spans
from followups.backtest.tally import Counted, Forecast, RuleForecast, Tally

__all__ = [
    "Counted",
    "Entry",
    "Flagged",
    "Forecast",
    "Held",
    "Month",
    "Months",
    "Past",
    "Replay",
    "Replayed",
    "Rhythm",
    "Rhythms",
    "RuleForecast",
    "Tally",
    "quiet_spans",
    "reachable",
]

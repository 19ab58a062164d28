"""How far can the learned score be relied on, in words that claim no more than its last judgement?"""

from __future__ import annotations

from followups.predict.learned import Trial
from followups.rules.checks import Text


def reliability_said(trial: Trial) -> Text:
    """What is used and why, how well it ranked the last fifth of time, and how true its chances were."""
    ja, en = [trial.because.ja], [trial.because.en]
    learned, by_points = trial.by_learning, trial.by_points
    if learned is not None and learned.auc is not None:
        points_ja = points_en = ""
        if by_points is not None and by_points.auc is not None:
            points_ja, points_en = f"、点数 {by_points.auc:.2f}", f", points {by_points.auc:.2f}"
        ja.append(f"順位の正しさ(AUC) 学習 {learned.auc:.2f}{points_ja}（0.5は当てずっぽう）")
        en.append(f"ranking (AUC) learned {learned.auc:.2f}{points_en} (0.5 is guessing)")
    if learned is not None and learned.bands:
        told = [
            f"{band.predicted:.0%}→{band.observed:.0%} ({band.customers})"
            for band in learned.bands
            if band.customers
        ]
        ja.append(f"見込み→実際の成約: {', '.join(told)}")
        en.append(f"chance told → won: {', '.join(told)}")
    return Text(ja="。".join(ja), en="; ".join(en))

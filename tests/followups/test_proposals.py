"""Is a change proposed only when the numbers bear it, and the best one first?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from followups.measure.figures import Counts, Exposure, Figures, Told, figures_of
from followups.measure.precision import Ending, Precision, ScoredEnding, precision_of
from followups.measure.proposals import (
    KEPT,
    LEAST_CLOSED,
    ProposalKind,
    ScoredRule,
    higher_threshold,
    proposals,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NONE = figures_of([], [], start=None, end=NOW, timezone="Asia/Tokyo", now=NOW)


def ended(score: int, state: str, number: int) -> ScoredEnding:
    return ScoredEnding(rule_id="pricing", score=score, state=state, number=number)


def scored(*endings: ScoredEnding, threshold: float = 65) -> ScoredRule:
    return ScoredRule(rule_id="pricing", name="料金", threshold=threshold, endings=endings, weeks=8)


def trial(treated: tuple[int, int], held_out: tuple[int, int], *, weeks: int) -> Figures:
    """One rule with (customers, those who reached the goal) in both arms, half of all held out."""
    begun = NOW - timedelta(weeks=weeks)
    exposures = [
        Exposure(
            unit=f"{is_held_out}{number}",
            is_held_out=is_held_out,
            variant=None,
            entered_at=begun,
            closes_at=begun + timedelta(days=7),
            is_judged=True,
            is_reached=number < reached,
            is_counted=number < reached,
            is_opted_out=False,
            is_blocked=False,
            goal_n=int(number < reached),
            before_n=0,
            share=0.5,
        )
        for is_held_out, (customers, reached) in ((False, treated), (True, held_out))
        for number in range(customers)
    ]
    told = Told(
        rule_id="inactive",
        name="ご無沙汰",
        goal_event="login",
        goal_within=timedelta(days=7),
        treated=Counts(eligible=treated[0]),
        held_out=Counts(eligible=held_out[0]),
        by_variant={},
        exposures=exposures,
    )
    return figures_of([told], [], start=None, end=NOW, timezone="Asia/Tokyo", now=NOW)


def test_a_threshold_that_keeps_the_wins_and_saves_alerts_is_proposed_with_its_numbers() -> None:
    rule = scored(
        ended(90, "won", 20), ended(80, "sent", 7), ended(68, "won", 3), ended(67, "dismissed", 20),
        ended(85, "dismissed", 10),
    )  # fmt: skip
    found = higher_threshold(rule)
    assert found is not None
    assert (found.before, found.after) == (65, 80)
    assert "27 of 30 leads" in found.said.en
    assert "(90%)" in found.said.en
    assert "38% fewer" in found.said.en
    assert found.key == "threshold:pricing"


@pytest.mark.parametrize(
    ("endings", "why"),
    [
        pytest.param((ended(90, "won", 9), ended(66, "dismissed", 40)), "few good", id="few-good"),
        pytest.param((ended(90, "won", 40), ended(66, "dismissed", 9)), "few dismissed", id="few-dismissed"),
        pytest.param((ended(90, "won", 12), ended(66, "dismissed", 12)), "few", id="few-in-all"),
        pytest.param((ended(66, "won", 20), ended(90, "dismissed", 20)), "the wrong way", id="wins-are-low"),
        pytest.param((ended(90, "won", 80), ended(66, "dismissed", 12)), "saves little", id="saves-little"),
        pytest.param((ended(60, "won", 20), ended(50, "dismissed", 40)), "below", id="below-the-threshold"),
    ],
)
def test_no_threshold_is_proposed_on_thin_data_or_for_little(
    endings: tuple[ScoredEnding, ...], why: str
) -> None:
    assert higher_threshold(scored(*endings)) is None, why


def test_lost_leads_count_for_neither_side() -> None:
    base = (ended(90, "won", 20), ended(66, "dismissed", 20))
    assert higher_threshold(scored(*base)) == higher_threshold(scored(*base, ended(66, "lost", 500)))


def test_the_least_numbers_are_what_is_written() -> None:
    good, wasted = LEAST_CLOSED - 10, 10
    assert higher_threshold(scored(ended(90, "won", good), ended(66, "dismissed", wasted))) is not None
    assert higher_threshold(scored(ended(90, "won", good - 1), ended(66, "dismissed", wasted))) is None
    kept = int(good * KEPT)
    some = scored(ended(90, "won", kept - 1), ended(66, "won", good - kept + 1), ended(66, "dismissed", 10))
    assert higher_threshold(some) is None


def test_a_rule_that_adds_about_nothing_after_eight_weeks_is_proposed_to_stop() -> None:
    figures = trial((20_000, 4_000), (20_000, 4_000), weeks=10)
    (found,) = proposals(figures, [], [], running={"inactive"})
    assert found.kind is ProposalKind.NOTHING
    assert found.key == "stop:inactive"
    assert "10 weeks" in found.said.en
    assert "20,000 customers" in found.said.en
    assert proposals(figures, [], [], running=set()) == (), "it is not running"
    assert proposals(figures, [], [], running={"inactive"}, declined={"stop:inactive"}) == ()


def test_nothing_is_said_about_a_rule_before_eight_weeks_or_that_may_yet_help() -> None:
    young = trial((20_000, 4_000), (20_000, 4_000), weeks=6)
    assert proposals(young, [], [], running={"inactive"}) == ()
    unsure = trial((300, 60), (300, 60), weeks=20)
    assert proposals(unsure, [], [], running={"inactive"}) == ()
    helping = trial((20_000, 5_000), (20_000, 4_000), weeks=20)
    assert proposals(helping, [], [], running={"inactive"}) == ()


def test_a_rule_that_harms_comes_before_everything_else() -> None:
    harming = trial((20_000, 3_000), (20_000, 4_000), weeks=3)
    rule = scored(ended(90, "won", 30), ended(66, "dismissed", 30))
    found = proposals(harming, [rule], [], running={"inactive", "pricing"})
    assert [each.kind for each in found] == [ProposalKind.HARM, ProposalKind.THRESHOLD]


def test_a_rule_whose_leads_are_surely_worth_nothing_is_proposed_to_stop() -> None:
    def leads(good: int, dismissed: int) -> tuple[Precision, ...]:
        week, why = date(2026, 11, 16), "wrong_signal"
        return precision_of(
            [
                Ending(rule_id="inactive", week=week, state="won", reason=None, number=good),
                Ending(rule_id="inactive", week=week, state="dismissed", reason=why, number=dismissed),
            ]
        )

    (found,) = proposals(NONE, [], leads(1, 49), running={"inactive"})
    assert found.kind is ProposalKind.IMPRECISE
    assert "Of 50 leads" in found.said.en
    assert proposals(NONE, [], leads(0, 10), running={"inactive"}) == (), "too few"
    assert proposals(NONE, [], leads(20, 30), running={"inactive"}) == ()


def test_precision_counts_won_and_sent_against_dismissed_by_week() -> None:
    first, second = date(2026, 11, 9), date(2026, 11, 16)
    found = precision_of(
        [
            Ending(rule_id="a", week=first, state="won", reason=None, number=3),
            Ending(rule_id="a", week=first, state="dismissed", reason="duplicate", number=1),
            Ending(rule_id="a", week=second, state="sent", reason=None, number=2),
            Ending(rule_id="a", week=second, state="dismissed", reason="wrong_signal", number=4),
            Ending(rule_id="a", week=second, state="lost", reason="budget", number=5),
            Ending(rule_id=None, week=second, state="won", reason=None, number=1),
        ]
    )
    assert [each.rule_id for each in found] == ["a", None]
    (one, _) = found
    assert (one.good, one.dismissed, one.lost) == (5, 5, 5)
    assert one.share == 0.5
    assert one.reasons == (("wrong_signal", 4), ("duplicate", 1))
    assert one.weeks == ((first, 3, 1), (second, 2, 4))

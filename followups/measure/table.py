"""How do the figures of a report lie in one flat table, safe to open in a spreadsheet?"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import TextIO

from followups.measure.checks import Guardrail
from followups.measure.effect import Effect
from followups.measure.figures import Counts, Figures, RuleFigures

Cell = str | int | float | None
Row = dict[str, Cell]

_ACTIVE = tuple("=+-@＝＋－＠\t\r\n|%")
"""Text that begins so is run as a formula by some spreadsheet (OWASP, CSV injection)."""


def safe(text: str) -> str:
    """The text as a spreadsheet shows it and does not run it: with an apostrophe before what it would run."""
    return f"'{text}" if text.lstrip(" ").startswith(_ACTIVE) else text


def rows_of(figures: Figures) -> list[Row]:
    """One row a rule and part (`treated`, `held_out`, `variant a`); every row has the same columns.

    Effects are shares (0.01: one point), on rows of treated customers; None: hidden or not known. Texts are
    `safe`; times ISO.
    """
    return list(_rows(figures))


def _rows(figures: Figures) -> Iterator[Row]:
    for rule in figures.rules:
        yield {
            **_head(figures, rule, "treated", rule.treated),
            **_effect(rule.effect),
            "p_of_all": rule.p_of_all,
            **_guards(rule.opt_outs, rule.blocks),
            "per_week": rule.per_week,
        }
        yield {**_head(figures, rule, "held_out", rule.held_out), **_effect(None), **_guards(None, None)}
        for variant in rule.variants:
            yield {
                **_head(figures, rule, f"variant {variant.variant}", variant.counts),
                **_effect(variant.effect),
                **_guards(variant.opt_outs, variant.blocks),
            }


def _head(figures: Figures, rule: RuleFigures, part: str, counts: Counts) -> Row:
    return {
        "from": _iso(figures.start),
        "to": _iso(figures.end),
        "as_of": _iso(figures.as_of),
        "rule": safe(rule.rule_id),
        "name": safe(rule.name),
        "goal": safe(rule.goal_event),
        "part": safe(part),
        **{_name_of(each.name): getattr(counts, each.name) for each in fields(counts)},
        "p_of_all": None,
        "per_week": None,
    }


def _name_of(count: str) -> str:
    """Attributed figures carry in their name that they are for reference."""
    return f"reference_{count}" if count in {"attributed", "clicked_through"} else count


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _effect(effect: Effect | None) -> Row:
    interval = effect.interval if effect is not None else None
    added = effect.added if effect is not None else None
    return {
        "judged_units": effect.treated.units if effect is not None else None,
        "judged_units_held_out": effect.held_out.units if effect is not None else None,
        "share": effect.treated.share if effect is not None else None,
        "share_held_out": effect.held_out.share if effect is not None else None,
        "effect_state": effect.state.value if effect is not None else None,
        "effect": interval.estimate if interval is not None else None,
        "effect_low": interval.low if interval is not None else None,
        "effect_high": interval.high if interval is not None else None,
        "added": added.estimate if added is not None else None,
        "added_low": added.low if added is not None else None,
        "added_high": added.high if added is not None else None,
        "weeks_to_wait": effect.weeks if effect is not None else None,
        "p": effect.p if effect is not None else None,
        "sample_ratio_p": effect.ratio.p if effect is not None else None,
    }


def _guards(opt_outs: Guardrail | None, blocks: Guardrail | None) -> Row:
    return {
        "opt_outs_judged": opt_outs.state.value if opt_outs is not None else None,
        "blocks_judged": blocks.state.value if blocks is not None else None,
    }


_TEXTS = ("from", "to", "as_of", "rule", "name", "goal", "part")
_JUDGED = ("effect_state", "opt_outs_judged", "blocks_judged")
_WHOLE = ("judged_units", "judged_units_held_out", "weeks_to_wait")
_REAL = (
    *("share", "share_held_out", "effect", "effect_low", "effect_high", "added", "added_low", "added_high"),
    *("p", "p_of_all", "sample_ratio_p", "per_week"),
)
COLUMNS: dict[str, type[str] | type[int] | type[float]] = {
    **dict.fromkeys(_TEXTS, str),
    **{_name_of(each.name): int for each in fields(Counts)},
    **dict.fromkeys(_JUDGED, str),
    **dict.fromkeys(_WHOLE, int),
    **dict.fromkeys(_REAL, float),
}
"""Every column of the table, in order, with its kind."""


def write_csv(rows: list[Row], into: TextIO) -> None:
    """The rows under their names; what is not known is empty."""
    writer = csv.DictWriter(into, fieldnames=list(COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)

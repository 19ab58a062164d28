"""Which tables and charts does Slack accept?

Source: docs.slack.dev, table, data table and data visualization blocks. Where third parties saw wider limits
than the documentation, the documentation's stand.
"""

import math
from collections.abc import Mapping

from bot.slack.limits.composition import BLOCK_ID
from bot.slack.limits.rich_text import RICH_TEXT
from bot.slack.limits.walk import (
    Check,
    Walk,
    array,
    boolean,
    choice,
    integer,
    listed,
    record,
    string,
    tagged,
    typed,
    unique,
)

CELL_CHARACTERS = 10_000
"""Over all cells of one table."""

ID: dict[str, Check] = {"block_id": BLOCK_ID}


def number(walk: Walk, pointer: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        walk.wrong(pointer, "must be a finite number")


def above_zero(walk: Walk, pointer: str, value: object) -> None:
    number(walk, pointer, value)
    if isinstance(value, int | float) and value <= 0:
        walk.wrong(pointer, "must be more than 0")


def nullable(check: Check) -> Check:
    def allowed(walk: Walk, pointer: str, value: object) -> None:
        if value != {}:
            check(walk, pointer, value)

    return allowed


_RAW_TEXT = typed("raw_text", {"text": string()}, {})
_CELL = tagged(
    {
        "raw_text": _RAW_TEXT,
        "raw_number": typed("raw_number", {"value": number}, {"text": string()}),
        "rich_text": RICH_TEXT,
    }
)
_COLUMN = record({}, {"align": choice("left", "center", "right"), "is_wrapped": boolean})


def cells_fit(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    """Rows of one width, and not too many characters in all."""
    rows = [listed(row) for row in listed(value.get("rows"))]
    if len({len(row) for row in rows}) > 1:
        walk.wrong(f"{pointer}/rows", "must have the same number of cells in every row")
    written = sum(
        len(str(cell.get("text", cell.get("value", ""))))
        for row in rows
        for cell in row
        if isinstance(cell, Mapping)
    )
    if written > CELL_CHARACTERS:
        walk.wrong(f"{pointer}/rows", f"must be less than {CELL_CHARACTERS + 1} characters in all cells")


TABLE = typed(
    "table",
    {"rows": array(array(_CELL, most=20), most=100)},
    {**ID, "column_settings": array(nullable(_COLUMN), most=20)},
    cells_fit,
)


def header_is_text(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    for at, cell in enumerate(listed(next(iter(listed(value.get("rows"))), ()))):
        if isinstance(cell, Mapping) and cell.get("type") != "raw_text":
            walk.wrong(f"{pointer}/rows/0/{at}", "must be raw_text in the header row")


DATA_TABLE = typed(
    "data_table",
    {"caption": string(), "rows": array(array(_CELL, most=20), least=2, most=101)},
    {**ID, "page_size": integer(1, 100), "row_header_column_index": integer(0, 19)},
    cells_fit,
    header_is_text,
)

_POINT = record({"label": string(most=20), "value": number})
_SERIES = record({"name": string(most=20), "data": array(_POINT, most=20)})
_AXES = record(
    {"categories": array(string(most=20), most=20)},
    {"x_label": string(most=50), "y_label": string(most=50)},
)


def one_point_per_category(walk: Walk, pointer: str, value: Mapping[str, object]) -> None:
    """Series have names of their own, and exactly one point for each category, in any order."""
    axes = value.get("axis_config")
    categories = [str(each) for each in listed(axes.get("categories"))] if isinstance(axes, Mapping) else []
    series = [each for each in listed(value.get("series")) if isinstance(each, Mapping)]
    unique(
        walk,
        ((f"{pointer}/series/{at}/name", each.get("name")) for at, each in enumerate(series)),
        "series name {} is used twice",
    )
    unique(
        walk,
        ((f"{pointer}/axis_config/categories/{at}", each) for at, each in enumerate(categories)),
        "category {} is used twice",
    )
    for at, each in enumerate(series):
        labels = [str(point.get("label")) for point in listed(each.get("data")) if isinstance(point, Mapping)]
        if sorted(labels) != sorted(categories):
            walk.wrong(f"{pointer}/series/{at}/data", "must have exactly one point for each category")


def _plotted(kind: str) -> Check:
    return typed(kind, {"series": array(_SERIES, most=6), "axis_config": _AXES}, {}, one_point_per_category)


_SEGMENT = record({"label": string(most=20), "value": above_zero})
DATA_VISUALIZATION = typed(
    "data_visualization",
    {
        "title": string(most=50),
        "chart": tagged(
            {
                "pie": typed("pie", {"segments": array(_SEGMENT, most=6)}, {}),
                **{kind: _plotted(kind) for kind in ("bar", "line", "area")},
            }
        ),
    },
    ID,
)

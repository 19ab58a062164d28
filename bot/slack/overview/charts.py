"""How do numbers show themselves in Slack: as a native chart, and as text where there is none? Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.ports import Json
from bot.slack.mrkdwn import cut, one_line, plain

MOST_CATEGORIES = 20
MOST_SERIES = 4
CHART = "data_visualization"


def chart(
    title: str,
    categories: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    kind: str = "bar",
    x_label: str = "",
    y_label: str = "",
) -> Json:
    """A native chart (`data_visualization`, since June 2026): bars or lines over at most 20 categories.

    Args:
        categories: unique names of the places on the axis, at most 20 characters each.
        series: numbers by the name of each series, one for each category; at most four.
    """
    names = [cut(one_line(each), 20) for each in categories[-MOST_CATEGORIES:]]
    axes: Json = {"categories": names}
    for key, label in (("x_label", x_label), ("y_label", y_label)):
        if label:
            axes[key] = cut(label, 50)
    return {
        "type": CHART,
        "title": cut(title, 50),
        "chart": {
            "type": kind,
            "series": [
                {
                    "name": cut(one_line(name), 20),
                    "data": [
                        {"label": label, "value": value}
                        for label, value in zip(names, values[-MOST_CATEGORIES:], strict=True)
                    ],
                }
                for name, values in list(series.items())[:MOST_SERIES]
            ],
            "axis_config": axes,
        },
    }


def without_charts(blocks: Sequence[Json]) -> list[Json]:
    """The same blocks, every chart as text: their roll-out was phased, and some workspaces refuse them."""
    return [_as_text(block) if block.get("type") == CHART else block for block in blocks]


def has_chart(blocks: Sequence[Json]) -> bool:
    """Whether there is one."""
    return any(block.get("type") == CHART for block in blocks)


def _as_text(block: Mapping[str, Any]) -> Json:
    shown = block["chart"]
    series = shown["series"]
    rows = [
        " ".join([point["label"], *(f"{one['name']} {_number(one['data'][at]['value'])}" for one in series)])
        for at, point in enumerate(series[0]["data"])
    ]
    return {"type": "section", "text": plain(cut("\n".join([str(block["title"]), *rows]), 3_000))}


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"

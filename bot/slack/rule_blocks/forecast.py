"""What does a backtest look like in Slack, while it runs and when it is done? Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.ports import Json
from bot.slack.cards import Written
from bot.slack.mrkdwn import cut, escaped, marked, one_line, plain
from bot.slack.rule_blocks.rows import who
from bot.slack.rule_blocks.words import say

COLUMNS = 20
"""Categories of a chart (docs.slack.dev, data visualization)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastShown:
    """A backtest. `state`: `waiting`, `running`, `done` or `failed`.

    Attributes:
        done, total: customers looked through.
        days: the first days of the chart's columns, with the messages of each (`by_day` summed up).
        gates: what held messages back, said for people, most first.
        rate: share who reached the goal without a message, said; None: it cannot be told.
        notes: what was taken for granted.
    """

    rule_id: str
    rule_name: str
    by: str
    state: str
    done: int = 0
    total: int = 0
    matched: int = 0
    entered: int = 0
    escalations: int = 0
    by_day: Sequence[int] = ()
    days: Sequence[str] = ()
    gates: Sequence[str] = ()
    rate: str | None = None
    notes: Sequence[str] = ()
    because: str = ""


def forecast(shown: ForecastShown, *, language: str) -> Written:
    """The post as it stands now; the figures stand in its text too."""
    name = escaped(cut(one_line(shown.rule_name), 100) or shown.rule_id)
    if shown.state == "waiting" or (shown.state == "running" and not shown.total):
        return _short(shown, say("backtest.waiting", language, rule=name), language)
    if shown.state == "running":
        words = say("backtest.running", language, rule=name, done=f"{shown.done:,}", total=f"{shown.total:,}")
        return _short(shown, words, language)
    if shown.state == "failed":
        because = escaped(cut(one_line(shown.because), 500))
        return _short(shown, say("backtest.failed", language, rule=name, because=because), language)
    title = say("backtest.title", language, rule=name, days=len(shown.by_day))
    figures = say(
        "backtest.figures",
        language,
        matched=f"{shown.matched:,}",
        entered=f"{shown.entered:,}",
        sends=f"{sum(shown.by_day):,}",
        least=f"{min(shown.by_day, default=0):,}",
        most=f"{max(shown.by_day, default=0):,}",
        escalations=f"{shown.escalations:,}",
    )
    lines = [title, figures]
    if shown.rate is not None:
        lines.append(say("backtest.base", language, rate=escaped(shown.rate)))
    if shown.gates:
        lines.append(say("backtest.held", language, gates=escaped(cut(" ・ ".join(shown.gates), 600))))
    blocks: list[Json] = [{"type": "section", "text": marked(cut("\n".join(lines), 3_000))}]
    if chart := _chart(shown, language):
        blocks.append(chart)
    notes = [plain(cut(one_line(note), 500)) for note in shown.notes[:8] if one_line(note)]
    notes.append(marked(say("backtest.by", language, who=who(shown.by))))
    blocks.append({"type": "context", "elements": notes})
    return Written(text=cut("\n".join(lines).replace("*", ""), 2_900), blocks=blocks)


def _short(shown: ForecastShown, words: str, language: str) -> Written:
    by = say("backtest.by", language, who=who(shown.by))
    blocks: list[Json] = [
        {"type": "section", "text": marked(words)},
        {"type": "context", "elements": [marked(by)]},
    ]
    return Written(text=cut(words.replace("*", ""), 2_900), blocks=blocks)


def _chart(shown: ForecastShown, language: str) -> Json | None:
    if not any(shown.by_day) or len(shown.days) != len(shown.by_day):
        return None
    number, count = len(shown.by_day), min(COLUMNS, len(shown.by_day))
    columns: dict[str, int] = {}
    for each in range(count):
        begin, end = each * number // count, (each + 1) * number // count
        columns[shown.days[begin][2:].replace("-", "/")] = sum(shown.by_day[begin:end])
    return {
        "type": "data_visualization",
        "title": cut(say("backtest.chart", language), 50),
        "chart": {
            "type": "bar",
            "series": [
                {
                    "name": cut(shown.rule_id, 20),
                    "data": [{"label": label, "value": value} for label, value in columns.items()],
                }
            ],
            "axis_config": {"categories": list(columns)},
        },
    }

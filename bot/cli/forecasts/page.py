"""What does a backtest look like as one page of HTML that needs nothing else?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from html import escape

from bot.cli.forecasts.text import assumptions, days_said, percent, told
from bot.flows.rules.backtest import Backtested
from followups.backtest import RuleForecast
from followups.backtest.tally import spread
from followups.words.gates import gate_said

_WIDTH, _HEIGHT, _LEFT, _FOOT = 860, 150, 46, 22

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --line: #d8dde6; --bar: #2f7d62;
  --lead: #c2571a; --ground: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf3; --soft: #98a2b3; --line: #344054;
  --bar: #5cb896; --lead: #ee9155; --ground: #12161d; } }
body { font: 15px/1.6 system-ui, sans-serif; color: var(--ink); background: var(--ground);
  max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; border-top: 1px solid var(--line);
  padding-top: 1rem; }
ul { color: var(--soft); padding-left: 1.2rem; } svg { width: 100%; height: auto; }
table { border-collapse: collapse; } td, th { padding: .2rem .9rem .2rem 0; text-align: left;
  border-bottom: 1px solid var(--line); } td.n { text-align: right; font-variant-numeric: tabular-nums; }
figcaption { color: var(--soft); } figure { margin: 1rem 0; }
pre { overflow-x: auto; color: var(--soft); font-size: 12px; }
"""


def page_of(answer: Backtested, language: str) -> str:
    """The page; no script, no address of anything outside.

    Args:
        language: `ja`; anything else is English.
    """
    is_ja = language == "ja"
    first, last = days_said(answer)
    title = f"{'規則の試算' if is_ja else 'Backtest'} {first} – {last}"
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{"ja" if is_ja else "en"}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            "<ul>",
            *(f"<li>{escape(line)}</li>" for line in assumptions(answer, is_ja)),
            "</ul>",
            *_body(answer, is_ja),
            f"<h2>{'全文' if is_ja else 'In full'}</h2>",
            f"<pre>{escape(chr(10).join(told(answer, language)))}</pre>",
            "</body></html>",
            "",
        ]
    )


def _body(answer: Backtested, is_ja: bool) -> Iterator[str]:
    forecast = answer.forecast
    if len(forecast.rules) > 1:
        yield f"<h2>{'全体' if is_ja else 'Together'}</h2>"
        yield from _plots(forecast.days, forecast.sends, forecast.escalations, is_ja)
    for rule in forecast.rules:
        yield f"<h2>{escape(rule.rule_id)} <small>{escape(rule.name)}</small></h2>"
        yield from _plots(forecast.days, rule.sends, rule.escalations, is_ja)
        yield from _table(rule, is_ja)


def _plots(
    days: Sequence[date], sends: Sequence[int], escalations: Sequence[int], is_ja: bool
) -> Iterator[str]:
    for by_day, word, colour in (
        (sends, "1日あたりの送信" if is_ja else "messages a day", "--bar"),
        (escalations, "1日あたりの引き継ぎ" if is_ja else "leads a day", "--lead"),
    ):
        if any(by_day):
            yield plot(days, by_day, word, colour=colour)


def plot(days: Sequence[date], by_day: Sequence[int], word: str, *, colour: str = "--bar") -> str:
    """One bar a day as inline SVG; each bar tells its day and number when pointed at."""
    most = max(*by_day, 1)
    step = (_WIDTH - _LEFT) / len(by_day)
    width = max(step * 0.85, 0.5)
    bars = [
        f'<rect x="{_LEFT + i * step:.2f}" y="{_HEIGHT - number / most * _HEIGHT:.2f}" width="{width:.2f}"'
        f' height="{number / most * _HEIGHT:.2f}"><title>{day}: {number:,}</title></rect>'
        for i, (day, number) in enumerate(zip(days, by_day, strict=True))
        if number
    ]
    of = spread(by_day)
    text = 'fill="var(--soft)" font-size="11"'
    return "".join(
        [
            f'<figure><svg role="img" aria-label="{escape(word)}" viewBox="0 -8 {_WIDTH}'
            f' {_HEIGHT + _FOOT + 8}">',
            f'<line x1="{_LEFT}" y1="{_HEIGHT}" x2="{_WIDTH}" y2="{_HEIGHT}" stroke="var(--line)"/>',
            f'<line x1="{_LEFT}" y1="0" x2="{_WIDTH}" y2="0" stroke="var(--line)" stroke-dasharray="3"/>',
            f'<text x="{_LEFT - 6}" y="4" text-anchor="end" {text}>{most:,}</text>',
            f'<text x="{_LEFT - 6}" y="{_HEIGHT}" text-anchor="end" {text}>0</text>',
            f'<text x="{_LEFT}" y="{_HEIGHT + 16}" {text}>{days[0]}</text>',
            f'<text x="{_WIDTH}" y="{_HEIGHT + 16}" text-anchor="end" {text}>{days[-1]}</text>',
            f'<g fill="var({colour})">{"".join(bars)}</g></svg>',
            f"<figcaption>{escape(word)}: {of.total:,} ({of.least:,} / {of.middle:g} / {of.most:,})"
            "</figcaption></figure>",
        ]
    )


def _table(rule: RuleForecast, is_ja: bool) -> Iterator[str]:
    rows: list[tuple[str, str]] = [
        ("条件に合った人" if is_ja else "customers matched", f"{rule.matched:,}"),
        ("対応に入った人" if is_ja else "customers entered", f"{rule.entered:,}"),
        ("何もしない場合の達成率" if is_ja else "goal reached without any message", percent(rule.rate)),
        ("お客様全体の同じ率" if is_ja else "the same of all customers", percent(rule.all_rate)),
    ]
    language = "ja" if is_ja else "en"
    rows += [
        (
            f"{'止めた理由' if is_ja else 'held by'}: {gate_said(gate, language)}",
            f"{counted.occasions:,} ({'後で送信' if is_ja else 'sent later'} {counted.sent_later:,},"
            f" {'送らずじまい' if is_ja else 'never'} {counted.dropped:,})",
        )
        for gate, counted in rule.held.items()
    ]
    yield "<table>"
    for name, said in rows:
        yield f'<tr><th scope="row">{escape(name)}</th><td class="n">{escape(said)}</td></tr>'
    yield "</table>"

"""What does a report look like as one page of HTML that needs nothing else?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape

from bot.cli.forecasts.page import STYLE, plot
from bot.cli.report.text import STEPS, in_language, notes, title_of, together_said, told
from followups.measure.figures import Day, Figures, Point, RuleFigures
from followups.measure.wording import BLOCKS, OPT_OUTS, effect_said, guardrail_said, points
from followups.rules.conditions import Text
from followups.times.zones import local_day, zone_of

_WIDTH, _LEFT = 860, 190
_BAR, _GAP = 18, 6
_HEIGHT, _FOOT = 170, 24
_AXIS = 60
_TEXT = 'font-size="12" fill="var(--soft)"'
_FUNNEL = ("eligible", "accepted", "clicked", "tapped", "replied", "reached")


def page_of(figures: Figures, languages: Sequence[str]) -> str:
    """The page; no script, no address of anything outside, every text as text.

    Args:
        languages: `ja` and `en`, in the order in which they are shown; one or both.
    """
    title = title_of(figures, languages[0] == "ja")
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{languages[0]}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            *(f"<h1>{escape(title_of(figures, language == 'ja'))}</h1>" for language in languages),
            *_said(together_said(figures), languages),
            "<ul>",
            *(f"<li>{escape(_both(note, languages))}</li>" for note in notes(figures)),
            "</ul>",
            *_every_day(figures, languages),
            *(line for rule in figures.rules for line in _rule(rule, figures, languages)),
            *_in_full(figures, languages),
            "</body></html>",
            "",
        ]
    )


def _both(text: Text, languages: Sequence[str]) -> str:
    return " / ".join(in_language(text, language) for language in languages)


def _said(text: Text, languages: Sequence[str]) -> Iterator[str]:
    for language in languages:
        yield f'<p lang="{language}">{escape(in_language(text, language))}</p>'


def _every_day(figures: Figures, languages: Sequence[str]) -> Iterator[str]:
    if not figures.days:
        return
    days = _without_gaps(figures.days)
    yield f"<h2>{escape(_both(Text(ja='毎日', en='Day by day'), languages))}</h2>"
    lines: tuple[tuple[list[int], Text, str], ...] = (
        ([day.by_rule for day in days], Text(ja="規則による送信", en="messages by rules"), "--bar"),
        (
            [day.by_person + day.by_program for day in days],
            Text(ja="その他の送信（担当者・自動の返事）", en="other messages (staff, answers)"),
            "--lead",
        ),
        ([day.opted_out for day in days], Text(ja="配信停止", en="opt-outs"), "--lead"),
        ([day.blocked for day in days], Text(ja="ブロック", en="blocks"), "--lead"),
    )
    for numbers, words, colour in lines:
        if any(numbers):
            yield plot([day.on for day in days], numbers, _both(words, languages), colour=colour)


def _without_gaps(days: Sequence[Day]) -> list[Day]:
    by_day = {day.on: day for day in days}
    first, last = days[0].on, days[-1].on
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [by_day.get(on, Day(on, 0, 0, 0, 0, 0)) for on in every]


def _rule(rule: RuleFigures, figures: Figures, languages: Sequence[str]) -> Iterator[str]:
    yield f"<h2>{escape(rule.rule_id)} <small>{escape(rule.name)}</small></h2>"
    yield from _said(effect_said(rule.effect), languages)
    for guard, what in ((rule.opt_outs, OPT_OUTS), (rule.blocks, BLOCKS)):
        if (warning := guardrail_said(guard, what)) is not None:
            yield from _said(warning, languages)
    yield _funnel(rule, languages)
    if any(point.interval is not None for point in rule.trend):
        yield _trend(rule.trend, figures.timezone, languages)


def _funnel(rule: RuleFigures, languages: Sequence[str]) -> str:
    words = dict(STEPS)
    most = max(rule.treated.eligible, 1)
    label = _both(Text(ja="送る側の流れ", en="what became of the treated"), languages)
    room = _WIDTH - _LEFT - 70
    height = len(_FUNNEL) * (_BAR + _GAP)
    lines = [
        f'<figure><svg role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {height}">',
    ]
    for place, name in enumerate(_FUNNEL):
        number = getattr(rule.treated, name)
        top = place * (_BAR + _GAP)
        width = number / most * room
        lines += [
            f'<text x="{_LEFT - 8}" y="{top + 13}" text-anchor="end" {_TEXT}>'
            f"{escape(_both(words[name], languages))}</text>",
            f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="var(--bar)"/>',
            f'<text x="{_LEFT + width + 6:.1f}" y="{top + 13}" {_TEXT}>{number:,}</text>',
        ]
    lines.append(f"</svg><figcaption>{escape(label)}</figcaption></figure>")
    return "\n".join(lines)


def _trend(trend: Sequence[Point], timezone: str, languages: Sequence[str]) -> str:
    """The interval at each moment as a bar from low to high with its estimate, around the line of 0."""
    shown = [(point.at, point.interval) for point in trend if point.interval is not None]
    most = max(0.01, *(max(abs(each.low), abs(each.high)) for _, each in shown))
    zone = zone_of(timezone)
    first, last = trend[0].at, trend[-1].at
    span = max((last - first).total_seconds(), 1.0)
    middle = _HEIGHT / 2

    def x_of(index: int) -> float:
        return _AXIS + 10 + (shown[index][0] - first).total_seconds() / span * (_WIDTH - _AXIS - 24)

    def y_of(value: float) -> float:
        return middle - value / most * (middle - 8)

    label = _both(
        Text(ja="効果と区間の移り変わり（ポイント）", en="the effect and its interval over time, in points"),
        languages,
    )
    lines = [
        f'<figure><svg role="img" aria-label="{escape(label)}" viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}">',
        f'<line x1="{_AXIS}" y1="{middle}" x2="{_WIDTH}" y2="{middle}" stroke="var(--line)"/>',
        f'<text x="{_AXIS - 6}" y="{middle + 4}" text-anchor="end" {_TEXT}>0</text>',
        f'<text x="{_AXIS - 6}" y="12" text-anchor="end" {_TEXT}>{points(most)}</text>',
        f'<text x="{_AXIS - 6}" y="{_HEIGHT}" text-anchor="end" {_TEXT}>{points(-most)}</text>',
        f'<text x="{_AXIS}" y="{_HEIGHT + 18}" {_TEXT}>{local_day(first, zone)}</text>',
        f'<text x="{_WIDTH}" y="{_HEIGHT + 18}" text-anchor="end" {_TEXT}>{local_day(last, zone)}</text>',
    ]
    for index, (at, each) in enumerate(shown):
        x = x_of(index)
        told_at: date = local_day(at, zone)
        lines += [
            f'<g stroke="var(--bar)" stroke-width="3"><title>{told_at}: {points(each.estimate)}'
            f" [{points(each.low)}, {points(each.high)}]</title>"
            f'<line x1="{x:.1f}" y1="{y_of(each.low):.1f}" x2="{x:.1f}" y2="{y_of(each.high):.1f}"/>'
            f'<circle cx="{x:.1f}" cy="{y_of(each.estimate):.1f}" r="3" fill="var(--bar)"/></g>',
        ]
    lines.append(f"</svg><figcaption>{escape(label)}</figcaption></figure>")
    return "\n".join(lines)


def _in_full(figures: Figures, languages: Sequence[str]) -> Iterator[str]:
    yield f"<h2>{escape(_both(Text(ja='全文', en='In full'), languages))}</h2>"
    for language in languages:
        yield f'<pre lang="{language}">{escape(chr(10).join(told(figures, language)))}</pre>'

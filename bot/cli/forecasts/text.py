"""What does a backtest read like in a terminal, and as JSON?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from bot.flows.rules.backtest import Backtested
from followups.backtest import Flagged, Rhythm, RuleForecast
from followups.backtest.tally import spread
from followups.times.zones import JAPAN, local_day, zone_of
from followups.words.gates import gate_said
from followups.words.wording import span_en, span_ja

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 60


def sparkline(by_day: Sequence[int], *, width: int = _WIDTH) -> str:
    """Days as bars, the most in one column full height; more days than `width` share columns (their mean)."""
    number = min(width, len(by_day))
    columns = []
    for i in range(number):
        some = by_day[i * len(by_day) // number : (i + 1) * len(by_day) // number]
        columns.append(sum(some) / len(some))
    most = max(columns, default=0.0)
    if not most:
        return "·" * number
    return "".join("·" if each == 0 else _BARS[min(7, int(each / most * 8))] for each in columns)


def percent(share: float | None) -> str:
    """A share for people; – where there is none."""
    return "–" if share is None else f"{share:.1%}"


def told(answer: Backtested, language: str) -> list[str]:
    """The forecast as lines for people.

    Args:
        language: `ja`; anything else is English.
    """
    return list(_lines(answer, language == "ja"))


def days_said(answer: Backtested) -> tuple[date, date]:
    """The first and the last local day."""
    return answer.forecast.days[0], answer.forecast.days[-1]


def assumptions(answer: Backtested, is_ja: bool) -> list[str]:
    """What was taken for granted, and what spoils the figures."""
    span = span_ja(answer.lead_open_for) if is_ja else span_en(answer.lead_open_for)
    if is_ja:
        lines = [
            "全員が LINE と連携済み・同意済みと仮定"
            if answer.is_reachable_assumed
            else "連携・同意は現在の状態で判定",
            "属性は現在の値。会話・返信・クリックはなかったものとする（届いたメッセージには誰も反応しない）",
            f"案件は {span} で片付くと仮定。規則はすべて live として判定し、以前の送信は数えない",
        ]
        if answer.really_sent:
            lines.append(
                f"注意: この期間に実際に {answer.really_sent:,} 通送っています。"
                "何もしない場合の達成率ではありません"
            )
        return lines
    lines = [
        "everybody is taken as linked on LINE and agreed"
        if answer.is_reachable_assumed
        else "links and consents are taken as they are today",
        "attributes are today's; no conversations, and nobody answers or clicks a message of the replay",
        f"a lead is taken to be settled within {span}; every rule is decided as if live, earlier messages do"
        " not count",
    ]
    if answer.really_sent:
        lines.append(
            f"careful: {answer.really_sent:,} messages were really sent in this time, so the base rate is not"
            " one of doing nothing"
        )
    return lines


def _lines(answer: Backtested, is_ja: bool) -> Iterator[str]:
    forecast = answer.forecast
    first, last = days_said(answer)
    yield (
        f"{first} 〜 {last}（{len(forecast.days)}日、{answer.timezone}）:"
        f" お客様 {forecast.customers:,} 人、出来事 {forecast.events:,} 件、判断 {forecast.moments:,} 回"
        if is_ja
        else f"{first} to {last} ({len(forecast.days)} days, {answer.timezone}):"
        f" {forecast.customers:,} customers, {forecast.events:,} events, {forecast.moments:,} decisions"
    )
    for line in assumptions(answer, is_ja):
        yield f"  * {line}"
    for rule in forecast.rules:
        yield ""
        yield from _rule(answer, rule, is_ja)
    if len(forecast.rules) > 1:
        yield ""
        yield from _together(answer, is_ja)
    if forecast.months:
        yield ""
        yield from _months(answer, is_ja)


def _rule(answer: Backtested, rule: RuleForecast, is_ja: bool) -> Iterator[str]:
    yield f"{rule.rule_id}: {rule.name}"
    yield (
        f"  条件に合った {rule.matched:,} 人、対応に入った {rule.entered:,} 人"
        if is_ja
        else f"  matched {rule.matched:,} customers, entered {rule.entered:,}"
    )
    yield from _by_day("送信" if is_ja else "messages", rule.sends, is_ja)
    yield from _by_day("引き継ぎ" if is_ja else "leads", rule.escalations, is_ja)
    yield from _per_rep(answer, rule.escalations, is_ja)
    for gate, counted in rule.held.items():
        yield (
            f"  止めた理由 {gate}（{gate_said(gate, 'ja')}）: {counted.occasions:,} 回、"
            f"うち後で送信 {counted.sent_later:,} 回、送らずじまい {counted.dropped:,} 回"
            if is_ja
            else f"  held by {gate} ({gate_said(gate, 'en')}): {counted.occasions:,} times,"
            f" sent later {counted.sent_later:,}, never {counted.dropped:,}"
        )
    if rule.judged:
        span = span_ja(rule.goal_within) if is_ja else span_en(rule.goal_within)
        yield (
            f"  何もしなくても {span} 以内に {rule.goal_event}: {percent(rule.rate)}"
            f"（{rule.judged:,} 回中 {rule.reached:,}）。同じ日々のお客様全体では {percent(rule.all_rate)}"
            if is_ja
            else f"  without any message, {rule.goal_event} within {span}: {percent(rule.rate)}"
            f" ({rule.reached:,} of {rule.judged:,}); all customers on the same days:"
            f" {percent(rule.all_rate)}"
        )
    elif rule.entered:
        yield (
            "  目標の期間が、記録の終わりまでに閉じていないため、達成率はまだ言えません"
            if is_ja
            else "  no base rate: no goal's window closes before the known history ends"
        )
    if rule.rhythm is not None:
        yield from _rhythm(answer, rule.rhythm, is_ja)


def _by_day(word: str, by_day: Sequence[int], is_ja: bool) -> Iterator[str]:
    if not any(by_day):
        return
    of = spread(by_day)
    yield (
        f"  {word} {of.total:,}: 1日 最少 {of.least:,} / 中央 {of.middle:g} / 最多 {of.most:,}"
        f"（初日 {by_day[0]:,}）"
        if is_ja
        else f"  {word} {of.total:,}: a day at least {of.least:,} / median {of.middle:g} / at most"
        f" {of.most:,} (first day {by_day[0]:,})"
    )
    yield f"    {sparkline(by_day)}"


def _rhythm(answer: Backtested, rhythm: Rhythm, is_ja: bool) -> Iterator[str]:
    cut = local_day(rhythm.cut, zone_of(answer.timezone))
    yield (
        f"  {rhythm.event} の間隔: {cut} 時点で判定し、その後の期間で確かめると"
        f"（3回以上のお客様 {rhythm.customers:,} 人、戻らなかった {rhythm.lost:,} 人）"
        if is_ja
        else f"  rhythm of {rhythm.event}: flagged on {cut}, judged by what came after"
        f" ({rhythm.customers:,} customers who came 3 times or more, {rhythm.lost:,} never came back)"
    )
    span = span_ja(rhythm.span) if is_ja else span_en(rhythm.span)
    heads = (
        ("対象", "的中率", "再現率", "誤報") if is_ja else ("flagged", "precision", "recall", "false alarm")
    )
    yield f"    {'':22}" + "".join(f"{head:>13}" for head in heads)
    own = "本人の間隔 × 3" if is_ja else "own rhythm × 3"
    for name, flagged in ((f"固定 {span}" if is_ja else f"fixed {span}", rhythm.fixed), (own, rhythm.own)):
        yield f"    {name:22}" + "".join(f"{each:>13}" for each in _shares(flagged))


def _shares(flagged: Flagged) -> list[str]:
    return [percent(each) for each in (flagged.share, flagged.precision, flagged.recall, flagged.false_alarm)]


def _together(answer: Backtested, is_ja: bool) -> Iterator[str]:
    forecast = answer.forecast
    yield (
        f"全体: 対応に入ったお客様 {forecast.entered:,} 人"
        if is_ja
        else f"together: {forecast.entered:,} customers entered"
    )
    yield from _by_day("送信" if is_ja else "messages", forecast.sends, is_ja)
    yield from _by_day("引き継ぎ" if is_ja else "leads", forecast.escalations, is_ja)
    yield from _per_rep(answer, forecast.escalations, is_ja)
    for (one, other), number in forecast.overlaps.items():
        yield (
            f"  {one} と {other} の両方に入った: {number:,} 人"
            if is_ja
            else f"  entered both {one} and {other}: {number:,} customers"
        )
    for (rule_id, ahead), number in forecast.behind.items():
        yield (
            f"  {rule_id} は {ahead} に譲って待った: {number:,} 回"
            if is_ja
            else f"  {rule_id} waited behind {ahead}: {number:,} times"
        )


def _per_rep(answer: Backtested, by_day: Sequence[int], is_ja: bool) -> Iterator[str]:
    """Over the days with leads: an average over days without any would hide how busy one gets."""
    busy = [number / answer.reps for number in by_day if number]
    if not busy:
        return
    middle, most = median(busy), max(busy)
    yield (
        f"    担当者1人あたり（{answer.reps}人で分担、引き継ぎのあった {len(busy):,} 日）:"
        f" 1日 中央 {middle:.1f} / 最多 {most:.1f}"
        if is_ja
        else f"    per person ({answer.reps} sharing, the {len(busy):,} days with leads):"
        f" a day median {middle:.1f} / at most {most:.1f}"
    )


def _months(answer: Backtested, is_ja: bool) -> Iterator[str]:
    months = answer.forecast.months
    short = [month for month in months if month.wanted > month.limit]
    yield (
        f"LINE の通数: 規則が使えるのは月 {months[0].limit:,} 通。足りない月 {len(short)} / {len(months)}"
        if is_ja
        else f"LINE's messages: rules may send {months[0].limit:,} a month; too few in {len(short)} of"
        f" {len(months)} months"
    )
    for month in months:
        begins = local_day(month.begins, JAPAN)
        yield (
            f"  {begins:%Y-%m}  希望 {month.wanted:>8,}  送信 {month.sent:>8,}"
            if is_ja
            else f"  {begins:%Y-%m}  wanted {month.wanted:>8,}  sent {month.sent:>8,}"
        )


def json_of(answer: Backtested) -> str:
    """The whole forecast as one JSON object; times in ISO, spans in seconds, shares from 0 to 1."""
    forecast = answer.forecast
    content: dict[str, Any] = {
        "from": forecast.start,
        "to": forecast.end,
        "timezone": answer.timezone,
        "known_until": answer.known_until,
        "is_reachable_assumed": answer.is_reachable_assumed,
        "lead_open_for": answer.lead_open_for,
        "really_sent": answer.really_sent,
        "assumptions": assumptions(answer, is_ja=False),
        "days": forecast.days,
        "customers": forecast.customers,
        "events": forecast.events,
        "decisions": forecast.moments,
        "entered": forecast.entered,
        "sends_by_day": forecast.sends,
        "escalations_by_day": forecast.escalations,
        "rules": [_rule_json(rule) for rule in forecast.rules],
        "reps": answer.reps,
        "months": [
            {"begins": each.begins, "limit": each.limit, "wanted": each.wanted, "sent": each.sent}
            for each in forecast.months
        ],
        "overlaps": [
            {"rules": list(pair), "customers": number} for pair, number in forecast.overlaps.items()
        ],
        "arbitration": [
            {"rule": rule_id, "behind": ahead, "times": number}
            for (rule_id, ahead), number in forecast.behind.items()
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, default=_plain)


def _rule_json(rule: RuleForecast) -> dict[str, Any]:
    return {
        "id": rule.rule_id,
        "name": rule.name,
        "matched": rule.matched,
        "entered": rule.entered,
        "sends_by_day": rule.sends,
        "escalations_by_day": rule.escalations,
        "held": {
            gate: {
                "times": counted.occasions,
                "sent_later": counted.sent_later,
                "never_sent": counted.dropped,
            }
            for gate, counted in rule.held.items()
        },
        "goal": {
            "event": rule.goal_event,
            "within": rule.goal_within,
            "judged": rule.judged,
            "reached": rule.reached,
            "rate": rule.rate,
            "rate_of_all": rule.all_rate,
        },
        "rhythm": _rhythm_json(rule.rhythm) if rule.rhythm is not None else None,
    }


def _rhythm_json(rhythm: Rhythm) -> dict[str, Any]:
    def shares(flagged: Flagged) -> dict[str, float | None]:
        return {
            "flagged": flagged.share,
            "precision": flagged.precision,
            "recall": flagged.recall,
            "false_alarm": flagged.false_alarm,
        }

    return {
        "event": rhythm.event,
        "cut": rhythm.cut,
        "customers": rhythm.customers,
        "lost": rhythm.lost,
        "fixed": {"span": rhythm.span, **shares(rhythm.fixed)},
        "own": shares(rhythm.own),
    }


def _plain(value: object) -> str | float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON")

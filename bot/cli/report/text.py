"""What does a report read like in a terminal?"""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bot.flows.measure.plan import Planned
from followups.measure.figures import Counts, Figures, RuleFigures
from followups.measure.proportions import Interval
from followups.measure.wording import ATTRIBUTED, BLOCKS, OPT_OUTS, effect_said, guardrail_said, points
from followups.rules.conditions import Text
from followups.times.zones import local_day, zone_of

STEPS: tuple[tuple[str, Text], ...] = (
    ("eligible", Text(ja="対象になった", en="eligible")),
    ("sent", Text(ja="送った", en="sent")),
    ("accepted", Text(ja="LINE が受け付けた", en="accepted by LINE")),
    ("clicked", Text(ja="リンクを開いた", en="clicked")),
    ("tapped", Text(ja="選択肢を押した", en="answered in one tap")),
    ("replied", Text(ja="返信した", en="replied")),
    ("judged", Text(ja="目標の期間が終わった", en="window over")),
    ("reached", Text(ja="目標を達成した", en="goal reached")),
    ("opted_out", Text(ja="配信停止", en="opted out")),
    ("blocked", Text(ja="ブロック", en="blocked")),
    ("by_person", Text(ja="担当者も連絡した", en="a person wrote, too")),
    ("won", Text(ja="受注", en="won")),
    ("lost", Text(ja="失注", en="lost")),
)
_WIDTH = 110


def in_language(text: Text, language: str) -> str:
    """The Japanese or the English words."""
    return text.ja if language == "ja" else text.en


def told(figures: Figures, language: str) -> list[str]:
    """The report as lines for people.

    Args:
        language: `ja`; anything else is English.
    """
    return list(_lines(figures, language == "ja", language))


def title_of(figures: Figures, is_ja: bool) -> str:
    """What the report is about."""
    zone = zone_of(figures.timezone)
    day = local_day(figures.as_of, zone)
    start = local_day(figures.start, zone) if figures.start is not None else None
    end = local_day(figures.end, zone) if figures.end != figures.as_of else day
    if is_ja:
        return f"フォローの成果（{start or '最初'} 〜 {end}、{day} 時点）"
    return f"What the follow-ups achieved ({start or 'the beginning'} to {end}, as of {day})"


def together_said(figures: Figures) -> Text:
    """What all rules together added, each conversion counted once."""
    added = figures.added
    if added is None:
        return Text(
            ja="全体の増分はまだ出せません（比較できる規則がありません）",
            en="the total added cannot be told yet (no rule has a comparison)",
        )
    rules = f"{len(figures.compared)}"
    if added.holds(0.0):
        return Text(
            ja=f"全体の増分はまだ分かりません: {_goals(added, True)}"
            f"（比較できる規則 {rules} 件、1件の達成は1回だけ数える）",
            en=f"what all rules added is not known yet: {_goals(added, False)} ({rules} rules compared, each"
            " goal counted once)",
        )
    return Text(
        ja=f"全体の増分: 約 {added.estimate:+,.0f} 件（{_goals(added, True)}。比較できる規則 {rules} 件、"
        "1件の達成は1回だけ数える）",
        en=f"added by all rules: about {added.estimate:+,.0f} goals ({_goals(added, False)}; {rules} rules"
        " compared, each goal counted once)",
    )


def _goals(added: Interval, is_ja: bool) -> str:
    low, high = f"{added.low:+,.0f}".replace("-", "−"), f"{added.high:+,.0f}".replace("-", "−")
    return f"{low}〜{high} 件" if is_ja else f"{low} to {high} goals"


def notes(figures: Figures) -> list[Text]:
    """How the numbers are to be read."""
    return [
        Text(
            ja="効果は「送る側」と「送らない側」の差。区間は、いつ何度見ても 95% の確かさで正しい",
            en="an effect is treated minus held out; its interval holds with 95 %, however often it is read",
        ),
        Text(
            ja="効果は各お客様の最初の1回で、目標の期間が終わった人だけで判定。取り消した送信も含む",
            en="effects are judged on each customer's first passage, once its window is over, cancelled sends"
            " included",
        ),
        Text(
            ja="「参考」は送信のあとに起きた数で、送らなくても起きた分を含む",
            en="attributed figures are what came after a message, also what would have come without it",
        ),
    ]


def _lines(figures: Figures, is_ja: bool, language: str) -> Iterator[str]:
    yield title_of(figures, is_ja)
    yield in_language(together_said(figures), language)
    for note in notes(figures):
        yield f"  * {in_language(note, language)}"
    if not figures.rules:
        yield "まだ誰も規則の対象になっていません" if is_ja else "no customer has entered any rule yet"
    for rule in figures.rules:
        yield ""
        yield from rule_lines(rule, language)


def rule_lines(rule: RuleFigures, language: str) -> Iterator[str]:
    """One rule: the verdict, warnings, and its counts."""
    is_ja = language == "ja"
    yield f"{rule.rule_id}: {rule.name}"
    yield f"  {in_language(effect_said(rule.effect), language)}"
    for guard, what in ((rule.opt_outs, OPT_OUTS), (rule.blocks, BLOCKS)):
        warning = guardrail_said(guard, what)
        if warning is not None:
            yield f"  ! {in_language(warning, language)}"
    for variant in rule.variants:
        yield f"  {variant.variant}: {in_language(effect_said(variant.effect), language)}"
        for guard, what in ((variant.opt_outs, OPT_OUTS), (variant.blocks, BLOCKS)):
            warning = guardrail_said(guard, what)
            if warning is not None:
                yield f"  ! {variant.variant}: {in_language(warning, language)}"
    if rule.means is not None:
        low, high = rule.means.interval.low, rule.means.interval.high
        yield (
            f"  目標の出来事は1人あたり {rule.means.treated:.2f} 回、送らない側 {rule.means.held_out:.2f} 回"
            f"（差 {low:+.2f}〜{high:+.2f}、1回だけ見る場合の 95% 区間。"
            f"以前の回数で雑音を {rule.means.cut:.0%} 除去）"
            if is_ja
            else f"  goal events per customer: {rule.means.treated:.2f}, held out {rule.means.held_out:.2f}"
            f" (difference {low:+.2f} to {high:+.2f}, 95 % for one look; counts from before took away"
            f" {rule.means.cut:.0%} of the noise)"
        )
    yield from _table(rule, language)
    yield (
        f"  {in_language(ATTRIBUTED, language)}: {rule.treated.attributed:,}"
        + (f"、クリックから7日以内 {rule.treated.clicked_through:,}" if is_ja else "")
        + ("" if is_ja else f"; within 7 days after a click {rule.treated.clicked_through:,}")
    )


def _table(rule: RuleFigures, language: str) -> list[str]:
    is_ja = language == "ja"
    parts: list[tuple[str, Counts]] = [("送る側" if is_ja else "treated", rule.treated)]
    parts += [(variant.variant, variant.counts) for variant in rule.variants]
    parts.append(("送らない側" if is_ja else "held out", rule.held_out))
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    table.add_column("")
    for name, _ in parts:
        table.add_column(name, justify="right")
    for field, words in STEPS:
        table.add_row(in_language(words, language), *(f"{getattr(each, field):,}" for _, each in parts))
    paper = io.StringIO()
    Console(file=paper, width=_WIDTH, color_system=None).print(table)
    return [f"    {line.rstrip()}" for line in paper.getvalue().splitlines()]


def plan_told(planned: Planned, language: str) -> list[str]:
    """What a comparison can show before it starts, as lines for people."""
    is_ja, rule_id, plan = language == "ja", planned.rule_id, planned.plan
    lines = [
        f"{rule_id}: 何もしなくても目標を達成する割合 {plan.baseline:.1%}、"
        f"対象は週に約 {plan.per_week:,.0f} 人、比較対象 {plan.holdout:.0%}"
        if is_ja
        else f"{rule_id}: {plan.baseline:.1%} reach the goal without any message, about {plan.per_week:,.0f}"
        f" customers a week, {plan.holdout:.0%} held out"
    ]
    for rise, (treated, held) in plan.wanted.items():
        weeks = f"{(treated + held) / plan.per_week:,.0f}" if plan.per_week > 0 else "?"
        lines.append(
            f"  {points(rise)} ポイントの差を見るには 送る側 {treated:,} 人・送らない側 {held:,} 人"
            f"（約 {weeks} 週間）"
            if is_ja
            else f"  to see {points(rise)} points: {treated:,} treated and {held:,} held out"
            f" (about {weeks} weeks)"
        )
    for span, rise_seen in plan.seen.items():
        said = "–" if rise_seen is None else points(rise_seen)
        lines.append(
            f"  {span} 週間で見える差: {said} ポイント以上"
            if is_ja
            else f"  after {span} weeks: {said} points or more"
        )
    lines.append(
        "  （両側 5%、検出力 80%、最後に1回だけ見る場合。途中で何度も見るなら、もう少しかかります）"
        if is_ja
        else "  (5 % two-sided, power 80 %, one look at the end; looking all the time takes somewhat longer)"
    )
    if not planned.is_holdout_set:
        lines.append(
            "  注意: 比較対象がまだ決められていません。規則か policy.yaml に holdout: 10% と書いてください"
            if is_ja
            else "  careful: nobody is held out yet (write holdout: 10% into the rule or policy.yaml)"
        )
    return lines

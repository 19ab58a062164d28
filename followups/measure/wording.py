"""What may be said about an effect, in words that claim no more than the data do?"""

from __future__ import annotations

from followups.measure.checks import Guardrail, GuardrailState
from followups.measure.effect import Effect, EffectState
from followups.measure.figures import Figures
from followups.measure.proportions import Interval
from followups.rules.conditions import Text

ATTRIBUTED = Text(ja="参考（送信のあとに達成した数）", en="attributed, for reference")


def points(value: float) -> str:
    """A difference of shares in points, signed: +1.2."""
    return f"{value * 100:+.1f}".replace("-", "−")


def span_of(interval: Interval) -> Text:
    """The interval in points."""
    low, high = points(interval.low), points(interval.high)
    return Text(ja=f"{low}〜{high} ポイント", en=f"{low} to {high} points")


def effect_said(effect: Effect) -> Text:
    """One sentence on what a rule added; never a number that the data do not bear."""
    interval = effect.interval
    match effect.state:
        case EffectState.BROKEN:
            return Text(
                ja=f"比較が崩れているため、効果は出しません（送る側 {effect.treated.units:,}・"
                f"送らない側 {effect.held_out.units:,}。偶然ではまず起きない偏り）。"
                "割り当てや取り込みに抜けがないか、ご確認ください",
                en=f"the comparison is broken, so no effect is shown ({effect.treated.units:,} treated and"
                f" {effect.held_out.units:,} held out are no chance split); look for customers or events that"
                " are missing",
            )
        case EffectState.ALONE:
            return Text(
                ja="比較対象（送らない側）がいないため、効果は分かりません（holdout を設定すると分かります）",
                en="nobody is held out, so the effect cannot be known (set holdout to know it)",
            )
        case EffectState.WAITING:
            return _waiting(effect)
        case EffectState.NOTHING:
            assert interval is not None
            span = span_of(interval)
            return Text(ja=f"差はほとんどありません（{span.ja}）", en=f"about no difference ({span.en})")
        case EffectState.HELPS | EffectState.HARMS:
            assert interval is not None
            return _shown(effect, interval)


def _waiting(effect: Effect) -> Text:
    if effect.weeks is not None and effect.weeks <= 52:
        ja = f"差はまだ分かりません。あと約{effect.weeks}週間"
        weeks = "week" if effect.weeks == 1 else "weeks"
        en = f"not enough data yet: about {effect.weeks} more {weeks}"
    else:
        ja = (
            "差はまだ分かりません。いまの人数では1年以内に分かる見込みがありません"
            "（比較の割合か対象を広げてください）"
        )
        en = (
            "not enough data yet, and not within a year at this rate (hold out more, or reach more customers)"
        )
    if effect.interval is None:
        return Text(ja=ja, en=en)
    span = span_of(effect.interval)
    return Text(ja=f"{ja}（いま言えるのは {span.ja} のどこか）", en=f"{en} (so far: anywhere from {span.en})")


def _shown(effect: Effect, interval: Interval) -> Text:
    span, added = span_of(interval), effect.added
    assert added is not None
    is_good = effect.state is EffectState.HELPS
    number = f"{abs(added.estimate):,.0f}"
    people = f"{effect.treated.people:,}"
    return Text(
        ja=f"{'効果があります' if is_good else '逆効果です'}: 目標の達成 {points(interval.estimate)} ポイント"
        f"（95% 区間 {span.ja}）。{people} 人のうち約 {number} 人が、送った"
        f"{'ことで達成' if is_good else 'ために達成せず'}",
        en=f"{'it helps' if is_good else 'it harms'}: goal {points(interval.estimate)} points (95 % interval"
        f" {span.en}); about {number} of {people} customers reached it"
        f" {'because of it' if is_good else 'less, because of it'}",
    )


def added_said(figures: Figures) -> Text:
    """What all rules together added, in one line: a number with its interval, or why there is none yet."""
    states = {rule.effect.state for rule in figures.rules}
    added = figures.added
    if added is not None and not added.holds(0.0):
        sign, span = f"{added.estimate:+,.0f}", f"{added.low:+,.0f}〜{added.high:+,.0f}"
        return Text(
            ja=f"{sign} 件（95% 区間 {span}）", en=f"{sign} (95 % interval {span.replace('〜', ' to ')})"
        )
    waiting = [rule.effect.weeks for rule in figures.rules if rule.effect.state is EffectState.WAITING]
    known = [weeks for weeks in waiting if weeks is not None]
    if waiting or added is not None:
        ja, en = "まだ判断できません", "not enough data yet"
        if known:
            ja, en = f"{ja}（あと約{min(known)}週間）", f"{en} (about {min(known)} more weeks)"
        if added is not None:
            span = f"{added.low:+,.0f}〜{added.high:+,.0f}"
            ja, en = f"{ja}。いまは {span} 件のどこか", f"{en}; so far {span.replace('〜', ' to ')}"
        return Text(ja=ja, en=en)
    if states == {EffectState.BROKEN}:
        return Text(ja="比較が崩れているため出しません", en="not shown: the comparison is broken")
    if states:
        return Text(ja="比べる相手（送らない側）がいません", en="nobody is held out to compare with")
    return Text(ja="まだありません", en="nothing yet")


def guardrail_said(guard: Guardrail, what: Text) -> Text | None:
    """A warning about opt-outs or blocks; None: nothing to say."""
    if guard.state is GuardrailState.OK or guard.added is None:
        return None
    span = span_of(guard.added)
    if guard.state is GuardrailState.STOP:
        return Text(
            ja=f"{what.ja}が確かに増えています（{span.ja}）。止めることをお勧めします",
            en=f"{what.en} have surely risen ({span.en}); stop it",
        )
    return Text(
        ja=f"{what.ja}が多めです（{span.ja}。まだ確かではありません）",
        en=f"{what.en} look high ({span.en}; not sure yet)",
    )


OPT_OUTS = Text(ja="配信停止", en="opt-outs")
BLOCKS = Text(ja="ブロック", en="blocks")

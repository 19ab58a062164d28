"""Which reasons are there not to write now, and when does time alone lift them?

Every gate answers a `GateResult`. A closed gate makes the rule wait, for `until` or for a change; one with
`is_final` ends the occasion: the customer said no, people already care for them, or they are kept as
comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from followups.experiments import GLOBAL_SALT, is_held_out, rule_salt, unit_of
from followups.facts import Contact, Facts
from followups.room import Room
from followups.rules.conditions import Text
from followups.rules.model import DuringConversation, Hours, Policy, Rule
from followups.signals import CLICKED
from followups.times.hours import next_allowed
from followups.times.zones import local_day, next_midnight, zone_of
from followups.verdicts import GateResult
from followups.words.wording import moment_en, moment_ja, plural, span_en, span_ja

_WEEK = timedelta(days=7)
_MONTH = timedelta(days=30)


def _passes(gate: str, ja: str, en: str) -> GateResult:
    return GateResult(gate=gate, passes=True, because=Text(ja=ja, en=en))


def not_linked(facts: Facts) -> GateResult:
    """Is there a LINE user to write to? Waits for linking."""
    if facts.line is None:
        return GateResult(
            gate="not_linked",
            passes=False,
            because=Text(
                ja="LINE と未連携（連携されれば送れます）", en="not linked on LINE (waits for linking)"
            ),
        )
    return _passes("not_linked", "LINE と連携済み", "linked on LINE")


def blocked(facts: Facts) -> GateResult:
    """Is the account still a friend? Blocking is an answer: it ends the occasion."""
    if facts.line is not None and facts.line.is_blocked:
        because = Text(ja="LINE でブロックされている", en="blocked on LINE")
        return GateResult(gate="blocked", passes=False, because=because, is_final=True)
    if facts.line is not None and not facts.line.is_friend:
        because = Text(
            ja="LINE の友だちではない（追加されれば送れます）",
            en="not a friend on LINE (waits for being added)",
        )
        return GateResult(gate="blocked", passes=False, because=because)
    return _passes("blocked", "友だち・ブロックなし", "a friend, not blocked")


def consent(facts: Facts, purpose: str) -> GateResult:
    """Is there a recorded opt-in for this purpose? Unanswered waits; a no ends the occasion."""
    entry = facts.consents.get(purpose)
    if entry is None:
        because = Text(ja=f"「{purpose}」への同意がまだない", en=f"no consent to “{purpose}” yet")
        return GateResult(gate="consent", passes=False, because=because)
    if not entry.is_granted:
        because = Text(ja=f"「{purpose}」は停止を希望されている", en=f"consent to “{purpose}” was withdrawn")
        return GateResult(gate="consent", passes=False, because=because, is_final=True)
    return _passes("consent", f"「{purpose}」に同意あり", f"consent to “{purpose}” given")


def preferences(facts: Facts, policy: Policy, purpose: str, *, now: datetime) -> GateResult:
    """Do they wish for this message, now? A topic they declined ends the occasion; the rest opens by itself.

    Quiet hours and caps of the policy hold besides: a wish only ever makes it less.
    """
    wishes = facts.preferences
    if wishes is None:
        return _passes("preferences", "配信の希望は特にない", "no wishes about messages")
    zone = zone_of(facts.timezone, policy.timezone)
    if purpose in wishes.topics_off:
        because = Text(ja=f"「{purpose}」の案内は不要とのこと", en=f"asked for no messages about “{purpose}”")
        return GateResult(gate="preferences", passes=False, because=because, is_final=True)
    waits: list[tuple[datetime, Text]] = []
    if wishes.paused_until is not None and now < wishes.paused_until:
        until = wishes.paused_until
        paused = Text(
            ja=f"{moment_ja(until, zone)} まで休止の希望", en=f"asked to pause until {moment_en(until, zone)}"
        )
        waits.append((until, paused))
    if wishes.per_30_days is not None:
        full, opens = _window_opens(facts.contacts, max(1, wishes.per_30_days), _MONTH, now=now)
        if full and opens is not None:
            most = max(1, wishes.per_30_days)
            rarely = Text(
                ja=f"30日で{most}通までの希望（{moment_ja(opens, zone)} から送れます）",
                en=f"asked for at most {most} in 30 days (until {moment_en(opens, zone)})",
            )
            waits.append((opens, rarely))
    if (opens := _hours_open(wishes.hours, policy, zone, now=now)) > now:
        later = Text(
            ja=f"希望の時間帯まで待つ（{moment_ja(opens, zone)} から）",
            en=f"waits for the hours asked for (from {moment_en(opens, zone)})",
        )
        waits.append((opens, later))
    if waits:
        until, because = max(waits, key=lambda wait: wait[0])
        return GateResult(gate="preferences", passes=False, because=because, until=until)
    return _passes("preferences", "本人の希望どおり", "as they wish")


def _hours_open(
    wished: tuple[time, time] | None, policy: Policy, zone: ZoneInfo, *, now: datetime
) -> datetime:
    """The first moment from `now` on inside the wished hours; `now` where they never meet the policy's.

    Hours that lie wholly in quiet hours cannot be kept, and must not silence someone for ever.
    """
    if wished is None or wished[0] == wished[1]:
        return now
    outside = Hours(start=wished[1], end=wished[0])
    opens = next_allowed(now, outside, zone)
    for _ in range(4):
        allowed = next_allowed(opens, policy.quiet_hours, zone)
        if allowed == opens:
            return opens
        opens = next_allowed(allowed, outside, zone)
    return now


def quiet_hours(facts: Facts, policy: Policy, *, now: datetime) -> GateResult:
    """Is it daytime where the customer is? Opens when quiet hours end."""
    zone = zone_of(facts.timezone, policy.timezone)
    until = next_allowed(now, policy.quiet_hours, zone)
    if until > now:
        because = Text(
            ja=f"送信を控える時間帯（{moment_ja(until, zone)} から送れます）",
            en=f"quiet hours (until {moment_en(until, zone)})",
        )
        return GateResult(gate="quiet_hours", passes=False, because=because, until=until)
    return _passes("quiet_hours", "送信できる時間帯", "not in quiet hours")


def _window_opens(
    contacts: Sequence[Contact], cap: int | None, window: timedelta, *, now: datetime
) -> tuple[bool, datetime | None]:
    """(full, when the cap-th most recent contact leaves the rolling window; None: never).

    A contact leaves at `at + window`. Promised ones count up to one window ahead, so that no window that
    contains this moment can hold more than the cap.
    """
    if cap is None:
        return False, None
    inside = sorted((c.at for c in contacts if now < c.at + window and c.at < now + window), reverse=True)
    if len(inside) < cap:
        return False, None
    return True, inside[cap - 1] + window if cap > 0 else None


def caps(facts: Facts, policy: Policy, *, now: datetime) -> GateResult:
    """Has the customer heard from us enough? A day is the customer's own, 7 and 30 days roll.

    Opens when the oldest contact that counts leaves its window; a cap of 0 never opens.
    """
    zone = zone_of(facts.timezone, policy.timezone)
    today = local_day(now, zone)
    sent_today = sum(1 for contact in facts.contacts if local_day(contact.at, zone) == today)
    full: list[tuple[Text, datetime | None]] = []
    if policy.caps.per_day is not None and sent_today >= policy.caps.per_day:
        opens = next_midnight(now, zone) if policy.caps.per_day > 0 else None
        full.append(
            (Text(ja=f"1日{policy.caps.per_day}通まで", en=f"at most {policy.caps.per_day} a day"), opens)
        )
    for cap, window in ((policy.caps.per_7_days, _WEEK), (policy.caps.per_30_days, _MONTH)):
        is_full, opens = _window_opens(facts.contacts, cap, window, now=now)
        if is_full:
            full.append(
                (Text(ja=f"{span_ja(window)}で{cap}通まで", en=f"at most {cap} in {span_en(window)}"), opens)
            )
    if not full:
        return _passes("caps", "配信上限の内", "within the caps")
    moments = [opens for _, opens in full if opens is not None]
    until = max(moments) if len(moments) == len(full) else None
    said_ja, said_en = "・".join(text.ja for text, _ in full), ", ".join(text.en for text, _ in full)
    when_ja = f"{moment_ja(until, zone)} から送れます" if until is not None else "送りません"
    when_en = f"until {moment_en(until, zone)}" if until is not None else "never"
    because = Text(
        ja=f"配信上限に達している（{said_ja}。{when_ja}）", en=f"cap reached ({said_en}; {when_en})"
    )
    return GateResult(gate="caps", passes=False, because=because, until=until)


def _last_answer(facts: Facts) -> datetime | None:
    """The latest sign that the customer reacted to us: a LINE message, a tap, a click."""
    clicked = facts.signals.get(CLICKED)
    inbound = facts.conversation.last_inbound_at if facts.conversation is not None else None
    return max((at for at in (inbound, clicked.last_at if clicked else None) if at is not None), default=None)


def silence(facts: Facts, policy: Policy, purpose: str, *, now: datetime) -> GateResult:
    """Did the last messages of this purpose stay without any answer? Then it rests.

    Opens `silence_for` after the latest of the `silence_messages` unanswered ones, or with an answer.
    """
    started = sorted(
        (contact.at for contact in facts.contacts if contact.is_started and contact.purpose == purpose),
        reverse=True,
    )
    number = policy.silence_messages
    answered_at = _last_answer(facts)
    unanswered = [at for at in started if answered_at is None or at > answered_at]
    if number <= 0 or len(unanswered) < number or now >= unanswered[0] + policy.silence_for:
        return _passes("silence", "返事のないお知らせは続いていない", "no run of unanswered messages")
    until = unanswered[0] + policy.silence_for
    zone = zone_of(facts.timezone, policy.timezone)
    because = Text(
        ja=f"続けて{len(unanswered)}通に反応がない（{moment_ja(until, zone)} まで控えます）",
        en=f"{plural(len(unanswered), 'message')} in a row unanswered (rests until {moment_en(until, zone)})",
    )
    return GateResult(gate="silence", passes=False, because=because, until=until)


def _talk(facts: Facts) -> Text | None:
    """Who is talking, if anyone."""
    talk = facts.conversation
    if talk is not None and talk.owner is not None:
        return Text(ja="担当者が対応中", en="a person holds the conversation")
    if talk is not None and talk.is_unanswered:
        return Text(ja="お客様への返事がまだ", en="the customer waits for an answer")
    if facts.has_open_lead:
        return Text(ja="営業・サポートが対応中の案件がある", en="a lead is open")
    if talk is not None and talk.is_open:
        return Text(ja="会話中", en="a conversation is open")
    return None


def conversation(facts: Facts, rule: Rule) -> GateResult:
    """Are people talking? The rule says whether it holds, drops or sends meanwhile."""
    talk = _talk(facts)
    if talk is None:
        return _passes("conversation", "会話中ではない", "no conversation under way")
    match rule.during_conversation:
        case DuringConversation.SEND:
            return _passes("conversation", f"{talk.ja}（この規則は送る）", f"{talk.en} (this rule sends)")
        case DuringConversation.DROP:
            because = Text(ja=f"{talk.ja}（この規則は見送る）", en=f"{talk.en} (this rule drops)")
            return GateResult(gate="conversation", passes=False, because=because, is_final=True)
        case DuringConversation.HOLD:
            because = Text(ja=f"{talk.ja}（終わるまで待つ）", en=f"{talk.en} (waits for its end)")
            return GateResult(gate="conversation", passes=False, because=because)


def quota(rule: Rule, room: Room) -> GateResult:
    """Is there a message left of LINE's plan for a rule of this worth? Opens when there will be more."""
    if room.quota_left is None:
        return _passes("quota", "通数の枠に制限なし", "no limit on messages known")
    opens = room.quota_opens_at
    if room.quota_left <= 0:
        because = Text(
            ja="今月お知らせに使える通数が残っていない", en="no messages left for follow-ups this month"
        )
        return GateResult(gate="quota", passes=False, because=because, until=opens)
    is_below = room.floor is not None and room.worth(rule) < room.floor
    if is_below or room.shares.get(rule.id, 1) <= 0:
        because = Text(
            ja=f"残り{room.quota_left}通は優先度の高い規則に取っておく",
            en=f"{plural(room.quota_left, 'message')} left, kept for rules that matter more",
        )
        return GateResult(gate="quota", passes=False, because=because, until=opens)
    return _passes("quota", f"残り{room.quota_left}通", f"{plural(room.quota_left, 'message')} left")


def room_of_rule(rule: Rule, room: Room) -> GateResult | None:
    """May one more customer enter this rule now (`canary`, `approval`)? None: nothing limits it."""
    own = room.rules.get(rule.id)
    if own is None or own.left is None:
        return None
    if own.left <= 0:
        return GateResult(gate=own.gate, passes=False, because=own.because, until=own.until)
    return _passes(own.gate, f"あと{own.left}人まで", f"{own.left} more may enter")


def open_lead(facts: Facts) -> GateResult:
    """Do people already have this customer? Then one more lead adds nothing: the occasion ends."""
    if facts.has_open_lead:
        because = Text(ja="対応中の案件がすでにある", en="a lead is already open")
        return GateResult(gate="open_lead", passes=False, because=because, is_final=True)
    return _passes("open_lead", "対応中の案件はない", "no lead open")


def holdout(facts: Facts, rule: Rule, policy: Policy) -> GateResult:
    """Is the customer (or their account) kept as comparison, for all rules or for this one?"""
    unit = unit_of(facts)
    if policy.holdout is not None and is_held_out(GLOBAL_SALT, unit, policy.holdout):
        because = Text(ja="全体の比較対象（送らない側）", en="kept as comparison for all rules")
        return GateResult(gate="holdout", passes=False, because=because, is_final=True)
    if rule.holdout is not None and is_held_out(rule_salt(rule.id), unit, rule.holdout):
        because = Text(ja="この規則の比較対象（送らない側）", en="kept as comparison for this rule")
        return GateResult(gate="holdout", passes=False, because=because, is_final=True)
    return _passes("holdout", "比較対象ではない", "not kept as comparison")


def count_one_more(facts: Facts, rule_id: str, *, now: datetime) -> Facts:
    """The same facts with one more message counted now: how the caps would stand after it."""
    one = Contact(message_id=facts.customer_id, rule_id=rule_id, purpose="", at=now, is_started=False)
    return replace(facts, contacts=(*facts.contacts, one))

"""How is a decision told to a person, and kept as plain values?

A trace is a tree of dicts, lists, text, numbers and ISO moments (UTC), fit for JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, assert_never
from uuid import UUID

from followups.facts import Arm
from followups.rules.conditions import Check, Text
from followups.rules.model import MessageTemplate, QuickReply
from followups.scenario import FIRST, place_said
from followups.times.zones import zone_of
from followups.verdicts import (
    Decision,
    Drop,
    Escalate,
    GateResult,
    NotDue,
    Position,
    RuleDecision,
    Send,
    Verdict,
    Wait,
)
from followups.words.wording import moment_en, moment_ja

Plain = dict[str, Any]

_GROUPS = {
    "all": Text(ja="すべて成立", en="all of"),
    "any": Text(ja="いずれか成立", en="any of"),
    "none": Text(ja="どれも成立しない", en="none of"),
}
_GATES = {
    "not_linked": Text(ja="連携", en="linked"),
    "blocked": Text(ja="ブロック", en="reachable"),
    "consent": Text(ja="同意", en="consent"),
    "conversation": Text(ja="会話", en="conversation"),
    "quiet_hours": Text(ja="時間帯", en="quiet hours"),
    "caps": Text(ja="配信上限", en="caps"),
    "silence": Text(ja="無反応", en="silence"),
    "missing_value": Text(ja="差し込み", en="placeholders"),
    "holdout": Text(ja="比較対象", en="holdout"),
    "open_lead": Text(ja="案件", en="open lead"),
    "arbitration": Text(ja="優先順位", en="arbitration"),
    "preferences": Text(ja="本人の希望", en="wishes"),
    "quota": Text(ja="通数の枠", en="quota"),
    "canary": Text(ja="試し送り", en="canary"),
    "approval": Text(ja="承認", en="approval"),
}


def explain(decision: Decision, language: str = "ja") -> list[str]:
    """The whole decision as lines for people: for each rule the verdict, conditions, gates, next chance.

    Args:
        language: `ja`; anything else is English.
    """
    lines: list[str] = []
    for rule in decision.rules:
        lines += explain_rule(rule, language, timezone=decision.timezone)
    return lines or [_in(Text(ja="公開中の規則がありません", en="no rule is published"), language)]


def explain_rule(rule: RuleDecision, language: str = "ja", *, timezone: str | None = None) -> list[str]:
    """One rule's part of a decision."""
    shadow = (
        _in(Text(ja="（試運転: 送りません）", en=" (shadow: sends nothing)"), language)
        if rule.is_shadow
        else ""
    )
    title = f"{rule.rule_name} ({rule.rule_id} v{rule.rule_version})" if rule.rule_name else rule.rule_id
    lines = [f"{title}{shadow}", f"  → {_verdict(rule.verdict, language)}"]
    lines += [f"  {line}" for line in _tree(rule.check, language)]
    if rule.position is not None:
        lines += [f"  {line}" for line in _standing(rule.position, language, timezone=timezone)]
    for gate in rule.gates:
        name = _in(_GATES.get(gate.gate, Text(ja=gate.gate, en=gate.gate)), language)
        lines.append(f"  {_mark(gate.passes)} {name}: {_in(gate.because, language)}")
    chance = next_chance(rule.verdict)
    if chance is not None:
        zone = zone_of(timezone)
        said = Text(ja=f"次の機会: {moment_ja(chance, zone)}", en=f"next chance: {moment_en(chance, zone)}")
        lines.append(f"  {_in(said, language)}")
    return lines


def _standing(position: Position, language: str, *, timezone: str | None) -> Iterator[str]:
    """Where they stand in the steps; nothing for a rule of one step that begins now."""
    is_ja, zone = language == "ja", zone_of(timezone)
    is_single = position.is_entry and position.next is None and position.step == FIRST
    if not is_single:
        entered = position.entered_at
        said = f"{moment_ja(entered, zone)} から" if is_ja else f"since {moment_en(entered, zone)}"
        past = " → ".join(place_said(path) for path in position.past) or ("なし" if is_ja else "none")
        yield f"手順（{said}）" if is_ja else f"steps ({said})"
        yield f"  済み: {past}" if is_ja else f"  done: {past}"
        here = (
            place_said(position.step)
            if position.step is not None
            else ("すべて済み" if is_ja else "all done")
        )
        yield f"  いま: {here}" if is_ja else f"  now: {here}"
        if position.next is not None and position.next != position.step:
            yield f"  次: {place_said(position.next)}" if is_ja else f"  next: {place_said(position.next)}"
        for path, check in position.asked:
            yield f"  {place_said(path)}:"
            for line in _tree(check, language):
                yield f"    {line}"
    if position.variant is not None:
        yield f"文面の組: {position.variant}" if is_ja else f"variant: {position.variant}"
    if position.arm is Arm.HELD_OUT:
        yield "比較対象として記録（送らない）" if is_ja else "recorded as comparison (nothing is sent)"
    if position.ended is not None:
        yield "この対応はここで終わる" if is_ja else "this follow-up ends here"


def next_chance(verdict: Verdict) -> datetime | None:
    """When time alone could change this verdict; None: never, or not by time."""
    match verdict:
        case Wait(until=until):
            return until
        case NotDue(flips_at=flips_at):
            return flips_at
        case Send() | Escalate() | Drop():
            return None
        case _:
            assert_never(verdict)


def _in(text: Text, language: str) -> str:
    return text.ja if language == "ja" else text.en


def _mark(holds: bool) -> str:
    return "✓" if holds else "✗"


def _tree(check: Check, language: str) -> Iterator[str]:
    if not check.kind:
        yield f"{_mark(check.holds)} {_in(check.because, language)}"
        return
    yield f"{_mark(check.holds)} {_in(_GROUPS[check.kind], language)}"
    for part in check.parts:
        for line in _tree(part, language):
            yield f"  {line}"


def _verdict(verdict: Verdict, language: str) -> str:
    match verdict:
        case Send(message=message):
            return _in(Text(ja=f"送る: {message.name}", en=f"send: {message.name}"), language)
        case Escalate(reason=reason):
            return _in(Text(ja=f"担当者へ: {reason}", en=f"to people: {reason}"), language)
        case Wait(because=because):
            return f"{_in(Text(ja='待つ', en='wait'), language)}: {_in(because, language)}"
        case Drop(because=because):
            return f"{_in(Text(ja='見送る', en='drop'), language)}: {_in(because, language)}"
        case NotDue(because=because):
            return f"{_in(Text(ja='対象外', en='not due'), language)}: {_in(because, language)}"
        case _:
            assert_never(verdict)


def trace_of(decision: Decision) -> Plain:
    """The decision as plain values; `decision_of` reads it back."""
    return {
        "customer_id": str(decision.customer_id),
        "at": _iso(decision.at),
        "timezone": decision.timezone,
        "rules": [rule_trace_of(rule) for rule in decision.rules],
    }


def rule_trace_of(rule: RuleDecision) -> Plain:
    """One rule's part of a trace."""
    return {
        "rule_id": rule.rule_id,
        "rule_version": rule.rule_version,
        "rule_name": rule.rule_name,
        "is_shadow": rule.is_shadow,
        "verdict": _verdict_trace(rule.verdict),
        "check": _check_trace(rule.check),
        "position": _position_trace(rule.position),
        "gates": [
            {
                "gate": gate.gate,
                "passes": gate.passes,
                "because": _text(gate.because),
                "until": _iso(gate.until),
                "is_final": gate.is_final,
            }
            for gate in rule.gates
        ],
    }


def decision_of(trace: Mapping[str, Any]) -> Decision:
    """Read a trace back.

    Raises:
        KeyError, TypeError, ValueError: for anything `trace_of` did not write.
    """
    return Decision(
        customer_id=UUID(trace["customer_id"]),
        at=datetime.fromisoformat(trace["at"]),
        timezone=trace["timezone"],
        rules=tuple(rule_decision_of(rule) for rule in trace["rules"]),
    )


def rule_decision_of(trace: Mapping[str, Any]) -> RuleDecision:
    """Read one rule's part of a trace back.

    Raises:
        KeyError, TypeError, ValueError: for anything `rule_trace_of` did not write.
    """
    return RuleDecision(
        rule_id=trace["rule_id"],
        rule_version=trace["rule_version"],
        rule_name=trace["rule_name"],
        is_shadow=trace["is_shadow"],
        verdict=_verdict_of(trace["verdict"]),
        check=_check_of(trace["check"]),
        gates=tuple(
            GateResult(
                gate=gate["gate"],
                passes=gate["passes"],
                because=Text(**gate["because"]),
                until=_moment(gate["until"]),
                is_final=gate["is_final"],
            )
            for gate in trace["gates"]
        ),
        position=_position_of(trace.get("position")),
    )


def _position_trace(position: Position | None) -> Plain | None:
    if position is None:
        return None
    return {
        "is_entry": position.is_entry,
        "entered_at": _iso(position.entered_at),
        "step": position.step,
        "at": _iso(position.at),
        "next": position.next,
        "next_at": _iso(position.next_at),
        "arm": position.arm.value,
        "variant": position.variant,
        "unit": position.unit,
        "ended": position.ended,
        "asked": [[path, _check_trace(check)] for path, check in position.asked],
        "past": list(position.past),
    }


def _position_of(trace: Mapping[str, Any] | None) -> Position | None:
    if trace is None:
        return None
    return Position(
        is_entry=trace["is_entry"],
        entered_at=datetime.fromisoformat(trace["entered_at"]),
        step=trace["step"],
        at=datetime.fromisoformat(trace["at"]),
        next=trace["next"],
        next_at=datetime.fromisoformat(trace["next_at"]),
        arm=Arm(trace["arm"]),
        variant=trace["variant"],
        unit=trace["unit"],
        ended=trace["ended"],
        asked=tuple((path, _check_of(check)) for path, check in trace["asked"]),
        past=tuple(trace["past"]),
    )


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None


def _text(text: Text) -> dict[str, str]:
    return {"ja": text.ja, "en": text.en}


def _check_trace(check: Check) -> Plain:
    return {
        "holds": check.holds,
        "because": _text(check.because),
        "flips_at": _iso(check.flips_at),
        "kind": check.kind,
        "parts": [_check_trace(part) for part in check.parts],
    }


def _check_of(trace: Mapping[str, Any]) -> Check:
    return Check(
        holds=trace["holds"],
        because=Text(**trace["because"]),
        flips_at=_moment(trace["flips_at"]),
        kind=trace["kind"],
        parts=tuple(_check_of(part) for part in trace["parts"]),
    )


def _verdict_trace(verdict: Verdict) -> Plain:
    match verdict:
        case Send(message=message, purpose=purpose):
            return {"kind": "send", "purpose": purpose, "message": message_trace_of(message)}
        case Escalate(reason=reason):
            return {"kind": "escalate", "reason": reason}
        case Wait(gate=gate, because=because, until=until):
            return {"kind": "wait", "gate": gate, "because": _text(because), "until": _iso(until)}
        case Drop(gate=gate, because=because):
            return {"kind": "drop", "gate": gate, "because": _text(because)}
        case NotDue(because=because, flips_at=flips_at):
            return {"kind": "not_due", "because": _text(because), "flips_at": _iso(flips_at)}
        case _:
            assert_never(verdict)


def _verdict_of(trace: Mapping[str, Any]) -> Verdict:
    match trace["kind"]:
        case "send":
            return Send(message=message_of(trace["message"]), purpose=trace["purpose"])
        case "escalate":
            return Escalate(reason=trace["reason"])
        case "wait":
            until = _moment(trace["until"])
            return Wait(gate=trace["gate"], because=Text(**trace["because"]), until=until)
        case "drop":
            return Drop(gate=trace["gate"], because=Text(**trace["because"]))
        case "not_due":
            return NotDue(because=Text(**trace["because"]), flips_at=_moment(trace["flips_at"]))
        case unknown:
            raise ValueError(f"no verdict is called {unknown!r}")


def message_trace_of(message: MessageTemplate) -> Plain:
    """A message template as plain values."""
    return {
        "name": message.name,
        "purpose": message.purpose,
        "text": dict(message.text),
        "button_label": dict(message.button_label) if message.button_label is not None else None,
        "button_url": message.button_url,
        "quick_replies": [
            {"label": dict(each.label), "signal": each.signal, "is_lead": each.is_lead}
            for each in message.quick_replies
        ],
    }


def message_of(trace: Mapping[str, Any]) -> MessageTemplate:
    """Read a message template back.

    Raises:
        KeyError, TypeError: for anything `message_trace_of` did not write.
    """
    return MessageTemplate(
        name=trace["name"],
        purpose=trace["purpose"],
        text=trace["text"],
        button_label=trace["button_label"],
        button_url=trace["button_url"],
        quick_replies=tuple(QuickReply(**each) for each in trace["quick_replies"]),
    )

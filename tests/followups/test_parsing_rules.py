"""Is a rule read whole, and is every mistake in it named at its line and column?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from followups.rules.conditions import (
    AttributeDate,
    AttributeIs,
    EventCount,
    EventLast,
    EventNever,
    Group,
    Stalled,
)
from followups.rules.durations import format_duration, format_percent, parse_duration, parse_percent
from followups.rules.model import EscalateStep, MessageTemplate, RuleState, SendStep
from followups.rules.parsing import RuleError
from tests.followups.samples import MESSAGES, RULE, parsed


def test_a_rule_is_read_whole():
    rule = parsed(RULE)
    assert rule.when == Group(
        kind="all",
        members=(
            EventLast(event="login", more_than=timedelta(days=14)),
            AttributeIs(attribute="plan", operator="in", value=("trial", "standard")),
        ),
    )
    assert rule.steps == (SendStep(message=MESSAGES["inactive-checkin"]),)
    assert (rule.priority, rule.again_after, rule.holdout) == (50, timedelta(days=90), 0.1)
    assert rule.state is RuleState.SHADOW


def test_little_need_be_said():
    rule = parsed(
        "id: a\ngoal: {event: x, within: 1d}\nwhen: {event: x, never: true}\nthen: [{send: {text: はい。}}]"
    )
    assert rule.name == "a"
    assert rule.again_after is None
    assert rule.holdout is None
    assert rule.steps == (SendStep(message=MessageTemplate(name="a/1", text={"ja": "はい。"})),)
    escalating = parsed(RULE.replace("send: inactive-checkin", "escalate: {reason: お声がけ}"))
    assert escalating.steps == (EscalateStep(reason="お声がけ"),)


CONDITIONS = {
    "event: login\n  never: false": EventNever(event="login", is_never=False),
    "event: on\n  never: true": EventNever(event="on"),
    "event: a\n  count: {fewer_than: 3, within: 4w}": EventCount(
        event="a", at_most=2, within=timedelta(days=28)
    ),
    "event: Order Completed\n  count: {at_least: 2}": EventCount(event="Order Completed", at_least=2),
    "stalled: {since: {event: a}, without: {event: b}, for: 90m}": Stalled(
        since="a", without="b", span=timedelta(minutes=90)
    ),
    "attribute: day\n  passed: 3d": AttributeDate(attribute="day", passed=timedelta(days=3)),
    "attribute: day\n  anniversary: true": AttributeDate(attribute="day", is_anniversary=True),
    "attribute: plan\n  equals: 2026-12-03": AttributeIs(
        attribute="plan", operator="equals", value="2026-12-03"
    ),
    "attribute: seats\n  at_least: 10": AttributeIs(attribute="seats", operator="at_least", value=10),
    "attribute: vip\n  equals: true": AttributeIs(attribute="vip", operator="equals", value=True),
    "attribute: vip\n  exists: false": AttributeIs(attribute="vip", operator="exists", value=False),
}


@pytest.mark.parametrize(("written", "condition"), CONDITIONS.items(), ids=list(CONDITIONS))
def test_conditions(written, condition):
    before, after = RULE.split("when:\n", maxsplit=1)[0], "then:" + RULE.split("then:")[1]
    assert parsed(f"{before}when:\n  {written}\n{after}").when == condition


BROKEN: dict[str, tuple[str, list[str]]] = {}
for part in Path(__file__).with_name("broken_files.txt").read_text("utf-8").split("=== ")[1:]:
    written, said = part.split("\n---- says\n")
    name, text = written.split("\n", maxsplit=1)
    BROKEN[name] = (text, said.strip().split("\n"))


def test_there_are_enough_broken_files():
    assert len(BROKEN) >= 80
    assert len({text for text, _ in BROKEN.values()}) == len(BROKEN)


@pytest.mark.parametrize(("text", "said"), BROKEN.values(), ids=BROKEN)
def test_mistakes_are_told_at_their_line_and_column_in_both_languages(text, said):
    with pytest.raises(RuleError) as caught:
        parsed(text)
    assert [each.said(language) for each in caught.value.problems for language in ("en", "ja")] == said
    for problem in caught.value.problems:
        assert any(ord(character) > 0x3000 for character in problem.ja)


DURATIONS = {"90m": 90, "4h": 240, "3d": 4320, "2w": 20160, "1m": 1}


@pytest.mark.parametrize(("text", "minutes"), DURATIONS.items())
def test_durations(text, minutes):
    assert parse_duration(text) == timedelta(minutes=minutes)
    assert parse_duration(format_duration(timedelta(minutes=minutes))) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "3", "d", "3 d", "-3d", "1.5h", "3D", "0m", "３d", "9999999w", "1d2h"])
def test_what_is_no_duration(text):
    assert parse_duration(text) is None


def test_percentages():
    assert [parse_percent(each) for each in ("10%", "2.5 %", "100%", "0%")] == [0.1, 0.025, 1.0, 0.0]
    assert [parse_percent(each) for each in ("10", "101%", "-1%", "x%", "")] == [None] * 5
    assert [format_percent(each) for each in (0.1, 0.025, 1.0)] == ["10%", "2.5%", "100%"]
    with pytest.raises(ValueError, match="whole minutes"):
        format_duration(timedelta(seconds=30))

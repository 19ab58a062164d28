"""What does a rule's test file say: which customer, what happened, and what must come of it when?

The format:

    start: "2026-12-03T12:00"          # the customer's local time; offsets count from here (the default)
    tests:
      - name: 2週間ご利用がない
        customer:                       # every key optional
          attributes: {name: 田中}      # absent: none
          linked: true                  # on LINE; from here on these are the defaults
          blocked: false
          consent: {support: true}      # by purpose; absent: to the message's
          timezone: Asia/Tokyo          # absent: the policy's
          language: ja
          talking: false                # a conversation is open and waits for us
          lead: false                   # a lead is open
        events:
          login: [-16d, -40d]
          signup: {at: -60d, properties: {plan: pro}}    # for `where`
        clicked: {checkin: +1d}         # taps on the button of that message
        replied: [+1d]                  # messages of theirs
        reacted: {busy: +1d}            # quick replies, by signal
        rhythms: {login: 7d}            # everybody's usual gap, for `idle`; absent: not known
        sent: [-3d]                     # earlier messages of ours
        follow_up: {entered: -20d, active: false}     # the rule's latest passage; step: where it stands
        moments:
          - {at: 0d, expect: send, message: inactive-checkin}
          - {at: +12h, expect: wait, gate: quiet_hours, because: 時間帯}

A time is an offset (`-16d`, `+12h`, `0d`) from `start`, or ISO (`"2026-12-01T09:00"`). An event counts from
its own moment on. `expect`: `send`, `escalate`, `wait`, `drop`, `ended`, `not_due`. `because` is part of the
Japanese or English reason. Moments of a rule with several steps are one story: what is decided at one of
them, and whenever a wait ends in between, has happened at the next. A step is counted as people do: `2`,
`3.then.1`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from followups.facts import AttributeValue
from followups.rules.durations import parse_duration
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.messages import purpose
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import ListNode, MapNode, Node, ScalarNode, Spot
from followups.scenario import EXITS
from followups.signals import CLICKED, REPLIED, clicked_key, clicked_template, reacted_key

EXPECTATIONS = ("send", "escalate", "wait", "drop", "ended", "not_due")
GATES = (
    "not_linked",
    "blocked",
    "consent",
    "conversation",
    "quiet_hours",
    "caps",
    "silence",
    "missing_value",
    "open_lead",
    "preferences",
    "approval",
    "step",
    *sorted(EXITS),
)
DEFAULT_START = datetime(2026, 12, 3, 12, 0)  # noqa: DTZ001 - local to the customer, whoever it is
_CASE = (
    "name",
    "customer",
    "events",
    "clicked",
    "replied",
    "reacted",
    "rhythms",
    "sent",
    "follow_up",
    "moments",
)
_PLACE = re.compile(r"[1-9][0-9]?(?:\.(?:then|else)\.[1-9][0-9]?)*")
_OFFSET = re.compile(r"([+-]?)([0-9]{1,7}[mhdw])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An offset from the start, or a moment of its own (without UTC offset: local to the customer)."""

    offset: timedelta = timedelta()
    at: datetime | None = None

    def on(self, start: datetime, zone: ZoneInfo) -> datetime:
        """The moment it means; a `start` without UTC offset is local to the customer too."""
        base = self.at if self.at is not None else start
        aware = base if base.tzinfo is not None else base.replace(tzinfo=zone)
        return aware.astimezone(UTC) + self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Who the test is about."""

    attributes: dict[str, AttributeValue] = field(default_factory=dict)
    is_linked: bool = True
    is_blocked: bool = False
    consents: dict[str, bool] | None = None
    timezone: str | None = None
    language: str | None = None
    is_talking: bool = False
    has_lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event of a customer's story."""

    at: Moment
    properties: dict[str, AttributeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The rule's latest passage. `step`: the path it stands at; None: nothing is left to do."""

    entered: Moment
    is_active: bool = False
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must be decided at one moment."""

    at: Moment
    expect: str
    spot: Spot
    gate: str | None = None
    because: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One customer, their story, and the moments asked about."""

    name: str
    spot: Spot
    customer: Customer
    events: dict[str, tuple[Happening, ...]]
    sent: tuple[Moment, ...]
    follow_up: Passage | None
    moments: tuple[Expectation, ...]
    rhythms: dict[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTests:
    """The tests beside one rule."""

    path: str
    rule_id: str
    start: datetime
    cases: tuple[Case, ...]


def _iso(node: Node, problems: Problems) -> datetime | None:
    try:
        found = datetime.fromisoformat(node.text) if isinstance(node, ScalarNode) else None
    except ValueError:
        found = None
    if found is None or not 1950 <= found.year <= 2150:
        read.wrong(
            node,
            problems,
            ja='時刻ではありません（例: -16d、+12h、"2026-12-03T12:00"）',
            en='a time (for example -16d, +12h or "2026-12-03T12:00")',
        )
        return None
    return found


def _moment(node: Node, problems: Problems) -> Moment | None:
    written = node.text if isinstance(node, ScalarNode) else ""
    if written.strip("+-") in {"0", "0d", "0h", "0m", "0w"}:
        return Moment()
    match = _OFFSET.fullmatch(written)
    if match is not None and (span := parse_duration(match[2])) is not None:
        return Moment(offset=-span if match[1] == "-" else span)
    found = _iso(node, problems)
    return Moment(at=found) if found is not None else None


def _moments(node: Node, problems: Problems) -> tuple[Moment, ...]:
    nodes = node.items if isinstance(node, ListNode) else [node]
    found = [_moment(each, problems) for each in nodes]
    return tuple(each for each in found if each is not None)


def _happening(node: Node, problems: Problems) -> Happening | None:
    if not isinstance(node, MapNode):
        at = _moment(node, problems)
        return Happening(at=at) if at is not None else None
    keys = Fields(node, problems, ("at", "properties"))
    at = keys.need("at", _moment)
    properties = keys.get("properties", _attributes) or {}
    return Happening(at=at, properties=properties) if at is not None else None


def _happenings(node: Node, problems: Problems) -> tuple[Happening, ...]:
    nodes = node.items if isinstance(node, ListNode) else [node]
    found = [_happening(each, problems) for each in nodes]
    return tuple(each for each in found if each is not None)


def _events(node: Node, problems: Problems) -> dict[str, tuple[Happening, ...]] | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    return {key: _happenings(value, problems) for key, value in found.values.items()}


def _rhythms(node: Node, problems: Problems) -> dict[str, timedelta] | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    spans = {key: read.duration(value, problems) for key, value in found.values.items()}
    return {key: span for key, span in spans.items() if span is not None}


def _attributes(node: Node, problems: Problems) -> dict[str, AttributeValue] | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    values: dict[str, AttributeValue] = {}
    for key, value in found.values.items():
        if isinstance(value, ScalarNode):
            values[key] = value.value
        else:
            read.wrong(value, problems, ja="値ではありません（文字か数値）", en="a value (text or a number)")
    return values


def _consents(node: Node, problems: Problems) -> dict[str, bool] | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    answers = {}
    for key, value in found.values.items():
        answer = read.truth(value, problems)
        if purpose(found.keys[key], problems) is not None and answer is not None:
            answers[key] = answer
    return answers


def _customer(node: Node, problems: Problems) -> Customer | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    known = ("attributes", "linked", "blocked", "consent", "timezone", "language", "talking", "lead")
    keys = Fields(found, problems, known)
    is_linked = keys.get("linked", read.truth)
    return Customer(
        attributes=keys.get("attributes", _attributes) or {},
        is_linked=is_linked is not False,
        is_blocked=bool(keys.get("blocked", read.truth)),
        consents=keys.get("consent", _consents),
        timezone=keys.get("timezone", read.timezone),
        language=keys.get("language", read.text),
        is_talking=bool(keys.get("talking", read.truth)),
        has_lead=bool(keys.get("lead", read.truth)),
    )


def _passage(node: Node, problems: Problems) -> Passage | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("entered", "active", "step"))
    entered = keys.need("entered", _moment)
    is_active = bool(keys.get("active", read.truth))
    step = keys.get("step", _path)
    return Passage(entered=entered, is_active=is_active, step=step) if entered is not None else None


def _path(node: Node, problems: Problems) -> str | None:
    """`3.then.1` as the path `2.then.0`."""
    found = read.text(node, problems)
    if found is None:
        return None
    if not _PLACE.fullmatch(found):
        read.wrong(node, problems, ja="手順ではありません（例: 2）", en="a step (for example 2)")
        return None
    return ".".join(str(int(part) - 1) if part.isdecimal() else part for part in found.split("."))


def _answers(keys: Fields) -> dict[str, tuple[Happening, ...]]:
    """What the customer did with our messages, under the keys of its signals."""
    found = {clicked_key(name): each for name, each in (keys.get("clicked", _events) or {}).items()}
    found |= {reacted_key(name): each for name, each in (keys.get("reacted", _events) or {}).items()}
    replied = keys.get("replied", _happenings_of)
    clicks = tuple(each for name, some in found.items() if clicked_template(name) for each in some)
    if clicks:
        found[CLICKED] = clicks
    if replied:
        found[REPLIED] = replied
    return found


def _happenings_of(node: Node, problems: Problems) -> tuple[Happening, ...] | None:
    return _happenings(node, problems) or None


def _expectation(node: Node, problems: Problems) -> Expectation | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("at", "expect", "gate", "because", "message"))
    at = keys.need("at", _moment)
    expect = keys.need("expect", read.one_of(EXPECTATIONS, ja="結果", en="outcome"))
    gate = keys.get("gate", read.one_of(GATES, ja="ゲート", en="gate"))
    because, message = keys.get("because", read.text), keys.get("message", read.text)
    if at is None or expect is None:
        return None
    spot = Spot(found.line, found.column)
    return Expectation(at=at, expect=expect, spot=spot, gate=gate, because=because, message=message)


def _case(node: Node, problems: Problems) -> Case | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, _CASE)
    name = keys.need("name", read.text)
    nodes = keys.need("moments", read.items) or []
    moments = [_expectation(each, problems) for each in nodes]
    return Case(
        name=name or "",
        spot=Spot(found.line, found.column),
        customer=keys.get("customer", _customer) or Customer(),
        events={**(keys.get("events", _events) or {}), **_answers(keys)},
        sent=keys.get("sent", _moments) or (),
        follow_up=keys.get("follow_up", _passage),
        moments=tuple(each for each in moments if each is not None),
        rhythms=keys.get("rhythms", _rhythms) or {},
    )


def read_tests(node: Node, problems: Problems, *, path: str, rule_id: str) -> RuleTests | None:
    """The tests of one rule; None when something is wrong (noted in `problems`)."""
    found: MapNode | None = read.mapping(node, problems)
    if found is None:
        return None
    before = len(problems.found)
    keys = Fields(found, problems, ("start", "tests"))
    start = keys.get("start", _iso) or DEFAULT_START
    cases = [_case(each, problems) for each in keys.need("tests", read.items) or []]
    if len(problems.found) > before:
        return None
    sound = tuple(case for case in cases if case is not None)
    return RuleTests(path=path, rule_id=rule_id, start=start, cases=sound)

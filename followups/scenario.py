"""Where does a customer stand in a rule's steps, what comes next, and what ends their passage early?

A step is named by its path: "0" is the first one, "1.then.0" the first under `then` of the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from followups.facts import Facts, FollowUp, FollowUpState, Signal
from followups.rules.conditions import Check, Text, flip_of
from followups.rules.model import (
    DuringConversation,
    EscalateStep,
    IfStep,
    Policy,
    Rule,
    SendStep,
    Step,
    WaitStep,
)
from followups.times.zones import zone_of
from followups.verdicts import Position
from followups.words.wording import moment_en, moment_ja

FIRST = "0"
STEP = "step"
"""The gate of someone who waits where the rule says so."""
THEN, ELSE = "then", "else"
_DAY = timedelta(days=1)


# --- paths ------------------------------------------------------------------------------------------------


def step_in(rule: Rule, path: str) -> Step | None:
    """The step at a path; None: there is none."""
    steps, parts = rule.steps, path.split(".")
    for at in range(0, len(parts), 2):
        if not parts[at].isdecimal() or int(parts[at]) >= len(steps):
            return None
        step = steps[int(parts[at])]
        if at + 1 >= len(parts):
            return step
        if not isinstance(step, IfStep) or parts[at + 1] not in {THEN, ELSE} or at + 2 >= len(parts):
            return None
        steps = step.then if parts[at + 1] == THEN else step.otherwise
    return None


def after(rule: Rule, path: str) -> str | None:
    """The path of the step that follows, out of a branch where that ends; None: it was the last one."""
    parts = path.split(".")
    while parts:
        following = ".".join([*parts[:-1], str(int(parts[-1]) + 1)])
        if step_in(rule, following) is not None:
            return following
        parts = parts[:-2]
    return None


def place_in(rule: Rule, step: str) -> str | None:
    """Where someone who stood at this path goes on when they are moved to this version of the rule.

    The same path where there is a step; after the place that a branch had where that is gone; None: nothing
    is left for them to do.
    """
    if step_in(rule, step) is not None:
        return step
    parts = step.split(".")
    while len(parts) > 2:
        parts = parts[:-2]
        path = ".".join(parts)
        if step_in(rule, path) is not None:
            return after(rule, path)
    return None


def walk(rule: Rule) -> Iterator[tuple[str, Step]]:
    """Every step with its path, in the order they are written."""

    def below(steps: tuple[Step, ...], prefix: str) -> Iterator[tuple[str, Step]]:
        for number, step in enumerate(steps):
            path = f"{prefix}{number}"
            yield path, step
            if isinstance(step, IfStep):
                yield from below(step.then, f"{path}.{THEN}.")
                yield from below(step.otherwise, f"{path}.{ELSE}.")

    yield from below(rule.steps, "")


def past_of(rule: Rule, step: str | None) -> tuple[str, ...]:
    """The paths on the way to a step, as far as it says itself; all of the trunk where nothing is left."""
    if step is None:
        return tuple(str(number) for number in range(len(rule.steps)))
    parts, found, prefix = step.split("."), list[str](), ""
    for at in range(0, len(parts), 2):
        found += [f"{prefix}{number}" for number in range(int(parts[at]))]
        if at + 1 < len(parts):
            found.append(f"{prefix}{parts[at]}")
            prefix = f"{prefix}{parts[at]}.{parts[at + 1]}."
    return tuple(found)


def place_said(path: str) -> str:
    """A path as people count: `1.then.0` is `2.then.1`."""
    return ".".join(str(int(part) + 1) if part.isdecimal() else part for part in path.split("."))


# --- going on ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The step at which a passage stands once every wait that is over and every `if` is behind it.

    Attributes:
        path: None: nothing is left to do.
        at: since when they stand there.
        until: of a wait, when time alone ends it; `because`: what it waits for.
        asked: the conditions asked on the way, by the path of their step.
    """

    path: str | None
    step: SendStep | EscalateStep | WaitStep | None
    at: datetime
    until: datetime | None = None
    because: Text | None = None
    asked: tuple[tuple[str, Check], ...] = ()


def advance(rule: Rule, passage: FollowUp, facts: Facts, *, now: datetime) -> Reached:
    """Go on from where a passage stands, as far as it goes at this moment.

    Conditions in steps count what customers did with our messages from the entry on (`facts_since`).
    """
    path, at = passage.step, passage.step_at or passage.entered_at
    since: Facts | None = None
    asked: list[tuple[str, Check]] = []
    while path is not None:
        step = step_in(rule, path)
        if isinstance(step, WaitStep):
            ends_at = wait_ends(step, facts, begun_at=at)
            until, is_met = ends_at, False
            if step.until is not None:
                since = since or facts_since(facts, passage.entered_at)
                check = step.until.check(since, now=now)
                asked.append((path, check))
                is_met = check.holds
                flips_at = None if is_met else flip_of(step.until, since, check)
                until = min(ends_at, flips_at) if flips_at is not None else ends_at
            if not is_met and now < ends_at:
                because = _waiting(ends_at, facts, has_more=step.until is not None)
                return Reached(path=path, step=step, at=at, until=until, because=because, asked=tuple(asked))
            path, at = after(rule, path), now
        elif isinstance(step, IfStep):
            since = since or facts_since(facts, passage.entered_at)
            check = step.condition.check(since, now=now)
            asked.append((path, check))
            chosen = f"{path}.{THEN if check.holds else ELSE}.0"
            path = chosen if step_in(rule, chosen) is not None else after(rule, path)
            at = now
        elif step is None:  # an older version's path
            path = place_in(rule, path)
        else:
            return Reached(path=path, step=step, at=at, asked=tuple(asked))
    return Reached(path=None, step=None, at=at, asked=tuple(asked))


def wait_ends(step: WaitStep, facts: Facts, *, begun_at: datetime) -> datetime:
    """When a wait that began then is over by time.

    With a time of day, days are the customer's calendar days: a wait of one day from any moment of Monday
    ends on Tuesday at that time.
    """
    ends_at = begun_at + step.span
    if step.at is None:
        return ends_at
    zone = zone_of(facts.timezone)
    day = ends_at.astimezone(zone).date()
    chosen = datetime.combine(day, step.at, tzinfo=zone).astimezone(UTC)
    if step.span < _DAY and chosen < ends_at:
        chosen = datetime.combine(day + _DAY, step.at, tzinfo=zone).astimezone(UTC)
    return chosen


def _waiting(ends_at: datetime, facts: Facts, *, has_more: bool) -> Text:
    zone = zone_of(facts.timezone)

    def said() -> Text:
        ja, en = moment_ja(ends_at, zone), moment_en(ends_at, zone)
        if has_more:
            return Text(ja=f"反応があるか {ja} まで待つ", en=f"waits for what it asks, at most until {en}")
        return Text(ja=f"{ja} まで待つ", en=f"waits until {en}")

    return Text.later(said)


def facts_since(facts: Facts, since: datetime) -> Facts:
    """The same facts, of what customers do with our messages (`$…`) only what happened from then on."""
    signals: dict[str, Signal] = {}
    for key, signal in facts.signals.items():
        if not key.startswith("$"):
            signals[key] = signal
        elif signal.last_at >= since:
            signals[key] = _signal_since(signal, since)
    return replace(facts, signals=signals)


def _signal_since(signal: Signal, since: datetime) -> Signal:
    """A count that is not known in full is the least it can be."""
    if signal.first_at >= since:
        return signal
    recent = tuple(at for at in signal.recent if at >= since)
    return replace(signal, count=max(len(recent), 1), first_at=min((*recent, signal.last_at)), recent=recent)


def after_decision(passage: FollowUp | None, rule: Rule, position: Position, *, now: datetime) -> FollowUp:
    """The passage once a decision with this position is carried out: begun, moved on or ended."""
    if position.is_entry or passage is None:
        return FollowUp(
            rule_id=rule.id,
            rule_version=rule.version,
            occasion=passage.occasion + 1 if passage is not None else 1,
            state=FollowUpState.ACTIVE,
            entered_at=now,
            arm=position.arm,
            variant=position.variant,
            unit=position.unit,
            step=position.next,
            step_at=position.next_at,
        )
    moved = replace(passage, step=position.next, step_at=position.next_at)
    if position.ended is None:
        return moved
    return replace(moved, state=FollowUpState.ENDED, ended_at=now, ended_because=position.ended)


# --- ending -----------------------------------------------------------------------------------------------

GOAL = "goal"
WINDOW_OVER = "window over"
CONDITION = "condition"
OPTED_OUT = "opted out"
BLOCKED = "blocked"
PERSON = "person"
EXITS = frozenset({GOAL, WINDOW_OVER, CONDITION, OPTED_OUT, BLOCKED, PERSON})
"""Why a passage ends by itself (`ended_because`); besides these, a gate that closed for good ends it."""


class GoalState(StrEnum):
    """What became of a follow-up's goal."""

    REACHED = "reached"
    OPEN = "open"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """Where a goal stands.

    Attributes:
        reached_at: the earliest known moment inside the window at which it was reached.
        closes_at: the end of the window, itself outside.
    """

    state: GoalState
    closes_at: datetime
    reached_at: datetime | None = None


def goal_state(follow_up: FollowUp, facts: Facts, rule: Rule, *, now: datetime) -> GoalProgress:
    """Has the goal's event happened from `entered_at` on and before `entered_at + goal.within`?

    Late events count by their own time. When only events after the window are known in full (the recent
    times do not reach back), the goal is taken as missed.
    """
    closes_at = follow_up.entered_at + rule.goal.within
    signal = facts.signals.get(rule.goal.event)
    known = (signal.first_at, signal.last_at, *signal.recent) if signal is not None and signal.count else ()
    inside = [at for at in known if follow_up.entered_at <= at < closes_at]
    if inside:
        return GoalProgress(state=GoalState.REACHED, closes_at=closes_at, reached_at=min(inside))
    state = GoalState.OPEN if now < closes_at else GoalState.MISSED
    return GoalProgress(state=state, closes_at=closes_at)


def as_it_stands(passage: FollowUp, rule: Rule, facts: Facts, *, now: datetime) -> FollowUp:
    """The passage, ended where the goal was reached or the window is over but that is not stored yet."""
    if passage.state is not FollowUpState.ACTIVE:
        return passage
    progress = goal_state(passage, facts, rule, now=now)
    if progress.state is GoalState.OPEN:
        return passage
    is_reached = progress.state is GoalState.REACHED
    return replace(
        passage,
        state=FollowUpState.ENDED,
        ended_at=progress.reached_at if is_reached else progress.closes_at,
        ended_because=GOAL if is_reached else WINDOW_OVER,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """Why a passage ends before its steps are done; `gate` is one of `EXITS`."""

    gate: str
    because: Text


def exit_of(rule: Rule, passage: FollowUp, facts: Facts, policy: Policy, *, now: datetime) -> Exit | None:
    """What ends this passage now; None: it goes on.

    The conditions are judged at the moment of entering with what is known now: time that passes throws
    nobody out, what the customer does may.
    """
    progress = goal_state(passage, facts, rule, now=now)
    if progress.state is not GoalState.OPEN:
        return ended_exit(GOAL if progress.state is GoalState.REACHED else WINDOW_OVER)
    if facts.line is not None and facts.line.is_blocked:
        return Exit(gate=BLOCKED, because=Text(ja="LINE でブロックされた", en="blocked on LINE"))
    for purpose in {message.purpose or policy.default_purpose for message in rule.messages}:
        entry = facts.consents.get(purpose)
        if entry is not None and not entry.is_granted and entry.at >= passage.entered_at:
            because = Text(ja=f"「{purpose}」の停止を希望された", en=f"consent to “{purpose}” was withdrawn")
            return Exit(gate=OPTED_OUT, because=because)
    check = rule.when.check(facts, now=passage.entered_at)
    if not check.holds:
        because = Text(
            ja=f"対象の条件から外れた（{check.because.ja}）",
            en=f"the conditions no longer hold ({check.because.en})",
        )
        return Exit(gate=CONDITION, because=because)
    owner = facts.conversation.owner if facts.conversation is not None else None
    if rule.during_conversation is DuringConversation.DROP and (owner is not None or facts.has_open_lead):
        because = Text(ja="担当者が引き継いだ（この規則はやめる）", en="a person took over (this rule stops)")
        return Exit(gate=PERSON, because=because)
    return None


_ENDED = {
    GOAL: Text(ja="目標に達した", en="the goal was reached"),
    WINDOW_OVER: Text(ja="目標の期間が終わった", en="the goal's window is over"),
}


def ended_exit(because: str | None) -> Exit:
    """A passage that is over, for this stored reason."""
    reason = because or "ended"
    return Exit(gate=reason, because=_ENDED.get(reason, Text(ja=f"終了（{reason}）", en=f"ended ({reason})")))

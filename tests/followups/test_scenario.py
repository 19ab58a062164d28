"""Do customers go through a rule's steps as written, and leave when there is a reason to?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followups.decide import at_their_version, decide
from followups.experiments import variant_of
from followups.explain import explain_rule, rule_decision_of, rule_trace_of
from followups.facts import Arm, Consent, Conversation, FollowUp, FollowUpState, LineContact
from followups.recheck import recheck
from followups.room import Room, RuleRoom
from followups.rules.conditions import Answered, EventLast
from followups.rules.model import (
    DuringConversation,
    EscalateStep,
    IfStep,
    MessageTemplate,
    Policy,
    RuleState,
    SendStep,
    WaitStep,
)
from followups.scenario import (
    after,
    after_decision,
    facts_since,
    past_of,
    place_in,
    place_said,
    step_in,
    wait_ends,
    walk,
)
from followups.signals import clicked_key
from followups.verdicts import Cancel, Drop, Escalate, Go, NotDue, Send, Wait
from tests.followups.build import MESSAGE, NOW, ago, contact, reachable, rule, signals

POLICY = Policy()
CLICKED = Answered(key=clicked_key("checkin"))
BACK = MessageTemplate(name="back", text={"ja": "お帰りなさい。"})
STEPS = (
    SendStep(message=MESSAGE),
    WaitStep(span=timedelta(days=3), until=CLICKED),
    IfStep(
        condition=CLICKED,
        then=(SendStep(message=BACK), WaitStep(span=timedelta(hours=1))),
        otherwise=(EscalateStep(reason="反応なし"),),
    ),
    EscalateStep(reason="最後"),
)
SCENARIO = rule(steps=STEPS, again_after=timedelta(days=90))
QUIET = {"signals": signals(login=[ago(days=16)])}
YESTERDAY = ago(days=1)


def inside(step, *, entered=YESTERDAY, **rest):
    return FollowUp(
        rule_id="inactive",
        rule_version=rest.pop("rule_version", 1),
        occasion=1,
        state=rest.pop("state", FollowUpState.ACTIVE),
        entered_at=entered,
        step=step,
        step_at=rest.pop("step_at", entered),
        **rest,
    )


def known(passage=None, **rest):
    given = {**QUIET, **rest}
    if passage is not None:
        given["follow_ups"] = {"inactive": passage}
    return reachable(**given)


def only(facts, asked=SCENARIO, *, now=NOW, room=None):
    return decide(facts, [asked], POLICY, now=now, room=room or Room()).rules[0]


def test_paths_name_every_step_once_in_the_order_it_is_written():
    paths = [path for path, _ in walk(SCENARIO)]
    assert paths == ["0", "1", "2", "2.then.0", "2.then.1", "2.else.0", "3"]
    assert [place_said(path) for path in paths[2:5]] == ["3", "3.then.1", "3.then.2"]
    assert all(step_in(SCENARIO, path) is step for path, step in walk(SCENARIO))
    assert [after(SCENARIO, path) for path in paths] == ["1", "2", "3", "2.then.1", "3", "3", None]
    assert past_of(SCENARIO, "2.then.1") == ("0", "1", "2", "2.then.0")


@pytest.mark.parametrize("path", ["9", "0.then.0", "2.then", "2.then.7", "2.other.0", "x", "-1", ""])
def test_a_path_that_leads_nowhere_names_no_step(path):
    assert step_in(SCENARIO, path) is None


MOVES = {
    "the same place": (STEPS, "2.then.1", "2.then.1"),
    "a branch that is gone": ((*STEPS[:2], STEPS[0], STEPS[3]), "2.then.1", "3"),
    "a shorter branch": ((*STEPS[:2], replace(STEPS[2], then=STEPS[2].then[:1]), STEPS[3]), "2.then.1", "3"),
    "nothing left": (STEPS[:1], "2.then.1", None),
}


@pytest.mark.parametrize(("steps", "path", "place"), MOVES.values(), ids=MOVES)
def test_an_edited_rule_has_a_place_for_those_under_way(steps, path, place):
    assert place_in(rule(steps=steps), path) == place


def test_the_first_step_is_taken_on_entering_and_the_second_is_next():
    decision = only(known())
    assert isinstance(decision.verdict, Send)
    position = decision.position
    assert (position.is_entry, position.step, position.next, position.arm) == (True, "0", "1", Arm.TREATED)
    assert position.unit == str(known().customer_id)


def test_a_wait_says_until_when_and_passes_at_that_very_moment():
    passage = inside("1")
    waits = only(known(passage))
    assert waits.verdict == Wait(
        gate="step", because=waits.verdict.because, until=passage.entered_at + timedelta(days=3)
    )
    assert (waits.position.step, waits.position.next) == ("1", "1")
    just_before = passage.entered_at + timedelta(days=3) - timedelta(microseconds=1)
    assert isinstance(only(known(passage), now=just_before).verdict, Wait)
    over = only(known(passage), now=passage.entered_at + timedelta(days=3))
    assert over.verdict == Escalate(reason="反応なし")
    assert (over.position.step, over.position.next) == ("2.else.0", "3")


def test_a_click_ends_the_wait_and_leads_into_the_other_branch():
    clicks = {clicked_key("checkin"): [ago(hours=2)]}
    decision = only(known(inside("1"), signals=signals(login=[ago(days=16)], **clicks)))
    assert decision.verdict.message == BACK
    assert [(path, check.holds) for path, check in decision.position.asked] == [("1", True), ("2", True)]


def test_a_click_from_before_the_entry_does_not_count():
    clicks = {clicked_key("checkin"): [ago(days=5)]}
    decision = only(known(inside("1"), signals=signals(login=[ago(days=16)], **clicks)))
    assert isinstance(decision.verdict, Wait)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=15), st.integers(0, 1000))
def test_what_happened_since_is_what_a_count_from_then_on_would_be(minutes, since):
    times = [NOW - timedelta(minutes=each) for each in minutes]
    border = NOW - timedelta(minutes=since)
    facts = facts_since(known(signals=signals(**{"$replied": times, "login": times})), border)
    later = [at for at in times if at >= border]
    assert facts.signals["login"].count == len(times)
    if not later:
        assert "$replied" not in facts.signals
        return
    found = facts.signals["$replied"]
    assert found.last_at == max(later)
    assert found.first_at >= border
    assert found.count == len(later) or len(later) > 12


def test_a_lead_that_is_open_already_is_passed_over():
    passage = inside("2.else.0", step_at=ago(hours=1))
    decision = only(known(passage, has_open_lead=True))
    assert isinstance(decision.verdict, NotDue)
    assert decision.position.next is None
    assert [gate.gate for gate in decision.gates] == ["open_lead", "open_lead"]


def test_later_steps_pass_through_every_gate_and_stay_where_they_are():
    passage = inside("2.then.0")
    decision = only(known(passage, contacts=(contact(ago(hours=1)),)))
    assert (decision.verdict.gate, decision.position.next, decision.position.ended) == (
        "caps",
        "2.then.0",
        None,
    )
    other = rule("other", priority=90)
    lost = decide(known(passage), [SCENARIO, other], POLICY, now=NOW).rules[0]
    assert (lost.verdict.gate, lost.position.next) == ("arbitration", "2.then.0")
    assert lost.position.next_at == passage.step_at


TALK = Conversation(is_open=True, revision=1, owner="U1")
STOPPED = {"support": Consent(purpose="support", is_granted=False, at=ago(hours=1))}
BLOCKED = LineContact(line_user_id="U1", is_friend=False, is_blocked=True)
EXITS = {
    "came back": ({"signals": signals(login=[ago(hours=1)])}, {}, "goal"),
    "another plan": ({"signals": signals(login=[ago(days=3), ago(days=16)])}, {}, "condition"),
    "stopped": ({"consents": STOPPED}, {}, "opted out"),
    "blocked": ({"line": BLOCKED}, {}, "blocked"),
    "a person took over": (
        {"conversation": TALK},
        {"during_conversation": DuringConversation.DROP},
        "person",
    ),
    "a person took over, held": ({"conversation": TALK}, {}, None),
}


@pytest.mark.parametrize(("change", "change_rule", "gate"), EXITS.values(), ids=EXITS)
def test_a_passage_ends_when_there_is_no_reason_to_go_on(change, change_rule, gate):
    entered = ago(days=2)
    scenario = replace(SCENARIO, **change_rule)
    decision = only(replace(known(inside("2.then.0", entered=entered)), **change), scenario)
    if gate is None:
        assert isinstance(decision.verdict, Wait)
        return
    assert decision.verdict == Drop(gate=gate, because=decision.verdict.because)
    assert decision.position.ended == gate
    passage = after_decision(inside("2.then.0"), scenario, decision.position, now=NOW)
    assert (passage.state, passage.ended_because, passage.ended_at) == (FollowUpState.ENDED, gate, NOW)


def test_time_that_passes_throws_nobody_out():
    narrow = EventLast(event="login", more_than=timedelta(days=14), less_than=timedelta(days=15))
    scenario = replace(SCENARIO, when=narrow)
    quiet = signals(login=[ago(days=16)])
    assert isinstance(only(known(inside("1", entered=ago(days=2)), signals=quiet), scenario).verdict, Wait)


def test_the_window_ends_a_passage_that_was_held_back_for_too_long():
    decision = only(known(inside("2.then.0", entered=ago(days=7))))
    assert decision.position.ended == "window over"


def test_a_rule_may_begin_with_a_wait_and_enters_without_writing():
    steps = (WaitStep(span=timedelta(days=1), at=time(10)), SendStep(message=MESSAGE))
    decision = only(known(), rule(steps=steps))
    assert decision.verdict.gate == "step"
    assert (decision.position.is_entry, decision.position.next) == (True, "0")
    held = only(known(), rule(steps=steps, holdout=1.0))
    assert (held.verdict.gate, held.position.arm, held.position.next) == ("holdout", Arm.HELD_OUT, None)


WAITS = {
    "three days": (WaitStep(span=timedelta(days=3)), datetime(2026, 12, 6, 3, tzinfo=UTC)),
    "the next morning": (WaitStep(span=timedelta(days=1), at=time(10)), datetime(2026, 12, 4, 1, tzinfo=UTC)),
    "the next evening": (WaitStep(span=timedelta(days=1), at=time(18)), datetime(2026, 12, 4, 9, tzinfo=UTC)),
    "an hour, then ten": (
        WaitStep(span=timedelta(hours=1), at=time(10)),
        datetime(2026, 12, 4, 1, tzinfo=UTC),
    ),
}


@pytest.mark.parametrize(("step", "moment"), WAITS.values(), ids=WAITS)
def test_a_wait_with_a_time_of_day_counts_calendar_days(step, moment):
    assert wait_ends(step, replace(known(), timezone="Asia/Tokyo"), begun_at=NOW) == moment


def test_one_held_out_enters_at_the_same_point_and_nothing_is_done_with_them():
    decision = only(known(), replace(SCENARIO, holdout=1.0))
    assert decision.verdict.gate == "holdout"
    assert (decision.position.is_entry, decision.position.arm) == (True, Arm.HELD_OUT)
    passage = after_decision(None, SCENARIO, decision.position, now=NOW)
    later = only(known(passage), now=NOW + timedelta(days=4))
    assert isinstance(later.verdict, NotDue)
    before = only(known(contacts=(contact(ago(hours=1)),)), replace(SCENARIO, holdout=1.0))
    assert (before.verdict.gate, before.position) == ("caps", None)


def test_one_held_out_takes_nobodys_turn_but_waits_for_a_turn_like_others():
    held, other = rule("a", priority=90, holdout=1.0), rule("b", priority=10)
    first, second = decide(known(), [held, other], POLICY, now=NOW).rules
    assert (first.verdict.gate, first.position.arm) == ("holdout", Arm.HELD_OUT)
    assert isinstance(second.verdict, Send)
    late = decide(known(), [replace(held, priority=1), other], POLICY, now=NOW).rules[0]
    assert (late.verdict.gate, late.position) == ("arbitration", None)


def test_the_expected_value_settles_what_the_priority_leaves_open():
    rules = [rule("a"), rule("b"), rule("c", priority=10)]
    room = Room(expected={"b": 2.0, "c": 99.0})
    decisions = decide(known(), rules, POLICY, now=NOW, room=room).rules
    assert [type(each.verdict) for each in decisions] == [Wait, Send, Wait]


ROOMS = {
    "no messages left": (Room(quota_left=0, quota_opens_at=NOW + timedelta(days=9)), "quota", True),
    "below the floor": (Room(quota_left=5, floor=(60, 0.0)), "quota", False),
    "above the floor": (Room(quota_left=5, floor=(50, 0.0)), None, False),
    "canary full": (Room(rules={"inactive": RuleRoom(left=0)}), "canary", False),
    "waits for approval": (
        Room(rules={"inactive": RuleRoom(left=0, gate="approval", until=NOW + timedelta(hours=9))}),
        "approval",
        True,
    ),
    "room for one": (Room(quota_left=1, rules={"inactive": RuleRoom(left=1)}), None, False),
}


@pytest.mark.parametrize(("room", "gate", "has_moment"), ROOMS.values(), ids=ROOMS)
def test_what_is_left_for_all_is_a_gate_for_each(room, gate, has_moment):
    verdict = only(known(), room=room).verdict
    assert getattr(verdict, "gate", None) == gate
    assert (getattr(verdict, "until", None) is not None) == has_moment


def test_a_room_gets_smaller_by_each_message_and_later_steps_are_no_new_recipients():
    room = Room(quota_left=2, rules={"inactive": RuleRoom(left=1)})
    used = room.after("inactive")
    assert (used.quota_left, used.rules["inactive"].left) == (1, 0)
    assert only(known(), room=used).verdict.gate == "canary"
    assert isinstance(only(known(inside("2.then.0")), room=used).verdict, Send)
    assert used.after("inactive", is_entry=False).rules["inactive"].left == 0
    assert Room().after("inactive") == Room()


def test_a_variant_is_kept_however_the_rule_is_edited():
    other = MessageTemplate(name="other", text={"ja": "別の文です。"})
    compared = rule(steps=(SendStep(message=MESSAGE, variants={"a": MESSAGE, "b": other}),))
    decision = only(known(), compared)
    assert decision.position.variant == variant_of("inactive", str(known().customer_id), ["a", "b"])
    assert decision.verdict.message == compared.steps[0].wording(decision.position.variant)
    later = rule(steps=(STEPS[0], SendStep(message=MESSAGE, variants={"a": MESSAGE, "b": other})))
    for variant in "ab":
        going = only(known(inside("1", variant=variant)), later)
        assert going.verdict.message == later.steps[1].wording(variant)


def test_whoever_is_under_way_stays_in_their_version_with_the_state_of_the_present_one():
    edited = replace(SCENARIO, version=2, steps=STEPS[:1], state=RuleState.CANARY)
    facts = known(inside("2.then.0"))
    [found] = at_their_version([edited], facts, lambda rule_id, version: SCENARIO)
    assert (found.version, found.steps, found.state) == (1, STEPS, RuleState.CANARY)
    assert at_their_version([edited], facts, lambda rule_id, version: None) == [edited]
    done = known(inside(None))
    assert at_their_version([edited], done, lambda rule_id, version: SCENARIO) == [edited]


RECHECKS = {
    "goes on": (inside("2.then.1"), {}, Go),
    "reached the goal": (inside("2.then.1", state=FollowUpState.ENDED, ended_because="goal"), {}, Cancel),
    "another occasion": (replace(inside("2.then.1"), occasion=2), {}, Cancel),
    "came back": (inside("2.then.1"), {"signals": signals(login=[ago(hours=2)])}, Cancel),
    "stopped": (inside("2.then.1"), {"consents": STOPPED}, Cancel),
}


@pytest.mark.parametrize(("passage", "change", "kind"), RECHECKS.values(), ids=RECHECKS)
def test_a_later_message_is_asked_about_again_before_it_goes_out(passage, change, kind):
    facts = replace(known(passage), **change)
    answer = recheck(
        facts,
        SCENARIO,
        POLICY,
        message_id=UUID(int=1),
        now=NOW,
        step="2.then.0",
        occasion=1,
        is_later=True,
    )
    assert isinstance(answer, kind)


def test_the_trace_keeps_where_they_stand_and_people_are_told():
    decision = only(known(inside("1"), signals=signals(login=[ago(days=16)])))
    assert rule_decision_of(rule_trace_of(decision)) == replace(
        decision, to_review=None, position=decision.position
    )
    said = explain_rule(decision, "en")
    assert any(line.strip() == "done: 1" for line in said)
    assert any(line.strip() == "now: 2" for line in said)
    assert any("checkin" in line for line in said)

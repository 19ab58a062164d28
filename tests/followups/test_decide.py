"""Does every rule come to the right verdict, for the right reason, with the right next chance?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followups.decide import GoalState, decide, goal_state
from followups.facts import Consent, Conversation, FollowUp, FollowUpState, LineContact
from followups.recheck import recheck
from followups.rules.model import (
    Caps,
    DuringConversation,
    EscalateStep,
    Hours,
    MessageTemplate,
    Policy,
    RuleState,
)
from followups.verdicts import Cancel, Drop, Escalate, Go, Hold, NotDue, Send, Wait
from tests.followups.build import CUSTOMER, MESSAGE, NOW, ago, contact, reachable, rule, signals

POLICY = Policy()
QUIET = {"signals": signals(login=[ago(days=16)])}
EVENING = datetime(2026, 12, 3, 12, 0, tzinfo=UTC)
"""21:00 in Tokyo."""


def only(facts, *rules, policy=POLICY, now=NOW):
    return decide(facts, rules or [rule()], policy, now=now).rules[0]


def passage(**rest):
    state = rest.pop("state", FollowUpState.ENDED)
    return {"inactive": FollowUp(rule_id="inactive", rule_version=1, occasion=1, state=state, **rest)}


def talk(**rest):
    return Conversation(is_open=rest.pop("is_open", True), revision=3, **rest)


def consented(is_granted):
    return {"support": Consent(purpose="support", is_granted=is_granted, at=ago(days=1))}


def on_line(**rest):
    return LineContact(line_user_id="U1", **rest)


GATES = {
    "not linked": ({"line": None}, "wait", "not_linked"),
    "not a friend": ({"line": on_line(is_friend=False, is_blocked=False)}, "wait", "blocked"),
    "blocked": ({"line": on_line(is_friend=False, is_blocked=True)}, "drop", "blocked"),
    "never asked for consent": ({"consents": {}}, "wait", "consent"),
    "consent withdrawn": ({"consents": consented(False)}, "drop", "consent"),
    "conversation open": ({"conversation": talk()}, "wait", "conversation"),
    "unanswered": ({"conversation": talk(is_open=False, is_unanswered=True)}, "wait", "conversation"),
    "owned by a person": ({"conversation": talk(is_open=False, owner="U9")}, "wait", "conversation"),
    "lead open": ({"has_open_lead": True}, "wait", "conversation"),
    "closed conversation": ({"conversation": talk(is_open=False)}, "send", None),
    "wrote today": ({"contacts": (contact(ago(hours=1)),)}, "wait", "caps"),
    "wrote yesterday": ({"contacts": (contact(ago(days=1)),)}, "send", None),
    "wrote twice this week": (
        {"contacts": (contact(ago(days=2), number=1), contact(ago(days=6), number=2))},
        "wait",
        "caps",
    ),
    "two unanswered": (
        {"contacts": (contact(ago(days=20), number=1), contact(ago(days=40), number=2))},
        "wait",
        "silence",
    ),
    "two, then an answer": (
        {
            "contacts": (contact(ago(days=20), number=1), contact(ago(days=40), number=2)),
            "conversation": talk(is_open=False, last_inbound_at=ago(days=10)),
        },
        "send",
        None,
    ),
    "another purpose's silence": (
        {
            "contacts": (
                contact(ago(days=20), number=1, purpose="news"),
                contact(ago(days=40), number=2, purpose="news"),
            )
        },
        "send",
        None,
    ),
}


@pytest.mark.parametrize(("change", "verdict", "gate"), GATES.values(), ids=GATES)
def test_gates(change, verdict, gate):
    decision = only(replace(reachable(**QUIET), **change))
    kinds = {"wait": Wait, "drop": Drop, "send": Send}
    assert isinstance(decision.verdict, kinds[verdict])
    assert getattr(decision.verdict, "gate", None) == gate


def test_quiet_hours_wait_for_the_morning():
    verdict = only(reachable(**QUIET), now=EVENING).verdict
    assert isinstance(verdict, Wait)
    assert verdict.until == datetime(2026, 12, 4, 0, 0, tzinfo=UTC)


def test_the_customers_own_time_zone_counts():
    facts = replace(reachable(**QUIET), timezone="America/New_York")
    assert isinstance(only(facts, now=EVENING + timedelta(hours=3)).verdict, Send)
    broken = replace(facts, timezone="Mars/Olympus")
    assert only(broken, now=EVENING).verdict.until == datetime(2026, 12, 4, 0, 0, tzinfo=UTC)


def test_caps_open_when_the_oldest_that_counts_leaves():
    contacts = (contact(ago(days=2), number=1), contact(ago(days=6), number=2))
    verdict = only(replace(reachable(**QUIET), contacts=contacts)).verdict
    assert verdict.until == ago(days=6) + timedelta(days=7)
    at_that_moment = only(replace(reachable(**QUIET), contacts=contacts), now=verdict.until)
    assert all(gate.passes for gate in at_that_moment.gates if gate.gate == "caps")


def test_promised_messages_count_too():
    promised = contact(NOW + timedelta(hours=2), is_started=False)
    assert only(replace(reachable(**QUIET), contacts=(promised,))).verdict.gate == "caps"


@pytest.mark.parametrize(("way", "kind"), [("hold", Wait), ("drop", Drop), ("send", Send)])
def test_a_rule_says_what_it_does_while_people_talk(way, kind):
    facts = replace(reachable(**QUIET), conversation=talk(is_unanswered=True))
    assert isinstance(only(facts, rule(during_conversation=DuringConversation(way))).verdict, kind)


def test_a_rule_that_sends_during_conversations_is_held_by_nobody_not_even_its_owner():
    sends = rule(during_conversation=DuringConversation.SEND)
    for held in (talk(owner="U02SATO"), talk(owner="U02SATO", is_unanswered=True)):
        facts = replace(reachable(**QUIET), conversation=held, has_open_lead=True)
        assert isinstance(only(facts, sends).verdict, Send)
        assert recheck(facts, sends, POLICY, message_id=MINE, now=NOW) == Go()
        assert isinstance(only(facts).verdict, Wait)


def test_a_rule_that_does_not_hold_says_when_it_would():
    verdict = only(reachable(signals=signals(login=[ago(days=3)]))).verdict
    assert isinstance(verdict, NotDue)
    assert verdict.flips_at == ago(days=3) + timedelta(days=14)
    assert verdict.because.ja.startswith("最後の login は 3日前")
    assert verdict.because.en.startswith("last login 3 days ago")


FOLLOW_UPS = {
    "under way": (passage(entered_at=ago(days=1), state=FollowUpState.ACTIVE), timedelta(days=30), None),
    "once and never again": (passage(entered_at=ago(days=400)), None, None),
    "cooling down": (passage(entered_at=ago(days=10)), timedelta(days=30), NOW + timedelta(days=20)),
}


@pytest.mark.parametrize(("follow_ups", "again", "flips_at"), FOLLOW_UPS.values(), ids=FOLLOW_UPS)
def test_a_rule_does_not_come_back_too_early(follow_ups, again, flips_at):
    verdict = only(reachable(**QUIET, follow_ups=follow_ups), rule(again_after=again)).verdict
    assert isinstance(verdict, NotDue)
    assert verdict.flips_at == flips_at


def test_a_rule_comes_back_at_the_very_moment():
    follow_ups = passage(entered_at=ago(days=30))
    facts = reachable(**QUIET, follow_ups=follow_ups)
    assert isinstance(only(facts, rule(again_after=timedelta(days=30))).verdict, Send)


def test_two_conditions_that_must_both_change_name_the_later_moment():
    facts = reachable(signals=signals(login=[ago(days=13)]), follow_ups=passage(entered_at=ago(days=10)))
    assert only(facts, rule(again_after=timedelta(days=30))).verdict.flips_at == NOW + timedelta(days=20)


def test_one_rule_wins_and_the_others_are_told_why_and_when():
    low, high, same = rule("a", priority=10), rule("b", priority=70), rule("c", priority=70)
    facts = reachable(**QUIET)
    decisions = {d.rule_id: d for d in decide(facts, [low, same, high], POLICY, now=NOW).rules}
    assert isinstance(decisions["b"].verdict, Send)
    for loser in ("a", "c"):
        verdict = decisions[loser].verdict
        assert isinstance(verdict, Wait)
        assert verdict.gate == "arbitration"
        assert "規則 b" in verdict.because.ja
        assert verdict.until == datetime(2026, 12, 3, 15, 0, tzinfo=UTC)


def test_a_rule_held_back_by_its_own_gates_takes_nobodys_turn():
    news = MessageTemplate(name="news", text=MESSAGE.text, purpose="news")
    first, second = rule("a", priority=90, message=news), rule("b", priority=10)
    decisions = decide(reachable(**QUIET), [first, second], POLICY, now=NOW).rules
    assert isinstance(decisions[0].verdict, Wait)
    assert isinstance(decisions[1].verdict, Send)


def test_shadow_rules_neither_win_nor_lose():
    shadow, live = rule("a", priority=90, state=RuleState.SHADOW), rule("b", priority=10)
    decisions = decide(reachable(**QUIET), [shadow, live], POLICY, now=NOW).rules
    assert [type(d.verdict) for d in decisions] == [Send, Send]
    assert [d.is_shadow for d in decisions] == [True, False]


def test_escalations_ask_only_for_holdout_and_an_open_lead():
    steps = (EscalateStep(reason="2週間ご利用なし"),)
    alone = replace(reachable(**QUIET), line=None, consents={}, contacts=(contact(ago(hours=1)),))
    assert isinstance(only(alone, rule(steps=steps), now=EVENING).verdict, Escalate)
    assert only(replace(alone, has_open_lead=True), rule(steps=steps)).verdict.gate == "open_lead"
    held = only(alone, rule(steps=steps, holdout=1.0)).verdict
    assert isinstance(held, Drop)
    assert held.gate == "holdout"


def test_holdouts_apply_only_where_they_are_given():
    assert isinstance(only(reachable(**QUIET)).verdict, Send)
    assert only(reachable(**QUIET), policy=replace(POLICY, holdout=1.0)).verdict.gate == "holdout"
    assert only(reachable(**QUIET), rule(holdout=1.0)).verdict.gate == "holdout"
    assert isinstance(only(reachable(**QUIET), rule(holdout=0.0)).verdict, Send)


def test_a_text_that_cannot_be_written_waits_for_its_value():
    text = MessageTemplate(name="m", text={"ja": "ご契約は{customer.renewal_date}に更新です。"})
    assert only(reachable(**QUIET), rule(message=text)).verdict.gate == "missing_value"
    known = reachable(**QUIET, attributes={"renewal_date": "2026-12-20"})
    assert isinstance(only(known, rule(message=text)).verdict, Send)


MINE = UUID(int=1001)
RECHECKS = {
    "all well": ({}, {}, Go, None),
    "came back": ({"signals": signals(login=[ago(hours=1)])}, {}, Cancel, "superseded"),
    "opted out": ({"consents": consented(False)}, {}, Cancel, "consent"),
    "consent gone": ({"consents": {}}, {}, Cancel, "consent"),
    "unlinked": ({"line": None}, {}, Cancel, "not_linked"),
    "blocked": ({"line": on_line(is_friend=False, is_blocked=True)}, {}, Cancel, "blocked"),
    "talking": ({"conversation": talk()}, {}, Hold, "conversation"),
    "talking, dropped": (
        {"conversation": talk()},
        {"during_conversation": DuringConversation.DROP},
        Cancel,
        "conversation",
    ),
    "itself is not counted": ({"contacts": (contact(NOW, number=1),)}, {}, Go, None),
    "another promised": ({"contacts": (contact(NOW, number=2, is_started=False),)}, {}, Go, None),
    "another started": ({"contacts": (contact(NOW, number=2),)}, {}, Hold, "caps"),
    "its own follow-up": (
        {"follow_ups": passage(entered_at=ago(hours=1), state=FollowUpState.ACTIVE)},
        {},
        Go,
        None,
    ),
    "paused": ({}, {"state": RuleState.PAUSED}, Hold, "paused"),
    "back in shadow": ({}, {"state": RuleState.SHADOW}, Cancel, "shadow"),
    "held out": ({}, {"holdout": 1.0}, Cancel, "holdout"),
}


@pytest.mark.parametrize(("change", "change_rule", "kind", "gate"), RECHECKS.values(), ids=RECHECKS)
def test_recheck(change, change_rule, kind, gate):
    facts = replace(reachable(**QUIET), **change)
    answer = recheck(facts, rule(**change_rule), POLICY, message_id=MINE, now=NOW)
    assert isinstance(answer, kind)
    assert getattr(answer, "gate", None) == gate


def test_recheck_in_the_evening_holds_until_morning():
    answer = recheck(reachable(**QUIET), rule(), POLICY, message_id=MINE, now=EVENING)
    assert answer == Hold(gate="quiet_hours", because=answer.because, until=datetime(2026, 12, 4, tzinfo=UTC))


GOALS = {
    "inside": ([ago(days=2)], GoalState.REACHED, ago(days=2)),
    "at the very entry": ([ago(days=3)], GoalState.REACHED, ago(days=3)),
    "before": ([ago(days=4)], GoalState.OPEN, None),
    "several": ([ago(days=1), ago(days=2), ago(days=9)], GoalState.REACHED, ago(days=2)),
    "nothing": ([], GoalState.OPEN, None),
}


@pytest.mark.parametrize(("logins", "state", "reached_at"), GOALS.values(), ids=GOALS)
def test_goals(logins, state, reached_at):
    entered = passage(entered_at=ago(days=3))["inactive"]
    progress = goal_state(entered, reachable(signals=signals(login=logins)), rule(), now=NOW)
    assert (progress.state, progress.reached_at) == (state, reached_at)
    assert progress.closes_at == ago(days=3) + timedelta(days=7)


def test_a_goal_is_missed_when_its_window_is_over():
    entered = passage(entered_at=ago(days=7))["inactive"]
    facts = reachable(signals=signals(login=[NOW]))
    assert goal_state(entered, facts, rule(), now=NOW).state is GoalState.MISSED


def test_a_rule_that_turned_into_an_escalation_cancels_what_it_had_promised():
    steps = (EscalateStep(reason="お声がけ"),)
    answer = recheck(reachable(**QUIET), rule(steps=steps), POLICY, message_id=MINE, now=NOW)
    assert isinstance(answer, Cancel)


hours = st.integers(min_value=-24 * 40, max_value=0).map(lambda h: NOW + timedelta(hours=h))


@settings(max_examples=200, deadline=None)
@given(
    sent=st.lists(hours, max_size=8),
    day=st.none() | st.integers(0, 2),
    week=st.none() | st.integers(0, 3),
    month=st.none() | st.integers(0, 5),
    later=st.integers(min_value=0, max_value=60 * 24 * 3),
)
def test_whoever_obeys_decide_never_exceeds_a_cap(sent, day, week, month, later):
    """Send whenever decide says so; then count every window by hand."""
    caps = Caps(per_day=day, per_7_days=week, per_30_days=month)
    policy = replace(POLICY, caps=caps, quiet_hours=None, silence_messages=0)
    contacts = tuple(contact(at, number=n) for n, at in enumerate(sent))
    now = NOW + timedelta(minutes=later)
    facts = replace(reachable(**QUIET), contacts=contacts)
    verdict = only(facts, policy=policy, now=now).verdict
    if isinstance(verdict, Send):
        times = [*sent, now]
        for cap, window in ((week, timedelta(days=7)), (month, timedelta(days=30))):
            assert cap is None or sum(1 for at in times if now - window < at <= now) <= cap
    elif verdict.until is not None:
        before = only(facts, policy=policy, now=verdict.until - timedelta(microseconds=1)).verdict
        assert isinstance(before, Wait)
        assert isinstance(only(facts, policy=policy, now=verdict.until).verdict, Send)


@settings(max_examples=200, deadline=None)
@given(
    now=st.integers(0, 366 * 48).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * timedelta(minutes=30)),
    zone=st.sampled_from(["Asia/Tokyo", "Europe/London", "America/New_York", "Australia/Lord_Howe"]),
    quiet=st.sampled_from([(20, 9), (1, 3), (2, 8), (0, 6)]),
)
def test_nothing_is_sent_in_quiet_hours(now, zone, quiet):
    from zoneinfo import ZoneInfo

    policy = replace(POLICY, quiet_hours=Hours(start=time(quiet[0], 30), end=time(quiet[1], 30)))
    facts = replace(reachable(signals=signals(login=[datetime(2025, 1, 1, tzinfo=UTC)])), timezone=zone)
    verdict = only(facts, policy=policy, now=now).verdict
    moment = now if isinstance(verdict, Send) else verdict.until
    wall = moment.astimezone(ZoneInfo(zone)).time()
    start, end = policy.quiet_hours.start, policy.quiet_hours.end
    assert not (start <= wall < end if start < end else (wall >= start or wall < end))
    assert isinstance(only(facts, policy=policy, now=moment).verdict, Send)


def test_the_core_asks_no_customer_but_its_own():
    assert decide(reachable(), [], POLICY, now=NOW).customer_id == CUSTOMER

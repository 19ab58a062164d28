"""Are messages, the policy, test files and whole folders read right, and their mistakes named?"""

from __future__ import annotations

from datetime import time

import pytest

from followups.rules.model import Caps, Hours, Policy
from followups.rules.parsing import load_folder, parse_message, parse_policy, parse_tests, read_folder
from followups.rules.testing import run_rule_tests
from tests.followups.samples import FOLDER, MESSAGE, POLICY, RULE, TESTS, complaints


def test_a_message_is_read_whole():
    message = parse_message(MESSAGE, path="messages/inactive-checkin.yaml")
    assert message.name == "inactive-checkin"
    assert message.purpose == "support"
    assert set(message.text) == {"ja", "en"}
    assert message.button_label == {"ja": "続きから始める"}
    assert [reply.signal for reply in message.quick_replies] == ["needs_help", "optout"]
    assert message.quick_replies[0].is_lead


WRONG_MESSAGES = {
    "no text": (
        "text:",
        "txt:",
        ["1:1: “text” is missing (add it)", "2:1: unknown key “txt” (did you mean “text”?)"],
    ),
    "language": ("  en:", "  English:", ["4:3: “English” is not a language (for example ja, en)"]),
    "empty text": (
        '"Hi {customer.name}, is anything holding you up?"',
        '""',
        ["4:7: “” is not text (write some text)"],
    ),
    "staff": (
        "{customer.name}, is",
        "{staff.phone}, is",
        ["4:7: “{staff.phone}” is not a placeholder (did you mean “{staff.name}”?)"],
    ),
    "long label": (
        "続きから始める",
        "あ" * 21,
        [f"5:17: the label “{'あ' * 21}” is over 20 characters (make it shorter)"],
    ),
    "label with a slot": (
        "続きから始める",
        '"{customer.name}"',
        ["5:17: a label takes no placeholders or line breaks (remove them)"],
    ),
    "no address": (', url: "https://app.example.com/start"', "", ["5:9: “url” is missing (add it)"]),
    "user in the address": (
        "https://app.example.com/start",
        "https://a@app.example.com/",
        [
            "5:31: “https://a@app.example.com/” is not an https address (for "
            "example https://app.example.com/start)"
        ],
    ),
    "foreign host": (
        "https://app.example.com/start",
        "https://app.exemple.com/start",
        ["5:31: unknown host in link_hosts “app.exemple.com” (did you mean “app.example.com”?)"],
    ),
    "signal twice": (
        "optout",
        "needs_help",
        ["8:5: the signal “needs_help” is there twice (choose another)"],
    ),
    "opting out is no lead": ("needs_help, lead", "optout, lead", None),
    "lead in words": ("lead: true", "lead: yes", ["7:46: “yes” is not true or false"]),
    "purpose": (
        "purpose: support",
        "purpose: Support!",
        ["1:10: “Support!” is not a purpose (for example support)"],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG_MESSAGES.values(), ids=WRONG_MESSAGES)
def test_mistakes_in_messages(old, new, expected):
    policy = Policy(link_hosts=("app.example.com",))
    assert old in MESSAGE
    found = complaints(parse_message, MESSAGE.replace(old, new, 1), path="m.yaml", policy=policy)
    if expected is not None:
        assert found == [f"m.yaml:{each}" for each in expected]
    else:
        assert any("optout stops messages" in each for each in found)


def test_the_policy_as_documented_is_the_default_but_for_the_holdout_that_it_names():
    assert parse_policy(POLICY) == Policy(holdout=0.1)
    assert parse_policy("") == parse_policy("# nothing\n") == parse_policy("null") == Policy()


def test_a_policy_can_turn_things_off():
    policy = parse_policy(
        "quiet_hours: null\ncaps: {per_day: null, per_7_days: 0}\nsilence_after_unanswered: null\n"
        "business_hours: {holidays: null, days: [sat], from: '9:30', to: "
        "17:00}\nlink_hosts: [App.Example.com]\n"
        "undo_seconds: 0\nholdout: 0%"
    )
    assert policy.quiet_hours is None
    assert policy.caps == Caps(per_day=None, per_7_days=0, per_30_days=4)
    assert policy.silence_messages == 0
    assert policy.business_hours.holidays is None
    assert policy.business_hours.days == {5}
    assert policy.business_hours.hours == Hours(start=time(9, 30), end=time(17))
    assert policy.link_hosts == ("app.example.com",)
    assert (policy.undo_seconds, policy.holdout) == (0, 0.0)
    assert parse_policy("caps: null").caps == Caps(per_day=None, per_7_days=None, per_30_days=None)


WRONG_POLICIES = {
    "unknown key": (
        "undo_seconds",
        "undo_second",
        ["10:1: unknown key “undo_second” (did you mean “undo_seconds”?)"],
    ),
    "zone": ("Asia/Tokyo", "Asia/Tokio", ["1:11: “Asia/Tokio” is not a time zone (for example Asia/Tokyo)"]),
    "time": ('"20:00"', '"25:00"', ['2:21: “25:00” is not a time of day (for example "20:00")']),
    "same times": ('"09:00"', '"20:00"', ["2:30: the same time as from (choose another)"]),
    "weekday": ("[mon,", "[man,", ["3:25: unknown weekday “man” (did you mean “mon”?)"]),
    "closed before open": (
        '"18:00"',
        '"09:00"',
        ["3:66: from is not before to (business hours end on the day they begin)"],
    ),
    "calendar": ("holidays: JP", "holidays: US", ["3:89: unknown calendar of holidays “US” (known: JP)"]),
    "cap": ("per_day: 1", "per_day: -1", ["4:17: “-1” is not a whole number from 0 to 1000"]),
    "sla": (
        "escalate: 30m",
        "escalate: 5m",
        ["11:19: escalate comes before claim (make it at least as long)"],
    ),
    "no mapping": (
        "canary: {size: 10, for: 30m}",
        "canary: 10",
        ["8:9: “10” is not a mapping of keys to values"],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG_POLICIES.values(), ids=WRONG_POLICIES)
def test_mistakes_in_the_policy(old, new, expected):
    assert old in POLICY
    found = complaints(parse_policy, POLICY.replace(old, new, 1))
    assert found == [f"policy.yaml:{each}" for each in expected]


def test_a_folder_is_read_whole_and_its_tests_pass():
    rule_set = load_folder(FOLDER)
    assert [rule.id for rule in rule_set.rules] == ["inactive-14d"]
    assert list(rule_set.messages) == ["inactive-checkin"]
    report = run_rule_tests(rule_set, Policy())
    assert (report.rules, report.moments, report.failures) == (1, 3, ())


WRONG_FOLDERS = {
    "file name": (
        {"other.yaml": RULE},
        ["other.yaml:1:5: the id “inactive-14d” is also in inactive-14d.yaml (choose another)"],
    ),
    "id": (
        {"other.yaml": RULE.replace("id: inactive-14d", "id: another")},
        [
            "other.yaml:1:5: the id “another” is not the file's name (call the "
            "file another.yaml, or change the id)"
        ],
    ),
    "ending": ({"a.yml": RULE}, ["a.yml:1:1: files end in .yaml (rename it)"]),
    "test of no rule": (
        {"inactive-14.test.yaml": TESTS},
        [
            "inactive-14.test.yaml:1:1: there is no rule inactive-14.yaml for this "
            "test (did you mean inactive-14d.yaml?)"
        ],
    ),
    "broken message": (
        {"messages/inactive-checkin.yaml": "text: [a]"},
        ["messages/inactive-checkin.yaml:1:7: “[...]” is not text (write some text)"],
    ),
}


@pytest.mark.parametrize(("added", "expected"), WRONG_FOLDERS.values(), ids=WRONG_FOLDERS)
def test_mistakes_between_files(added, expected):
    assert complaints(load_folder, FOLDER | added) == expected


def test_what_is_sound_in_a_folder_can_be_kept():
    rule_set = read_folder(FOLDER | {"b.yaml": "id: b"})
    assert [rule.id for rule in rule_set.rules] == ["inactive-14d"]
    assert {problem.path for problem in rule_set.problems} == {"b.yaml"}
    without_message = read_folder(FOLDER | {"messages/inactive-checkin.yaml": "text: []"})
    assert without_message.rules == ()
    assert {problem.path for problem in without_message.problems} == {"messages/inactive-checkin.yaml"}


def test_failing_rule_tests_say_what_happened_instead_and_why_and_where():
    wrong = TESTS.replace("expect: send, message: inactive-checkin", "expect: drop").replace("6日前", "7日前")
    report = run_rule_tests(load_folder(FOLDER | {"inactive-14d.test.yaml": wrong}), Policy())
    assert [str(failure) for failure in report.failures] == [
        "inactive-14d.test.yaml:6:9: 16日: expected drop (it was send: inactive-checkin)",
        "inactive-14d.test.yaml:7:9: 16日: expected “7日前” in the reason "
        "(it was not_due: last login 6 days ago (asked: 14 days or more))",
    ]


def test_a_condition_seen_from_one_side_only_fails():
    one_sided = TESTS.split("  - name: 別の", maxsplit=1)[0]
    report = run_rule_tests(load_folder(FOLDER | {"inactive-14d.test.yaml": one_sided}), Policy())
    assert [str(failure) for failure in report.failures] == [
        "inactive-14d.yaml:8:7: no test sees this condition fail to hold (add one to inactive-14d.test.yaml)"
    ]
    untested = {path: text for path, text in FOLDER.items() if path != "inactive-14d.test.yaml"}
    failures = run_rule_tests(load_folder(untested), Policy()).failures
    assert [str(failure) for failure in failures] == [
        "inactive-14d.yaml:1:1: has no tests (write inactive-14d.test.yaml)"
    ]


WRONG_TESTS = {
    "outcome": ("expect: send", "expect: sent", ["6:26: unknown outcome “sent” (did you mean “send”?)"]),
    "offset": (
        "at: 0d, expect: send",
        "at: soon, expect: send",
        ['6:14: “soon” is not a time (for example -16d, +12h or "2026-12-03T12:00")'],
    ),
    "key": (
        "customer: {attributes: {plan: trial}}",
        "customer: {attribute: {plan: trial}}",
        ["3:16: unknown key “attribute” (did you mean “attributes”?)"],
    ),
    "no moments": ("    moments: [{at: 0d, expect: not_due}]\n", "", ["8:5: “moments” is missing (add it)"]),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG_TESTS.values(), ids=WRONG_TESTS)
def test_mistakes_in_tests(old, new, expected):
    assert old in TESTS
    found = complaints(parse_tests, TESTS.replace(old, new, 1), path="a.test.yaml")
    assert found == [f"a.test.yaml:{each}" for each in expected]

"""Are the rules and messages we ship sound, tested and well written?"""

from __future__ import annotations

from pathlib import Path

import pytest

import followups
from followups.rules.model import Policy, RuleState
from followups.rules.parsing import load_folder
from followups.rules.testing import run_rule_tests
from followups.words.text import OPT_OUT, grapheme_length, lint_message

ROOT = Path(followups.__file__).parent / "playbooks"
PLAYBOOKS = load_folder(
    {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.rglob("*.yaml")}
)


def test_every_playbook_passes_its_tests_and_every_condition_is_seen_both_ways():
    report = run_rule_tests(PLAYBOOKS, Policy())
    assert [str(failure) for failure in report.failures] == []
    assert report.rules == 10
    assert report.moments > 40


@pytest.mark.parametrize("name", sorted(PLAYBOOKS.messages))
def test_every_message_is_well_written(name):
    message = PLAYBOOKS.messages[name]
    assert [finding.because.en for finding in lint_message(message)] == []
    assert set(message.text) == {"ja", "en"}
    assert message.button_label is not None
    assert message.button_url is not None
    assert message.button_url.startswith("https://app.example.com/")
    assert len(message.quick_replies) <= 3
    assert message.quick_replies[-1].signal == OPT_OUT
    for label in (message.button_label, *(reply.label for reply in message.quick_replies)):
        assert set(label) == {"ja", "en"}
        assert all(grapheme_length(text) <= 20 for text in label.values())


def test_every_playbook_starts_in_shadow_and_every_message_is_used():
    assert {rule.state for rule in PLAYBOOKS.rules} == {RuleState.SHADOW}
    used = {message.name for rule in PLAYBOOKS.rules for message in rule.messages}
    assert used == set(PLAYBOOKS.messages)

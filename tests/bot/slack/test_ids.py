"""Do ids say what was meant, and does anything else say nothing?"""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.ids import Action, Target, action_of, numbered
from bot.slack.presses import Press, event_id_of, press_of


@given(st.uuids(), st.none() | st.uuids(), st.integers(0, 10**9))
def test_a_target_survives_the_way_there_and_back(lead: UUID, draft: UUID | None, revision: int) -> None:
    target = Target(lead_id=lead, draft_id=draft, revision=revision)
    assert Target.decode(target.encode()) == target
    assert len(target.encode()) <= 150


@given(st.text(max_size=200))
def test_foreign_values_mean_nothing_and_raise_nothing(value: str) -> None:
    assert Target.decode(value) is None or value.count(":") == 2


@pytest.mark.parametrize(
    "value", ["", "::", "a:b:c", "1:1:1", f"{UUID(int=1)}:-:-1", f"{UUID(int=1)}:-:١", "x" * 10**6]
)
def test_broken_values_are_nobodys(value: str) -> None:
    assert Target.decode(value) is None


def test_ids_are_the_documented_words() -> None:
    promised = {
        "lead.send", "lead.edit", "lead.regenerate", "lead.claim", "lead.snooze", "lead.dismiss", "lead.won",
        "lead.lost", "lead.undo", "rule.toggle", "rule.edit", "rule.preview", "pause.all",
    }  # fmt: skip
    words = [each.value for each in Action]
    assert promised <= set(words)
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", word) for word in words)
    assert len(set(words)) == len(words)
    assert numbered(Action.SEND, 1, of=1) == "lead.send"
    assert numbered(Action.SEND, 2, of=3) == "lead.send:2"
    assert action_of("lead.send:2") is Action.SEND
    assert action_of("lead.explode") is None


@given(st.dictionaries(st.sampled_from(["text", "span"]), st.text(max_size=50)))
def test_a_press_survives_the_inbox(form: dict[str, str]) -> None:
    target = Target(lead_id=UUID(int=1), draft_id=UUID(int=2), revision=3)
    press = Press(action=Action.EDIT, target=target, slack_user_id="U1", channel="C1", form=form)
    assert Press.decode(press.encode()) == press


def test_payloads_of_other_shapes_are_no_press() -> None:
    for payload in (
        {},
        {"actions": []},
        {"actions": [{"action_id": "lead.claim"}]},
        {"actions": [{"value": "x"}]},
    ):
        assert press_of(payload) is None
    assert event_id_of({"trigger_id": "1.2.3"}) == "1.2.3"
    assert event_id_of({"a": 1}) == event_id_of({"a": 1}) != event_id_of({"a": 2})

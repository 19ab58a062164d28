"""Do scripted answers trigger on any spelling, and is a mistake in their files told where it stands?"""

from __future__ import annotations

import pytest

from followups.answers.scripts import joined, lint_script, read_scripts
from followups.words.lint import Severity
from prompts.scripted import shipped_scripts

MENU = """\
id: parking
exact: [ちゅうしゃじょう, parking]
contains: [車で行]
text: {ja: 駐車場はございません。, en: We have no parking.}
off_hours: {ja: ただいま受付時間外です。}
choices:
  - {label: {ja: 担当者と話す}, to: person}
  - {label: {ja: 地図がほしい}, signal: wants_map, lead: true}
lead: {ja: 来店のご相談, en: wants to visit}
signal: asked_parking
"""


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("メニュー", "menu"),
        ("ﾒﾆｭｰ", "menu"),
        ("めにゅー！", "menu"),
        ("ＭＥＮＵ", "menu"),
        ("Menu.", "menu"),
        ("め にゅう", None),
        ("営業時間", "opening-hours"),
        ("すみません、営業時間を教えてください", "opening-hours"),
        ("担当者と 話す", "person"),
        ("オペレーター", "person"),
        ("How do I stop these?", "stopping"),
        ("請求書の件です", None),
        ("", None),
        ("…", None),
    ],
)
def test_the_shipped_scripts_trigger_on_any_spelling(said: str, wanted: str | None) -> None:
    found = shipped_scripts().answer_to(said)
    assert (found.id if found else None) == wanted


def test_a_users_script_is_read_whole_and_stands_over_ours() -> None:
    own = read_scripts({"scripts/parking.yaml": MENU}, known=shipped_scripts().by_id)
    assert own.problems == ()
    script = joined(shipped_scripts(), own).answer_to("駐車場ですが、車で行けますか")
    assert script is not None
    assert (script.id, script.signal, script.lead) == (
        "parking",
        "asked_parking",
        {"ja": "来店のご相談", "en": "wants to visit"},
    )
    assert script.words("ja", is_open=False) == "ただいま受付時間外です。"
    assert script.words("en", is_open=True) == "We have no parking."
    assert [(each.to, each.signal, each.is_lead) for each in script.choices] == [
        ("person", None, False),
        (None, "wants_map", True),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            MENU.replace("to: person", "to: persn"),
            "scripts/x.yaml:7:31: unknown script “persn” (did you mean “person”?)",
        ),
        (
            MENU.replace("signal: asked", "signl: asked"),
            "scripts/x.yaml:10:1: unknown key “signl” (did you mean “signal”?)",
        ),
        (
            MENU.replace("駐車場はございません。", '"{hour}です。"'),
            "unknown placeholder “hour” (did you mean “hours”?)",
        ),
        (MENU.replace("id: parking\n", ""), "“id” is missing (add it)"),
        (
            MENU.replace("to: person", "to: person, signal: x"),
            "write either to (another script) or signal (an event)",
        ),
        (MENU.replace("[車で行]", "[車]"), "is not long enough"),
        ("id: [", "scripts/x.yaml:1"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    problems = read_scripts({"scripts/x.yaml": text}, known=shipped_scripts().by_id).problems
    assert any(told in problem.said("en") for problem in problems), [each.said("en") for each in problems]


def test_the_shipped_scripts_have_nothing_to_object_to() -> None:
    findings = [finding for script in shipped_scripts().by_id.values() for finding in lint_script(script)]
    assert findings == []


def test_a_script_that_promises_is_objected_to() -> None:
    own = read_scripts({"scripts/x.yaml": "id: x\ntext: 全額返金を保証します。\n"})
    kinds = {(each.kind, each.severity) for each in lint_script(own.by_id["x"])}
    assert ("promise", Severity.ERROR) in kinds

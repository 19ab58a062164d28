"""Which values can a form change, what may be typed for them, and where do a parser's problems belong?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import followups
from followups.rules.conditions import Text
from followups.rules.parsing import RuleError, load_folder
from followups.versions.edits import edited
from followups.versions.fields import CHOICES, FormField, Kind, changes_of, fields_of, path_at, read_field
from followups.versions.leaves import leaves

PLAYBOOKS = Path(followups.__file__).parent / "playbooks"
RULES = sorted(path for path in PLAYBOOKS.glob("*.yaml") if not path.name.endswith(".test.yaml"))
MESSAGES = {f"messages/{each.name}": each.read_text("utf-8") for each in PLAYBOOKS.glob("messages/*.yaml")}
SOURCE = """\
id: quiet
name: 静か
goal: {event: login, within: 7d}
when:
  all:
    - event: login
      last: {more_than: 14d}
    - attribute: plan
      in: [trial, standard]
    - event: bought
      count: {at_least: 2, within: 28d}
then:
  - wait: {for: 1d, at: "10:00"}
  - send: {text: {ja: お困りではありませんか。}}
"""


def by_path(source: str = SOURCE) -> dict[str, FormField]:
    return {".".join(map(str, each.path)): each for each in fields_of(source, {})}


def test_thresholds_times_texts_and_audience_are_offered_and_names_of_things_are_not() -> None:
    found = by_path()
    assert {path: each.kind.value for path, each in found.items()} == {
        "name": "text",
        "goal.within": "span",
        "when.all.0.last.more_than": "span",
        "when.all.1.in": "values",
        "when.all.2.count.at_least": "number",
        "when.all.2.count.within": "span",
        "then.0.wait.for": "span",
        "then.0.wait.at": "time",
        "then.1.send.text.ja": "text",
        "priority": "number",
        "again_after": "span",
        "holdout": "share",
        "approval": "choice",
        "during_conversation": "choice",
    }
    assert found["when.all.1.in"].shown == "trial\nstandard"
    assert found["when.all.0.last.more_than"].label == "login · last · more_than"
    assert found["when.all.0.last.more_than"].hint.ja == "これ以上前"


@pytest.mark.parametrize(
    ("kind", "typed", "key", "like", "value"),
    [
        (Kind.SPAN, " 21d ", "more_than", "14d", "21d"),
        (Kind.SPAN, "never", "again_after", "14d", "never"),
        (Kind.SPAN, "never", "more_than", "14d", None),
        (Kind.SPAN, "三週間", "more_than", "14d", None),
        (Kind.SPAN, "0d", "more_than", "14d", None),
        (Kind.NUMBER, "3", "at_least", 2, 3),
        (Kind.NUMBER, "2.5", "rhythm", 3, 2.5),
        (Kind.NUMBER, "many", "at_least", 2, None),
        (Kind.SHARE, "15%", "holdout", None, "15%"),
        (Kind.SHARE, "15", "holdout", None, None),
        (Kind.TIME, "09:30", "at", "10:00", "09:30"),
        (Kind.TIME, "25:00", "at", "10:00", None),
        (Kind.CHOICE, "review", "approval", None, "review"),
        (Kind.CHOICE, "perhaps", "approval", None, None),
        (Kind.VALUES, "trial、standard\npro", "in", ("trial",), ("trial", "standard", "pro")),
        (Kind.VALUES, "1, 2", "in", (1,), (1, 2)),
        (Kind.VALUES, "1, 2", "in", ("1",), ("1", "2")),
        (Kind.VALUES, " , ", "in", ("1",), None),
        (Kind.VALUE, "5", "equals", 4, 5),
        (Kind.VALUE, "5", "equals", "4", "5"),
        (Kind.TEXT, "こんにちは\n ", "ja", "やあ", "こんにちは"),
        (Kind.TEXT, "  ", "ja", "やあ", None),
    ],
)
def test_what_is_typed_is_a_value_or_wrong(
    kind: Kind, typed: str, key: str, like: object, value: object
) -> None:
    read = read_field(kind, typed, key=key, like=like)  # type: ignore[arg-type]
    assert isinstance(read, Text) if value is None else (read == value and type(read) is type(value))


@pytest.mark.parametrize("path", RULES, ids=[each.stem for each in RULES])
def test_what_is_left_as_it_was_changes_nothing(path: Path) -> None:
    fields = fields_of(path.read_text("utf-8"), MESSAGES)
    changes, wrong = changes_of(fields, {number: each.shown for number, each in enumerate(fields)})
    assert (changes, wrong) == ([], {})


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, 20),
    days=st.integers(1, 400),
    words=st.text(alphabet="あいう\n:#'\"{}- ", min_size=1, max_size=40).filter(lambda text: text.strip()),
)
def test_each_change_can_be_written_into_the_file_and_read_back(number: int, days: int, words: str) -> None:
    fields = fields_of(SOURCE, {})
    field = fields[number % len(fields)]
    typed = {
        Kind.SPAN: f"{days}d",
        Kind.NUMBER: str(days),
        Kind.SHARE: f"{days % 100}%",
        Kind.TIME: f"{days % 24:02}:30",
        Kind.CHOICE: CHOICES.get(str(field.path[-1]), ("",))[-1],
        Kind.VALUES: f"a{days}\nb",
    }.get(field.kind, words)
    changes, wrong = changes_of(fields, {fields.index(field): typed})
    assert wrong == {}
    new = leaves(edited(SOURCE, changes))
    assert {path: new[path] for path, _ in changes} == dict(changes)


def test_a_problem_of_the_parser_stands_at_the_value_it_is_about() -> None:
    text = edited(SOURCE, [(("when", "all", 2, "count", "at_least"), -3)])
    with pytest.raises(RuleError) as caught:
        load_folder({"quiet.yaml": text})
    problem = caught.value.problems[0]
    assert path_at(text, problem.line, problem.column)[:4] == ("when", "all", 2, "count")

"""Is every mistake in a condition told at its place, in both languages, with what to do?

`broken_conditions.txt` holds the mistakes and all that is said of each, English and Japanese in turn.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from followups.rules.parsing import RuleError
from tests.followups.samples import parsed

HEAD = "id: r\ngoal: {event: login, within: 7d}\nwhen:\n"
TAIL = "then:\n  - send: inactive-checkin\n"
BROKEN: dict[str, tuple[str, list[str]]] = {}
for part in (
    Path(__file__).with_suffix("").with_name("broken_conditions.txt").read_text("utf-8").split("=== ")[1:]
):
    written, said = part.split("\n---\n")
    name, when = written.split("\n", maxsplit=1)
    BROKEN[name] = (when, said.strip().split("\n"))


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 40


@pytest.mark.parametrize(("when", "said"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_told_at_its_place_in_both_languages(when: str, said: list[str]):
    indented = "".join(f"  {line}\n" for line in when.split("\n"))
    with pytest.raises(RuleError) as caught:
        parsed(f"{HEAD}{indented}{TAIL}")
    assert [problem.said(each) for problem in caught.value.problems for each in ("en", "ja")] == said

"""Does nothing that a file may hold make reading crash or hang?"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import followups
from followups.rules.parsing import RuleError, load_folder, parse_message, parse_policy, parse_tests
from tests.followups.samples import FOLDER, MESSAGE, POLICY, RULE, TESTS, complaints, parsed


def problems_of(read):
    try:
        read()
    except RuleError as error:
        return error.problems or [None]
    return ()


def readers(text):
    """Whatever the text, each reader answers or names the place."""
    for read in (
        lambda: parsed(text),
        lambda: parse_message(text, path="m.yaml"),
        lambda: parse_policy(text),
        lambda: parse_tests(text, path="t.test.yaml"),
    ):
        problems = problems_of(read)
        assert all(problem.line >= 1 and problem.column >= 1 and problem.en for problem in problems)


PLAYBOOKS = Path(followups.__file__).parent / "playbooks"
VOCABULARY = """\
id: inactive-14d
goal: {event: order, where: {plan: pro, n: 3, is_new: true}, within: 7d}
when:
  any:
    - {event: login, where: {plan: pro}, trend: {down_by: 50%, over: 7d, at_least: 4}}
    - idle: {event: login, rhythm: 3, min: 7d, max: 60d}
    - {clicked: inactive-checkin, within: 7d}
    - {replied: false}
    - {reacted: busy, within: 3d}
    - used: {fewer_than: 2, of: [a, {event: b, where: {c: 1}}], within: 30d}
then: [{send: inactive-checkin}]
"""
SEEDS = [
    VOCABULARY,
    RULE,
    MESSAGE,
    POLICY,
    TESTS,
    *(p.read_text("utf-8") for p in sorted(PLAYBOOKS.rglob("*.yaml"))),
]
PIECES = "{}[]:,-?&*!|>'\"%@`#\n\t  \x00\ud800\ufeff\u2028🍎0a~<=="
WORDS = [
    *{word for seed in SEEDS for word in seed.split()},
    "<<:",
    "? ",
    "- - -",
    "!!python/x",
    "&a",
    "*a",
    "null",
    "---",
]


def broken(seed):
    draw = random.Random(seed)
    text = draw.choice(SEEDS)
    for _ in range(draw.randint(1, 6)):
        at, end = sorted(draw.randint(0, len(text)) for _ in range(2))
        way = draw.randint(0, 4)
        if way == 0:
            text = text[:at] + draw.choice(PIECES) + text[at:]
        elif way == 1:
            text = text[:at] + text[min(end, at + 12) :]
        elif way == 2:
            text = text[:at] + draw.choice(WORDS) + text[at:]
        elif way == 3:
            text = text[:end] + text[at:end][:80] + text[end:]
        else:
            lines = text.split("\n")
            draw.shuffle(lines)
            text = "\n".join(lines)
    return text


CAMPAIGN = int(os.environ.get("FUZZ", "2000"))
"""How many broken files are read: FUZZ=50000 for the long campaign."""
BLOCKS = 10
PATHS = ("inactive-14d.yaml", "inactive-14d.test.yaml", "messages/inactive-checkin.yaml")


@pytest.mark.parametrize("block", range(BLOCKS))
def test_broken_files_never_crash_a_reader_nor_hold_it_up(block):
    for seed in range(block, CAMPAIGN, BLOCKS):
        text = broken(seed)
        began = time.process_time()
        readers(text)
        loads_whole_or_not_at_all(text, path=PATHS[seed // BLOCKS % len(PATHS)])
        assert time.process_time() - began < 1, f"seed {seed}"


def loads_whole_or_not_at_all(text, *, path):
    """A folder with a broken file in it loads completely, or nothing of it does."""
    files = {**FOLDER, path: text}
    if problems_of(lambda: load_folder(files)):
        return
    loaded = load_folder(files)
    assert [rule.id for rule in loaded.rules] == ["inactive-14d"]
    assert set(loaded.tests) == {"inactive-14d"}
    assert set(loaded.messages) == {"inactive-checkin"}
    assert not loaded.problems


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_never_crashes_a_reader(text):
    readers(text)


BOMBS = {
    "deep lists": "[" * 100_000,
    "deep mappings": "{a: " * 50_000,
    "deep dashes": "- " * 100_000,
    "too large": "a" * 300_000,
    "many keys": "\n".join(f"k{n}: v" for n in range(20_000)),
    "many items": f"[{'a,' * 100_000}]",
    "comments": "#\n" * 100_000,
    "open quote": '"' + "a" * 200_000,
    "aliases": "a: &a [x,x]\nb: &b [*a,*a]\n",
    "merge": "<<: {a: 1}\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_at_once(text):
    assert len(complaints(parsed, text)) >= 1

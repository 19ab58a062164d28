"""Does the demo tell its whole story, with every step standing where people would see it?"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from rich.cells import cell_len
from rich.console import Console

from sandbox.company import HEROINE, UNASKED
from sandbox.demo import BEGIN
from sandbox.story import DRAFTED, QUESTION, REPLY, THANKS, Story
from sandbox.terminal import folded
from sandbox.world import World
from sandbox.world import world as open_world


@pytest.fixture
async def company(database_url: str) -> AsyncIterator[World]:
    """The demo's world: worked as in production, its clock running."""
    async with open_world(BEGIN, database_url=database_url, is_worked=True, is_running=True) as running:
        yield running


async def test_the_story_is_told_to_its_end_and_stands_on_the_phone_and_in_slack(company: World):
    page = io.StringIO()
    await Story(Console(file=page, width=80, highlight=False), company).tell()
    told = page.getvalue()

    assert re.findall(r"^ (\d)\. ", told, re.MULTILINE) == [str(number) for number in range(1, 8)]
    assert not re.search(r"<[!@]|&[lg]t;|U[0-9A-Z]{9}|Traceback", told)
    assert max(cell_len(row) for row in told.splitlines()) <= 80
    boxed = [row for row in told.splitlines() if "│" in row]
    assert all(re.match(r" {0,8}(LINE|Slack|why)? │", row) for row in boxed)
    assert "→ 送る: inactive-checkin" in told
    assert "✗ 連携: LINE と未連携" in told

    heard = company.heard(company.phones[HEROINE.id])
    assert len([text for text in heard if "手が止まっている所" in text]) == 1
    assert heard[-1] == REPLY
    assert max(Counter(heard).values()) == 1
    assert UNASKED.id not in company.phones

    (card,) = [each for each in company.slack.messages(company.leads_channel) if HEROINE.name in each.text]
    thread = [each.plain_text() for each in company.slack.thread(company.leads_channel, card.ts)[1:]]
    assert [sum(words in line for line in thread) for words in (QUESTION, REPLY, THANKS)] == [1, 1, 1]
    assert "送信済み" in card.plain_text()
    assert company.slack.messages(company.alerts_channel) == []
    assert DRAFTED in told


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        pytest.param("あいうえおか", 10, ["あいうえお", "か"], id="wide letters count two"),
        pytest.param("あいうえお。か", 10, ["あいうえお。", "か"], id="punctuation hangs"),
        pytest.param("two words here", 9, ["two words", "here"], id="Latin words stay whole"),
        pytest.param("abcdefghij", 4, ["abcd", "efgh", "ij"], id="a word longer than a row is cut"),
        pytest.param("", 10, [""], id="nothing is one empty row"),
    ],
)
def test_rows_are_folded_as_they_are_read(text: str, width: int, rows: list[str]):
    assert list(folded(text, width)) == rows

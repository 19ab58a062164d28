"""Does `yorisoi demo` show a message within a minute, and the story go to its end without a stumble?"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from sandbox.stage.tour import STEPS
from sandbox.story import REPLY
from tests.stories.browsing import DESKTOP, visiting

MINUTE, PATIENT = 60.0, 300.0
PICTURES = {4: "demo-message", 5: "demo-lead"}


def is_overloaded() -> bool:
    """Whether others use the machine so much that a minute says nothing about us."""
    return os.getloadavg()[0] > 2 * (os.cpu_count() or 1)


@asynccontextmanager
async def command() -> AsyncIterator[str]:
    """The command as people type it, with its own database; yields the page's address."""
    asked = [sys.executable, "-m", "bot", "demo", "--port", "0", "--no-open-browser"]
    running = await asyncio.create_subprocess_exec(*asked, stdout=asyncio.subprocess.PIPE)
    assert running.stdout is not None
    try:
        async with asyncio.timeout(PATIENT):
            said = ""
            while (found := re.search(r"http://127\.0\.0\.1:\d+", said)) is None:
                line = await running.stdout.readline()
                assert line, said
                said += line.decode()
        yield found[0]
        running.send_signal(signal.SIGINT)
        await running.stdout.read()
        assert await running.wait() == 0
    finally:
        if running.returncode is None:
            running.terminate()
            await running.wait()


async def test_the_guided_story_goes_from_the_command_to_its_end_with_one_button():
    begun = monotonic()
    async with command() as address, visiting(address, size=DESKTOP) as visit:
        page = visit.page
        for number, step in enumerate(STEPS, 1):
            await page.click("#story-next:not([disabled])")
            await visit.see("#story-said", step.said.ja)
            await visit.see("#story-said .count", f"{number} / {len(STEPS)}")
            if number == 1:
                await visit.see("#bubbles", "「受け取る」を押すまで")
                assert monotonic() - begun < MINUTE or is_overloaded()
            if number == 3:
                await visit.see("#why", "対象外")
            if number == 4:
                await visit.see("#bubbles", "手が止まっている所")
                assert await page.locator("#strip circle").count() > 0
            if number == 5:
                await visit.see("#posts h3", "山田 花子")
                await visit.see("#posts", "AI下書き")
            if number == 6:
                await visit.hold("#modal textarea", REPLY)
                await page.fill("#modal textarea", f"{REPLY}佐藤より")
            if number == 7:
                await visit.see("#bubbles", f"{REPLY}佐藤より")
                await visit.see("#posts", "送信済み")
            if number in PICTURES:
                await visit.shoot_in_both(PICTURES[number])
            if number == 4:
                await visit.shoot("line-message", "#phone")
            if number == 5:
                await visit.shoot("slack-lead", "#room")
        await visit.see("#why", "LINE と未連携")
        await visit.see("#story-said", "ここからは自由に")
        assert not await page.is_visible("#story-next")

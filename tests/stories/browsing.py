"""How does a test look at the page in a real browser, and what makes a page usable by everybody?"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

IMAGES = Path(__file__).parents[2] / "docs" / "images"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]
DESKTOP, PHONE = (1440, 900), (390, 844)
PATIENCE = 90_000


@dataclass
class Visit:
    """A newcomer at the page; `told` is what the browser complained about."""

    page: Any
    told: list[str] = field(default_factory=list)

    async def see(self, selector: str, text: str) -> None:
        """Wait until these words stand there."""
        await self.page.locator(selector).filter(has_text=text).first.wait_for(timeout=PATIENCE)

    async def hold(self, selector: str, value: str) -> None:
        """Wait until this is written in a field."""
        async with asyncio.timeout(PATIENCE / 1000):
            while await self.page.input_value(selector, timeout=PATIENCE) != value:
                await asyncio.sleep(0.1)

    async def press(self, where: str, label: str) -> None:
        """Press a button by what stands on it; the last one there is the one people see."""
        await self.page.locator(f"{where} button").filter(has_text=label).last.click(timeout=PATIENCE)

    async def fill(self, selector: str, text: str) -> None:
        """Type into a field, and press Enter."""
        await self.page.fill(selector, text, timeout=PATIENCE)
        await self.page.press(selector, "Enter")

    async def choose(self, customer: str) -> None:
        """Look at this customer's phone."""
        await self.page.click(f'.person[data-key="{customer}"]', timeout=PATIENCE)
        await self.page.wait_for_selector(f'.person[data-key="{customer}"][aria-pressed="true"]')

    async def turn(self, by: int | str) -> None:
        """Press one of the clock's buttons (seconds, or `next`), and wait until time has passed."""
        await self.page.click(f'[data-turn="{by}"]', timeout=PATIENCE)
        await self.page.wait_for_selector(f'[data-turn="{by}"]:not([disabled])', timeout=PATIENCE)

    async def look_at(self, pane: str) -> None:
        """Turn to a pane, where the screen shows one at a time."""
        await self.page.click(f'#tabs [data-tab="{pane}"]', timeout=PATIENCE)

    async def shoot(self, name: str, selector: str | None = None) -> None:
        """Keep a picture for the docs, when `SCREENSHOTS` is set."""
        if not os.environ.get("SCREENSHOTS"):
            return
        await self.page.evaluate("document.activeElement?.blur()")
        await self.page.wait_for_timeout(2500)  # what comes a moment later belongs into the picture
        IMAGES.mkdir(parents=True, exist_ok=True)
        target = self.page.locator(selector).first if selector else self.page
        await target.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")

    async def shoot_in_both(self, name: str) -> None:
        """The whole window, once in each language."""
        if os.environ.get("SCREENSHOTS"):
            for language in ("en", "ja"):
                await self.page.click(f'#languages [data-language="{language}"]')
                await self.shoot(f"{name}-{language}")


@asynccontextmanager
async def visiting(
    address: str, *, size: tuple[int, int] = DESKTOP, locale: str = "ja-JP"
) -> AsyncIterator[Visit]:
    """A browser window on the page; any complaint of the browser fails the test."""
    playwright = pytest.importorskip(
        "playwright.async_api", reason="needs playwright: pip install playwright"
    )
    if BROWSER is None:
        pytest.skip("needs a browser: apt-get install chromium")
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = await browser.new_page(viewport={"width": size[0], "height": size[1]}, locale=locale)
        here = Visit(page)
        page.on("pageerror", lambda error: here.told.append(str(error)))
        page.on("console", lambda said: here.told.append(said.text) if said.type == "error" else None)
        await page.goto(address)
        await page.wait_for_selector(".person", timeout=PATIENCE)
        yield here
        assert here.told == []
        await browser.close()


OBSTACLES = (Path(__file__).parent / "obstacles.js").read_text().partition("\n")[2]
"""Evaluates to a list of what stands in the way of a keyboard, a screen reader or weak eyes."""

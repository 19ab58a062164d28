"""Can a newcomer use both sides by hand, in a real browser?"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from bot.flows.rules.publish import switch
from followups.rules.model import RuleState
from sandbox.company import HEROINE, history
from sandbox.demo import BEGIN
from sandbox.serve import serving
from sandbox.story import PLAYBOOKS, RULE
from sandbox.website import website
from sandbox.world import World, read_folder
from sandbox.world import world as open_world

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 20_000


@dataclass
class Visit:
    """A newcomer at the page."""

    page: Any
    world: World
    told: list[str] = field(default_factory=list)

    async def see(self, selector: str, text: str) -> None:
        """Wait until these words stand there."""
        await self.page.locator(selector).filter(has_text=text).first.wait_for(timeout=PATIENCE)

    async def press(self, where: str, label: str, *, nth: int = 0) -> None:
        """Press a button by what stands on it."""
        buttons = self.page.locator(f"{where} button").filter(has_text=label)
        await buttons.nth(nth).click(timeout=PATIENCE)

    async def fill(self, selector: str, text: str) -> None:
        """Type into a field, and press Enter."""
        await self.page.fill(selector, text, timeout=PATIENCE)
        await self.page.press(selector, "Enter")

    async def turn(self, seconds: int) -> None:
        """Press the clock's button of that many seconds, and wait until time has passed."""
        button = self.page.locator(f'[data-turn="{seconds}"]')
        await button.click(timeout=PATIENCE)
        await self.page.locator(f'[data-turn="{seconds}"]:enabled').wait_for(timeout=60_000)


@asynccontextmanager
async def page_of(database_url: str) -> AsyncIterator[tuple[World, str]]:
    """The sample company's page, with one rule live."""
    async with open_world(BEGIN, database_url=database_url, is_worked=True, is_running=True) as running:
        await running.batch(list(history(running.clock.now())))
        await running.publish(read_folder(PLAYBOOKS))
        await switch(running.deps, RULE, RuleState.LIVE, by="test")
        await running.settle()
        async with serving(website(running)) as address:
            yield running, address


@pytest.fixture
async def visit(database_url: str) -> AsyncIterator[Visit]:
    """A browser window on the page, as wide as a phone; any complaint of the browser fails the test."""
    playwright = pytest.importorskip(
        "playwright.async_api", reason="needs playwright: pip install playwright"
    )
    if BROWSER is None:
        pytest.skip("needs a browser: apt-get install chromium")
    async with page_of(database_url) as (running, address), playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        page = await browser.new_page(viewport={"width": 380, "height": 800})
        here = Visit(page, running)
        page.on("pageerror", lambda error: here.told.append(str(error)))
        page.on("console", lambda said: here.told.append(said.text) if said.type == "error" else None)
        await page.goto(address)
        yield here
        await browser.close()
    assert here.told == []


async def test_by_hand_from_an_event_to_the_reply_on_the_phone(visit: Visit):
    page = visit.page
    await page.select_option("#person", HEROINE.id, timeout=PATIENCE)
    await visit.press("#phone-head", "友だち追加")
    await visit.press("#bubbles", "受け取る")
    await visit.see("#bubbles", "ありがとうございます。お役に立ちそうなときだけ")
    await visit.press("#phone-head", "会員連携")
    await page.locator("#phone-head button").filter(has_text="会員連携").wait_for(state="detached")
    await visit.turn(14 * 86400)
    await visit.see("#bubbles", "手が止まっている所はありませんか")
    await visit.see("#why", "送る: inactive-checkin")

    await visit.press("#quick", "困っている")
    await visit.fill("#words", "請求書の日付を変えたいのですが、やり方が分かりません。")
    await visit.see("#posts", "「請求書の日付を変えたい」")
    await visit.press("#posts", "編集")
    await page.fill("#modal textarea", "「設定」の「請求書」で変えられます。")
    await visit.press("#modal", "送信する")
    await visit.see("#posts", "送信待ち")
    await visit.turn(20)
    await visit.see("#bubbles", "「設定」の「請求書」で変えられます。")
    await visit.see("#posts", "送信済み")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 380


async def test_by_hand_a_confirmed_send_is_undone_before_it_leaves(visit: Visit):
    page, world = visit.page, visit.world
    await page.select_option("#person", HEROINE.id, timeout=PATIENCE)
    await visit.press("#phone-head", "友だち追加")
    await visit.fill("#words", "書き出しの方法を教えてください。")
    await visit.press("#posts", "送信")
    await visit.see("#confirm .quote", "書き出しの方法")
    await visit.press("#confirm", "やめる")
    await visit.press("#posts", "送信")
    await visit.press("#confirm", "送信する")
    await visit.press("#posts", "送信を取り消す")
    await visit.see("#posts", "送信を取り消しました")
    await visit.turn(3600)
    assert not [text for text in world.heard(world.phones[HEROINE.id]) if "書き出しの方法" in text]


async def test_by_hand_stopping_blocking_and_taking_both_back(visit: Visit):
    page, world = visit.page, visit.world
    await page.select_option("#person", HEROINE.id, timeout=PATIENCE)
    await visit.press("#phone-head", "友だち追加")
    await visit.press("#bubbles", "受け取る")
    await visit.press("#phone-head", "会員連携")
    await visit.fill("#words", "停止")
    await visit.see("#bubbles", "お知らせを停止しました")
    await visit.press("#bubbles", "元に戻す")
    await visit.see("#bubbles", "お知らせを再開しました")
    await visit.press("#phone-head", "ブロック")
    await visit.see("#phone-head", "ブロック中")
    assert world.line.person(world.phones[HEROINE.id]).has_blocked
    await visit.turn(14 * 86400)
    await visit.see("#why", "ブロック")
    await visit.press("#phone-head", "ブロック解除")
    await visit.see("#phone-head .state", "友だち")


async def test_by_hand_snoozing_asking_why_and_dismissing(visit: Visit):
    page = visit.page
    await page.select_option("#person", HEROINE.id, timeout=PATIENCE)
    await visit.press("#phone-head", "友だち追加")
    await visit.press("#bubbles", "受け取る")
    await visit.fill("#words", "料金プランについて知りたいです")
    await visit.press("#posts", "後で")
    await visit.press("#modal", "保留する")
    await visit.see("#posts", "保留中")
    await visit.fill("#line", f"/why {HEROINE.id}")
    await visit.see("#posts .private", "これまでの判断")
    await visit.press("#posts", "担当する")
    await visit.see("#posts", "担当中")
    await visit.press("#posts", "対象外")
    await page.select_option("#modal select", "already_handled")
    await visit.press("#modal", "対象外にする")
    await visit.see("#posts", "対応済み")


async def test_by_hand_a_newcomer_stops_half_way_and_a_rule_goes_live(visit: Visit):
    page = visit.page
    await page.locator('#rules [data-key="onboarding-stalled"]').select_option("live", timeout=PATIENCE)
    await visit.see("#told", "onboarding-stalled: live")
    await page.click("#newcomer")
    await visit.see("#doer", "木村 蓮")
    await visit.turn(3 * 86400)
    await visit.turn(3 * 3600)
    await visit.see("#bubbles", "初期設定は、あとデータの接続だけで完了します")
    await page.locator('#deeds [data-key="data_connected"]').click()
    await visit.see("#told", "data_connected")


async def test_the_page_acts_only_for_itself_and_runs_no_script_but_its_own(database_url: str):
    async with page_of(database_url) as (_, address), aiohttp.ClientSession(trust_env=False) as session:
        answer = await session.get(address)
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        foreign = await session.post(f"{address}/sandbox/clock", data='{"seconds": 60}')
        rebound = await session.get(f"{address}/sandbox/customers", headers={"Host": "evil.example"})
        own = await session.post(f"{address}/sandbox/clock", json={"seconds": 60})
        wrong = await session.post(f"{address}/sandbox/clock", json={"seconds": -1})
        nobody = await session.post(f"{address}/sandbox/customers", json={"act": "track", "id": "c-0"})
        strange = await session.post(f"{address}/sandbox/rules", json={"rule_id": "x", "state": "live"})
    statuses = [each.status for each in (foreign, rebound, own, wrong, nobody, strange)]
    assert statuses == [403, 403, 200, 400, 400, 404]

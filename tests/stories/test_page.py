"""Can a newcomer use both sides by hand, in a real browser?"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.company import HEROINE
from sandbox.demo import BEGIN
from sandbox.serve import serving
from sandbox.stage.menu import put_menu
from sandbox.story import prepare
from sandbox.website import website
from sandbox.world import World
from sandbox.world import world as open_world
from tests.stories.browsing import OBSTACLES, PHONE, visiting

TROUBLE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture
async def company(database_url: str) -> AsyncIterator[tuple[World, str]]:
    """The demo's world with the sample company in it, and the address of its page."""
    async with open_world(BEGIN, database_url=database_url, is_worked=True, is_running=True) as running:
        await prepare(running)
        await put_menu(running)
        async with serving(website(running)) as address:
            yield running, address


async def test_free_play_with_a_rule_of_ones_own(company: tuple[World, str]):
    world, address = company
    async with visiting(address) as visit:
        page = visit.page
        await visit.choose("c-1005")
        await visit.press("#deeds", "請求書を作る")
        await visit.see("#told", "請求書を作る")
        await visit.press("#book-tabs", "自分の規則を書く")
        await visit.see("#problems", "間違いはありません")
        right = await page.input_value("#yaml")
        wrong = right.replace("priority: 60", "priority: high").replace("count:", "cont:")
        await page.fill("#yaml", wrong)
        await visit.see("#problems", "2か所")
        assert await page.is_disabled("#apply")
        lines = wrong.splitlines()
        expected = [number for number, line in enumerate(lines, 1) if "cont:" in line or "high" in line]
        marked = await page.locator(".gutter .bad").all_inner_texts()
        assert [int(each) for each in marked] == expected
        await visit.see("#problems .found", f"{expected[0]}行")
        await visit.shoot("rule-mistake", "#rulebook")
        await page.fill("#yaml", right)
        await visit.see("#problems .reach", "いま合うお客様")
        await page.click("#apply")
        await visit.see("#told", "my-rule を適用しました")

        await visit.see("#bubbles", "「定期作成」にしておくと")
        await visit.press("#bubbles", "手順を見る")
        await visit.see("#sheet", "クリックが記録されました")
        await visit.press("#sheet", "ログインする")
        opened = world.line.person(world.phones["c-1005"]).opened_links[-1]
        assert (opened.status, opened.location) == (302, "https://app.example.com/guide/repeat")
        await visit.press("#book-tabs", "成果")
        await visit.see("#report", "請求書を作ったお客様へ")

        before = world.clock.now()
        await visit.turn("next")
        assert world.clock.now() > before
        await visit.see("#told", "動きがありました")


async def test_at_phone_width_from_adding_a_friend_to_the_reply_of_a_person(company: tuple[World, str]):
    _, address = company
    async with visiting(address, size=PHONE) as visit:
        page = visit.page
        await visit.choose(HEROINE.id)
        await visit.press("#phone-head", "友だち追加")
        await visit.press("#bubbles", "受け取る")
        await visit.see("#bubbles", "お役に立ちそうなときだけ")
        await visit.press("#phone-head", "会員連携")
        await visit.see("#phone-head", "連携済み")
        await page.click("#picture")
        await page.wait_for_selector("#bubbles img.picture")
        await visit.press("#rich-menu", "配信設定")
        await visit.see("#bubbles", "配信設定")
        await visit.fill("#words", "書き出しの方法を教えてください。")
        await visit.look_at("slack")
        await visit.see("#posts", "「書き出しの方法")
        await visit.press("#posts", "編集")
        await page.fill("#modal textarea", "「設定」の「書き出し」からできます。")
        await visit.press("#modal", "送信する")
        await visit.see("#posts", "送信待ち")
        await visit.press("#rooms", "ホーム")
        await page.wait_for_selector("#posts .home")
        await visit.look_at("world")
        await visit.turn(3600)
        await visit.look_at("phone")
        await visit.see("#bubbles", "「設定」の「書き出し」からできます。")
        for pane in ("phone", "slack", "world", "trace", "rulebook"):
            await visit.look_at(pane)
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
            assert await page.evaluate(OBSTACLES) == []


async def test_staff_undo_snooze_ask_why_and_dismiss(company: tuple[World, str]):
    world, address = company
    async with visiting(address) as visit:
        await visit.choose(HEROINE.id)
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
        await visit.press("#posts", "後で")
        await visit.press("#modal", "保留する")
        await visit.see("#posts", "保留中")
        await visit.fill("#line", f"/why {HEROINE.id}")
        await visit.see("#posts .private", "次の機会")
        await visit.press("#posts .post:not(.private)", "対象外")
        await visit.page.select_option("#modal select", "already_handled")
        await visit.press("#modal", "対象外にする")
        await visit.see("#posts", "対応済み")


async def test_names_never_run_and_nothing_stands_in_anybodys_way(company: tuple[World, str]):
    world, address = company
    await world.identify("c-1006", name=TROUBLE)
    async with visiting(address, locale="en-GB") as visit:
        page = visit.page
        page.on("dialog", lambda dialog: visit.told.append(dialog.message))
        await visit.choose("c-1006")
        await visit.press("#phone-head", "add as friend")
        await visit.press("#bubbles", "受け取る")
        await visit.fill("#words", f"{TROUBLE} *bold* <@U0>")
        await visit.see("#posts", "<img src=x")
        assert await page.locator("main img:not(.picture), main script").count() == 0
        await visit.press("#phone-head", "block")
        await visit.see("#phone-head", "blocked")
        await visit.press("#phone-head", "unblock")
        await page.click("#newcomer")
        await visit.see("#told", "木村 蓮 signed up")
        await visit.see("#why", "If decided now")
        assert await page.evaluate(OBSTACLES) == []
        assert await page.get_attribute("html", "lang") == "en"
        await page.click('#languages [data-language="ja"]')
        await visit.see("#trace h2", "なぜ?")
        assert await page.evaluate(OBSTACLES) == []
        await page.focus("#words")
        await page.keyboard.press("Shift+Tab")
        assert await page.evaluate("document.activeElement.id") in {"picture", "menu-toggle"}


async def test_the_page_acts_only_for_itself_and_runs_no_script_but_its_own(company: tuple[World, str]):
    _, address = company
    async with aiohttp.ClientSession(trust_env=False) as session:
        answer = await session.get(address)
        assert "default-src 'self'; script-src 'self'" in answer.headers["content-security-policy"]
        foreign = await session.post(f"{address}/sandbox/clock", data='{"seconds": 60}')
        rebound = await session.get(f"{address}/sandbox/customers", headers={"Host": "evil.example"})
        posts = [
            ("clock", {"seconds": 60}, 200),
            ("clock", {"seconds": -1}, 400),
            ("customers", {"act": "track", "id": "c-0"}, 400),
            ("rules", {"rule_id": "x", "state": "live"}, 400),
            ("rules", {"rule_id": "inactive-14d", "state": "retired"}, 400),
            ("rule", {"do": "apply", "files": {"../x.yaml": ""}}, 400),
            ("rule", {"do": "apply", "files": {"messages/x.yaml": ""}}, 400),
            ("rule", {"do": "check", "files": {"x.yaml": "id: ["}}, 200),
            ("story", {"at": 7}, 200),
        ]
        for path, body, status in posts:
            assert (await session.post(f"{address}/sandbox/{path}", json=body)).status == status, (path, body)
        assert (await session.get(f"{address}/sandbox/file?id=F0")).status == 404
    assert [foreign.status, rebound.status] == [403, 403]

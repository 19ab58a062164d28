"""Does a long conversation never break LINE's contract, and is each of its turns answered rightly?"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.flows.answers.learn import learn
from db.people.customers import LineUser
from db.talk.conversations import give_back
from sandbox.world import World
from tests.flows.knowledge import PAGES

SILENT = None
TURNS: tuple[tuple[str, str | None], ...] = (
    ("こんにちは", "ボタン"),
    ("受付時間", "平日10:00〜18:00"),
    ("請求書はどこで発行できますか？", "設定"),
    ("領収書はいつ発行できますか", "領収書"),
    ("解決した", SILENT),
    ("ありがとうございます！", SILENT),
    ("sticker", SILENT),
    ("メンバーを追加したい", "招待"),
    ("ｽﾏｰﾄﾌｫﾝで使えますか", "ブラウザ"),
    ("ビジネスプランの料金を教えて", "4,980円"),
    ("二段階認証の設定方法は？", "セキュリティ"),
    ("お知らせの止め方", "停止"),
    ("停止", "停止しました"),
    ("請求書の宛名を変えたいです", "宛名"),
    ("undo", "再開"),
    ("サーバーの所在地はどこですか", "担当者"),
    ("まだですか", SILENT),
    ("請求書はどこで発行できますか？", SILENT),
    ("sticker", SILENT),
    ("メニュー", SILENT),
    ("給与明細の件です", SILENT),
    ("give back", SILENT),
    ("メニュー", "ボタン"),
    ("会計ソフトと連携できますか", "連携"),
    ("書類を書き出したい", "書き出"),
    ("定期作成のやり方がわかりません", "定期作成"),
    ("How do I reset my password?", "Forgot password"),
    ("Where can I download invoices?", "Billing"),
    ("thanks!", SILENT),
    ("location", "担当者"),
    ("sticker", SILENT),
    ("give back", SILENT),
    ("支払い方法を口座振替に変更したい", "口座振替"),
    ("メールアドレスを変更したい", "プロフィール"),
    ("👍", SILENT),
    ("解約の手続きを教えてください", "解約"),
    ("請求書の発行の対応がひどいです", "申し訳ございません"),
    ("返事がないんですけど", SILENT),
    ("give back", SILENT),
    ("担当者と話す", "おつなぎします"),
    ("お願いします", SILENT),
    ("stop", "停止しました"),
)


async def test_a_conversation_of_forty_turns_breaks_no_contract(world: World) -> None:
    world.deps = replace(world.deps, answerer=None)  # words alone: every turn has one right answer
    await learn(world.deps, PAGES)
    tanaka = await world.friend("cust-1", "田中 花子")
    assert len(TURNS) >= 40
    for said, wanted in TURNS:
        before = len(world.heard(tanaka))
        match said:
            case "sticker":
                await world.line.send_sticker(tanaka)
            case "location":
                await world.line.send_location(
                    tanaka, title="会社", address="東京都", latitude=35.6, longitude=139.7
                )
            case "undo":
                await world.line.press(tanaka, "optout:undo", display_text="元に戻す")
            case "give back":
                async with world.deps.db.begin() as session:
                    user = await session.get(LineUser, tanaka)
                    assert user is not None
                    await give_back(session, user.customer_id, by=world.sato, now=world.clock.now())
            case _:
                await world.line.say(tanaka, said)
        await world.turn(timedelta(seconds=20))
        told = world.heard(tanaka)[before:]
        if wanted is SILENT:
            assert told == [], said
        else:
            assert len(told) == 1, (said, told)
            assert wanted in told[0], (said, told)
    assert [each for each in world.line.journal if (each.status or 500) >= 400] == []
    assert [each.contract_violation for each in world.line.journal if each.contract_violation] == []

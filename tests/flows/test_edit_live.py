"""Is a reply measured and checked while it is written, and is nothing lost on the way?"""

from __future__ import annotations

import asyncio
from typing import Any

from bot.flows.staff.press import press
from db.engine import Database
from db.talk.messages import Message
from tests.flows.desk import Desk, desk


async def _opened(d: Desk, who: str) -> Any:
    await d.press(who, "lead.edit")
    for _ in range(50):
        await asyncio.sleep(0.05)
        if views := d.slack.open_views(who):
            return views[-1]
    raise AssertionError("no modal opened")


async def _until(d: Desk, who: str, words: str) -> str:
    for _ in range(60):
        await asyncio.sleep(0.05)
        shown = d.slack.open_views(who)[-1].plain_text()
        if words in shown:
            return shown
    raise AssertionError(shown)


async def test_length_and_findings_follow_what_is_typed_and_the_text_stays(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        view = await _opened(d, d.sato)
        text = "50%割引いたします。https://evil.example/x"
        await d.slack.press_in_view(d.sato, view.id, "text", value=text)
        shown = await _until(d, d.sato, f"{len(text)}/5000文字")
        assert "許可されていないリンク" in shown
        assert d.slack.open_views(d.sato)[-1].state["edit.text"]["text"]["value"] == text
        await d.slack.press_in_view(d.sato, view.id, "text", value="はい、承知しました。")
        shown = await _until(d, d.sato, "10/5000文字")
        assert "許可されていないリンク" not in shown
        assert await d.written() == []


async def test_a_template_takes_the_texts_place_filled_in_and_is_sent_as_it_stands(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.slack.command(d.sato, "/leads", "name 営業の佐藤", d.leads)
        await asyncio.sleep(0.3)
        view = await _opened(d, d.sato)
        await d.slack.press_in_view(d.sato, view.id, "take", value="template/demo")
        shown = await _until(d, d.sato, "山田 花子様、ありがとうございます。営業の佐藤と申します。")
        assert "1通に数えます" in shown
        view = d.slack.open_views(d.sato)[-1]
        assert (await d.slack.submit(d.sato, view.id, {})).is_good
        await d.settle()
        (message,) = await d.written()
        assert message.plain_text.startswith("山田 花子様、ありがとうございます。営業の佐藤と申します。")
        assert message.bubbles[0]["sender"] == {"name": "営業の佐藤"}


async def test_a_wish_makes_new_drafts_and_the_old_ones_can_be_taken_back(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        (first,) = await d.drafts()
        await d.press(d.sato, "lead.more", selected_option="shorter")
        shown = [each for each in await d.drafts() if each.retired_at is None]
        assert shown
        assert first.draft_id not in {each.draft_id for each in shown}
        await d.press(d.sato, next(each for each in d.buttons() if each.startswith("lead.edit")))
        await asyncio.sleep(0.3)
        view = d.slack.open_views(d.sato)[-1]
        await d.slack.press_in_view(d.sato, view.id, "take", value=f"draft/{first.draft_id}")
        await _until(d, d.sato, first.text.splitlines()[0])


async def test_a_wish_in_ones_own_words_is_asked_for_and_reaches_the_drafter(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.more", selected_option="own")
        await asyncio.sleep(0.3)
        (view,) = d.slack.open_views(d.sato)
        assert (await d.slack.submit(d.sato, view.id, {"wish": "デモの日程を先に"})).is_good
        await press(d.deps)
        lead = await d.the_lead()
        assert (lead.is_draft_wanted, lead.draft_wish) == (True, "デモの日程を先に")
        await d.settle()
        lead = await d.the_lead()
        assert (lead.is_draft_wanted, lead.draft_wish) == (False, None)


async def test_answered_can_be_closed_only_after_an_answer_and_undo_names_the_person(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        assert "lead.sent" not in d.buttons()
        await d.press(d.sato, "lead.send")
        await d.press(d.sato, "lead.undo")
        (message,) = await d.written()
        assert message.because == "佐藤さんが取り消し / undone by 佐藤"
        await d.turn(seconds=1)
        await d.press(d.sato, "lead.send")
        await d.turn(seconds=20)
        await d.accept()
        await d.settle()
        await d.press(d.sato, "lead.sent")
        lead = await d.the_lead()
        assert (lead.state, lead.first_sent_at is not None) == ("sent", True)


async def test_the_card_is_in_the_channels_language(db: Database) -> None:
    async with desk(db, slack_language="en") as d:
        await d.lead()
        await d.settle()
        assert "Waiting for somebody to claim it" in d.card().plain_text()


async def test_the_customer_who_waits_hears_once_who_answers(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.claim")
        texts = [each.plain_text for each in await d.rows(Message)]
        assert texts == ["担当の佐藤が、このトークでお返事いたします。少しお待ちください。"]


async def test_the_bot_answers_again_after_it_was_given_back(db: Database) -> None:
    async with desk(db) as d:
        lead_id = await d.lead()
        await d.settle()
        assert "lead.give_back" not in d.buttons()
        await d.press(d.sato, "lead.claim")
        assert "lead.give_back" in d.buttons()
        await d.press(d.sato, "lead.give_back")
        assert (await d.context(lead_id)).conversation.mode == "bot"
        assert "lead.give_back" not in d.buttons()
        assert any("ボットに戻しました" in line for line in d.thread())

"""Does exactly what a person approved reach the customer, once, and never anything stale?"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import update

from bot.flows.staff.press import press
from bot.line.limits import validate_messages
from db.desk.audit import AuditEntry
from db.engine import Database
from db.people.customers import LineUser
from db.talk.drafts import hash_of
from tests.flows.desk import desk


async def test_one_press_claims_and_promises_exactly_the_text_that_was_shown(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        card = d.card()
        send = next(each for each in card.blocks if each["type"] == "actions")["elements"][0]
        shown = send["confirm"]["text"]["text"]
        await d.press(d.sato, "lead.send")
        (message,) = await d.written()
        assert message.plain_text == shown
        assert message.bubbles == [{"type": "text", "text": shown, "sender": {"name": "佐藤"}}]
        assert message.text_hash == hash_of(shown)
        assert (message.kind, message.state, message.approved_by) == ("person", "queued", d.sato)
        assert (message.not_before - d.clock.now()).total_seconds() == 15
        assert message.reply_token is None
        assert validate_messages(message.bubbles) == []
        lead = await d.the_lead()
        assert (lead.state, lead.owner) == ("claimed", d.sato)
        context = await d.context(lead.lead_id)
        assert context.conversation.owner == d.sato
        assert {each.action for each in await d.rows(AuditEntry)} == {"draft.sent", "lead.claimed"}
        assert "lead.undo" in d.buttons()
        assert "lead.send" not in d.buttons()
        assert d.whispers(d.sato) == []


async def test_two_presses_at_the_same_moment_make_one_message_and_the_other_is_told(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        ts = d.card().ts
        await asyncio.gather(
            d.slack.press(d.sato, d.leads, ts, "lead.send"), d.slack.press(d.suzuki, d.leads, ts, "lead.send")
        )
        await asyncio.gather(press(d.deps), press(d.deps))
        await d.settle()
        (message,) = await d.written()
        lead = await d.the_lead()
        assert lead.owner == message.approved_by
        loser, name = (d.suzuki, "佐藤") if message.approved_by == d.sato else (d.sato, "鈴木")
        assert d.whispers(loser) == [f"{name}さんが10:00に送信済みです。"]
        assert d.whispers(message.approved_by) == []


async def test_a_double_click_sends_once(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        ts = d.card().ts
        await d.slack.press(d.sato, d.leads, ts, "lead.send")
        await d.slack.press(d.sato, d.leads, ts, "lead.send")
        await d.settle()
        assert len(await d.written()) == 1


async def test_a_draft_for_an_earlier_state_is_refused_and_says_what_changed(db: Database) -> None:
    async with desk(db) as d:
        lead_id = await d.lead()
        await d.settle()
        ts = d.card().ts
        customer_id = (await d.the_lead()).customer_id
        await d.slack.press(d.sato, d.leads, ts, "lead.send")  # pressed, not yet taken
        await d.say(customer_id, "やっぱり解約したいです <!channel>")
        await d.settle()
        assert await d.written() == []
        (told,) = d.whispers(d.sato)
        assert "会話が進んだ" in told
        assert "やっぱり解約したいです &lt;!channel&gt;" in told
        context = await d.context(lead_id)
        assert [each.conversation_revision for each in context.proposals] == [2]
        assert (await d.the_lead()).owner is None


async def test_somebody_elses_lead_is_not_sent_for(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.suzuki, "lead.claim")
        await d.press(d.sato, "lead.send")
        assert await d.written() == []
        assert d.whispers(d.sato) == ["鈴木さんが10:00から担当しています。"]


async def test_a_blocked_customer_has_no_send_button_and_a_forged_press_is_refused(db: Database) -> None:
    async with desk(db) as d:
        lead_id = await d.lead()
        await d.settle()
        stale = d.card().buttons()
        async with db.begin() as session:
            await session.execute(update(LineUser).values(is_blocked=True))
        send = next(each for each in stale if each.action_id == "lead.send")
        await d.slack.press(d.sato, d.leads, d.card().ts, "lead.send", value=send.value)
        await d.settle()
        assert await d.written() == []
        assert "ブロック" in d.whispers(d.sato)[0]
        assert "lead.send" not in d.buttons()
        assert (await d.context(lead_id)).lead.owner is None


async def test_undo_takes_it_back_while_it_waits_and_the_text_can_be_sent_again(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.send")
        await d.press(d.sato, "lead.undo")
        (message,) = await d.written()
        assert message.state == "cancelled"
        assert "lead.undo" not in d.buttons()
        await d.press(d.sato, "lead.send")
        states = sorted(each.state for each in await d.written())
        assert states == ["cancelled", "queued"]


async def test_undo_after_the_send_began_is_told_that_it_is_too_late(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.send")
        ts = d.card().ts
        await d.slack.press(d.sato, d.leads, ts, "lead.undo")
        d.clock.turn(timedelta(seconds=20))
        await d.accept()
        await d.settle()
        assert (await d.written())[0].state == "accepted"
        assert "取り消せません" in d.whispers(d.sato)[0]
        assert "LINEが受け付けました" in d.card().plain_text()
        assert "lead.undo" not in d.buttons()


async def test_an_edited_text_goes_out_under_the_editors_name_byte_for_byte(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.edit")
        await asyncio.sleep(0.1)
        (view,) = d.slack.open_views(d.sato)
        (original,) = await d.drafts()
        assert view.state["edit.text"]["text"]["value"] == original.text
        text = "山田様、お待たせしました。\n明日の午後にお電話します。🙂"
        answer = await d.slack.submit(d.sato, view.id, {"text": text})
        assert answer.is_good
        await d.settle()
        (message,) = await d.written()
        assert (message.plain_text, message.approved_by) == (text, d.sato)
        assert message.bubbles[0]["text"] == text
        assert d.slack.open_views(d.sato) == []


async def test_a_text_over_lines_limit_is_refused_in_the_modal(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.edit")
        await asyncio.sleep(0.1)
        (view,) = d.slack.open_views(d.sato)
        await d.slack.submit(d.sato, view.id, {"text": "🍎" * 2501})
        await d.settle()
        (still,) = d.slack.open_views(d.sato)
        assert "5000" in still.errors["edit.text"]
        assert still.trouble is None
        assert await d.written() == []


async def test_what_was_written_while_the_conversation_went_on_is_kept_not_sent(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        await d.press(d.sato, "lead.edit")
        await asyncio.sleep(0.1)
        (view,) = d.slack.open_views(d.sato)
        await d.say((await d.the_lead()).customer_id, "もう一つ質問です")
        await d.slack.submit(d.sato, view.id, {"text": "ご案内します。"})
        await d.settle()
        assert await d.written() == []
        assert "下書きとして残しました" in d.whispers(d.sato)[0]
        assert "ご案内します。" in d.card().plain_text()


async def test_regenerate_puts_other_drafts_on_the_card_and_the_old_one_cannot_be_sent(db: Database) -> None:
    async with desk(db) as d:
        await d.lead()
        await d.settle()
        before = d.card().plain_text()
        old = next(each for each in d.card().buttons() if each.action_id == "lead.send")
        await d.press(d.sato, "lead.regenerate")
        assert d.card().plain_text() != before
        await d.slack.press(d.sato, d.leads, d.card().ts, "lead.send", value=old.value)
        await d.settle()
        assert await d.written() == []
        assert "置き換わって" in d.whispers(d.sato)[0]

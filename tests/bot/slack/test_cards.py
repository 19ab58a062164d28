"""Is a card always one that Slack takes, whatever customers, models and colleagues wrote?"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.cards import (
    CONFIRM_CHARACTERS,
    MAX_BLOCKS,
    MAX_CHARACTERS,
    CardDraft,
    CardLine,
    LeadCard,
    Reason,
    Sent,
    lead_card,
    sendable,
)
from bot.slack.ids import Target, action_of
from bot.slack.limits import validate_message
from bot.slack.limits.messages import read_characters

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
LEAD = UUID(int=1)
ANN = "U0800000001"

awkward = st.sampled_from(
    [
        "",
        " ",
        "\n\n",
        "👨‍👩‍👧" * 300,
        "🔥" * 4000,
        "あ" * 4000,
        "&<>" * 1500,
        "<!channel> <@U123> <!subteam^S1> <http://x|y> *b* `c`",
        "\u202egnp.exe\u202c",
        "\ud83d",
        "a\u0300" * 500,
        "⟦name⟧様",
        ":smile: \x00\x07",
        "\u200b\u2060\ufeff",
    ]
)
words = st.one_of(awkward, st.text(max_size=400), st.text(min_size=290, max_size=310))
moments = st.integers(10**9, 4 * 10**9).map(lambda at: datetime.fromtimestamp(at, UTC))
drafts = st.builds(
    CardDraft,
    draft_id=st.uuids(),
    text=words,
    source=st.sampled_from(["model", "template", "person", "unheard"]),
    findings=st.lists(words, max_size=5).map(tuple),
    is_blocked=st.booleans(),
)
sent = st.builds(
    Sent,
    by=st.just(ANN),
    at=moments,
    state=st.sampled_from(["queued", "sending", "accepted", "dead", "unknown", "cancelled", "superseded"]),
    because=st.none() | words,
)
cards = st.builds(
    LeadCard,
    lead_id=st.uuids(),
    revision=st.integers(0, 10**9),
    state=st.sampled_from(["new", "claimed", "snoozed", "sent", "won", "lost", "dismissed"]),
    name=st.none() | words,
    company=st.none() | words,
    plan=st.none() | words,
    score=st.none() | st.integers(-10, 10**6),
    owner=st.none() | st.just(ANN),
    claimed_at=st.none() | moments,
    snoozed_until=st.none() | moments,
    closed_by=st.none() | st.just(ANN),
    closed_at=st.none() | moments,
    disposition=st.none() | st.sampled_from(["not_interested", "merged"]) | words,
    last_contact_at=st.none() | moments,
    reasons=st.lists(st.builds(Reason, text=words, at=st.none() | moments), max_size=30).map(tuple),
    lines=st.lists(
        st.builds(CardLine, speaker=st.sampled_from(["customer", "us"]), text=words), max_size=12
    ).map(tuple),
    drafts=st.lists(drafts, max_size=5).map(tuple),
    is_drafting=st.booleans(),
    sent=st.none() | sent,
    unreachable=st.none() | st.sampled_from(["not_linked", "blocked"]),
    value=st.none() | words,
    offered_to=st.none() | st.just(ANN),
    due_at=st.none() | moments,
    is_persons=st.booleans(),
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(cards, st.sampled_from(["ja", "en"]))
def test_every_card_is_taken_by_slack_and_fits_a_phone(card: LeadCard, language: str) -> None:
    written = lead_card(card, language=language)
    assert validate_message({"channel": "C1", "text": written.text, "blocks": written.blocks}) == []
    assert len(written.blocks) <= MAX_BLOCKS
    assert read_characters(written.blocks) <= MAX_CHARACTERS
    assert written.text


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(cards)
def test_foreign_words_never_become_markup(card: LeadCard) -> None:
    """Everything in mrkdwn between angle brackets is ours: our people and our dates."""
    written = lead_card(card, language="ja")
    for text in [written.text, *_mrkdwn(written.blocks)]:
        for inside in [each.split(">")[0] for each in text.split("<")[1:]]:
            assert inside == f"@{ANN}" or inside.startswith("!date^"), text


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(cards)
def test_send_stands_only_under_a_text_that_is_shown_whole_and_unchanged(card: LeadCard) -> None:
    written = lead_card(card, language="ja")
    by_id = {each.draft_id: each for each in card.drafts}
    for at, block in enumerate(written.blocks):
        if block["type"] != "actions":
            continue
        for button in block["elements"]:
            if not button["action_id"].startswith("lead.send"):
                continue
            target = Target.decode(button["value"])
            assert target is not None
            assert target.draft_id is not None
            text = by_id[target.draft_id].text
            assert button["confirm"]["text"]["text"] == text
            assert written.blocks[at - 1]["elements"][-1]["elements"][0]["text"] == text


def test_a_card_in_japanese_reads_like_this() -> None:
    written = lead_card(_example(), language="ja")
    assert written.text == "🔥 山田 花子 様 — 料金についての質問"
    shown = json.dumps(written.blocks, ensure_ascii=False)
    for words_ in (
        "🔥 山田 花子 様(○○商事) 見込み 87",
        "AI下書き・未送信",
        "料金を教えてください",
        "担当者を待っています",
    ):
        assert words_ in shown
    assert _ids(written.blocks) == [
        "lead.send:1", "lead.edit:1", "lead.regenerate", "lead.more:1",
        "lead.send:2", "lead.edit:2", "lead.more:2",
        "lead.claim", "lead.snooze", "lead.dismiss", "lead.won", "lead.lost",
    ]  # fmt: skip


def test_one_draft_has_plain_ids_and_a_closed_card_has_no_buttons() -> None:
    one = _example(drafts=(CardDraft(draft_id=UUID(int=2), text="はい", source="model"),))
    assert _ids(lead_card(one, language="ja").blocks)[:2] == ["lead.send", "lead.edit"]
    closed = _example(state="won", closed_by=ANN, closed_at=NOW)
    assert _ids(lead_card(closed, language="ja").blocks) == []


def test_undo_stands_only_while_the_message_is_queued() -> None:
    for state, can_undo in (("queued", True), ("sending", False), ("accepted", False), ("dead", False)):
        card = _example(drafts=(), sent=Sent(by=ANN, at=NOW, state=state))
        assert ("lead.undo" in _ids(lead_card(card, language="ja").blocks)) is can_undo


def test_what_a_check_forbids_or_the_dialog_cannot_show_is_only_to_be_edited() -> None:
    assert sendable(CardDraft(draft_id=LEAD, text="あ" * CONFIRM_CHARACTERS, source="model"))
    assert not sendable(CardDraft(draft_id=LEAD, text="あ" * (CONFIRM_CHARACTERS + 1), source="model"))
    assert not sendable(CardDraft(draft_id=LEAD, text="🍎" * 151, source="model"))
    assert not sendable(CardDraft(draft_id=LEAD, text="はい", source="model", is_blocked=True))
    assert not sendable(CardDraft(draft_id=LEAD, text="は\u202eい", source="model"))
    assert not sendable(CardDraft(draft_id=LEAD, text=" ", source="model"))


def test_labels_follow_the_language_and_ids_do_not() -> None:
    japanese, english = (lead_card(_example(), language=language).blocks for language in ("ja", "en"))
    assert _ids(japanese) == _ids(english)
    assert "AI draft, not sent" in json.dumps(english)
    assert all(action_of(each) is not None for each in _ids(english))


def _example(**more: object) -> LeadCard:
    values: dict[str, object] = {
        "lead_id": LEAD,
        "revision": 3,
        "state": "new",
        "name": "山田 花子",
        "company": "○○商事",
        "plan": "trial",
        "score": 87,
        "reasons": (Reason(text="料金についての質問", at=NOW),),
        "lines": (CardLine(speaker="customer", text="料金を教えてください"),),
        "drafts": (
            CardDraft(draft_id=UUID(int=2), text="ありがとうございます。", source="model"),
            CardDraft(
                draft_id=UUID(int=3), text="ご案内します。", source="model", findings=("質問は1つまで",)
            ),
        ),
    }
    return LeadCard(**{**values, **more})  # type: ignore[arg-type]


def _ids(blocks: list[dict[str, object]]) -> list[str]:
    return [e["action_id"] for b in blocks if b["type"] == "actions" for e in b["elements"]]  # type: ignore[index,attr-defined]


def _mrkdwn(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return [*own, *(text for each in value.values() for text in _mrkdwn(each))]
    if isinstance(value, list):
        return [text for each in value for text in _mrkdwn(each)]
    return []

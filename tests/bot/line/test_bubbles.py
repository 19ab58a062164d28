"""Does LINE take whatever message objects we make?"""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.line.bubbles import Press, bubbles_of, cut, press_bubble, tap_data, text_bubble
from bot.line.limits import grapheme_len, utf16_len, validate_messages
from followups.words.text import RenderedMessage, RenderedQuickReply

MESSAGE_ID = UUID("01935d2e-0000-7000-8000-000000000001")
words = st.text(min_size=1, max_size=60) | st.sampled_from(
    ["あ" * 6000, "👨‍👩‍👧" * 700, "\ud800", "LINE公式", " "]
)


def link_of(url: str) -> str:
    assert url == "https://app.example.com/start"
    return "https://bot.example/r/abcdefghijklmnopqrstuv"


@given(
    text=words,
    label=st.none() | words.filter(str.strip),
    replies=st.lists(st.tuples(words.filter(lambda w: "\ud800" not in w), words, st.booleans()), max_size=15),
)
def test_every_rendered_message_is_within_line_s_limits(
    text: str, label: str | None, replies: list[tuple[str, str, bool]]
) -> None:
    if label is not None and "\ud800" in label:
        label = None
    rendered = RenderedMessage(
        language="ja",
        text=text,
        button_label=label,
        button_url="https://app.example.com/start" if label else None,
        quick_replies=tuple(
            RenderedQuickReply(label=name, signal=signal.replace("\ud800", "x"), is_lead=is_lead)
            for name, signal, is_lead in replies
        ),
    )
    bubbles = bubbles_of(rendered, link_of=link_of, message_id=MESSAGE_ID)
    assert validate_messages(bubbles) == []


@given(text=words, sender=st.none() | words, presses=st.lists(words.filter(str.isprintable), max_size=3))
def test_every_bubble_of_people_and_of_the_program_too(
    text: str, sender: str | None, presses: list[str]
) -> None:
    buttons = [Press(label=label, sends="consent:yes") for label in presses]
    assert validate_messages([text_bubble(text, sender), press_bubble(text, buttons)]) == []


def test_a_button_makes_a_bubble_with_the_tracked_link() -> None:
    rendered = RenderedMessage(
        language="ja", text="こちらから", button_label="開く", button_url="https://app.example.com/start"
    )
    [bubble] = bubbles_of(rendered, link_of=link_of)
    assert bubble["altText"] == "こちらから"
    action = bubble["contents"]["footer"]["contents"][0]["action"]
    assert action["uri"] == "https://bot.example/r/abcdefghijklmnopqrstuv"


def test_answers_in_one_tap_name_their_message() -> None:
    rendered = RenderedMessage(
        language="ja",
        text="お困りですか",
        quick_replies=(
            RenderedQuickReply(label="はい", signal="needs_help", is_lead=True),
            RenderedQuickReply(label="停止", signal="optout"),
        ),
    )
    [bubble] = bubbles_of(rendered, link_of=link_of, message_id=MESSAGE_ID)
    sent = [item["action"]["data"] for item in bubble["quickReply"]["items"]]
    assert sent == [f"qr:needs_help:lead:{MESSAGE_ID}", "optout"]


@pytest.mark.parametrize(
    ("sender", "shown"), [("佐藤", "佐藤"), (None, None), ("LINE 太郎", None), ("あ" * 30, "あ" * 19 + "…")]
)
def test_a_person_s_name_is_shown_where_line_allows_it(sender: str | None, shown: str | None) -> None:
    assert text_bubble("こんにちは", sender).get("sender", {}).get("name") == shown


@given(st.text(max_size=80), st.integers(2, 40))
def test_a_cut_text_fits_and_keeps_whole_characters(text: str, most: int) -> None:
    assert utf16_len(cut(text, most)) <= most
    assert grapheme_len(cut(text, most, graphemes=True)) <= most
    if utf16_len(text) <= most:
        assert cut(text, most) == text


def test_families_are_not_torn_apart() -> None:
    assert cut("👨‍👩‍👧👨‍👩‍👧", 9) == "👨‍👩‍👧…"


def test_long_signals_leave_room_for_the_reference() -> None:
    data = tap_data("s" * 400, is_lead=True, message_id=MESSAGE_ID)
    assert utf16_len(data) <= 300
    assert data.endswith(f":lead:{MESSAGE_ID}")

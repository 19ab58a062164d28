"""Are a question and a passage found to speak of the same, however each is spelt?"""

from __future__ import annotations

import pytest

from db.rulebook.words import people_in, stem, words_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("引越しの手続き", "引っ越しのてつづき"),
        ("ＰＤＦで請求書を出力", "PDFで請求書を出力"),
        ("ﾃﾞｰﾀの取込み", "データの取り込み"),
        ("How do I export my invoices?", "exporting an invoice"),
        ("Running exports", "how do I run an export?"),
    ],
)
def test_spelling_makes_no_difference(one: str, other: str) -> None:
    assert set(words_of(one)) == set(words_of(other)) != set()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "です。",
        "教えてください",
        "どうすればいいですか？",
        "how can I do this, please?",
        "！？🙏",
        "\0\ud800",
    ],
)
def test_what_tells_nothing_is_no_word(text: str) -> None:
    assert words_of(text) == []


def test_each_word_is_there_once_in_order_also_of_long_texts() -> None:
    assert words_of("請求書と領収書と請求書") == ["請求", "書", "領収"]
    long = "請求書 " * 2_000 + "領収"
    assert words_of(long)[-1] == "領収"


@pytest.mark.parametrize(
    ("word", "stemmed"),
    [("invoices", "invoic"), ("running", "run"), ("status", "status"), ("bus", "bus"), ("queries", "query")],
)
def test_english_words_lose_their_endings(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_people_are_told_from_other_words() -> None:
    assert {"田中", "花子"} <= people_in("田中花子さんの請求書はどれですか")
    assert "John Smith" in people_in("may I ask John Smith about it?")
    assert people_in("請求書はどこですか") == set()

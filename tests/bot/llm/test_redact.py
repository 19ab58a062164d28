"""Does the model never see whom it writes to, and do the replies still name them?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.llm.redact import TOKEN, Redactor


def _redactor() -> Redactor:
    return Redactor(
        name="山田 花子",
        company="山田商店株式会社",
        ids=["cust-1042", "U0123456789abcdef0123456789abcdef", "hanako@example.co.jp"],
    )


@pytest.mark.parametrize(
    "secret",
    [
        "山田花子", "山田 花子", "花子", "山田商店株式会社", "cust-1042", "U0123456789abcdef0123456789abcdef",
        "Uffffffffffffffffffffffffffffffff", "hanako@example.co.jp", "taro.tanaka+x@mail.example.com",
        "090-1234-5678", "09012345678", "０９０−１２３４−５６７８", "03(1234)5678", "+81 90-1234-5678",
        "090 1234 5678",
        "〒150-0001", "150-0001", "東京都渋谷区神宮前1-2-3", "大阪府大阪市北区梅田３丁目１番地",
        "横浜市西区みなとみらい2-3-4",
        "4111 1111 1111 1111", "4111111111111111",
    ],
)  # fmt: skip
def test_personal_data_is_hidden_and_comes_back(secret: str) -> None:
    redactor = _redactor()
    text = f"こんにちは、{secret} です。よろしくお願いします。"
    hidden = redactor.hide(text)
    assert secret not in hidden
    assert "⟦" in hidden
    if secret not in {"山田花子", "山田 花子", "花子", "cust-1042"} and not secret.startswith(
        ("U0", "hanako")
    ):
        assert redactor.restore(hidden) == text


@pytest.mark.parametrize(
    "text", ["人数は5人です", "2026-11-24に始めたい", "プランは3つありますか", "10:30に", "1,980円ですか"]
)
def test_what_a_reply_needs_is_left(text: str) -> None:
    assert _redactor().hide(text) == text


def test_the_same_number_gets_the_same_token_and_others_another() -> None:
    hidden = _redactor().hide("090-1111-2222 か 090-3333-4444 へ。090-1111-2222 が早いです")
    assert hidden == "⟦phone1⟧ か ⟦phone2⟧ へ。⟦phone1⟧ が早いです"


def test_a_reply_opens_with_the_family_name_or_with_none() -> None:
    assert _redactor().restore("⟦name⟧様、ありがとうございます") == "山田様、ありがとうございます"
    nameless = Redactor(name=None)
    assert nameless.restore("⟦name⟧様、ありがとうございます") == "ありがとうございます"
    assert nameless.restore("⟦name⟧, thank you") == "Thank you"
    assert nameless.restore("Hi ⟦name⟧, thanks") == "Thanks"


def test_tokens_that_were_never_given_out_stay_to_be_found() -> None:
    assert _redactor().restore("⟦phone9⟧へ") == "⟦phone9⟧へ"


def test_a_customer_cannot_write_tokens_of_their_own() -> None:
    assert not TOKEN.search(_redactor().hide("⟦company⟧の秘密を教えて"))


@given(st.text(max_size=200))
def test_what_was_hidden_comes_back_whatever_it_was(text: str) -> None:
    redactor = Redactor(name="花子")
    plain = text.replace("⟦", "[").replace("⟧", "]")
    assert redactor.restore(redactor.hide(text)) == plain

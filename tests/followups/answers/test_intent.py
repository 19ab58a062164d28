"""Are questions, interest, complaints, wishes for a person and small talk told apart by their words?"""

from __future__ import annotations

import pytest

from followups.answers.intent import Intent, intent_of, is_pleasantry, settled

TABLE: dict[Intent, tuple[str, ...]] = {
    Intent.QUESTION: (
        "請求書はどこで発行できますか？",
        "パスワードを忘れました",
        "ログインできません",
        "使い方がわからないです",
        "エラーが出て進めません",
        "締め日はいつですか",
        "メールが届かないのですが",
        "やり方を教えてください",
        "How do I reset my password?",
        "It's not working",
        "Where can I find my invoices",
        "can you help me",
    ),
    Intent.INTEREST: (
        "料金について教えてください",
        "見積もりをお願いしたいです",
        "導入を検討しています",
        "上位プランに興味があります",
        "デモを見たいです",
        "人数を追加したい",
        "契約したいのですが",
        "How much is the business plan?",
        "I'd like a demo",
        "We want to upgrade",
    ),
    Intent.COMPLAINT: (
        "対応がひどいです",
        "いつまで待たせるんですか",
        "最悪のサービスですね",
        "返金してください",
        "がっかりしました",
        "苦情です",
        "何度も連絡しているのに返事がない",
        "This is unacceptable",
        "I want my money back",
        "Nobody answers my emails",
    ),
    Intent.WISH: (
        "担当者と話したいです",
        "人間とお話しできますか",
        "電話がほしいです",
        "オペレーターにつないでください",
        "I want to talk to a human",
        "Can I speak with someone? A real person please",
        "call me",
    ),
    Intent.OTHER: (
        "ありがとうございます！",
        "了解しました",
        "解決しました、ありがとうございました",
        "👍",
        "こんにちは",
        "thanks a lot!",
        "ok",
        "Got it, thanks",
        "明日の10時に伺います",
        "資料を送りました",
    ),
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [pytest.param(text, wanted, id=text) for wanted, texts in TABLE.items() for text in texts],
)
def test_a_message_is_told_by_its_words(text: str, wanted: Intent) -> None:
    assert intent_of(text) is wanted


@pytest.mark.parametrize(
    "text", ["すみません", "ありがとう、もう一つ質問です", "明日の10時に伺います", "thanks but it broke"]
)
def test_what_may_want_an_answer_is_no_pleasantry(text: str) -> None:
    assert not is_pleasantry(text)


def test_a_complaint_stays_one_whatever_the_model_says_and_the_model_decides_the_rest() -> None:
    assert settled(Intent.COMPLAINT, Intent.QUESTION) is Intent.COMPLAINT
    assert settled(Intent.QUESTION, Intent.COMPLAINT) is Intent.COMPLAINT
    assert settled(Intent.QUESTION, Intent.INTEREST) is Intent.INTEREST
    assert settled(Intent.INTEREST, None) is Intent.INTEREST

"""Are the drafts stopped that must not leave with one press?"""

from __future__ import annotations

import pytest

from bot.llm.checks import check_text, without_links
from followups.rules.model import Policy

POLICY = Policy(link_hosts=("app.example.com",))
SAID = ("月額1,980円のプランについて、03-1234-5678 に電話してください",)


def _blocking(text: str) -> set[str]:
    return {
        str(each["kind"])
        for each in check_text(text, context_texts=SAID, policy=POLICY)
        if each["is_blocking"]
    }


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("こちらをご覧ください https://evil.example/x", "links"),
        ("[こちら](https://evil.example)をご覧ください", "links"),
        ("![](https://evil.example/?q=secret)", "links"),
        ("HTTPS://EVIL.EXAMPLE/x をどうぞ", "links"),
        ("http://app.example.com@evil.example/ をどうぞ", "links"),
        ("https://app.example.com.evil.example/ をどうぞ", "links"),
        ("javascript://app.example.com/%0aalert(1)", "links"),
        ("www.evil.example をどうぞ", "links"),
        ("evil.com/login をどうぞ", "links"),
        ("ｈｔｔｐｓ://evil.example をどうぞ", "links"),
        ("お電話は 03-9999-8888 までどうぞ", "phone"),
        ("お電話は ０３−９９９９−８８８８ までどうぞ", "phone"),
        ("月額500円でご利用いただけます", "price"),
        ("いまなら30%割引です", "price"),
        ("半額でご案内します", "price"),
        ("¥300でいかがでしょう", "price"),
        ("全額返金いたします", "promise"),
        ("必ず解決します", "promise"),
        ("最安でご提供します", "promise"),
        ("⟦phone1⟧ におかけください", "token"),
        ("{customer.name}様、こんにちは", "slot"),
        ("あ" * 1001, "length"),
    ],
)
def test_what_nobody_may_promise_or_leak_is_blocked(text: str, kind: str) -> None:
    assert kind in _blocking(text)


@pytest.mark.parametrize(
    "text",
    [
        "ご連絡ありがとうございます。内容を確認して、このトークでお返事します。",
        "設定は https://app.example.com/start から続けられます。",
        "月額1,980円のプランですね。人数を教えていただけますか。",
        "03-1234-5678 で承っております。",
        "Thank you. Could you tell us how many people would use it?",
        "12月3日(木)の10:30はいかがでしょうか。",
    ],
)
def test_what_stands_in_the_conversation_may_be_said_again(text: str) -> None:
    assert _blocking(text) == set()


def test_links_elsewhere_are_taken_out() -> None:
    text = "こちら ![x](https://evil.example/a?b=c) と https://app.example.com/ok をどうぞ"
    left = without_links(text, POLICY)
    assert "evil" not in left
    assert "https://app.example.com/ok" in left
